"""Layers that judge: where two models differ, how sure one is."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from seg_viewer.core.confidence import heat_bgra, sure_share
from seg_viewer.core.disagreement import disagreement_bgra
from seg_viewer.core.frame import ByteArray
from seg_viewer.gui.view.plates import plate, plate_size, put
from seg_viewer.gui.view.scene import Scene
from seg_viewer.gui.words import figure, t
from seg_viewer.player.showing import Shown

_GAP = 10.0
_BAR_HEIGHT = 10.0
_LEGEND = 48.0  # height of the legend of the confidence, with a gap


def paint_disagreement(painter: QPainter, scene: Scene) -> None:
    """The pixels where the second model sees another class, and how many there are."""
    found = scene.shown.shot.disagreement
    if found is None:
        return
    scene.draw(painter, scene.images.get("disagreement", _disagreement), blocks=True)
    if scene.half is scene.halves[-1]:
        above = _LEGEND if "confidence" in scene.half.content.layers else 0.0
        _corner(painter, scene, t("{percent} % differ", percent=figure(100 * found.share)), above)


def paint_confidence(painter: QPainter, scene: Scene) -> None:
    """How sure the model of the half is, with what the colours mean."""
    index = scene.half.content.map
    margin = scene.shown.shot.maps[index].margin
    if margin is None:
        return
    scene.draw(painter, scene.images.get(("confidence", index), lambda _shown: heat_bgra(margin)))
    box = _corner(
        painter, scene, t("unsure … sure · {percent} % on average", percent=figure(100 * sure_share(margin), ".0f"))
    )
    if box is not None:
        bar = QRectF(box.left(), box.top() - _BAR_HEIGHT - 4, box.width(), _BAR_HEIGHT)
        painter.drawImage(bar, _scale())


def _corner(painter: QPainter, scene: Scene, text: str, above: float = 0.0) -> QRectF | None:
    """A line in the lower right corner of the half that is painted, or so far above it.

    Returns: where, logical pixels; None where there is no room.
    """
    seen = scene.logical(scene.half.seen)
    image = plate((text,), scene.font, scene.ratio, seen.width())
    width, height = plate_size(image)
    if width + 2 * _GAP > seen.width():
        return None
    box = QRectF(seen.right() - _GAP - width, seen.bottom() - _GAP - height - above, width, height)
    put(painter, image, box.left(), box.top())
    return box


def _disagreement(shown: Shown) -> ByteArray:
    found = shown.shot.disagreement
    return disagreement_bgra(found.where) if found is not None else np.zeros((1, 1, 4), np.uint8)


def _scale() -> QImage:
    """Every margin once, from unsure to sure."""
    pixels = heat_bgra(np.arange(256, dtype=np.uint8)[None])
    return QImage(pixels.data, 256, 1, 4 * 256, QImage.Format.Format_ARGB32_Premultiplied).copy()
