"""The annotated video, with the source's times and all that it holds beside its picture."""

from __future__ import annotations

from seg_viewer.core.frame import Shot
from seg_viewer.sinks.base import Sink, SinkKind, SinkRequest
from seg_viewer.sinks.painted import Painted
from seg_viewer.sinks.segmented import SegmentedVideo, check_video, plan_video


def _make(request: SinkRequest) -> Sink[Shot]:
    painted = Painted(request)
    return SegmentedVideo(request, painted, told=lambda: painted.notes)


SINK = SinkKind(
    "video",
    (".mp4", ".mkv", ".mov", ".webm"),
    "video with the overlay, the source's times, its sound and all else that it holds",
    _make,
    keeps_parts=True,
    check=check_video,
    heeds_codec=True,
    heeds_stats=True,
    plan=plan_video,
)
