"""A picture at another size."""

from __future__ import annotations

import threading

import cv2
import numpy as np

from seg_viewer.core.frame import ByteArray, Picture, Size, YuvPlanes
from seg_viewer.core.scaling import stretched


class SizedPicture:
    """A picture scaled into a frame of another size; where the shapes differ, black is beside it, or above and below.

    Args:
        picture: to be scaled; kept.
        size: of the frame, pixels.
        shape: width ÷ height that the picture is to have within the frame; None: that of its pixels.
    """

    def __init__(self, picture: Picture, size: Size, shape: float | None = None) -> None:
        self._picture = picture
        self.width, self.height = size
        shape = shape or picture.width / picture.height
        # even, so that a chroma sample never lies half in the black
        inner_width = min(size.width, 2 * round(size.height * shape / 2))
        inner_height = min(size.height, 2 * round(size.width / shape / 2))
        if abs(inner_width - size.width) <= 2 and abs(inner_height - size.height) <= 2:
            inner_width, inner_height = size
        self._inner = Size(max(2, inner_width), max(2, inner_height))
        self._left = (size.width - self._inner.width) // 4 * 2
        self._top = (size.height - self._inner.height) // 4 * 2
        self._lock = threading.Lock()
        self._rgb: ByteArray | None = None

    def rgb(self) -> ByteArray:
        with self._lock:
            if self._rgb is None:
                self._rgb = self._framed(self._picture.scaled_rgb(*self._inner), 1, 0)
            return self._rgb

    def scaled_rgb(self, width: int, height: int) -> ByteArray:
        if self._inner == (self.width, self.height):
            return self._picture.scaled_rgb(width, height)
        return stretched(self.rgb(), width, height)

    def scaled_bgra(self, width: int, height: int) -> ByteArray:
        if self._inner == (self.width, self.height):
            return self._picture.scaled_bgra(width, height)
        return np.asarray(cv2.cvtColor(self.scaled_rgb(width, height), cv2.COLOR_RGB2BGRA), np.uint8)

    def yuv420(self) -> YuvPlanes:
        planes = self._picture.yuv420()
        width, height = self._inner
        black = 0 if planes.full_range else 16
        y = self._framed(stretched(planes.y, width, height), 1, black)
        u, v = (
            self._framed(stretched(plane, (width + 1) // 2, (height + 1) // 2), 2, 128)
            for plane in (planes.u, planes.v)
        )
        return YuvPlanes(y, u, v, planes.matrix, planes.full_range)

    def _framed(self, array: ByteArray, step: int, value: int) -> ByteArray:
        rows, columns = -(-self.height // step), -(-self.width // step)
        if array.shape[:2] == (rows, columns):
            return array
        out = np.full((rows, columns, *array.shape[2:]), value, np.uint8)
        top, left = self._top // step, self._left // step
        out[top : top + array.shape[0], left : left + array.shape[1]] = array
        return out
