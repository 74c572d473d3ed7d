"""A bar on the terminal while an engine is built."""

from __future__ import annotations

import threading
from typing import Any

from seg_viewer.engines.base import READY


class LoadBar:
    """A `LoadProgress` that draws; nothing is drawn before it is called."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bar: Any = None
        self._task: Any = None

    def __call__(self, what: str, share: float) -> bool:
        with self._lock:
            if what == READY:
                self._end()
                return True
            if self._bar is None:
                self._begin()
            self._bar.update(self._task, description=what, completed=share)
        return True

    def stop(self) -> None:
        """Remove the bar, e.g. before an error is shown; again is fine."""
        with self._lock:
            self._end()

    def _begin(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

        what = TextColumn("{task.description}", markup=False)
        columns = (what, BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
        console = Console(stderr=True)
        self._bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bar.add_task("", total=1.0)
        self._bar.start()

    def _end(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
