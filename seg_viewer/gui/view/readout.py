"""What is under the pointer, in words."""

from __future__ import annotations

import numpy as np

from seg_viewer.core.printable import printable
from seg_viewer.gui.view.zoom import Box, Shape
from seg_viewer.gui.words import class_name, figure, t
from seg_viewer.player.showing import Shown


def place_at(shape: Shape, picture: Box, at: tuple[float, float]) -> tuple[float, float]:
    """Place of a point of the view in the picture, 0…1, where the picture is in a box; device pixels."""
    return (at[0] - picture.left) / picture.width, (at[1] - picture.top) / picture.height


def readout(shown: Shown, index: int, shape: Shape, picture: Box, at: tuple[float, float]) -> str:
    """Class, its share of the picture, how sure the model is, position and colour.

    The class is the network's own, not that of the smooth border that is painted. The colour is that of the picture as
    it is shown: from 1:1 on, exactly the picture's.

    Args:
        shown: what is looked at.
        index: of its class map.
        shape: of the picture.
        picture: where it is, device pixels.
        at: the point, device pixels, on it.
    """
    x, y = place_at(shape, picture, at)
    map_ = shown.shot.maps[index]
    row, column = _pixel(map_.ids.shape, x, y)
    class_id = int(map_.ids[row, column])
    name = next((label.name for label in map_.labels if label.id == class_id), None)
    share = np.count_nonzero(map_.ids == class_id) / map_.ids.size
    named = t("class {number}", number=class_id) if name is None else class_name(name)
    parts = [printable(named), t("{percent} % of the picture", percent=figure(100 * share))]
    if map_.margin is not None:
        parts.append(t("sure {percent} %", percent=figure(100 * int(map_.margin[row, column]) / 255, ".0f")))
    if shown.truth is not None and shown.truth.shape == map_.ids.shape:
        true_id = int(shown.truth[row, column])
        if true_id != class_id:
            true = next((label.name for label in map_.labels if label.id == true_id), "not scored")
            parts[0] += " " + t("(truth: {name})", name=printable(class_name(true)))
    blue, green, red = (int(value) for value in shown.pixels[_pixel(shown.pixels.shape[:2], x, y)][:3])
    line, place = _pixel((shape.height, shape.width), x, y)
    return " · ".join([*parts, f"x {place}, y {line}", f"RGB {red} {green} {blue}"])


def _pixel(shape: tuple[int, ...], x: float, y: float) -> tuple[int, int]:
    """Row and column of a place."""
    rows, columns = shape[:2]
    return min(rows - 1, max(0, int(y * rows))), min(columns - 1, max(0, int(x * columns)))
