"""YUV planes as PyAV's frames, and their colours as an encoder's tags."""

from __future__ import annotations

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace

from seg_viewer.core.frame import YuvPlanes
from seg_viewer.media.av_picture import plane_rows

_H273 = {"bt709": (Colorspace.ITU709, 1, 1), "bt601": (6, 6, 6), "bt2020": (9, 14, 9)}  # matrix, transfer, primaries


def tag(context: av.VideoCodecContext, planes: YuvPlanes) -> None:
    """Write into an encoder that is not open yet what the numbers mean (code points of ITU-T H.273)."""
    context.colorspace, context.color_trc, context.color_primaries = _H273[planes.matrix]
    context.color_range = ColorRange.JPEG if planes.full_range else ColorRange.MPEG


def to_frame(planes: YuvPlanes, width: int, height: int) -> av.VideoFrame:
    """Planes as a "yuv420p" frame, at most one row and column larger: these repeat the last ones.

    Planes of any other size are stretched: the source changed its size midway, and the file keeps the first.
    """
    y = planes.y
    if y.shape != (height, width):
        if y.shape[0] not in (height, height - 1) or y.shape[1] not in (width, width - 1):
            return _resized(planes, width, height)
        y = np.pad(y, ((0, height - y.shape[0]), (0, width - y.shape[1])), mode="edge")
    frame = av.VideoFrame(width, height, "yuv420p")
    for plane, array in zip(frame.planes, (y, planes.u, planes.v), strict=True):
        rows = plane_rows(plane)
        rows[: plane.height, : plane.width] = array
    return frame


def _resized(planes: YuvPlanes, width: int, height: int) -> av.VideoFrame:
    rows, columns = (side + side % 2 for side in planes.y.shape)
    return to_frame(planes, columns, rows).reformat(width, height)
