"""A picture of another size, shape of pixels or kind of colours."""

from __future__ import annotations

import threading
from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np

from seg_viewer.core.frame import ByteArray, Picture, Size, YuvPlanes
from seg_viewer.core.scaling import stretched
from seg_viewer.media.scaled_to import Form, fit, place


class SizedPicture:
    """A picture scaled into a frame of another form; where the shapes differ, black is beside it, or above and below.

    Args:
        picture: to be scaled; kept.
        form: of the frame.
        sample_aspect: width ÷ height of one pixel of the picture.
    """

    def __init__(self, picture: Picture, form: Form, sample_aspect: Fraction = Fraction(1)) -> None:
        self._picture = picture
        self._form = form
        self._aspect = sample_aspect
        self.width, self.height = form.width, form.height
        shape = Fraction(picture.width, picture.height) * sample_aspect / form.sample_aspect
        where = place(form.width, form.height, shape)
        self._inner = Size(where.width, where.height)
        self._left, self._top = where.left, where.top
        self._lock = threading.Lock()
        self._rgb: ByteArray | None = None

    @property
    def is_framed(self) -> bool:
        """Black is beside it, or above and below: a network sees another picture."""
        return self._inner != (self.width, self.height)

    def rgb(self) -> ByteArray:
        with self._lock:
            if self._rgb is None:
                self._rgb = self._framed(self._picture.scaled_rgb(*self._inner))
            return self._rgb

    def scaled_rgb(self, width: int, height: int) -> ByteArray:
        if not self.is_framed:
            return self._picture.scaled_rgb(width, height)
        return stretched(self.rgb(), width, height)

    def scaled_bgra(self, width: int, height: int) -> ByteArray:
        if not self.is_framed:
            return self._picture.scaled_bgra(width, height)
        return np.asarray(cv2.cvtColor(self.scaled_rgb(width, height), cv2.COLOR_RGB2BGRA), np.uint8)

    def yuv420(self) -> YuvPlanes:
        return fit(replace(self._picture.yuv420(), sample_aspect=self._aspect), self._form)

    def _framed(self, rgb: ByteArray) -> ByteArray:
        if not self.is_framed:
            return rgb
        out = np.zeros((self.height, self.width, 3), np.uint8)
        out[self._top : self._top + self._inner.height, self._left : self._left + self._inner.width] = rgb
        return out
