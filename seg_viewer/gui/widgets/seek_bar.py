"""The time line: a click jumps, a drag scrubs."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from seg_viewer.gui import theme

_MARGIN = 8
_TRACK = 5


def clock_text(seconds: float | None, *, tenths: bool = False) -> str:
    """ "0:04", "12:34", "1:02:03"; with tenths "0:04.3"; "–:––" when unknown."""
    if seconds is None:
        return "–:––"
    whole = int(seconds * 10 + 0.5) if tenths else int(seconds + 0.5) * 10
    total, tenth = divmod(whole, 10)
    hours, rest = divmod(total, 3600)
    minutes, secs = divmod(rest, 60)
    text = f"{hours}:{minutes:02}:{secs:02}" if hours else f"{minutes}:{secs:02}"
    return f"{text}.{tenth}" if tenths else text


class SeekBar(QWidget):
    """Position within a length; disabled, or without a length, it shows only a track."""

    sought = Signal(float)
    """A person wants to be at this time, seconds."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._length_s: float | None = None
        self._position_s = 0.0
        self._dragged_s: float | None = None
        self._hovered_x: float | None = None
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Position")
        self.setAccessibleDescription("Click to jump, drag to scrub; keys: left, right, home, end")
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        return QSize(200, 24)

    @property
    def position_s(self) -> float:
        """What it shows: while dragged, where the handle is."""
        return self._position_s if self._dragged_s is None else self._dragged_s

    @property
    def dragging(self) -> bool:
        return self._dragged_s is not None

    @property
    def length_s(self) -> float | None:
        """Seconds, None when unknown."""
        return self._length_s

    def set_length(self, length_s: float | None) -> None:
        """Seconds, or None when unknown."""
        if length_s != self._length_s:
            self._length_s = length_s if length_s and length_s > 0 else None
            self.update()

    def set_position(self, position_s: float) -> None:
        if position_s != self._position_s:
            self._position_s = position_s
            self.update()

    def x_of(self, time_s: float) -> float:
        """Where a time is on the track, logical pixels."""
        share = min(1.0, time_s / self._length_s) if self._length_s else 0.0
        return _MARGIN + share * (self.width() - 2 * _MARGIN)

    def time_at(self, x: float) -> float:
        """Time at a place on the track, seconds."""
        share = (x - _MARGIN) / max(1, self.width() - 2 * _MARGIN)
        return min(1.0, max(0.0, share)) * (self._length_s or 0.0)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            middle = self.height() / 2
            track = QRectF(_MARGIN, middle - _TRACK / 2, self.width() - 2 * _MARGIN, _TRACK)
            self._bar(painter, track, theme.BORDER)
            if self._length_s is None or not self.isEnabled():
                return
            x = self.x_of(self.position_s)
            if self._hovered_x is not None:
                self._bar(painter, QRectF(_MARGIN, track.y(), self._hovered_x - _MARGIN, _TRACK), "#4a5566")
            self._bar(painter, QRectF(_MARGIN, track.y(), x - _MARGIN, _TRACK), theme.ACCENT)
            radius = 8 if self.dragging or self._hovered_x is not None else 6.5
            painter.setBrush(QColor(theme.TEXT))
            painter.drawEllipse(QRectF(x - radius, middle - radius, 2 * radius, 2 * radius))
        finally:
            painter.end()

    @staticmethod
    def _bar(painter: QPainter, rect: QRectF, color: str) -> None:
        if rect.width() > 0:
            painter.setBrush(QColor(color))
            painter.drawRoundedRect(rect, _TRACK / 2, _TRACK / 2)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton and self._length_s:
            self._drag_to(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        x = event.position().x()
        self._hovered_x = min(max(_MARGIN, x), self.width() - _MARGIN)
        if self._length_s and self.isEnabled():
            QToolTip.showText(event.globalPosition().toPoint(), clock_text(self.time_at(x), tenths=True), self)
        if self.dragging:
            self._drag_to(x)
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self.dragging and event.button() is Qt.MouseButton.LeftButton:
            self._drag_to(event.position().x())
            self._position_s = self.position_s
            self._dragged_s = None
            self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._hovered_x = None
        self.update()

    def _drag_to(self, x: float) -> None:
        time_s = self.time_at(x)
        if time_s != self._dragged_s:
            self._dragged_s = time_s
            self.sought.emit(time_s)
            self.update()
