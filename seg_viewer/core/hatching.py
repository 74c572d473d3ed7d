"""Stripes in the colour of a class, in a direction of its own: classes differ also where their colours do not."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

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
    slant = round(period * 2**0.5)  # so that slanted stripes are as far apart as upright ones
    falling, rising, level, upright, crossed, gridded = (1 << direction for direction in range(DIRECTIONS))
    # each is a line of bits: that of the direction itself, and that of the one which it is half of
    along = np.arange(height + width)
    found = sliding_window_view(_bits(along, slant, rising, crossed), width)[:height]  # at x + y
    found = found | sliding_window_view(_bits(along - height, slant, falling, crossed), width)[height:0:-1]  # at x - y
    found |= _bits(np.arange(height), period, level, gridded)[:, None]
    found |= _bits(np.arange(width), period, upright, gridded)[None, :]
    found.flags.writeable = False
    return found


def _bits(at: NDArray[np.int64], period: int, whole: int, half: int) -> ByteArray:
    """Where stripes are: bit `whole` half of the way, bit `half`, of stripes that are crossed, a third of it."""
    place = at % period
    wide, narrow = place < max(1, round(0.5 * period)), place < max(1, round(0.3 * period))
    return np.asarray(wide * np.uint8(whole) | narrow * np.uint8(half), np.uint8)


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
