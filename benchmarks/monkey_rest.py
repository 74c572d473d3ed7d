"""Comes to one and the same state by keys, so that what a window holds there can be compared over time.

The state: the first of the videos opened anew, stopped at its start, seen by the first model alone, as an overlay in
the whole window, no dialog open, the window of one size, the pointer beside it.
"""

from __future__ import annotations

import configparser
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.x_display import Display

LIST = "all.m3u"
"""Name of the playlist in the program's home that is opened."""
_SIZE = (10, 30, 1200, 800)
_KEY_S, _OPENS_S, _FIRST_S, _MOVES_S = 0.3, 20.0, 3.0, 2.0
_ESCAPES, _TRIES, _CLOSES_S = 10, 16, 2.0
_BUSY_S, _CALM, _LONGEST_S = 3.0, 0.1, 60.0
"""At rest is what uses less than a tenth of a core over three seconds; it is waited for so long."""
_BACK_S, _LOOKS = 12.0, 10
"""Heaps are given back every ten seconds (`seg_viewer/core/heap.py`), and looked at so many times after that."""
_MODE_KEYS = {
    "mask": "x", "wipe": "w", "side": "v", "confidence": "c", "wipe-models": "Shift_L+w", "side-models": "Shift_L+v",
    "original": "t",
}  # fmt: skip
"""Ways to look at pictures that are left by their own key."""


@dataclass(frozen=True)
class AtRest:
    """What was seen there.

    Args:
        acted_s: how long the monkey had been acting by then, seconds.
        mb: what the process holds alone.
        fault: what was not as it should have been; "" where all was.
    """

    acted_s: float
    mb: float
    fault: str = ""


class Window(Protocol):
    """The program whose window is brought to rest."""

    @property
    def pid(self) -> int: ...
    @property
    def home(self) -> Path: ...
    def memory_mb(self) -> float: ...


def slope(seen: Sequence[AtRest]) -> float:
    """Megabytes a minute of acting, the line of least squares; 0 for less than two."""
    times = [each.acted_s / 60 for each in seen]
    if len(set(times)) < 2:
        return 0.0
    return statistics.linear_regression(times, [each.mb for each in seen]).slope


class Rest:
    """Brings a window to the state.

    Args:
        display: where.
        meanwhile: called a few times a second.
    """

    def __init__(self, display: Display, meanwhile: Callable[[], None]) -> None:
        self._display, self._meanwhile = display, meanwhile

    def come(self, window: Window, acted_s: float) -> AtRest:
        """Come to rest, wait until it is quiet, and look at the memory."""
        self._close_dialogs(window)
        main = next(iter(self._display.windows(window.pid)), 0)
        self._display.resize(main, *_SIZE)
        self._stop_exports(window)
        faults = [self._close_dialogs(window)]  # one whose export ran stays open until that has ended
        self._press("Alt_L+m", "Home", "Return")  # the first model
        self._press("Alt_L+m", "c", "n")  # compared with nothing
        self._look_as_usual(window.home)
        faults.append(self._open_first(window, main))
        self._press("Shift_L+a", "Control_L+0")
        self._press("period", "9", "period", "Home", wait_s=_MOVES_S)  # a step stops it; far away no frame is kept
        self._display.move(2, 2)
        faults.append(self._wait_until_calm(window))
        self._wait(_BACK_S)
        if not self._display.title(main).startswith("1/"):
            faults.append("another video came")
        seen = []
        for _ in range(_LOOKS):
            seen.append(window.memory_mb())
            self._wait(0.1)
        return AtRest(acted_s, statistics.median(seen), "; ".join(filter(None, faults)))

    def _wait(self, seconds: float) -> None:
        until_s = time.perf_counter() + seconds
        while time.perf_counter() < until_s:
            self._meanwhile()
            time.sleep(0.05)

    def _press(self, *keys: str, wait_s: float = _KEY_S) -> None:
        for key in keys:
            self._display.press(key)
            self._wait(wait_s)

    def _until(self, condition: Callable[[], bool], seconds: float) -> bool:
        until_s = time.perf_counter() + seconds
        while not condition():
            if time.perf_counter() > until_s:
                return False
            self._wait(0.1)
        return True

    def _close_dialogs(self, window: Window) -> str:
        """Escape; where that asks something that Escape cannot answer, Return now and then."""
        for number in range(_TRIES):
            windows = self._display.windows(window.pid)
            if len(windows) < 2:
                break
            self._display.activate(windows[-1])
            self._wait(_KEY_S)
            self._press("Return" if number >= _ESCAPES and number % 2 else "Escape")
            self._until(lambda before=windows: self._display.windows(window.pid) != before, _CLOSES_S)  # type: ignore[misc]
        self._display.activate(next(iter(self._display.windows(window.pid)), 0))
        self._wait(_KEY_S)
        self._press("Escape", "Escape", "Escape")  # a menu, a message, the full screen
        left = len(self._display.windows(window.pid)) - 1
        return f"{left} dialogs stayed open" if left > 0 else ""

    def _stop_exports(self, window: Window) -> None:
        """The fourth stop back from the list is "Stop all" or "Clear finished", as far as there is something to do."""
        for _ in range(2):
            self._press("Control_L+Shift_L+e")
            self._until(lambda: len(self._display.windows(window.pid)) > 1, _OPENS_S)
            self._wait(_KEY_S)
            self._press("Shift_L+Tab", "Shift_L+Tab", "Shift_L+Tab", "Shift_L+Tab", "space", "Escape")
            self._until(lambda: len(self._display.windows(window.pid)) < 2, _CLOSES_S)

    def _look_as_usual(self, home: Path) -> None:
        """What the settings say is otherwise is changed back."""
        kept = _settings(home)
        mode = kept.get("view_mode", "overlay")
        if mode in _MODE_KEYS:
            self._press(_MODE_KEYS[mode])
        if kept.get("timeline") == "false":
            self._press("y")

    def _open_first(self, window: Window, main: int) -> str:
        self._press("Control_L+o")
        self._until(lambda: len(self._display.windows(window.pid)) > 1, _OPENS_S)
        self._wait(2 * _KEY_S)
        self._display.type(f"~/{LIST}")
        self._press("Return")
        self._until(lambda: len(self._display.windows(window.pid)) < 2, _OPENS_S)
        self._wait(_FIRST_S)
        if self._until(lambda: self._display.title(main).startswith("1/"), _OPENS_S):
            return ""
        return f"the first video was not opened: {self._display.title(main)!r}"

    def _wait_until_calm(self, window: Window) -> str:
        until_s = time.perf_counter() + _LONGEST_S
        while time.perf_counter() < until_s:
            before_s = _used_s(window.pid)
            self._wait(_BUSY_S)
            if _used_s(window.pid) - before_s < _CALM * _BUSY_S:
                return ""
        return f"still at work after {_LONGEST_S:.0f} s"


def _used_s(pid: int) -> float:
    """Time of processors that a process has had, seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _settings(home: Path) -> dict[str, str]:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read(home / "config" / "seg-viewer" / "seg-viewer.ini", encoding="utf-8")
        return dict(parser["General"])
    except (configparser.Error, KeyError):
        return {}
