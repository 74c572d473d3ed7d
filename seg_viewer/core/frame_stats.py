"""What a class map says in numbers: how much of the picture each class covers, how many cars and people are in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.labels import LabelSet

COUNTABLE = frozenset(
    {"animal", "autorickshaw", "bicycle", "bicyclist", "bike", "bus", "car", "caravan", "cat", "cyclist", "dog"}
    | {"human", "motorbike", "motorcycle", "motorcyclist", "pedestrian", "people", "person", "rider", "sign"}
    | {"traffic light", "traffic sign", "trailer", "train", "tram", "tricycle", "truck", "van", "vehicle"}
)
"""Names of classes that come in pieces; road, sky, trees and the background do not."""

SMALLEST_SHARE = 1e-4
"""Of a picture: what is smaller is noise, no car. 15 pixels of a 512×288 map, a person of 3×5."""

SMALLEST_PIXELS = 4

_MOST_IN_16_BITS = 4 * 65_536
"""Pixels: pieces that do not touch are one in four of them, at most."""


@dataclass(frozen=True)
class FrameStats:
    """A class map in numbers; all by name of class.

    Args:
        pixels: of the class map, how many are of the class.
        shares: of the picture that each class covers, 0…1.
        counts: connected pieces (8 neighbours) of each countable class, noise left out; two cars whose pixels touch
            are one piece.
    """

    pixels: Mapping[str, int]
    shares: Mapping[str, float]
    counts: Mapping[str, int]


def is_countable(name: str) -> bool:
    """Whether a class of that name comes in pieces. Words are compared, whatever their case: "Car", "traffic_light"."""
    return name.lower().replace("_", " ").replace("-", " ").strip() in COUNTABLE


def countable_names(labels: LabelSet) -> tuple[str, ...]:
    """The classes that are counted, in the order of their ids."""
    return tuple(label.name for label in labels if is_countable(label.name))


def smallest_piece(size: int) -> int:
    """The least pixels that a car has in a map of `size` pixels; fewer are noise."""
    return max(SMALLEST_PIXELS, round(size * SMALLEST_SHARE))


def frame_stats(classes: NDArray[np.uint8], labels: LabelSet) -> FrameStats:
    """Count a class map. `classes`: shape (h, w), uint8; ids without a class count nowhere."""
    found = cv2.calcHist([classes], [0], None, [256], [0, 256]).ravel()  # exact up to 2²⁴ pixels of one class
    pixels = {label.name: int(found[label.id]) for label in labels}
    counts = {
        label.name: count_pieces(classes, label.id) if pixels[label.name] else 0
        for label in labels
        if is_countable(label.name)
    }
    return FrameStats(pixels, {name: count / classes.size for name, count in pixels.items()}, counts)


def count_pieces(classes: NDArray[np.uint8], class_id: int) -> int:
    """How many connected pieces a class has, noise left out. `classes`: shape (h, w), uint8."""
    found = labelled(classes, class_id)
    return 0 if found is None else len(found.numbers)


@dataclass(frozen=True)
class Labelled:
    """The part of a class map that holds a class, with its connected pieces numbered.

    Args:
        left: column of the map where the part begins.
        top: row of the map where it begins.
        ids: number of the piece of each pixel, shape (rows, columns); 0 is not of the class.
        measures: of each number, cv2's left, top, width, height, area, within the part, pixels; shape (n, 5), int32.
        numbers: of the pieces that are no noise.
    """

    left: int
    top: int
    ids: NDArray[np.integer]
    measures: NDArray[np.int32]
    numbers: tuple[int, ...]


def labelled(classes: NDArray[np.uint8], class_id: int) -> Labelled | None:
    """Number the connected pieces (8 neighbours) of a class; None where there is none. `classes`: (h, w), uint8."""
    mask = np.equal(classes, class_id).view(np.uint8)
    left, top, width, height = cv2.boundingRect(mask)
    if width == 0:
        return None
    part = mask[top : top + height, left : left + width]
    kind = cv2.CV_16U if part.size < _MOST_IN_16_BITS else cv2.CV_32S  # 16 bits are a third faster
    _count, ids, measures, _centres = cv2.connectedComponentsWithStats(part, connectivity=8, ltype=kind)
    large = measures[1:, cv2.CC_STAT_AREA] >= smallest_piece(classes.size)
    return Labelled(left, top, ids, measures, tuple((np.flatnonzero(large) + 1).tolist()))
