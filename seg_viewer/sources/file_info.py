"""What is known of a video file before it is played."""

from __future__ import annotations

from fractions import Fraction

import av

from seg_viewer.core.frame import Frame
from seg_viewer.core.printable import printable
from seg_viewer.media.av_picture import AvPicture
from seg_viewer.media.hardware import SOFTWARE
from seg_viewer.sources.base import SourceInfo
from seg_viewer.sources.file_frames import FileFrames

_ANIMATIONS = {"gif", "apng", "webp_anim"}


def info_of(head: FileFrames, first: Frame, fingerprint: str) -> SourceInfo:
    """What the container and the first frame say.

    Args:
        head: that has read the first frame.
        first: that frame; its picture is an `AvPicture`.
        fingerprint: of the source.
    """
    video, container = head.reader.stream, head.reader.container
    picture = first.picture
    assert isinstance(picture, AvPicture)
    return SourceInfo(
        name=printable(head.path.name),
        width=picture.width,
        height=picture.height,
        rate=head.rate,
        duration_s=_duration_s(head),
        frame_count=video.frames or None,
        can_seek=True,
        has_audio=bool(container.streams.audio),
        is_container=True,
        is_animation=container.format.name in _ANIMATIONS,
        stream=video.index,
        path=head.path,
        codec=video.codec_context.codec.canonical_name,
        decoder=head.reader.device or SOFTWARE,
        time_base=Fraction(video.time_base or Fraction(1, 90000)),
        sample_aspect=picture.sample_aspect,
        colours=picture.colours,
        fingerprint=fingerprint,
    )


def _duration_s(head: FileFrames) -> float | None:
    stream, container = head.reader.stream, head.reader.container
    end_s = head.timeline.end_s(stream.index)
    if end_s is not None:
        return end_s
    if stream.duration and stream.time_base:
        return float((stream.duration + (stream.start_time or 0)) * stream.time_base) - head.origin_s
    if not container.duration:
        return None
    duration_s = container.duration / av.time_base
    # Matroska's length is counted from 0, not from where the recording begins
    is_end = "matroska" in container.format.name and duration_s > head.origin_s
    return duration_s - head.origin_s if is_end else duration_s
