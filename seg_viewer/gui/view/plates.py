"""Small texts on a picture, readable on any: light on a dark, half transparent plate."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import partial
from typing import TypeVar

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter

TEXT, PLATE = QColor("#f1f3f6"), QColor(8, 10, 13, 168)
_PAD_X, _PAD_Y, _ROUND = 7.0, 4.0, 5.0
_KEPT = 24  # images of a kind
_T = TypeVar("_T")
_plates: OrderedDict[Hashable, QImage] = OrderedDict()
_lines: OrderedDict[Hashable, tuple[QImage, float]] = OrderedDict()
_blanks: OrderedDict[Hashable, QImage] = OrderedDict()
_fonts: OrderedDict[Hashable, tuple[QFont, QFontMetricsF]] = OrderedDict()


def plate_font(font: QFont) -> QFont:
    """A little smaller, with digits of one width, so that numbers that change stand still."""
    small = QFont(font)
    small.setPointSizeF(max(7.0, font.pointSizeF() * 0.92))
    small.setFeature(QFont.Tag("tnum"), 1)
    return small


def plate(lines: tuple[str, ...], font: QFont, ratio: float, widest: float) -> QImage:
    """Lines of text on a plate; kept, because most are the same from picture to picture.

    Args:
        lines: as they are; what is too wide ends in "…".
        font: of the view.
        ratio: device pixels for a logical one.
        widest: room for it, logical pixels.
    """
    name, room = font.key(), round(widest)
    return _kept(_plates, (lines, name, ratio, room), lambda: _painted(lines, font, name, ratio, room))


def plate_size(image: QImage) -> tuple[float, float]:
    """Width and height in logical pixels."""
    size = image.deviceIndependentSize()
    return size.width(), size.height()


def put(painter: QPainter, image: QImage, left: float, top: float) -> None:
    """On whole device pixels, so that letters stay sharp."""
    ratio = image.devicePixelRatio()
    painter.drawImage(QPointF(round(left * ratio) / ratio, round(top * ratio) / ratio), image)


def _kept(kept: OrderedDict[Hashable, _T], key: Hashable, make: Callable[[], _T]) -> _T:
    """What was made for a key before, else what is made now; the oldest goes."""
    if key not in kept:
        kept[key] = make()
        if len(kept) > _KEPT:
            kept.popitem(last=False)
    kept.move_to_end(key)
    return kept[key]


def _painted(lines: tuple[str, ...], font: QFont, name: str, ratio: float, widest: int) -> QImage:
    """Each line is laid out once: mostly one of them changes from picture to picture."""

    def make_font() -> tuple[QFont, QFontMetricsF]:
        small = plate_font(font)
        return small, QFontMetricsF(small)

    small, metrics = _kept(_fonts, name, make_font)
    room = max(1.0, widest - 2 * _PAD_X)
    texts = [
        _kept(_lines, (line, name, ratio, room), partial(_line, line, small, metrics, ratio, room)) for line in lines
    ]
    width = max(advance for _, advance in texts) + 2 * _PAD_X
    height = metrics.height() * len(texts) + 2 * _PAD_Y
    image = _kept(_blanks, (width, height, ratio), lambda: _blank(width, height, ratio)).copy()
    painter = QPainter(image)
    try:
        for number, (text, _) in enumerate(texts):
            put(painter, text, 0, _PAD_Y + number * metrics.height())
    finally:
        painter.end()
    return image


def _line(line: str, font: QFont, metrics: QFontMetricsF, ratio: float, room: float) -> tuple[QImage, float]:
    """A line without its plate, shortened where there is no room for it, and its width."""
    advance = metrics.horizontalAdvance(line)
    if advance > room:
        line = metrics.elidedText(line, Qt.TextElideMode.ElideRight, room)
        advance = metrics.horizontalAdvance(line)
    image = _clear(advance + 2 * _PAD_X, metrics.height(), ratio)
    painter = QPainter(image)
    try:
        painter.setPen(TEXT)
        painter.setFont(font)
        painter.drawText(QPointF(_PAD_X, metrics.ascent()), line)
    finally:
        painter.end()
    return image, advance


def _blank(width: float, height: float, ratio: float) -> QImage:
    """A plate without its text."""
    image = _clear(width, height, ratio)
    painter = QPainter(image)
    try:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(PLATE)
        painter.drawRoundedRect(QRectF(0, 0, width, height), _ROUND, _ROUND)
    finally:
        painter.end()
    return image


def _clear(width: float, height: float, ratio: float) -> QImage:
    image = QImage(round(width * ratio + 0.5), round(height * ratio + 0.5), QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    image.fill(Qt.GlobalColor.transparent)
    return image
