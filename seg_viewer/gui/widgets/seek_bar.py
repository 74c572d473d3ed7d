"""The time line: a click jumps, a drag scrubs."""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, QPoint, QRectF, QSize, Qt, Signal, SignalInstance
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from seg_viewer.gui import theme
from seg_viewer.gui.words import t

_MARGIN = 8
_TRACK = 5
_STEP_S = 5.0
_PAGE = 0.1
"""Of the length."""
_REACH = 12
"""How far from its place the handle is painted, and what lies below it, logical pixels."""
SEEN = 0.1
"""Logical pixels that the handle has to move for it to be painted anew: in a long video, not for every frame."""


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
    moved = Signal(float)
    """A person wants to go on or back by so many seconds, from where they wanted to be last."""
    hovered = Signal(float, QPoint)
    """The pointer is above this time, seconds; with the place on the screen of the upper edge there."""
    left = Signal()
    """The pointer is no longer above a time."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._length_s: float | None = None
        self._position_s = self._handle_x = 0.0
        self._dragged_s: float | None = None
        self._hovered_x: float | None = None
        self._marks_s: tuple[float | None, float | None] = (None, None)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(t("Position"))
        self.setAccessibleDescription(
            t("Click to jump, drag to scrub; keys: left, right, page up, page down, home, end")
        )
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
        self._position_s = position_s
        x = self.x_of(self.position_s)
        if abs(x - self._handle_x) >= SEEN:
            left, right = sorted((x, self._handle_x))
            self.update(math.floor(left) - _REACH, 0, math.ceil(right - left) + 2 * _REACH, self.height())

    @property
    def marks_s(self) -> tuple[float | None, float | None]:
        """Where the repeated part begins and ends, seconds; None where that is not marked."""
        return self._marks_s

    def set_marks(self, start_s: float | None, end_s: float | None) -> None:
        """Mark where a part begins and where it ends, seconds; None for no mark."""
        if (start_s, end_s) != self._marks_s:
            self._marks_s = (start_s, end_s)
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
                self._bar(painter, QRectF(_MARGIN, track.y(), self._hovered_x - _MARGIN, _TRACK), theme.HOVERED)
            self._bar(painter, QRectF(_MARGIN, track.y(), x - _MARGIN, _TRACK), theme.ACCENT)
            self._paint_marks(painter, track)
            self._handle_x = x
            radius = 8 if self.dragging or self._hovered_x is not None else 6.5
            painter.setBrush(QColor(theme.TEXT))
            if self.hasFocus():
                painter.setPen(QPen(QColor(theme.ACCENT), 2))
                radius += 1
            painter.drawEllipse(QRectF(x - radius, middle - radius, 2 * radius, 2 * radius))
        finally:
            painter.end()

    def _paint_marks(self, painter: QPainter, track: QRectF) -> None:
        """Posts where the repeated part begins and ends, and a line between them, above the track."""
        painter.setBrush(QColor(theme.TEXT))
        start_s, end_s = self._marks_s
        if start_s is not None and end_s is not None:
            left, right = self.x_of(start_s), self.x_of(end_s)
            painter.drawRect(QRectF(left, track.y() - 7, right - left, 2))
        for time_s in self._marks_s:
            if time_s is not None:
                painter.drawRect(QRectF(self.x_of(time_s) - 1, track.y() - 7, 2, _TRACK + 14))

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
            self.hovered.emit(self.time_at(x), self.mapToGlobal(QPoint(round(self._hovered_x), 0)))
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
        self.left.emit()
        self.update()

    def event(self, event: QEvent) -> bool:
        # with the focus, its keys are its own, and no shortcuts of the window
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and self._wish(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        wish = self._wish(event)
        if wish is None:
            super().keyPressEvent(event)
        elif self._length_s and self.isEnabled():
            signal, seconds = wish
            signal.emit(seconds)

    def _wish(self, event: QKeyEvent) -> tuple[SignalInstance, float] | None:
        """What a key stands for, and with how many seconds."""
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            return None
        length_s = self._length_s or 0.0
        return {
            Qt.Key.Key_Left: (self.moved, -_STEP_S),
            Qt.Key.Key_Right: (self.moved, _STEP_S),
            Qt.Key.Key_PageDown: (self.moved, -_PAGE * length_s),
            Qt.Key.Key_PageUp: (self.moved, _PAGE * length_s),
            Qt.Key.Key_Home: (self.sought, 0.0),
            Qt.Key.Key_End: (self.sought, length_s),
        }.get(Qt.Key(event.key()))

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def _drag_to(self, x: float) -> None:
        time_s = self.time_at(x)
        if time_s != self._dragged_s:
            self._dragged_s = time_s
            self.sought.emit(time_s)
            self.update()
