"""What is freed goes back to the system; in a program of its own, whose heap nobody else has used."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from seg_viewer.core import heap

on_glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps heaps that can be trimmed")

_PROGRAM = """
import sys, time
from pathlib import Path
from seg_viewer.core import heap

def own_mb():
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 1024

print(heap.use_few_heaps())
large, small = [], []
for _ in range(300):
    large.append(bytearray(100_000))
    small.append(bytearray(2_000))
large.clear()
before = own_mb()
if sys.argv[1] == "at once":
    heap.give_back()
else:
    with heap.tidied(0.05):
        end = time.monotonic() + 60
        while before - own_mb() < 15 and time.monotonic() < end:
            time.sleep(0.05)
print(before - own_mb(), len(small))
"""


@on_glibc
@pytest.mark.parametrize("how", ["at once", "by itself"])
def test_holes_between_what_is_kept_are_given_back(how: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, how], capture_output=True, encoding="utf-8", timeout=90, check=True
    )
    few, given = done.stdout.splitlines()
    assert few == "True"
    assert float(given.split()[0]) > 15  # of 29 MB


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
