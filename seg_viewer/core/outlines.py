"""Polygons of a class map: along the edges of its pixels, in any picture's coordinates."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.frame import ByteArray, Size
from seg_viewer.core.frame_stats import SMALLEST_PIXELS, labelled
from seg_viewer.core.scaling import nearest

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
    found = labelled(classes, class_id)
    if found is None:
        return []
    height, width = classes.shape
    scale = np.array([size.width / width, size.height / height])
    made = []
    for number in found.numbers:
        left, top, columns, rows, pixels = (int(value) for value in found.measures[number])
        part = np.equal(found.ids[top : top + rows, left : left + columns], number).view(np.uint8)
        corner = np.array([found.left + left, found.top + top])
        x, y = (corner * scale).tolist()
        across, down = (np.array([columns, rows]) * scale).tolist()
        made.append(Piece((_ring(part) + corner) * scale, pixels * float(scale.prod()), (x, y, across, down)))
    return made


def _ring(part: ByteArray) -> Ring:
    """One ring along the edges of the pixels of one piece, and of the holes in it.

    It is traced on a grid of half pixels, from corner to corner: a corner belongs to the piece where one of the four
    half pixels around it does. So a gap one pixel wide stays one.
    """
    halves = nearest(part, 2 * part.shape[1], 2 * part.shape[0])
    room = cv2.copyMakeBorder(halves, 0, 1, 0, 1, cv2.BORDER_CONSTANT, value=0)
    corners = cv2.dilate(room, np.ones((2, 2), np.uint8), anchor=(1, 1))  # each with those above and left of it
    contours, tree = cv2.findContours(corners, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    outer = next(number for number, links in enumerate(tree[0]) if links[3] < 0)  # one piece has one outline
    ring = _simple(contours[outer])
    for number, hole in enumerate(contours):
        if number != outer and cv2.contourArea(hole) >= 4 * SMALLEST_PIXELS:
            ring = _cut_in(ring, _simple(hole))
    return ring


def _simple(contour: NDArray[np.int32]) -> Ring:
    simple = cv2.approxPolyDP(contour, 2 * SMOOTH, closed=True)
    return np.asarray(simple if len(simple) >= 3 else contour, np.float64).reshape(-1, 2) / 2


def _cut_in(ring: Ring, hole: Ring) -> Ring:
    """Lead a line from the ring to a hole and back, where they are nearest."""
    apart = np.abs(ring[:, None] - hole[None]).sum(axis=2)
    at, to = np.unravel_index(int(np.argmin(apart)), apart.shape)
    around = np.roll(hole, -int(to), axis=0)
    return np.concatenate([ring[: at + 1], around, around[:1], ring[at:]])
