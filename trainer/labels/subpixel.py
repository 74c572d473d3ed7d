"""Sub-pixel logits: the layout of four logits for each class and each pixel of a half-size map (Shi et al., 2016).

A half-size pixel stands for four picture pixels, its places: (0, 0), (0, 1), (1, 0), (1, 1) of (row, column). The
network lays its channels place by place: channel (2 · row + column) · classes + class. The int8 graph lays them class
by class: channel 4 · class + 2 · row + column.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def sub_pixels(logits: Any, classes: int) -> Any:
    """The first 4 · classes channels of (N, h, w, …), place by place, as logits of the picture's pixels.

    Args:
        logits: the backend's array, float.
        classes: number of classes.

    Returns:
        (N, 2h, 2w, classes), of the same dtype.
    """
    from keras import ops

    height, width = logits.shape[1:3]
    parts = ops.reshape(logits[..., : 4 * classes], (-1, height, width, 2, 2, classes))
    return ops.reshape(ops.transpose(parts, (0, 1, 3, 2, 4, 5)), (-1, 2 * height, 2 * width, classes))


def by_class(classes: int) -> NDArray[np.intp]:
    """For each channel class by class, (4 · classes,), its channel place by place."""
    return np.arange(4 * classes).reshape(4, classes).T.ravel()


def by_place(classes: int) -> NDArray[np.intp]:
    """For each channel place by place, (4 · classes,), its channel class by class: the inverse of `by_class`."""
    return np.arange(4 * classes).reshape(classes, 4).T.ravel()


def doubling_kernels() -> NDArray[np.float32]:
    """Bilinear doubling (half-pixel centres) as four 3×3 kernels, one for each place.

    Returns:
        (4, 3, 3) float32.
    """
    near = ([0.25, 0.75, 0.0], [0.0, 0.75, 0.25])
    return np.array([np.outer(near[row], near[column]) for row in (0, 1) for column in (0, 1)], np.float32)
