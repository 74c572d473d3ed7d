"""Says over the whole window that what is being dragged can be dropped."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QWidget

from seg_viewer.gui.words import t

_INSET = 14
_ROUND = 12
_MARGIN = 40


class DropVeil(QWidget):
    """Lies over another widget while something is dragged, and lets all events through.

    Args:
        under: what it covers.
    """

    def __init__(self, under: QWidget) -> None:
        super().__init__(under)
        self._under = under
        self.text = ""
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName(t("Drop here"))
        under.installEventFilter(self)
        self.hide()

    def invite(self, text: str) -> None:
        """Say what dropping would do; "" when nothing is dragged any more."""
        self.text = text
        self.setGeometry(self._under.rect())
        self.setVisible(bool(text))
        self.raise_()
        self.update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Resize and self.isVisible():
            self.setGeometry(self._under.rect())
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            ground = self.palette().color(QPalette.ColorRole.Window)
            ground.setAlpha(205)
            painter.fillRect(self.rect(), ground)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            line = QColor(self.palette().color(QPalette.ColorRole.Link))
            painter.setPen(QPen(line, 3, Qt.PenStyle.DashLine))
            box = QRectF(self.rect()).adjusted(_INSET, _INSET, -_INSET, -_INSET)
            painter.drawRoundedRect(box, _ROUND, _ROUND)
            font = self.font()
            font.setPointSizeF(font.pointSizeF() * 1.8)
            font.setBold(True)
            painter.setFont(font)
            painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
            room = self.rect().adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
            painter.drawText(room, int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), self.text)
        finally:
            painter.end()
