"""What is freed goes back to the system."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

import numpy as np
import pytest

from seg_viewer.core import heap
from tests.waiting import wait_until

_PIECES, _BYTES = 300, 100_000
on_glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps heaps that can be trimmed")


def _own_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no RssAnon in /proc/self/status")


def _leave_holes() -> list[np.ndarray]:
    """Fill a heap with pieces, and free all but small ones between them."""
    large = [(np.ones(_BYTES, np.uint8), np.ones(600, np.uint8)) for _ in range(_PIECES)]
    return [small for _, small in large]


@on_glibc
def test_holes_are_given_back() -> None:
    heap.give_back()
    kept = _leave_holes()
    full_mb = _own_mb()
    assert heap.give_back()
    assert full_mb - _own_mb() > 0.5 * _PIECES * _BYTES / 2**20
    assert all(piece.all() for piece in kept)


@on_glibc
def test_it_happens_by_itself_while_it_is_asked_for() -> None:
    heap.give_back()
    kept = _leave_holes()
    full_mb = _own_mb()
    with heap.tidied(0.05):
        wait_until(lambda: full_mb - _own_mb() > 0.5 * _PIECES * _BYTES / 2**20, "freed memory to go back")
    assert kept


def test_elsewhere_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    heap._has_glibc.cache_clear()
    try:
        assert not heap.use_few_heaps() and not heap.give_back()
        with heap.tidied():
            pass
    finally:
        monkeypatch.undo()
        heap._has_glibc.cache_clear()
