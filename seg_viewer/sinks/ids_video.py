"""The class of each pixel as a video without loss."""

from __future__ import annotations

import av

from seg_viewer.core.frame import Shot
from seg_viewer.core.paint import ids_gray
from seg_viewer.media.codecs import VideoChoice
from seg_viewer.sinks.base import Sink, SinkKind, SinkRequest
from seg_viewer.sinks.segmented import SegmentedVideo
from seg_viewer.sinks.whole import picture_size


def _make(request: SinkRequest) -> Sink[Shot]:
    def ids(shot: Shot) -> av.VideoFrame:
        return av.VideoFrame.from_ndarray(ids_gray(shot.classes, picture_size(request, shot)), format="gray")

    return SegmentedVideo(request, ids, choice=VideoChoice("ffv1"), with_sound=False)


SINK = SinkKind(
    "id video",
    (".ids.mkv",),
    "video without loss (FFV1, grey): the value of a pixel is the id of its class",
    _make,
    keeps_parts=True,
)
