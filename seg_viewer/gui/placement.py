"""Where the window is, remembered."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QMainWindow

from seg_viewer.gui.memory import Memory


class Placement(QObject):
    """Has the memory keep where a person puts a window, and how large it is.

    Args:
        window: is watched.
        memory: keeps `geometry`.
    """

    def __init__(self, window: QMainWindow, memory: Memory) -> None:
        super().__init__(window)
        self._window, self._memory = window, memory
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        moved = event.type() in (QEvent.Type.Move, QEvent.Type.Resize)
        if moved and watched is self._window and self._window.isVisible():  # before, nobody has put it there
            self._memory.change_late("geometry", lambda: bytes(self._window.saveGeometry().data()))
        return False
