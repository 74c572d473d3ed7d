"""A decoded video frame that converts itself when asked."""

from __future__ import annotations

import threading
from fractions import Fraction

import av
import numpy as np
from av.video.plane import VideoPlane
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from seg_viewer.core.frame import UNSPECIFIED, ByteArray, Colours, YuvPlanes

_MATRICES = {
    1: ("bt709", Colorspace.ITU709),
    5: ("bt601", Colorspace.ITU601),
    6: ("bt601", Colorspace.ITU601),
    9: ("bt2020", Colorspace.BT2020),
    10: ("bt2020", Colorspace.BT2020),
}
# what only old material has: planes are given in the other matrix of the same age
_OLD_MATRICES = {4: ("bt601", Colorspace.FCC), 7: ("bt709", Colorspace.SMPTE240M)}
COLORSPACES = {"bt601": Colorspace.ITU601, "bt709": Colorspace.ITU709, "bt2020": Colorspace.BT2020}
"""What swscale calls the matrices of `YuvPlanes`."""
_local = threading.local()


def _reformatter() -> VideoReformatter:
    """One for each thread: it keeps its scaling tables between calls and is not thread-safe."""
    if not hasattr(_local, "reformatter"):
        _local.reformatter = VideoReformatter()
    reformatter: VideoReformatter = _local.reformatter
    return reformatter


class AvPicture:
    """A picture that stays in the decoder's planes until somebody asks for another form.

    Args:
        frame: decoded frame in any pixel format; not written to.
        sample_aspect: width ÷ height of one pixel.
    """

    def __init__(self, frame: av.VideoFrame, sample_aspect: Fraction = Fraction(1)) -> None:
        self._frame = frame
        self.sample_aspect = sample_aspect
        self._rgb: ByteArray | None = None
        # matrix coefficients as in ITU-T H.273, table 4; where the file does not say, HD is BT.709, SD BT.601
        unknown = 1 if frame.height > 576 or frame.width > 1024 else 6
        known = _MATRICES | _OLD_MATRICES
        self.matrix, self._colorspace = known.get(frame.colorspace, known[unknown])
        self.full_range = frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")

    @property
    def width(self) -> int:
        return self._frame.width

    @property
    def height(self) -> int:
        return self._frame.height

    @property
    def nbytes(self) -> int:
        """Of its planes in memory."""
        return sum(plane.buffer_size for plane in self._frame.planes)

    @property
    def colours(self) -> Colours:
        """Of `yuv420`."""
        frame = self._frame
        coefficients = frame.colorspace if frame.colorspace in _MATRICES else UNSPECIFIED
        return Colours(self.matrix, self.full_range, coefficients, frame.color_trc, frame.color_primaries)

    def rgb(self) -> ByteArray:
        if self._rgb is None:
            self._rgb = self._convert("rgb24", self.width, self.height, 3)
        return self._rgb

    def scaled_rgb(self, width: int, height: int) -> ByteArray:
        return self._convert("rgb24", width, height, 3)

    def scaled_bgra(self, width: int, height: int) -> ByteArray:
        return self._convert("bgra", width, height, 4)

    def yuv420(self) -> YuvPlanes:
        frame = self._frame
        old = frame.colorspace in _OLD_MATRICES
        if old or frame.format.name not in ("yuv420p", "yuvj420p"):
            range_ = ColorRange.JPEG if self.full_range else ColorRange.MPEG
            is_rgb = frame.format.is_rgb
            frame = _reformatter().reformat(
                frame,
                format="yuv420p",
                src_colorspace=Colorspace.ITU709 if is_rgb else self._colorspace,
                dst_colorspace=COLORSPACES[self.matrix],
                src_color_range=ColorRange.JPEG if is_rgb else range_,
                dst_color_range=range_,
                threads=1,
            )
        y, u, v = (_plane(frame, i).copy() for i in range(3))
        told = self.colours
        return YuvPlanes(
            y,
            u,
            v,
            told.matrix,
            told.full_range,
            coefficients=told.coefficients,
            transfer=told.transfer,
            primaries=told.primaries,
            sample_aspect=self.sample_aspect,
        )

    def _convert(self, pixel_format: str, width: int, height: int, channels: int) -> ByteArray:
        frame = self._frame
        same = (width, height) == (frame.width, frame.height)
        out = _reformatter().reformat(
            frame,
            width,
            height,
            pixel_format,
            src_colorspace=self._colorspace,
            dst_colorspace=self._colorspace,
            src_color_range=ColorRange.JPEG if self.full_range or frame.format.is_rgb else ColorRange.MPEG,
            dst_color_range=ColorRange.JPEG,
            interpolation=Interpolation.POINT if same else Interpolation.BILINEAR,
            threads=1,
        )
        rows = plane_rows(out.planes[0])[:height, : width * channels]
        pixels = np.ascontiguousarray(rows).reshape(height, width, channels)
        # a frame that already was in this format comes back untouched: its memory is the decoder's
        return pixels.copy() if out is frame else pixels


def _plane(frame: av.VideoFrame, index: int) -> ByteArray:
    plane = frame.planes[index]
    return plane_rows(plane)[: plane.height, : plane.width]


def plane_rows(plane: VideoPlane) -> ByteArray:
    """The memory of a plane, shape (rows, bytes a row with padding), uint8, the uppermost row first; not copied."""
    memory: ByteArray = np.frombuffer(plane, np.uint8)  # type: ignore[call-overload]
    stride = plane.line_size
    # negative: the lowest row comes first in memory, as in bitmaps and after a flip
    return memory.reshape(-1, stride) if stride > 0 else memory.reshape(-1, -stride)[::-1]
