"""Keeps what the window remembers, and writes it soon after each change."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, QSettings, Signal

from seg_viewer.gui.settings import WindowSettings, load_settings, save_settings
from seg_viewer.gui.timers import timer

_WRITE_MS = 500


class Memory(QObject):
    """The settings of one window; what was changed is on disk within a second, however the program ends.

    Only what was changed here is written: two windows do not undo each other's changes.

    Args:
        store: where they live.
        parent: the window.
    """

    changed = Signal(object)
    """The `WindowSettings` that hold from now on."""

    def __init__(self, store: QSettings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._settings = load_settings(store)
        self._unwritten: set[str] = set()
        self._late: dict[str, Callable[[], Any]] = {}
        self._timer = timer(self, _WRITE_MS, once=True)
        self._timer.timeout.connect(self._write_beside)
        # a disk may take its time, and the window has none; one thread, so that what is newer is written later
        self._writer = ThreadPoolExecutor(1, "seg-settings")

    @property
    def settings(self) -> WindowSettings:
        return self._settings

    def change(self, **fields: Any) -> None:
        """Remember fields of `WindowSettings`; what is the same already costs nothing."""
        before, self._settings = self._settings, replace(self._settings, **fields)
        if self._settings != before:
            self._note(fields)
            self.changed.emit(self._settings)

    def change_late(self, name: str, value: Callable[[], Any]) -> None:
        """As `change`, for what changes many times a second: its value is asked for when it is written."""
        self._late[name] = value
        self._note((name,))

    def write(self) -> None:
        """Now, what is not on disk yet; returns once it is there."""
        self._write_beside()
        self._writer.submit(lambda: None).result()  # behind all that was to be written

    def close(self) -> None:
        """As `write`, for the last time."""
        self._write_beside()
        self._writer.shutdown()

    def _write_beside(self) -> None:
        self._timer.stop()
        late, self._late = self._late, {}
        self._settings = replace(self._settings, **{name: value() for name, value in late.items()})
        names, self._unwritten = self._unwritten, set()
        if names:
            self._writer.submit(save_settings, self._store, self._settings, names)

    def _note(self, names: Any) -> None:
        self._unwritten.update(names)
        if not self._timer.isActive():  # a value that changes all the time is written all the same
            self._timer.start()
