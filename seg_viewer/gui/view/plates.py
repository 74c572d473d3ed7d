"""Small texts on a picture, readable on any: light on a dark, half transparent plate."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import partial
from typing import NamedTuple, TypeVar

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QGlyphRun, QImage, QPainter, QTextLayout

TEXT, PLATE = QColor("#f1f3f6"), QColor(8, 10, 13, 168)
_PAD_X, _PAD_Y, _ROUND = 7.0, 4.0, 5.0
_KEPT = 24  # of a kind
_DIGITS = "0123456789"
_ZEROS = str.maketrans(_DIGITS, "0" * len(_DIGITS))
_T = TypeVar("_T")
_plates: OrderedDict[Hashable, QImage] = OrderedDict()
_grounds: OrderedDict[Hashable, QImage] = OrderedDict()
_lines: OrderedDict[Hashable, tuple[str, float]] = OrderedDict()
_fonts: OrderedDict[Hashable, PlateFont] = OrderedDict()


class PlateFont:
    """Writes lines; what is asked of a font for each picture is kept.

    A call to Qt that is not in the processor's caches takes 0.02 ms, to lay out a line 0.1 ms: where only digits of a
    line are others than before, and digits have one width, it keeps its layout.

    Args:
        font: of the view.
    """

    def __init__(self, font: QFont) -> None:
        self.name = font.key()
        self.font = plate_font(font)
        self.metrics = QFontMetricsF(self.font)
        self.height = self.metrics.height()
        self._ascent = self.metrics.ascent()
        self._widths: OrderedDict[Hashable, float] = OrderedDict()
        self._layouts: OrderedDict[Hashable, _Layout | None] = OrderedDict()
        self._digits = self._glyphs_of_digits()

    def width(self, line: str) -> float:
        """Logical pixels."""
        shape = line.translate(_ZEROS) if self._digits else line
        return _kept(self._widths, shape, lambda: self.metrics.horizontalAdvance(shape))

    def write(self, painter: QPainter, left: float, top: float, line: str) -> None:
        """Write a line with the pen that is set; logical pixels."""
        shape = line.translate(_ZEROS)
        layout = _kept(self._layouts, shape, lambda: self._lay_out(shape)) if self._digits else None
        if layout is None:
            painter.setFont(self.font)
            painter.drawText(QPointF(left, top + self._ascent), line)
            return
        for place in layout.places:
            layout.glyphs[place] = self._digits[line[place]]
        layout.run.setGlyphIndexes(layout.glyphs)
        painter.drawGlyphRun(QPointF(left, top), layout.run)

    def _glyphs_of_digits(self) -> dict[str, int]:
        """Empty where they are not all as wide, or not all in the font."""
        layout = self._lay_out(_DIGITS)
        same = len({self.metrics.horizontalAdvance(digit) for digit in _DIGITS}) == 1
        return dict(zip(_DIGITS, layout.glyphs, strict=True)) if layout is not None and same else {}

    def _lay_out(self, shape: str) -> _Layout | None:
        """None where one glyph does not stand for one character, or another font helps out."""
        layout = QTextLayout(shape, self.font)
        layout.beginLayout()
        layout.createLine()
        layout.endLayout()
        runs = layout.glyphRuns()
        glyphs = runs[0].glyphIndexes() if len(runs) == 1 else []
        if len(glyphs) != len(shape) or runs[0].isRightToLeft():
            return None
        return _Layout(runs[0], glyphs, [place for place, sign in enumerate(shape) if sign == "0"])


class _Layout(NamedTuple):
    """Of a line, the glyphs of its characters, and at which places there are digits."""

    run: QGlyphRun
    glyphs: list[int]
    places: list[int]


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
    return plate_of(lines, used_font(font), ratio, widest)


def used_font(font: QFont) -> PlateFont:
    """For `plate_of`; kept."""
    return _kept(_fonts, font.key(), lambda: PlateFont(font))


def plate_of(lines: tuple[str, ...], font: PlateFont, ratio: float, widest: float) -> QImage:
    """As `plate`, for lines that are others with each picture."""
    room = round(widest)
    return _kept(_plates, (lines, font.name, ratio, room), lambda: _painted(lines, font, ratio, room))


def plate_size(image: QImage) -> tuple[float, float]:
    """Width and height in logical pixels."""
    size = image.deviceIndependentSize()
    return size.width(), size.height()


def put(painter: QPainter, image: QImage, left: float, top: float) -> None:
    """On whole device pixels, so that letters stay sharp."""
    painter.drawImage(whole_pixels(left, top, image.devicePixelRatio()), image)


def whole_pixels(left: float, top: float, ratio: float) -> QPointF:
    """The nearest place that is on whole device pixels, logical pixels."""
    return QPointF(round(left * ratio) / ratio, round(top * ratio) / ratio)


def _kept(kept: OrderedDict[Hashable, _T], key: Hashable, make: Callable[[], _T]) -> _T:
    """What was made for a key before, else what is made now; the oldest goes."""
    if key not in kept:
        kept[key] = make()
        if len(kept) > _KEPT:
            kept.popitem(last=False)
    kept.move_to_end(key)
    return kept[key]


def _painted(lines: tuple[str, ...], font: PlateFont, ratio: float, widest: int) -> QImage:
    """Mostly one line changes from picture to picture: it is written over a plate that has the others already."""
    room, name = max(1.0, widest - 2 * _PAD_X), font.name
    known = tuple((line, name, room) in _lines for line in lines)
    texts = [_kept(_lines, (line, name, room), partial(_fitted, line, font, room)) for line in lines]
    width = max(advance for _, advance in texts) + 2 * _PAD_X
    height = font.height * len(texts) + 2 * _PAD_Y
    old = tuple(text if is_known else "" for (text, _), is_known in zip(texts, known, strict=True))
    new = tuple("" if is_known else text for (text, _), is_known in zip(texts, known, strict=True))

    def make_ground() -> QImage:
        return _written(_blank(width, height, ratio), old, font)

    ground = _kept(_grounds, (old, name, width, height, ratio), make_ground)
    return _written(ground.copy(), new, font) if any(new) else ground


def _fitted(line: str, font: PlateFont, room: float) -> tuple[str, float]:
    """A line, shortened where there is no room for it, and its width."""
    if font.width(line) > room:
        line = font.metrics.elidedText(line, Qt.TextElideMode.ElideRight, room)
    return line, font.width(line)


def _written(image: QImage, lines: tuple[str, ...], font: PlateFont) -> QImage:
    """An image with lines written on it, "" for none; the same image."""
    painter = QPainter(image)
    try:
        painter.setPen(TEXT)
        for number, line in enumerate(lines):
            if line:
                font.write(painter, _PAD_X, _PAD_Y + number * font.height, line)
    finally:
        painter.end()
    return image


def _blank(width: float, height: float, ratio: float) -> QImage:
    """A plate without its text."""
    image = QImage(round(width * ratio + 0.5), round(height * ratio + 0.5), QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    try:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(PLATE)
        painter.drawRoundedRect(QRectF(0, 0, width, height), _ROUND, _ROUND)
    finally:
        painter.end()
    return image
