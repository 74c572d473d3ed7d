"""Pictures of another size or kind of colour than the first, into the frame that the first has made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from typing import Any, NamedTuple

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange

from seg_viewer.core.frame import BT709, ByteArray, Colours, YuvPlanes
from seg_viewer.media.av_picture import COLORSPACES, plane_rows


@dataclass(frozen=True)
class Form:
    """What all pictures of an encoded stream have in common.

    Args:
        width: pixels.
        height: pixels.
        sample_aspect: width ÷ height of one pixel.
        colours: what the numbers mean.
    """

    width: int
    height: int
    sample_aspect: Fraction = Fraction(1)
    colours: Colours = BT709

    @classmethod
    def of(cls, planes: YuvPlanes) -> Form:
        height, width = planes.y.shape
        return cls(width, height, planes.sample_aspect, planes.colours)

    def to_plain(self) -> dict[str, Any]:
        """As values that JSON has; see `from_plain`."""
        return {**asdict(self), "sample_aspect": str(self.sample_aspect)}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Form:
        aspect, colours = Fraction(plain["sample_aspect"]), Colours(**plain["colours"])
        return cls(plain["width"], plain["height"], aspect, colours)


class Place(NamedTuple):
    """Where in a frame a picture is, pixels; left and top are even."""

    left: int
    top: int
    width: int
    height: int


def place(width: int, height: int, shape: Fraction) -> Place:
    """The largest place of a shape in the middle of a frame.

    Args:
        width: of the frame, pixels.
        height: of the frame, pixels.
        shape: columns of the frame for each row of it.
    """
    inner_width, inner_height = width, height
    if shape * height < width:
        inner_width = _even(float(shape * height), width)
    else:
        inner_height = _even(float(width / shape), height)
    # whole samples of chroma
    return Place((width - inner_width) // 4 * 2, (height - inner_height) // 4 * 2, inner_width, inner_height)


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
    planes = _recoloured(planes, form.colours)
    rows, columns = planes.y.shape
    where = place(form.width, form.height, Fraction(columns, rows) * planes.sample_aspect / form.sample_aspect)
    y = _placed(planes.y, (form.width, form.height), where, 0 if planes.full_range else 16)
    half = ((form.width + 1) // 2, (form.height + 1) // 2)
    inner = Place(where.left // 2, where.top // 2, (where.width + 1) // 2, (where.height + 1) // 2)
    u, v = (_placed(plane, half, inner, 128) for plane in (planes.u, planes.v))
    return replace(planes, y=y, u=u, v=v, sample_aspect=form.sample_aspect)


def _even(wanted: float, most: int) -> int:
    """The even number next to a side, so that luma and chroma end at the same place; `most` where that is as near."""
    even = max(2, 2 * round(wanted / 2))
    return most if even >= most or most - wanted < 1 else even


def _placed(plane: ByteArray, size: tuple[int, int], where: Place, fill: int) -> ByteArray:
    """A plane stretched to its place in a plane of `size` (across, down)."""
    inner = where.width, where.height
    if plane.shape[::-1] != inner:
        shrinks = inner[0] < plane.shape[1] or inner[1] < plane.shape[0]
        way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        plane = np.asarray(cv2.resize(plane, inner, interpolation=way), np.uint8)
    if inner == size:
        return plane
    out = np.full(size[::-1], fill, np.uint8)
    out[where.top : where.top + where.height, where.left : where.left + where.width] = plane
    return out


def _recoloured(planes: YuvPlanes, colours: Colours) -> YuvPlanes:
    """With the matrix and range of the frame, as when a recorder goes from SD to HD, and what is said of them."""
    y, u, v = planes.y, planes.u, planes.v
    if (planes.matrix, planes.full_range) != (colours.matrix, colours.full_range):
        rows, columns = y.shape
        frame = av.VideoFrame(columns, rows, "yuv420p")
        for plane, pixels in zip(frame.planes, (y, u, v), strict=True):
            plane_rows(plane)[: plane.height, : plane.width] = pixels
        made = frame.reformat(
            format="yuv420p",
            src_colorspace=COLORSPACES[planes.matrix],
            dst_colorspace=COLORSPACES[colours.matrix],
            src_color_range=ColorRange.JPEG if planes.full_range else ColorRange.MPEG,
            dst_color_range=ColorRange.JPEG if colours.full_range else ColorRange.MPEG,
        )
        y, u, v = (plane_rows(plane)[: plane.height, : plane.width].copy() for plane in made.planes)
    return replace(planes, y=y, u=u, v=v, **asdict(colours))
