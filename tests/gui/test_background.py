"""Work beside the window's thread, and the way back from it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject
from pytestqt.qtbot import QtBot

from seg_viewer.core.errors import SegViewerError
from seg_viewer.gui.tasks.background import Background, within

from .conftest import WAIT_MS, worker_threads


class Asker(QObject):
    """Keeps what it was told, and on which thread."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[object] = []
        self.errors: list[str] = []
        self.threads: set[threading.Thread] = set()

    def on_done(self, result: object) -> None:
        self.done.append(result)
        self.threads.add(threading.current_thread())

    def on_error(self, line: str) -> None:
        self.errors.append(line)
        self.threads.add(threading.current_thread())


@pytest.fixture
def asker(qapp) -> Asker:
    return Asker()


@pytest.fixture
def background(qtbot: QtBot) -> Iterator[Background]:
    background = Background()
    yield background
    background.close()
    qtbot.waitUntil(lambda: not worker_threads(), timeout=WAIT_MS)


def _run(background: Background, asker: Asker, work, **choices) -> None:
    background.run("toy", work, asker.on_done, asker.on_error, owner=asker, subject="Toy", **choices)


def test_work_runs_beside_and_its_result_comes_back_to_the_window_thread(qtbot: QtBot, background, asker):
    _run(background, asker, lambda: threading.current_thread().name)
    qtbot.waitUntil(lambda: bool(asker.done), timeout=WAIT_MS)
    assert asker.done == ["seg-toy"] and asker.errors == []
    assert asker.threads == {threading.current_thread()}


def _expected() -> None:
    raise SegViewerError("rtsp://joe:hush@cam/live:\ncannot be read; choose another")


def _unexpected() -> None:
    raise MemoryError("no room for rtsp://joe:hush@cam/live\nat all")


@pytest.mark.parametrize(
    ("work", "line", "logged"),
    [
        (_expected, "rtsp://cam/live: cannot be read; choose another", False),
        (
            _unexpected,
            "Toy: stopped by an unexpected error: MemoryError: no room for rtsp://cam/live at all",
            True,
        ),
    ],
)
def test_an_error_is_one_line_without_passwords(qtbot: QtBot, background, asker, caplog, work, line: str, logged: bool):
    _run(background, asker, work)
    qtbot.waitUntil(lambda: bool(asker.errors), timeout=WAIT_MS)
    assert asker.errors == [line] and asker.done == []
    assert asker.threads == {threading.current_thread()}
    assert ("in _unexpected" in caplog.text) is logged and "hush" not in caplog.text


@pytest.mark.parametrize("last_fails", [False, True])
def test_only_the_newest_wish_is_answered(qtbot: QtBot, background, asker, last_fails: bool):
    gates = [threading.Event() for _ in range(3)]

    def work(number: int) -> int:
        assert gates[number].wait(WAIT_MS / 1000)
        if last_fails and number == 2:
            raise SegViewerError("the last one")
        return number

    for number in range(3):
        _run(background, asker, lambda number=number: work(number), newest=True)
    for number in (2, 0, 1):
        gates[number].set()
    qtbot.waitUntil(lambda: not worker_threads(), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: bool(asker.done or asker.errors), timeout=WAIT_MS)
    qtbot.wait(50)
    assert (asker.done, asker.errors) == (([], ["the last one"]) if last_fails else ([2], []))


def test_work_of_the_same_name_is_answered_each_time(qtbot: QtBot, background, asker):
    for number in range(5):
        _run(background, asker, lambda number=number: number)
    qtbot.waitUntil(lambda: len(asker.done) == 5, timeout=WAIT_MS)
    assert sorted(asker.done) == [0, 1, 2, 3, 4]


def test_nobody_is_called_who_was_deleted(qtbot: QtBot, background, asker):
    gate, heard = threading.Event(), asker.done
    _run(background, asker, lambda: gate.wait(WAIT_MS / 1000))
    asker.deleteLater()
    QCoreApplication.sendPostedEvents(asker, QEvent.Type.DeferredDelete)
    gate.set()
    qtbot.waitUntil(lambda: not worker_threads(), timeout=WAIT_MS)
    qtbot.wait(50)
    assert heard == []


def test_steps_come_back_in_order(qtbot: QtBot, background, asker):
    def work() -> str:
        for step in range(20):
            background.call_later(lambda step=step: asker.on_done(step), owner=asker)
        return "end"

    _run(background, asker, work)
    qtbot.waitUntil(lambda: "end" in asker.done, timeout=WAIT_MS)
    assert asker.done == [*range(20), "end"] and asker.threads == {threading.current_thread()}


@pytest.mark.parametrize(("wait", "all_ended"), [(within(5.0), True), (within(0.01), False), (None, False)])
def test_closing_waits_for_what_is_to_be_kept(qtbot: QtBot, asker, wait, all_ended: bool):
    background, kept = Background(), threading.Event()

    def work() -> None:
        time.sleep(0.3)
        kept.set()

    _run(background, asker, work, wait=wait)
    assert background.close() is all_ended and kept.is_set() is all_ended
    qtbot.waitUntil(lambda: not worker_threads(), timeout=WAIT_MS)
    qtbot.wait(50)
    assert asker.done == []  # nobody is there any more


def test_what_fails_while_the_program_ends_is_logged(qtbot: QtBot, asker, caplog):
    background, gate = Background(), threading.Event()

    def work() -> None:
        gate.wait(WAIT_MS / 1000)
        raise SegViewerError("film.mp4: the disk is full")

    _run(background, asker, work, wait=within(5.0))
    threading.Timer(0.1, gate.set).start()
    with caplog.at_level(logging.WARNING):
        assert background.close()
    assert "film.mp4: the disk is full" in caplog.text and asker.errors == []
