"""What is painted, from back to front, as data; another layer is another entry, and a content that names it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen

from seg_viewer.core.frame import ByteArray
from seg_viewer.core.overlay import OverlayStyle, mark_errors
from seg_viewer.core.scores import wrong_pixels
from seg_viewer.gui.view.arrangement import half_at
from seg_viewer.gui.view.plates import plate, plate_size, put
from seg_viewer.gui.view.readout import readout
from seg_viewer.gui.view.scene import Layer, Place, Scene, Split
from seg_viewer.player.showing import Shown

BACKGROUND = QColor("#0a0c0f")
_DIMMED = QColor(10, 12, 15, 185)
_QUIET_TEXT = QColor("#a3adbb")
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
    scene.draw(painter, scene.images.picture())


def _black(painter: QPainter, scene: Scene) -> None:
    painter.fillRect(scene.logical(scene.half.seen), Qt.GlobalColor.black)


def _mask(painter: QPainter, scene: Scene) -> None:
    if scene.style is not None:
        scene.draw(painter, scene.images.mask(scene.half.content.map, scene.style))


def _solid(painter: QPainter, scene: Scene) -> None:
    if scene.style is not None:
        scene.draw(painter, scene.images.mask(scene.half.content.map, solid(scene.style)))


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
    """What is left and what is right: at an edge beside it, else above the middle of each half."""
    for number, half in enumerate(scene.halves if len(scene.halves) > 1 else ()):
        seen = scene.logical(half.seen)
        image = plate((half.content.title,), scene.font, scene.ratio, seen.width())
        width, _height = plate_size(image)
        if width + 2 * _GAP > seen.width():
            continue
        if scene.mode.split is Split.SIDE:
            left = seen.center().x() - width / 2
        else:
            left = seen.left() + _GAP if number else seen.right() - _GAP - width
        put(painter, image, left, seen.top() + _GAP)


def _edge(painter: QPainter, scene: Scene) -> None:
    if scene.edge is None:
        return
    seen = _seen_of_all(scene)
    x = (scene.edge + 0.5) / scene.ratio
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(8, 10, 13, 150), 3))
    painter.drawLine(QPointF(x, seen.top()), QPointF(x, seen.bottom()))
    painter.setPen(QPen(Qt.GlobalColor.white, 1.2))
    painter.drawLine(QPointF(x, seen.top()), QPointF(x, seen.bottom()))
    middle = QPointF(x, seen.center().y())
    painter.setPen(QPen(QColor(8, 10, 13, 150), 1))
    painter.setBrush(Qt.GlobalColor.white)
    painter.drawEllipse(middle, _GRIP, _GRIP)
    painter.setPen(QPen(QColor("#3a4350"), 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    for side in (-1, 1):
        tip = middle + QPointF(side * 7.5, 0)
        for up in (-1, 1):
            painter.drawLine(tip, tip + QPointF(-side * 3.5, up * 3.5))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)


def _value(painter: QPainter, scene: Scene) -> None:
    half = half_at(scene.halves, scene.pointer)
    if half is None or scene.pointer is None:
        return
    text = readout(scene.shown, half.content.map, scene.shape, half.picture, scene.pointer)
    seen = scene.logical(half.seen)
    image = plate((text,), scene.font, scene.ratio, seen.width() - 2 * _GAP)
    put(painter, image, seen.left() + _GAP, seen.bottom() - _GAP - plate_size(image)[1])


def _hud(painter: QPainter, scene: Scene) -> None:
    seen = _seen_of_all(scene)
    image = plate(scene.numbers, scene.font, scene.ratio, seen.width() - 2 * _GAP)
    put(painter, image, seen.left() + _GAP, seen.top() + _GAP)


def _badge(painter: QPainter, scene: Scene) -> None:
    if not (name := scene.zoom.name()):
        return
    seen = _seen_of_all(scene)
    image = plate((name,), scene.font, scene.ratio, seen.width())
    put(painter, image, seen.right() - _GAP - plate_size(image)[0], seen.top() + _GAP)


def _lost(painter: QPainter, scene: Scene) -> None:
    if scene.lost:
        seen = _seen_of_all(scene)
        painter.fillRect(seen, _DIMMED)
        paint_text(painter, scene.lost, seen, scene.font)


def _seen_of_all(scene: Scene) -> QRectF:
    first, last = (scene.logical(half.seen) for half in (scene.halves[0], scene.halves[-1]))
    return first.united(last)


LAYERS: list[Layer] = [
    Layer("picture", "", _picture),
    Layer("black", "", _black),
    Layer("mask", "", _mask),
    Layer("solid", "", _solid),
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
        tip="Flash when a person or car is ahead; no safety function",
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
