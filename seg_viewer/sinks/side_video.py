"""The source and the annotated picture side by side, as a video with the source's sound."""

from __future__ import annotations

from dataclasses import replace

from seg_viewer.core.frame import Shot, YuvPlanes
from seg_viewer.core.paint import side_by_side
from seg_viewer.sinks.base import Sink, SinkKind, SinkRequest
from seg_viewer.sinks.painted import Painted
from seg_viewer.sinks.segmented import SegmentedVideo, check_video, plan_video


def _make(request: SinkRequest) -> Sink[Shot]:
    painted = Painted(request)

    def both(shot: Shot) -> YuvPlanes:
        left = shot.frame.picture.yuv420()
        wide = side_by_side(left, painted(shot))
        return replace(left, y=wide.y, u=wide.u, v=wide.v)

    return SegmentedVideo(request, both, told=lambda: painted.notes)


SINK = SinkKind(
    "side by side",
    (".side.mp4", ".side.mkv", ".side.mov", ".side.webm"),
    "video of the source beside the annotated picture, with sound",
    _make,
    keeps_parts=True,
    check=check_video,
    heeds_codec=True,
    heeds_stats=True,
    plan=plan_video,
)
