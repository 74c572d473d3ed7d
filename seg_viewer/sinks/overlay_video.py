"""The overlay alone, transparent where nothing is painted, as a video for editing programs."""

from __future__ import annotations

import av

from seg_viewer.core.frame import Shot
from seg_viewer.core.paint import MaskPainter
from seg_viewer.media.codecs import VideoChoice
from seg_viewer.media.yuv_frames import with_alpha
from seg_viewer.sinks.base import Sink, SinkKind, SinkRequest
from seg_viewer.sinks.segmented import SegmentedVideo
from seg_viewer.sinks.whole import picture_size


def _make(request: SinkRequest) -> Sink[Shot]:
    painter = MaskPainter(request.labels, request.style)

    def rgba(shot: Shot) -> av.VideoFrame:
        pixels = painter.overlay_rgba(shot.classes, picture_size(request, shot))
        return av.VideoFrame.from_ndarray(pixels, format="rgba")

    def yuva(shot: Shot) -> av.VideoFrame:
        return with_alpha(*painter.overlay_yuva(shot.classes, picture_size(request, shot)))

    if request.path.suffix.lower() == ".mov":
        return SegmentedVideo(request, rgba, choice=VideoChoice("prores"), with_sound=False)
    choice = VideoChoice("vp9", request.video.quality)
    # without this tag players take the second stream of each block for nothing
    return SegmentedVideo(request, yuva, choice=choice, with_sound=False, tags={"alpha_mode": "1"})


SINK = SinkKind(
    "overlay video",
    (".overlay.mov", ".overlay.webm"),
    "the overlay alone with transparency (ProRes 4444, or VP9)",
    _make,
    keeps_parts=True,
)
