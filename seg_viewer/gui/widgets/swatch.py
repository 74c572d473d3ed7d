"""A patch of a colour, to look at or to press."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QKeyEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QWidget

from seg_viewer.core import hatching
from seg_viewer.core.palette import RGB
from seg_viewer.gui import theme

_ROOM = 3  # for the focus ring, pixels on each side
_ROUND = 4
_PRESS = (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter)
_PATTERN = 9  # cells across that stand for a picture, so that a patch holds two or three stripes


class Swatch(QAbstractButton):
    """Shows a colour; pressed by click, space or Enter. Switched off it is a grey patch.

    Args:
        color: (red, green, blue).
        size: of the patch, pixels.
    """

    def __init__(self, color: RGB, size: int = 16, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._color = color
        self._stripes: int | None = None
        self._side = size
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setFixedSize(self.sizeHint())

    @property
    def color(self) -> RGB:
        return self._color

    def set_color(self, color: RGB, hatched_as: int | None = None) -> None:
        """Show another colour.

        Args:
            color: (red, green, blue).
            hatched_as: id of the class whose stripes it shows; None: it is plain.
        """
        if (color, hatched_as) != (self._color, self._stripes):
            self._color, self._stripes = color, hatched_as
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._side + 2 * _ROOM, self._side + 2 * _ROOM)

    def event(self, event: QEvent) -> bool:
        override = event.type() is QEvent.Type.ShortcutOverride
        if override and isinstance(event, QKeyEvent) and event.key() in _PRESS:
            event.accept()  # before the player's own key
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in _PRESS and not event.isAutoRepeat():
            self.click()
            return
        super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        now = theme.colors()
        painter = QPainter(self)
        try:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            patch = QRectF(_ROOM + 0.5, _ROOM + 0.5, self._side - 1, self._side - 1)
            painter.setPen(QPen(QColor(now.text if self.underMouse() and self.isEnabled() else now.dim), 1))
            painter.setBrush(QColor(*self._color) if self.isEnabled() else QColor(now.border))
            painter.drawRoundedRect(patch, _ROUND, _ROUND)
            if self._stripes is not None and self.isEnabled():
                self._draw_gaps(painter, patch, self._stripes)
            if self.hasFocus():
                painter.setPen(QPen(QColor(now.accent), 2))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), _ROUND + 2, _ROUND + 2)
        finally:
            painter.end()

    def _draw_gaps(self, painter: QPainter, patch: QRectF, class_id: int) -> None:
        """Lighten what is between the stripes."""
        cells = hatching.stripes(_PATTERN, _PATTERN) & (1 << hatching.direction_of(class_id))
        image = QImage(_PATTERN, _PATTERN, QImage.Format.Format_ARGB32)
        for (row, column), on in ((place, bool(cells[place])) for place in _places()):
            image.setPixelColor(column, row, QColor(0, 0, 0, 0) if on else QColor(theme.colors().panel))
        path = QPainterPath()
        path.addRoundedRect(patch.adjusted(1, 1, -1, -1), _ROUND - 1, _ROUND - 1)
        painter.save()
        painter.setClipPath(path)
        painter.setOpacity(0.75)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(patch, image)
        painter.restore()


def _places() -> list[tuple[int, int]]:
    return [(row, column) for row in range(_PATTERN) for column in range(_PATTERN)]
