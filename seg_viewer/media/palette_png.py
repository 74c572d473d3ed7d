"""PNG files whose pixel values are class ids and whose palette holds the colours."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av
import numpy as np

from seg_viewer.core.frame import ByteArray

# the rows of a class map repeat each other: small at the fastest level of zlib
_OPTIONS = {"pred": "up", "compression_level": "1"}


class PalettePng:
    """Encodes class maps as indexed PNG with FFmpeg's encoder; OpenCV writes no palettes.

    Args:
        palette: colour of each id, shape (256, 3), uint8, RGB.
    """

    def __init__(self, palette: ByteArray) -> None:
        opaque = np.full((256, 1), 255, np.uint8)
        self._palette = np.ascontiguousarray(np.hstack([opaque, palette]))  # alpha-red-green-blue
        self._encoder: Any = None
        self._count = 0

    def encode(self, ids: ByteArray) -> bytes:
        """A whole file. `ids`: shape (H, W), uint8. Raises: av.FFmpegError."""
        height, width = ids.shape
        if self._encoder is None or (self._encoder.width, self._encoder.height) != (width, height):
            self._encoder = av.CodecContext.create("png", "w")
            self._encoder.width, self._encoder.height, self._encoder.pix_fmt = width, height, "pal8"
            self._encoder.time_base = Fraction(1, 25)
            self._encoder.thread_count = 1  # with more, a picture comes out after the next one went in
            self._encoder.options = _OPTIONS
        frame = av.VideoFrame.from_ndarray((ids, self._palette), format="pal8")  # type: ignore[arg-type]
        frame.pts = self._count
        self._count += 1
        return b"".join(bytes(packet) for packet in self._encoder.encode(frame))
