"""Small texts on a picture, readable on any: light on a dark, half transparent plate."""

from __future__ import annotations

from collections import OrderedDict

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter

TEXT, PLATE = QColor("#f1f3f6"), QColor(8, 10, 13, 168)
_PAD_X, _PAD_Y, _ROUND = 7.0, 4.0, 5.0
_KEPT = 24
_plates: OrderedDict[tuple[tuple[str, ...], str, float, int], QImage] = OrderedDict()


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
    key = (lines, font.key(), ratio, round(widest))
    if key in _plates:
        _plates.move_to_end(key)
        return _plates[key]
    image = _plates[key] = _painted(lines, plate_font(font), ratio, widest)
    if len(_plates) > _KEPT:
        _plates.popitem(last=False)
    return image


def plate_size(image: QImage) -> tuple[float, float]:
    """Width and height in logical pixels."""
    size = image.deviceIndependentSize()
    return size.width(), size.height()


def put(painter: QPainter, image: QImage, left: float, top: float) -> None:
    """On whole device pixels, so that letters stay sharp."""
    ratio = image.devicePixelRatio()
    painter.drawImage(QPointF(round(left * ratio) / ratio, round(top * ratio) / ratio), image)


def _painted(lines: tuple[str, ...], font: QFont, ratio: float, widest: float) -> QImage:
    metrics = QFontMetricsF(font)
    room = max(1.0, widest - 2 * _PAD_X)
    texts = [metrics.elidedText(line, Qt.TextElideMode.ElideRight, room) for line in lines]
    width = max(metrics.horizontalAdvance(text) for text in texts) + 2 * _PAD_X
    height = metrics.height() * len(texts) + 2 * _PAD_Y
    image = QImage(round(width * ratio + 0.5), round(height * ratio + 0.5), QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    try:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(PLATE)
        painter.drawRoundedRect(QRectF(0, 0, width, height), _ROUND, _ROUND)
        painter.setPen(TEXT)
        painter.setFont(font)
        for number, text in enumerate(texts):
            painter.drawText(QPointF(_PAD_X, _PAD_Y + metrics.ascent() + number * metrics.height()), text)
    finally:
        painter.end()
    return image
