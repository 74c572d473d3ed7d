"""A small line of how a number went over the last minute."""

from __future__ import annotations

from collections import deque

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from seg_viewer.gui import theme
from seg_viewer.gui.words import figure, t

SPAN_S = 60.0
_MOST = 600
_HEIGHT = 26


class Sparkline(QWidget):
    """From zero to the highest of the last 60 seconds; a gap where there was no number.

    Args:
        name: of the number, for screen readers.
        unit: of the number.
    """

    def __init__(self, name: str, unit: str) -> None:
        super().__init__()
        self._name, self._unit = name, unit
        self._points: deque[tuple[float, float | None]] = deque(maxlen=_MOST)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(t("{name} over the last minute", name=name))
        self._version = 0
        """Of the points."""
        self._drawn = QImage()
        self._drawn_for: object = None
        self._describe()

    def sizeHint(self) -> QSize:
        return QSize(120, _HEIGHT)

    @property
    def values(self) -> list[float | None]:
        """Those of the last minute, oldest first."""
        return [value for _at_s, value in self._points]

    def add(self, at_s: float, value: float | None) -> None:
        """The number at a time of `time.perf_counter`, seconds; None where there is none."""
        self._points.append((at_s, value))
        while self._points[0][0] < at_s - SPAN_S:
            self._points.popleft()
        self._version += 1
        self._describe()
        self.update()

    def clear(self) -> None:
        self._points.clear()
        self._version += 1
        self._describe()
        self.update()

    def _describe(self) -> None:
        known = [value for value in self.values if value is not None]
        if known:
            text = t(
                "{name}, last minute: {least} to {most} {unit}",
                name=self._name, least=figure(min(known)), most=figure(max(known)), unit=self._unit,
            )  # fmt: skip
        else:
            text = t("{name}: nothing to show yet", name=self._name)
        self.setToolTip(text)
        self.setAccessibleDescription(text)

    def lines(self) -> list[QPolygonF]:
        """What is painted, logical pixels: one line for each stretch without a gap."""
        known = [value for value in self.values if value is not None]
        if not known:
            return []
        top, newest_s = max(known) or 1.0, self._points[-1][0]
        found: list[QPolygonF] = [QPolygonF()]
        for at_s, value in self._points:
            if value is None:
                found.append(QPolygonF())
                continue
            x = self.width() * (1 - (newest_s - at_s) / SPAN_S)
            found[-1].append(QPointF(x, 2 + (self.height() - 4) * (1 - value / top)))
        return [line for line in found if line.size() > 1]

    def paintEvent(self, event: QPaintEvent) -> None:
        # a window that is resized paints it with each step: only a minute of numbers takes long to draw
        now = (self.size(), self.devicePixelRatioF(), theme.BORDER, theme.ACCENT, self._version)
        if now != self._drawn_for:
            self._drawn, self._drawn_for = self._draw(), now
        painter = QPainter(self)
        try:
            painter.drawImage(0, 0, self._drawn)
        finally:
            painter.end()

    def _draw(self) -> QImage:
        image = QImage(self.size() * self.devicePixelRatioF(), QImage.Format.Format_ARGB32_Premultiplied)
        image.setDevicePixelRatio(self.devicePixelRatioF())
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        try:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(theme.BORDER), 1))
            painter.drawLine(0, self.height() - 1, self.width(), self.height() - 1)
            painter.setPen(QPen(QColor(theme.ACCENT), 1.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            for line in self.lines():
                painter.drawPolyline(line)
        finally:
            painter.end()
        return image
