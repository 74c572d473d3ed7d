"""Carries news from worker threads to the window's thread."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from seg_viewer.player.player import Player


class PlayerBridge(QObject):
    """A player's call-backs as signals, which Qt queues to the window's thread."""

    news = Signal()
    changed = Signal()

    def __init__(self, player: Player, parent: QObject | None = None) -> None:
        super().__init__(parent)
        player.listen(self.news.emit, self.changed.emit)
