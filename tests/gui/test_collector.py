"""Cycles are collected on the window's thread only."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from seg_viewer.gui.collector import Collector

from .conftest import WAIT_MS

MANY = 3 * gc.get_threshold()[0]


class _Cycle:
    """Says on which thread it ended."""

    def __init__(self, ended: list[int]) -> None:
        self.me = self
        self._ended = ended

    def __del__(self) -> None:
        self._ended.append(threading.get_ident())


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.stop()


def _work(ended: list[int]) -> None:
    """What a decoding thread may do."""
    for _ in range(MANY):
        _Cycle(ended)


def test_no_other_thread_takes_cycles_apart(qtbot: QtBot, collector: Collector):
    ended: list[int] = []
    other = threading.Thread(target=_work, args=(ended,))
    other.start()
    other.join()
    assert ended == []
    qtbot.waitUntil(lambda: len(ended) == MANY, timeout=WAIT_MS)
    assert set(ended) == {threading.get_ident()}


def test_once_it_is_stopped_python_does_it_by_itself_again():
    collector = Collector()
    assert not gc.isenabled() and gc.get_freeze_count() > 0
    collector.stop()
    assert gc.isenabled() and gc.get_freeze_count() == 0
