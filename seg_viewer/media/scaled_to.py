"""Pictures of another size or kind of colour than the first, into the frame that the first has made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange

from seg_viewer.core.frame import ByteArray, YuvPlanes
from seg_viewer.media.av_picture import COLORSPACES, plane_rows

_Pair = tuple[int, int]


@dataclass(frozen=True)
class Form:
    """What all pictures of an encoded stream have in common.

    Args:
        width: pixels.
        height: pixels.
        sample_aspect: width ÷ height of one pixel.
        matrix, full_range: as for `YuvPlanes`.
    """

    width: int
    height: int
    sample_aspect: Fraction = Fraction(1)
    matrix: str = "bt709"
    full_range: bool = False

    @classmethod
    def of(cls, planes: YuvPlanes) -> Form:
        height, width = planes.y.shape
        return cls(width, height, planes.sample_aspect, planes.matrix, planes.full_range)


def fit(planes: YuvPlanes, form: Form) -> YuvPlanes:
    """A picture scaled, without distortion and as large as it can be, into the middle of a black frame.

    Args:
        planes: of any size, pixel aspect, matrix and range.
        form: of the frame.

    Returns:
        planes of that form; `planes` itself where it has it.
    """
    if Form.of(planes) == form:
        return planes
    planes = _recoloured(planes, form)
    rows, columns = planes.y.shape
    wide = (
        Fraction(columns, rows) * planes.sample_aspect / form.sample_aspect
    )  # columns of the frame for each row of it
    width, height = form.width, form.height
    if wide * height < width:
        width = _even(float(wide * height), width)
    else:
        height = _even(float(width / wide), height)
    left, top = (form.width - width) // 4 * 2, (form.height - height) // 4 * 2  # whole samples of chroma
    black = 0 if planes.full_range else 16
    y = _placed(planes.y, (form.width, form.height), (width, height), (left, top), black)
    half = ((form.width + 1) // 2, (form.height + 1) // 2)
    inner = ((width + 1) // 2, (height + 1) // 2)
    u, v = (_placed(plane, half, inner, (left // 2, top // 2), 128) for plane in (planes.u, planes.v))
    return replace(planes, y=y, u=u, v=v, sample_aspect=form.sample_aspect)


def _even(wanted: float, most: int) -> int:
    """The even number next to a side, so that luma and chroma end at the same place; `most` where that is as near."""
    even = max(2, 2 * round(wanted / 2))
    return most if even >= most or most - wanted < 1 else even


def _placed(plane: ByteArray, size: _Pair, inner: _Pair, corner: _Pair, fill: int) -> ByteArray:
    """A plane stretched to `inner`, its corner at `corner` in a plane of `size`; each (across, down)."""
    if plane.shape[::-1] != inner:
        shrinks = inner[0] < plane.shape[1] or inner[1] < plane.shape[0]
        way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        plane = np.asarray(cv2.resize(plane, inner, interpolation=way), np.uint8)
    if inner == size:
        return plane
    out = np.full(size[::-1], fill, np.uint8)
    out[corner[1] : corner[1] + inner[1], corner[0] : corner[0] + inner[0]] = plane
    return out


def _recoloured(planes: YuvPlanes, form: Form) -> YuvPlanes:
    """With the matrix and range of the frame, as when a recorder goes from SD to HD."""
    if (planes.matrix, planes.full_range) == (form.matrix, form.full_range):
        return planes
    rows, columns = planes.y.shape
    frame = av.VideoFrame(columns, rows, "yuv420p")
    for plane, pixels in zip(frame.planes, (planes.y, planes.u, planes.v), strict=True):
        plane_rows(plane)[: plane.height, : plane.width] = pixels
    made = frame.reformat(
        format="yuv420p",
        src_colorspace=COLORSPACES[planes.matrix],
        dst_colorspace=COLORSPACES[form.matrix],
        src_color_range=ColorRange.JPEG if planes.full_range else ColorRange.MPEG,
        dst_color_range=ColorRange.JPEG if form.full_range else ColorRange.MPEG,
    )
    y, u, v = (plane_rows(plane)[: plane.height, : plane.width].copy() for plane in made.planes)
    return replace(planes, y=y, u=u, v=v, matrix=form.matrix, full_range=form.full_range)
