"""What is drawn into training pictures: paint on the road, things in the dark."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

STOP_LINE = 0.2
"""Share of what is painted that is a bar across the road: without, the road this side of one is taken for a bonnet."""


def draw_paint(rng: np.random.Generator, picture: NDArray[np.uint8], ground: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Letters, arrows, bars, stop lines and patches of tar as they lie on a road, seen from a car: it stays road.

    Args:
        picture: (H, W, 3) uint8 RGB; not changed.
        ground: (H, W) uint8: 1 where there is road; nothing is drawn elsewhere.
    """
    height, width = picture.shape[:2]
    places = cv2.findNonZero(ground)
    count = 0 if places is None else int(rng.integers(1, 5))
    out = picture.copy() if count else picture
    for _ in range(count):
        x, y = places.reshape(-1, 2)[int(rng.integers(len(places)))].tolist()
        if rng.random() < STOP_LINE:
            sign, wide, high = np.full((96, 192), 255, np.uint8), width * rng.uniform(0.3, 1.8), height * _thin(rng)
            narrower, shear = rng.uniform(0.85, 1.0), wide * rng.uniform(-0.03, 0.03)
        else:
            sign, wide = _road_sign(rng), width * rng.uniform(0.06, 0.6)
            high, narrower, shear = wide * rng.uniform(0.08, 0.6), rng.uniform(0.5, 1.0), wide * rng.uniform(-0.6, 0.6)
        bottom = np.array([[-wide / 2, high / 2], [wide / 2, high / 2]])
        top = np.array([[wide / 2 * narrower + shear, -high / 2], [-wide / 2 * narrower + shear, -high / 2]])
        corners = np.concatenate([top[::-1], bottom[::-1]]) + np.array([x, y])
        sign_h, sign_w = sign.shape
        square = np.array([[0, 0], [sign_w, 0], [sign_w, sign_h], [0, sign_h]], np.float32)
        seen = cv2.warpPerspective(
            sign, cv2.getPerspectiveTransform(square, corners.astype(np.float32)), (width, height), flags=cv2.INTER_AREA
        )
        kind = rng.random()
        tone = np.array([1, 1, 1] if kind < 0.6 else [1, 0.82, 0.25]) * rng.uniform(170, 255)
        if kind > 0.85:
            tone = rng.uniform(10, 80) * np.ones(3)
        opacity, at = rng.uniform(0.5, 1.0), box(seen)
        share = (seen[at] * ground[at] / 255.0 * opacity).astype(np.float32)[:, :, None]
        out[at] = out[at] * (1 - share) + tone.astype(np.float32) * share + 0.5
    return out


def draw_shade(rng: np.random.Generator, picture: NDArray[np.uint8], things: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Some of the things dark, as in black clothes or black paint; or as often a dark patch, whatever lies in it.

    The patches keep a network from taking dark for a person.

    Args:
        picture: (H, W, 3) uint8 RGB; not changed.
        things: (H, W) uint8: 1 where there is one.
    """
    height, width = things.shape
    dark = np.zeros_like(things)
    if rng.random() < 0.5 and things.any():
        count, pieces = cv2.connectedComponents(things)
        dark = (rng.random(count) < 0.6).astype(np.uint8)[pieces] * things
    else:
        for _ in range(int(rng.integers(1, 4))):
            middle, spread = rng.uniform(0, (width, height)), rng.uniform(0.03, 0.3) * width
            corners = (middle + rng.normal(0, spread, (6, 2))).astype(np.int32)
            cv2.fillPoly(dark, [cv2.convexHull(corners)], 1)
    soft = cv2.GaussianBlur(dark.astype(np.float32), (0, 0), float(rng.uniform(0.4, 1.2)))[:, :, None]
    light = rng.uniform(0.08, 0.6) * rng.uniform(0.9, 1.1, 3)
    at, out = box((soft > 0).view(np.uint8)), picture.copy()
    out[at] = picture[at] * (1 - soft[at] * (1 - light).astype(np.float32)) + 0.5
    return out


def box(where: NDArray[np.uint8]) -> tuple[slice, slice]:
    """Rows and columns outside of which all is 0: what changes nothing there need not be computed there."""
    x, y, width, height = cv2.boundingRect(where)
    return slice(y, y + height), slice(x, x + width)


def _thin(rng: np.random.Generator) -> float:
    """Height of a bar across the road, as a share of the picture's: far away, or near."""
    return float(np.exp(rng.uniform(np.log(0.008), np.log(0.06))))


def _road_sign(rng: np.random.Generator) -> NDArray[np.uint8]:
    """White on black: a word, an arrow, bars, a ring or a patch, (96, W) uint8."""
    kind = int(rng.integers(6))
    if kind < 2:
        word = "".join(chr(int(rng.integers(65, 91))) for _ in range(int(rng.integers(2, 9))))
        canvas = np.zeros((96, 56 * len(word) + 24), np.uint8)
        cv2.putText(canvas, word, (10, 78), cv2.FONT_HERSHEY_SIMPLEX, 2.4, 255, int(rng.integers(5, 16)), cv2.LINE_AA)
        return canvas
    canvas = np.zeros((96, 192), np.uint8)
    if kind == 2:
        cv2.arrowedLine(
            canvas, (16, 48), (176, int(rng.integers(16, 80))), 255, int(rng.integers(6, 20)), tipLength=0.3
        )
    elif kind == 3:
        step = int(rng.integers(16, 48))
        for x in range(0, 192, step):
            canvas[:, x : x + step // 2] = 255
    elif kind == 4:
        cv2.ellipse(canvas, (96, 48), (84, 38), 0, 0, 360, 255, int(rng.integers(6, 18)))
    else:
        points = rng.integers(0, (192, 96), size=(6, 2)).astype(np.int32)
        cv2.fillPoly(canvas, [cv2.convexHull(points)], 255)
    return canvas
