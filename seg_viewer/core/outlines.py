"""Polygons of a class map: along the edges of its pixels, in any picture's coordinates."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.frame import ByteArray, Size
from seg_viewer.core.frame_stats import smallest_piece

Ring = NDArray[np.float64]
"""Corners x, y, shape (n, 2), n ≥ 3; not closed: the last one is joined with the first."""

SMOOTH = 0.6
"""How far, in pixels of the class map, a polygon may leave the edge of the pixels to save corners."""


@dataclass(frozen=True)
class Piece:
    """One connected piece of a class.

    Args:
        ring: its outline with its holes cut in: from the outline a line leads to each hole and back, so that one ring
            holds all, filled by the even-odd rule.
        area: pixels of the picture that it covers.
        box: left, top, width, height, pixels of the picture.
    """

    ring: Ring
    area: float
    box: tuple[float, float, float, float]


def pieces(classes: ByteArray, class_id: int, size: Size) -> list[Piece]:
    """The connected pieces (8 neighbours) of a class, from top to bottom; noise is left out, as it is not counted.

    Args:
        classes: shape (h, w), uint8.
        class_id: the class.
        size: of the picture whose coordinates are wanted; 0, 0 is the upper left corner of its first pixel.
    """
    mask = np.equal(classes, class_id).view(np.uint8)
    if not mask.any():
        return []
    height, width = classes.shape
    scale = np.array([size.width / width, size.height / height])
    count, ids, measures, _centres = cv2.connectedComponentsWithStats(mask, connectivity=8)
    found = []
    for number in range(1, count):
        left, top, columns, rows, pixels = (int(value) for value in measures[number])
        if pixels < smallest_piece(classes.size):
            continue
        part = np.equal(ids[top : top + rows, left : left + columns], number).view(np.uint8)
        ring = (_ring(part) + np.array([left, top])) * scale
        low = np.array([left, top]) * scale
        extent = np.array([columns, rows]) * scale
        box = (float(low[0]), float(low[1]), float(extent[0]), float(extent[1]))
        found.append(Piece(ring, float(pixels * scale[0] * scale[1]), box))
    return found


def _ring(part: ByteArray) -> Ring:
    """One ring around one piece, and around the holes in it that are no noise themselves."""
    whole = _edge(part)
    padded = np.pad(1 - part, 1, constant_values=1)
    count, ids, measures, _centres = cv2.connectedComponentsWithStats(padded, connectivity=4)
    outside = int(ids[0, 0])
    for number in range(count):
        if number in (0, outside) or measures[number][cv2.CC_STAT_AREA] < smallest_piece(0):
            continue
        left, top, columns, rows, _pixels = (int(value) for value in measures[number])
        hole = np.equal(ids[top : top + rows, left : left + columns], number).view(np.uint8)
        whole = _cut_in(whole, _edge(hole) + np.array([left - 1, top - 1]))
    return whole


def _edge(part: ByteArray) -> Ring:
    """The outline of a piece along the edges of its pixels: a corner is inside where one of its four pixels is."""
    corners = np.pad(part, ((0, 1), (0, 1)))
    corners[1:] |= corners[:-1].copy()
    corners[:, 1:] |= corners[:, :-1].copy()
    contours, _tree = cv2.findContours(corners, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    longest = max(contours, key=len)
    simple = cv2.approxPolyDP(longest, SMOOTH, closed=True)
    return np.asarray(simple if len(simple) >= 3 else longest, np.float64).reshape(-1, 2)


def _cut_in(ring: Ring, hole: Ring) -> Ring:
    """Lead a line from the ring to a hole and back, where they are nearest."""
    apart = np.abs(ring[:, None] - hole[None]).sum(axis=2)
    at, to = np.unravel_index(int(np.argmin(apart)), apart.shape)
    around = np.roll(hole, -int(to), axis=0)
    return np.concatenate([ring[: at + 1], around, around[:1], ring[at:]])
