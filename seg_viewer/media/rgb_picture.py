"""A picture held as RGB: of folders, of simulators, of tests."""

from __future__ import annotations

import cv2
import numpy as np

from seg_viewer.core.colour import rgb_to_yuv420
from seg_viewer.core.frame import ByteArray, YuvPlanes
from seg_viewer.core.scaling import stretched


class RgbPicture:
    """A picture held as RGB.

    Args:
        array: shape (H, W, 3), uint8, RGB. Kept, not copied.

    Raises:
        ValueError: another shape or dtype.
    """

    def __init__(self, array: ByteArray) -> None:
        if array.ndim != 3 or array.shape[2] != 3 or array.dtype != np.uint8 or 0 in array.shape:
            raise ValueError(f"expected an RGB picture of shape (H, W, 3), uint8; got {array.shape}, {array.dtype}")
        self._array = array

    @property
    def width(self) -> int:
        return int(self._array.shape[1])

    @property
    def height(self) -> int:
        return int(self._array.shape[0])

    def rgb(self) -> ByteArray:
        return self._array

    def scaled_rgb(self, width: int, height: int) -> ByteArray:
        scaled = stretched(self._array, width, height)
        return scaled.copy(order="C") if scaled is self._array else scaled

    def scaled_bgra(self, width: int, height: int) -> ByteArray:
        return np.asarray(cv2.cvtColor(self.scaled_rgb(width, height), cv2.COLOR_RGB2BGRA), np.uint8)

    def yuv420(self) -> YuvPlanes:
        return rgb_to_yuv420(self._array)
