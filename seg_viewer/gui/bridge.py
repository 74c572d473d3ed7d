"""Carries news from worker threads to the window's thread."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from PySide6.QtCore import QObject, Qt, Signal

from seg_viewer.player.player import Player


class PlayerBridge(QObject):
    """A player's call-backs as signals, which Qt queues to the window's thread."""

    news = Signal()
    changed = Signal()

    def __init__(self, player: Player, parent: QObject | None = None) -> None:
        super().__init__(parent)
        player.listen(self.news.emit, self.changed.emit)


class ErrorBridge(QObject):
    """Takes errors from any thread to the window's.

    Args:
        show: called there with each line.
    """

    _happened = Signal(str)

    def __init__(self, show: Callable[[str], None], parent: QObject) -> None:
        super().__init__(parent)
        self._happened.connect(show, Qt.ConnectionType.QueuedConnection)

    def tell(self, text: str) -> None:
        """From any thread; after the window is gone, nobody is told."""
        with suppress(RuntimeError):
            self._happened.emit(text)
