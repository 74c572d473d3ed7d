"""Strips along the time line: how much of the picture something covers, over the time of the video."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from seg_viewer.core.class_table import KNOWN, UNKNOWN
from seg_viewer.gui import theme
from seg_viewer.gui.timers import timer
from seg_viewer.gui.widgets.seek_bar import SEEN, SeekBar
from seg_viewer.gui.words import t

_HEIGHT, _LOW_HEIGHT = 11, 5
_GAP = 2
_LOW_WINDOW = 620
"""Height of a window, logical pixels, below which strips are low."""
_GUESSED_ALPHA = 120
_SETTLE_MS = 120
"""After so long without another size the strips are drawn anew; meanwhile they are stretched."""


@dataclass(frozen=True, eq=False)
class Track:
    """One strip.

    Args:
        name: for people.
        color: red, green, blue.
        values: of each column, shape (width,), 0…1; NaN where nothing is known.
        states: of each column, see `core.class_table`, shape (width,).
    """

    name: str
    color: tuple[int, int, int]
    values: NDArray[np.float64]
    states: NDArray[np.uint8]


class ClassStrips(QWidget):
    """Below a seek bar, aligned with its track: a click jumps, a drag scrubs, the pointer is told what is there.

    The height of a strip is the root of the value, over that of the largest one in the video: a person far away is one
    per mille of the picture, a road half of it.

    Args:
        bar: the seek bar.
        describe: what a person is told of a time, seconds.
    """

    sought = Signal(float)
    """A person wants to be at this time, seconds."""
    width_changed = Signal()
    """Tracks of another number of columns are wanted."""

    def __init__(self, bar: SeekBar, describe: Callable[[float], str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bar, self._describe = bar, describe
        self._tracks: tuple[Track, ...] = ()
        self._strips: list[_Strip] = []
        self._is_drawn = True
        self._position_s = self._mark_x = 0.0
        self._hovered_x: float | None = None
        self._adapted = 0
        self._dragging = False
        self._settle = timer(self, _SETTLE_MS, once=True)
        self._settle.timeout.connect(self._settled)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(t("Classes over time"))
        self.setAccessibleDescription(t("One strip for each class; click to jump; keys: N, Shift+N"))

    @property
    def tracks(self) -> tuple[Track, ...]:
        """What is shown, from above."""
        return self._tracks

    @property
    def columns(self) -> int:
        """How many columns a track has now, device pixels."""
        return max(1, round(self._track().width() * self.devicePixelRatioF()))

    def show_tracks(self, tracks: Sequence[Track]) -> None:
        count = len(self._tracks)
        self._tracks = tuple(tracks)
        self._is_drawn = False
        if len(tracks) != count:
            self._strips = [_Strip() for _ in tracks]
            self.updateGeometry()
        self.update()

    def set_position(self, position_s: float) -> None:
        """Time of the picture that is shown, seconds."""
        self._position_s = position_s
        x = self.x_of(position_s)
        if abs(x - self._mark_x) >= SEEN:
            for place in (x, self._mark_x):
                self.update(math.floor(place) - 2, 0, 5, self.height())

    def sizeHint(self) -> QSize:
        return QSize(200, len(self._tracks) * (self._height() + _GAP))

    def minimumSizeHint(self) -> QSize:
        return QSize(60, self.sizeHint().height())

    def time_at(self, x: float) -> float:
        """Time at a place, seconds."""
        return self._bar.time_at(x - self._offset())

    def x_of(self, time_s: float) -> float:
        """Where a time is, logical pixels."""
        return self._bar.x_of(time_s) + self._offset()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            track, height = self._track(), self._height()
            if not self._is_drawn:
                self._draw()
            for number, strip in enumerate(self._strips):
                painter.drawImage(QRectF(track.x(), number * (height + _GAP), track.width(), height), strip.image)
            bottom = len(self._tracks) * (height + _GAP) - _GAP
            if self._hovered_x is not None:
                painter.fillRect(QRectF(self._hovered_x - 0.5, 0, 1, bottom), QColor(theme.DIM))
            self._mark_x = self.x_of(self._position_s)
            painter.fillRect(QRectF(self._mark_x - 1, 0, 2, bottom), QColor(theme.TEXT))
        finally:
            painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._settle.start()

    def _settled(self) -> None:
        self._is_drawn = False
        self.width_changed.emit()
        self.update()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            self._is_drawn = False

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton and self._bar.isEnabled():
            self._dragging = True
            self.sought.emit(self.time_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hovered_x = min(max(self._track().left(), event.position().x()), self._track().right())
        self._tell(event.position(), event.globalPosition().toPoint())
        if self._dragging:
            self.sought.emit(self.time_at(event.position().x()))
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            self._dragging = False

    def leaveEvent(self, event: QEvent) -> None:
        self._hovered_x = None
        self.update()

    def adapt(self) -> None:
        """The window is higher or lower than before."""
        if self._height() != self._adapted:
            self._adapted = self._height()
            self._is_drawn = False
            self.updateGeometry()

    def _tell(self, place: QPointF, screen: QPoint) -> None:
        if self._bar.length_s:
            QToolTip.showText(screen, self._describe(self.time_at(place.x())), self)

    def _height(self) -> int:
        return _LOW_HEIGHT if self.window().height() < _LOW_WINDOW else _HEIGHT

    def _offset(self) -> float:
        """Where the seek bar begins, seen from here, logical pixels."""
        window = self.window()
        return float(self._bar.mapTo(window, QPoint()).x() - self.mapTo(window, QPoint()).x())

    def _track(self) -> QRectF:
        left, right = self.x_of(0.0), self.x_of(self._bar.length_s or 0.0)
        if right <= left:  # no length is known
            right = left + self.width()
        return QRectF(left, 0, right - left, self.height())

    def _draw(self) -> None:
        """Bring the strips up to date, at the size of the device's pixels."""
        rows = max(1, round(self._height() * self.devicePixelRatioF()))
        for strip, track in zip(self._strips, self._tracks, strict=True):
            strip.draw(track, rows)
        self._is_drawn = True


class _Strip:
    """The picture of a track; drawn anew is what has changed.

    While a video plays, a few columns change several times a second, of some thousand.
    """

    def __init__(self) -> None:
        self.image = QImage()
        self._pixels = np.empty((0, 0), np.uint32)
        self._drawn: tuple[object, ...] = ()
        self._values: NDArray[np.float64] = np.empty(0)
        self._states: NDArray[np.uint8] = np.empty(0, np.uint8)

    def draw(self, track: Track, rows: int) -> None:
        """Draw a track `rows` device pixels high, a column for each of its values."""
        known = track.states > UNKNOWN
        values = np.where(known, np.nan_to_num(track.values), 0.0)
        largest = float(values.max(initial=0.0))
        look = (track.color, largest, theme.BACKGROUND, theme.BORDER, rows, len(values))
        if look != self._drawn:
            self._drawn = look
            self._pixels = np.empty((rows, len(values)), np.uint32)
            changed = np.arange(len(values))
        else:
            changed = np.flatnonzero((values != self._values) | (track.states != self._states))
            if not len(changed):
                return
        self._values, self._states = values, track.states
        self._fill(changed, track.color, largest)
        width = len(values)
        self.image = QImage(self._pixels.data, width, rows, 4 * width, QImage.Format.Format_ARGB32).copy()

    def _fill(self, columns: NDArray[np.intp], color: tuple[int, int, int], largest: float) -> None:
        rows = len(self._pixels)
        values, states = self._values[columns], self._states[columns]
        known = states > UNKNOWN
        heights = np.sqrt(values / largest) * rows if largest > 0 else values
        heights = np.where(values > 0, np.maximum(1, np.rint(heights)), 0)
        sure, guessed = QColor(*color), QColor(*color)
        guessed.setAlpha(_GUESSED_ALPHA)
        filled = np.where(states == KNOWN, np.uint32(sure.rgba()), np.uint32(guessed.rgba()))
        empty = np.where(known, np.uint32(QColor(theme.BACKGROUND).rgba()), np.uint32(0))
        down = np.arange(rows)[:, None]
        picture = np.where(rows - down <= heights, filled, empty)
        if not known.all():
            # what nobody has looked at is hatched
            hatched = ((columns + down) // 2 % 4 == 0) & ~known
            picture[hatched] = QColor(theme.BORDER).rgba()
        self._pixels[:, columns] = picture
