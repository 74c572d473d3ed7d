"""YUV planes as PyAV's frames, and their colours as an encoder's tags."""

from __future__ import annotations

import av
import numpy as np
from av.video.reformatter import ColorRange

from seg_viewer.core.frame import UNSPECIFIED, ByteArray, YuvPlanes
from seg_viewer.media.av_picture import plane_rows

_H273 = {"bt709": (1, 1, 1), "bt601": (6, 6, 6), "bt2020": (9, 1, 9)}
"""Coefficients, transfer, primaries where the source does not say; BT.2020's transfer at 8 bits is that of BT.709."""


def tag(context: av.VideoCodecContext, planes: YuvPlanes) -> None:
    """Write into an encoder that is not open yet what the numbers mean."""
    context.colorspace, context.color_trc, context.color_primaries = colour_tags(planes)
    context.color_range = ColorRange.JPEG if planes.full_range else ColorRange.MPEG


def colour_tags(planes: YuvPlanes) -> tuple[int, int, int]:
    """Coefficients, transfer and primaries to write (ITU-T H.273, tables 4, 3 and 2): the source's, as far as known."""
    said = (planes.coefficients, planes.transfer, planes.primaries)
    # 14 and 15 are the curve of 1 with the precision of 10 and 12 bits, which is not what is written
    said = (said[0], 1 if said[1] in (14, 15) else said[1], said[2])
    usual = _H273[planes.matrix]
    return tuple(mine if mine not in (0, UNSPECIFIED) else other for mine, other in zip(said, usual, strict=True))  # type: ignore[return-value]


def to_frame(planes: YuvPlanes, width: int, height: int) -> av.VideoFrame:
    """Planes as a "yuv420p" frame, at most one row and column larger: these repeat the last ones."""
    y = planes.y
    if y.shape != (height, width):
        y = np.pad(y, ((0, height - y.shape[0]), (0, width - y.shape[1])), mode="edge")
    frame = av.VideoFrame(width, height, "yuv420p")
    for plane, array in zip(frame.planes, (y, planes.u, planes.v), strict=True):
        rows = plane_rows(plane)
        rows[: plane.height, : plane.width] = array
    return frame


def with_alpha(planes: YuvPlanes, alpha: ByteArray) -> av.VideoFrame:
    """Planes and straight alpha, shape (H, W), uint8, as a "yuva420p" frame of an even size."""
    height, width = (side + side % 2 for side in planes.y.shape)
    missing = [(0, height - planes.y.shape[0]), (0, width - planes.y.shape[1])]
    frame = av.VideoFrame(width, height, "yuva420p")
    arrays = (np.pad(planes.y, missing, mode="edge"), planes.u, planes.v, np.pad(alpha, missing, mode="edge"))
    for plane, array in zip(frame.planes, arrays, strict=True):
        plane_rows(plane)[: plane.height, : plane.width] = array
    frame.colorspace, frame.color_trc, frame.color_primaries = colour_tags(planes)
    frame.color_range = ColorRange.JPEG if planes.full_range else ColorRange.MPEG
    return frame
