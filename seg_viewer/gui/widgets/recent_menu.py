"""The menu of what was opened lately."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import QMenu, QWidget

from seg_viewer.gui.widgets.plain import plain_action, plain_tip
from seg_viewer.gui.widgets.recent_list import RecentItem
from seg_viewer.gui.words import t


class RecentMenu(QMenu):
    """Sources, newest first, and a way to forget them."""

    chosen = Signal(str)
    cleared = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(t("Open &recent"), parent)
        self.setToolTipsVisible(True)
        self._sources: list[str] = []
        self.setEnabled(False)

    def set_recent(self, items: Sequence[RecentItem]) -> None:
        """Newest first."""
        if [item.source for item in items] != self._sources:
            self._fill([item.source for item in items])
        for item, action in zip(items, self.actions(), strict=False):
            gone = f"  ({t('not there any more')})" if item.missing else ""
            action.setText(plain_action(item.name + gone))
            action.setToolTip(plain_tip(item.source))
            action.setIcon(QIcon(QPixmap.fromImage(item.picture)) if item.picture is not None else item.icon())

    def _fill(self, sources: list[str]) -> None:
        self._sources = sources
        self.clear()
        self.setEnabled(bool(sources))
        for source in sources:
            self.addAction("").triggered.connect(lambda _checked=False, source=source: self.chosen.emit(source))
        if sources:
            self.addSeparator()
            self.addAction(t("Clear this list")).triggered.connect(self.cleared)
