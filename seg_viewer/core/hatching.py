"""Stripes in the colour of a class, in a direction of its own: classes differ also where their colours do not."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from seg_viewer.core.frame import ByteArray

DIRECTIONS = 6
"""Falling, rising, level, upright, crossed, gridded; a class has that of its id, modulo this."""

LINE, GAP = 1.4, 0.5
"""Opacity of stripes and of what is between them, as shares of the overlay's opacity."""

_STRIPES_ACROSS = 64
_LEAST_PERIOD = 6  # cells; finer ones blur into a plain colour


def opacities(opacity: float) -> tuple[float, float]:
    """Of stripes and of what is between them, 0…1."""
    return min(1.0, LINE * opacity), GAP * opacity


def direction_of(class_id: int) -> int:
    return class_id % DIRECTIONS


@lru_cache(maxsize=6)
def stripes(height: int, width: int) -> ByteArray:
    """Where the stripes of all directions lie.

    They are as wide in proportion to the picture at any size, so that view, export and screenshot look the same.

    Args:
        height: of the picture or class map, pixels.
        width: likewise.

    Returns:
        shape (H, W), uint8, not writable: bit d is set where a stripe of direction d is.
    """
    period = max(_LEAST_PERIOD, round(width / _STRIPES_ACROSS))
    y, x = np.arange(height)[:, None], np.arange(width)[None, :]
    slant = round(period * 2**0.5)  # so that slanted stripes are as far apart as upright ones

    def lines(at: np.ndarray, every: int, share: float) -> np.ndarray:
        return at % every < max(1, round(every * share))

    patterns = (
        lines(y - x, slant, 0.5),
        lines(x + y, slant, 0.5),
        lines(y, period, 0.5),
        lines(x, period, 0.5),
        lines(x + y, slant, 0.3) | lines(y - x, slant, 0.3),
        lines(y, period, 0.3) | lines(x, period, 0.3),
    )
    found = np.zeros((height, width), np.uint8)
    for direction, pattern in enumerate(patterns):
        found |= np.where(pattern, np.uint8(1 << direction), np.uint8(0))
    found.flags.writeable = False
    return found


def split(mask: ByteArray, part: ByteArray, class_id: int) -> tuple[ByteArray, ByteArray]:
    """A class's pixels on its stripes, and those between them.

    Args:
        mask: 1 where the class is, else 0, shape (h, w), uint8.
        part: of `stripes`, the same shape.
        class_id: whose direction counts.

    Returns:
        two masks, 0 where a pixel is not in it.
    """
    direction = np.uint8(direction_of(class_id))
    on = part & (mask << direction)
    return on, mask ^ (on >> direction)
