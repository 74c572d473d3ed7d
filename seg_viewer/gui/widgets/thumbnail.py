"""What the pointer is above on the time line: its time, and a small picture of it."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from seg_viewer.gui import theme
from seg_viewer.gui.words import t

_WIDTH, _HEIGHT = 192, 120
"""Of the picture at most, logical pixels."""
_PAD = 6
_GAP = 6  # to the time line, and to the sides of the window
_RADIUS = 6


class ThumbnailPopup(QWidget):
    """Lies over the window, above the time line; takes neither the focus nor the pointer, and never leaves the window.

    Args:
        parent: anything in the window.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent.window())
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName(t("Preview"))
        self.text = ""
        """Of the time."""
        self.note = ""
        """Below the picture: when it is, where that is another time."""
        self.image: QImage | None = None
        self.hide()

    def show_above(self, place: QPoint, text: str, image: QImage | None, note: str = "") -> None:
        """Show a time, and its picture where there is one.

        Args:
            place: on the screen; the middle of the lower edge comes above it, as far as the window has room.
            text: the time.
            image: the picture, or None.
            note: a few words about it, or "".
        """
        self.text, self.image, self.note = text, image, note
        self.setAccessibleDescription(text)
        self.resize(self.sizeHint())
        window = self.window()
        below = window.mapFromGlobal(place)
        x = min(max(_GAP, below.x() - self.width() // 2), window.width() - self.width() - _GAP)
        self.move(max(0, x), max(0, below.y() - self.height() - _GAP))
        self.show()
        self.raise_()
        self.update()

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        lines = [line for line in (self.text, self.note) if line]
        picture = self._picture_size()
        width = max([picture.width(), *(metrics.horizontalAdvance(line) for line in lines)])
        height = picture.height() + len(lines) * metrics.height() + (_PAD // 2 if not picture.isEmpty() else 0)
        return QSize(width + 2 * _PAD, height + 2 * _PAD)

    def _picture_size(self) -> QSize:
        if self.image is None:
            return QSize(0, 0)
        return self.image.size().scaled(_WIDTH, _HEIGHT, Qt.AspectRatioMode.KeepAspectRatio)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.setPen(QPen(QColor(theme.BORDER), 1))
            painter.setBrush(QColor(theme.RAISED))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), _RADIUS, _RADIUS)
            top = _PAD
            if self.image is not None:
                size = self._picture_size()
                painter.drawImage(QRect(QPoint((self.width() - size.width()) // 2, top), size), self.image)
                top += size.height() + _PAD // 2
            row = self.fontMetrics().height()
            for line, color in ((self.text, theme.TEXT), (self.note, theme.DIM)):
                if line:
                    painter.setPen(QColor(color))
                    painter.drawText(QRect(0, top, self.width(), row), Qt.AlignmentFlag.AlignHCenter, line)
                    top += row
        finally:
            painter.end()
