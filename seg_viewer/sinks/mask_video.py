"""The class colours on black, as a video without sound."""

from __future__ import annotations

from seg_viewer.core.frame import Shot, Size, YuvPlanes
from seg_viewer.core.paint import MaskPainter
from seg_viewer.sinks.base import Sink, SinkKind, SinkRequest
from seg_viewer.sinks.segmented import SegmentedVideo, check_video
from seg_viewer.sinks.whole import picture_size


def _make(request: SinkRequest) -> Sink[Shot]:
    painter = MaskPainter(request.labels, request.style)

    def colours(shot: Shot) -> YuvPlanes:
        size = picture_size(request, shot)
        return painter.mask_yuv(shot.classes, Size(*size))

    return SegmentedVideo(request, colours, with_sound=False)


SINK = SinkKind(
    "mask video",
    (".mask.mp4", ".mask.mkv", ".mask.mov", ".mask.webm"),
    "video of the class colours on black",
    _make,
    keeps_parts=True,
    check=check_video,
    heeds_codec=True,
)
