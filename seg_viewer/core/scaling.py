"""Scaling of pictures that are held as arrays; decoded video is scaled by FFmpeg, see `media.av_picture`."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def stretched(picture: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """A picture stretched to a size: the mean of what falls into a pixel where it shrinks, else between neighbours.

    Args:
        picture: shape (H, W, channels), uint8.
        width: columns wanted, pixels.
        height: rows wanted, pixels.

    Returns:
        shape (height, width, channels), uint8; the same array where it has that size already.
    """
    rows, columns = picture.shape[:2]
    if (rows, columns) == (height, width):
        return picture
    way = cv2.INTER_AREA if width < columns and height < rows else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (width, height), interpolation=way), np.uint8)


def nearest(classes: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """A class map stretched by nearest neighbour, so that no new ids appear.

    Args:
        classes: shape (h, w), uint8.
        width: columns wanted, pixels.
        height: rows wanted, pixels.

    Returns:
        shape (height, width), uint8; the same array where it has that size already.
    """
    if classes.shape == (height, width):
        return classes
    return np.asarray(cv2.resize(classes, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)
