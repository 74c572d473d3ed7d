"""The menu of what was opened lately."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QMenu, QWidget

from seg_viewer.gui.opening import short_name
from seg_viewer.gui.widgets.plain import plain_action, plain_tip


class RecentMenu(QMenu):
    """Sources, newest first, and a way to forget them."""

    chosen = Signal(str)
    cleared = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__("Open &recent", parent)
        self.setToolTipsVisible(True)

    def set_recent(self, sources: tuple[str, ...]) -> None:
        self.clear()
        self.setEnabled(bool(sources))
        for source in sources:
            action = self.addAction(plain_action(short_name(source)))
            action.setToolTip(plain_tip(source))
            action.triggered.connect(lambda _checked=False, source=source: self.chosen.emit(source))
        if sources:
            self.addSeparator()
            self.addAction("Clear this list").triggered.connect(self.cleared)
