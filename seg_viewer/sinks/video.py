"""The annotated video, with the source's times and all that it holds beside its picture."""

from __future__ import annotations

from seg_viewer.core.frame import Shot, YuvPlanes
from seg_viewer.core.overlay import Overlay
from seg_viewer.sinks.base import Sink, SinkKind, SinkRequest
from seg_viewer.sinks.segmented import SegmentedVideo, plan_video


def _make(request: SinkRequest) -> Sink[Shot]:
    overlay = Overlay(request.labels, request.style)

    def painted(shot: Shot) -> YuvPlanes:
        planes = shot.frame.picture.yuv420()
        overlay.paint_yuv(planes, shot.classes)
        return planes

    return SegmentedVideo(request, painted)


SINK = SinkKind(
    "video", (".mp4",), "H.264 video with the source's times and sound", _make, keeps_parts=True, plan=plan_video
)
