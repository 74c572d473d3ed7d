"""One of our icons, to look at."""

from __future__ import annotations

from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from seg_viewer.gui.theme import icon


class IconLabel(QWidget):
    """Draws it anew whenever the theme changes, which a pixmap in a label would not.

    Args:
        name: below assets/icons.
        side: pixels.
    """

    def __init__(self, name: str, side: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon = icon(name)
        self.setFixedSize(side, side)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            self._icon.paint(painter, self.rect())
        finally:
            painter.end()
