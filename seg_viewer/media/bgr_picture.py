"""A picture as cameras and screens deliver it."""

from __future__ import annotations

import cv2
import numpy as np

from seg_viewer.core.colour import rgb_to_yuv420
from seg_viewer.core.frame import ByteArray, YuvPlanes
from seg_viewer.core.scaling import stretched


class BgrPicture:
    """A picture held as blue-green-red, converted when asked.

    Args:
        array: shape (H, W, 3) or (H, W, 4), uint8; the fourth channel is ignored. Kept, not copied.

    Raises:
        ValueError: another shape or dtype.
    """

    def __init__(self, array: ByteArray) -> None:
        if array.ndim != 3 or array.shape[2] not in (3, 4) or array.dtype != np.uint8 or 0 in array.shape:
            raise ValueError(f"expected a BGR picture of shape (H, W, 3 or 4), uint8; got {array.shape}, {array.dtype}")
        self._array = array
        self._rgb: ByteArray | None = None

    @property
    def width(self) -> int:
        return int(self._array.shape[1])

    @property
    def height(self) -> int:
        return int(self._array.shape[0])

    def bgr(self) -> ByteArray:
        """Full size, shape (H, W, 3), uint8, BGR. Do not write into it."""
        if self._array.shape[2] == 3:
            return self._array
        return np.asarray(cv2.cvtColor(self._array, cv2.COLOR_BGRA2BGR), np.uint8)

    def rgb(self) -> ByteArray:
        if self._rgb is None:
            self._rgb = self._converted(self._array, cv2.COLOR_BGR2RGB, cv2.COLOR_BGRA2RGB)
        return self._rgb

    def scaled_rgb(self, width: int, height: int) -> ByteArray:
        return self._converted(stretched(self._array, width, height), cv2.COLOR_BGR2RGB, cv2.COLOR_BGRA2RGB)

    def scaled_bgra(self, width: int, height: int) -> ByteArray:
        scaled = stretched(self._array, width, height)
        if scaled.shape[2] == 3:
            return np.asarray(cv2.cvtColor(scaled, cv2.COLOR_BGR2BGRA), np.uint8)
        out = np.array(scaled, order="C")
        out[:, :, 3] = 255
        return out

    def yuv420(self) -> YuvPlanes:
        return rgb_to_yuv420(self.rgb())

    @staticmethod
    def _converted(array: ByteArray, from_three: int, from_four: int) -> ByteArray:
        return np.asarray(cv2.cvtColor(array, from_three if array.shape[2] == 3 else from_four), np.uint8)
