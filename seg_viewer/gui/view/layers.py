"""What is painted, from back to front, as data; another layer is another entry, and a content that names it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import replace
from functools import cache, lru_cache

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPen, QRegion

from seg_viewer.core.frame import ByteArray
from seg_viewer.core.overlay import OverlayStyle, mark_errors
from seg_viewer.core.scores import wrong_pixels
from seg_viewer.gui.colors import ON_PICTURE, PICTURE
from seg_viewer.gui.view.arrangement import half_at
from seg_viewer.gui.view.judging import paint_confidence, paint_disagreement
from seg_viewer.gui.view.plates import PlateFont, plate, plate_of, plate_size, put, used_font, whole_pixels
from seg_viewer.gui.view.readout import readout
from seg_viewer.gui.view.scene import NEEDS, Half, Layer, LayerPaint, Place, Scene, Split
from seg_viewer.player.showing import Shown

BACKGROUND = QColor(PICTURE)
PICTURE_ID = "picture"
_DIMMED = QColor(10, 12, 15, 185)
_SHADE = QColor(8, 10, 13, 150)
_QUIET_TEXT = QColor(ON_PICTURE)
_GAP = 10.0
_MARGIN = 24
_GRIP = 13.0


def solid(style: OverlayStyle) -> OverlayStyle:
    """As a mask alone is painted: there is no picture that has to be seen through it."""
    return replace(style, opacity=1.0)


def paint_text(painter: QPainter, text: str, room: QRectF, font: QFont) -> None:
    """A line in the middle of the view, where there is nothing else to see."""
    painter.setPen(_QUIET_TEXT)
    large = QFont(font)
    large.setPointSizeF(font.pointSizeF() * 1.3)
    painter.setFont(large)
    inner = room.adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
    painter.drawText(inner, int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), text)


def _picture(painter: QPainter, scene: Scene) -> None:
    if not _painted_together(scene):
        scene.draw(painter, scene.images.picture())


def _black(painter: QPainter, scene: Scene) -> None:
    painter.fillRect(scene.logical(scene.half.seen), Qt.GlobalColor.black)


def _mask(painter: QPainter, scene: Scene) -> None:
    if scene.style is not None:
        _draw_mask(painter, scene, scene.style)


def _solid(painter: QPainter, scene: Scene) -> None:
    if scene.style is not None:
        _draw_mask(painter, scene, solid(scene.style))


def _draw_mask(painter: QPainter, scene: Scene, style: OverlayStyle) -> None:
    index = scene.half.content.map
    mask = scene.images.mask(index, style)
    if _painted_together(scene):
        scene.draw_together(painter, scene.images.picture(), mask)
    else:
        scene.draw(painter, mask, scene.images.colored(index, style))


def _painted_together(scene: Scene) -> bool:
    """Whether picture and mask are put together before they are enlarged: in blocks, enlarging is what takes long."""
    layers = scene.half.content.layers
    if not scene.zoom.is_blocks() or scene.style is None or scene.mode.split is Split.WIPE:
        return False
    same = PICTURE_ID in layers and "mask" in layers
    return same and scene.images.mask(scene.half.content.map, scene.style).size() == scene.images.picture().size()


def _errors(painter: QPainter, scene: Scene) -> None:
    index = scene.half.content.map

    def make(shown: Shown) -> ByteArray:
        classes = shown.shot.maps[index].ids
        marks = np.zeros((*classes.shape, 4), np.uint8)
        if shown.truth is not None and shown.truth.shape == classes.shape:
            mark_errors(marks, wrong_pixels(classes, shown.truth))
        return marks

    scene.draw(painter, scene.images.get(("errors", index), make), blocks=True)


def _names(painter: QPainter, scene: Scene) -> None:
    """What is left and what is right."""
    if len(scene.halves) > 1:
        for image, at in scene.once("names", _placed_names):
            painter.drawImage(at, image)


def _placed_names(scene: Scene) -> list[tuple[QImage, QPointF]]:
    """At an edge beside it, else above the middle of each half; none where there is no room."""
    placed = []
    for number, half in enumerate(scene.halves):
        seen = scene.logical(half.seen)
        image = plate((scene.title(half.content),), scene.font, scene.ratio, seen.width())
        width, _height = plate_size(image)
        if width + 2 * _GAP > seen.width():
            continue
        if scene.mode.split is Split.SIDE:
            left = seen.center().x() - width / 2
        else:
            left = seen.left() + _GAP if number else seen.right() - _GAP - width
        placed.append((image, whole_pixels(left, _top(scene, seen), scene.ratio)))
    return placed


def _edge(painter: QPainter, scene: Scene) -> None:
    if scene.edge is not None:
        for image, at in scene.once("edge", _placed_edge):
            painter.drawImage(at, image)


def _placed_edge(scene: Scene) -> list[tuple[QImage, QPointF]]:
    """Its line, and over it the grip."""
    seen, ratio = scene.seen_of_all(), scene.ratio
    middle = ((scene.edge or 0) + 0.5) / ratio
    line, grip = _line(round(seen.height() * ratio), ratio), _grip(ratio)
    width, height = plate_size(grip)
    return [
        (line, whole_pixels(middle - plate_size(line)[0] / 2, seen.top(), ratio)),
        (grip, whole_pixels(middle - width / 2, seen.center().y() - height / 2, ratio)),
    ]


@lru_cache(4)
def _line(height: int, ratio: float) -> QImage:
    """White, a device pixel wide, between two dark ones: one column of rows is painted, not two."""
    side = max(1, round(ratio))
    image = QImage(2 * side + 1, height, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    image.fill(_SHADE)
    painter = QPainter(image)
    try:
        painter.fillRect(QRectF(side / ratio, 0, 1 / ratio, height / ratio), Qt.GlobalColor.white)
    finally:
        painter.end()
    return image


@cache
def _grip(ratio: float) -> QImage:
    """What an edge is taken by: a disc with two arrow heads."""
    side = 2 * _GRIP + 2
    image = QImage(round(side * ratio), round(side * ratio), QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    try:
        middle = QPointF(side / 2, side / 2)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(_SHADE, 1))
        painter.setBrush(Qt.GlobalColor.white)
        painter.drawEllipse(middle, _GRIP, _GRIP)
        painter.setPen(QPen(QColor("#3a4350"), 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        for sign in (-1, 1):
            tip = middle + QPointF(sign * 7.5, 0)
            for up in (-1, 1):
                painter.drawLine(tip, tip + QPointF(-sign * 3.5, up * 3.5))
    finally:
        painter.end()
    return image


def _value(painter: QPainter, scene: Scene) -> None:
    half = half_at(scene.halves, scene.pointer)
    if half is None or scene.pointer is None:
        return
    text = readout(scene.shown, half.content.map, scene.shape, half.picture, scene.pointer)
    seen = scene.logical(half.seen) if scene.mode.split is Split.SIDE else scene.seen_of_all()
    image = plate_of((text,), scene.once("font", _font), scene.ratio, seen.width() - 2 * _GAP)
    put(painter, image, seen.left() + _GAP, min(seen.bottom(), scene.floor) - _GAP - plate_size(image)[1])


def _hud(painter: QPainter, scene: Scene) -> None:
    if not scene.numbers:
        return
    room, at = scene.once("numbers", _place_of_numbers)
    painter.drawImage(at, plate_of(scene.numbers, scene.once("font", _font), scene.ratio, room))


def _font(scene: Scene) -> PlateFont:
    return used_font(scene.font)


def _place_of_numbers(scene: Scene) -> tuple[float, QPointF]:
    """How wide they may be, and where they begin: below the names of two halves."""
    seen = scene.seen_of_all()
    top = _top(scene, seen)
    if len(scene.halves) > 1:
        top += plate_size(plate((scene.halves[0].content.title,), scene.font, scene.ratio, seen.width()))[1] + _GAP / 2
    return seen.width() - 2 * _GAP, whole_pixels(seen.left() + _GAP, top, scene.ratio)


def _badge(painter: QPainter, scene: Scene) -> None:
    if not (name := scene.zoom.name()):
        return
    seen = scene.seen_of_all()
    image = plate((name,), scene.font, scene.ratio, seen.width())
    put(painter, image, seen.right() - _GAP - plate_size(image)[0], _top(scene, seen))


def _lost(painter: QPainter, scene: Scene) -> None:
    if scene.lost:
        seen = scene.seen_of_all()
        painter.fillRect(seen, _DIMMED)
        painter.save()
        paint_text(painter, scene.lost, seen, scene.font)
        painter.restore()


def _top(scene: Scene, seen: QRectF) -> float:
    """Where words begin: below messages."""
    return max(seen.top(), scene.ceiling) + _GAP


LAYERS: list[Layer] = [
    Layer(PICTURE_ID, "", _picture),
    Layer("black", "", _black),
    Layer("mask", "", _mask),
    Layer("solid", "", _solid),
    Layer("confidence", "", paint_confidence, needs="margin"),
    Layer(
        "disagreement",
        "Where two models &differ",
        paint_disagreement,
        Place.EACH,
        keys=("G",),
        needs="second map",
        tip="Mark the pixels where the second model sees another class",
        on=False,
    ),
    Layer(
        "errors",
        "&Errors",
        _errors,
        keys=("E",),
        needs="truth",
        tip="Mark what differs from the ground truth",
        on=False,
    ),
    Layer(
        "zone",
        "Ego &zone alert",
        None,
        Place.EACH,
        keys=("Z",),
        tip="Flash when a person or car is in it; no safety function",
        on=False,
        icon="zone",
    ),
    Layer("lost", "", _lost, Place.OVER),
    Layer("edge", "", _edge, Place.OVER),
    Layer("names", "", _names, Place.OVER),
    Layer(
        "value",
        "&Value under the pointer",
        _value,
        Place.OVER,
        keys=("U",),
        tip="Class, place and colour of the pixel under the pointer",
    ),
    Layer(
        "hud",
        "&Numbers on the picture",
        _hud,
        Place.OVER,
        keys=("I",),
        tip="Time, frame, rate, latency, engine and drops, on the picture",
        on=False,
    ),
    Layer("badge", "", _badge, Place.OVER),
]


def _in_place(place: Place) -> tuple[Layer, ...]:
    return tuple(layer for layer in LAYERS if layer.place is place)


EACH, OVER = _in_place(Place.EACH), _in_place(Place.OVER)


def paint_layers(painter: QPainter, scene: Scene, on: Set[str], painters: Mapping[str, LayerPaint]) -> None:
    """From back to front.

    Args:
        painter: of the view.
        scene: what.
        on: ids of the layers that are painted.
        painters: of each layer, by its id.
    """

    def paint(layer: Layer, there: Scene) -> None:
        if layer.id in on and layer.id in painters and NEEDS[layer.needs](there.shown):
            painters[layer.id](painter, there)

    for layer, there in contents_in_order(scene):
        paint(layer, there)
    for layer in EACH:
        for half in scene.halves if layer.id in on else ():
            painter.save()
            painter.setClipRect(scene.logical(half.seen))
            paint(layer, scene.at(half))
            painter.restore()
    for layer in OVER:
        paint(layer, scene)


def paint_around(painter: QPainter, scene: Scene, region: QRegion) -> None:
    """What is not picture. Part of a pixel may be, with fractions of device pixels: it is painted before the picture.

    Args:
        painter: of the view.
        scene: with the picture.
        region: to paint, logical pixels.
    """
    for half in scene.halves:
        inner = scene.logical(half.seen)
        region = region.subtracted(QRegion(inner.toRect().adjusted(1, 1, -1, -1)))
    if not region.isEmpty():
        painter.setClipRegion(region)
        painter.fillRect(QRectF(0, 0, *scene.size), BACKGROUND)
        painter.setClipping(False)


def contents_in_order(scene: Scene) -> Iterator[tuple[Layer, Scene]]:
    """The layers of the contents, back to front, each with where it is painted.

    A picture that an edge parts, and that is the same on both sides, is painted in one go: half of every row takes as
    long as all of it.
    """
    there = scene
    for layer, half in scene.once("contents", _ordered):
        if half is not there.half:
            there = scene.at(half)
        yield layer, there


def _ordered(scene: Scene) -> list[tuple[Layer, Half]]:
    halves, ordered = scene.halves, []
    layers = {layer.id: layer for layer in _in_place(Place.CONTENT)}
    whole = scene.mode.split is Split.WIPE and all(PICTURE_ID in half.content.layers for half in halves)
    if whole:
        first, last = halves[0].seen, halves[-1].seen
        seen = first._replace(width=last.left + last.width - first.left)
        ordered.append((layers[PICTURE_ID], replace(halves[0], seen=seen)))
    for half in halves:
        wanted = [layer for id_, layer in layers.items() if id_ in half.content.layers]
        ordered += [(layer, half) for layer in wanted if not (whole and layer.id == PICTURE_ID)]
    return ordered
