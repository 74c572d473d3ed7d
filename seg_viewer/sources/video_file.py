"""Video files through PyAV (FFmpeg)."""

from __future__ import annotations

import bisect
import time
from array import array
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av

from seg_viewer.core.errors import SourceError
from seg_viewer.core.frame import Frame
from seg_viewer.core.printable import printable
from seg_viewer.core.typed_path import typed_path
from seg_viewer.media.av_picture import AvPicture
from seg_viewer.media.frame_times import InOrder, Repairs
from seg_viewer.media.timeline import Timeline
from seg_viewer.media.video_reader import VideoReader
from seg_viewer.sources.base import SourceInfo, SourceKind, file_fingerprint

VIDEO_SUFFIXES = (
    ".mp4", ".mkv", ".webm", ".avi", ".mov", ".m4v", ".mpg", ".mpeg", ".ts", ".wmv", ".flv", ".3gp", ".3g2", ".asf",
    ".m2ts", ".mts", ".m2v", ".vob", ".ogv", ".ogm", ".mxf", ".dav", ".dv", ".f4v", ".rm", ".rmvb", ".wtv", ".nut",
    ".ivf", ".h264", ".264", ".h265", ".265", ".hevc", ".obu", ".y4m", ".mjpeg", ".mjpg", ".gif", ".apng",
)  # fmt: skip

_ANIMATIONS = {"gif", "apng", "webp_anim"}


class VideoFile:
    """A video file: frames by presentation time, rotation applied, frame-accurate seek.

    Frames that do not decode are carried as the picture before; what was repaired is told in `warnings`.

    Args:
        path: file of any container and codec that FFmpeg reads.
        stream: which of several video streams, see `VideoReader`.

    Raises:
        UsageError: there is no such file or stream.
        SourceError: it is empty, no video, cut off before its index, of an unknown codec, or holds sound only.
    """

    def __init__(self, path: str | Path, stream: int | None = None) -> None:
        self.path = Path(path)
        self._reader = VideoReader(self.path, stream)
        video, container = self._reader.stream, self._reader.container
        self._timeline = Timeline(self.path)
        self.warnings = self._reader.notes  # what the reader finds on the way is told at once
        self.warnings += self._timeline.notes
        self._origin_s = self._timeline.origin_s
        self._repairs = Repairs()
        self._in_order = InOrder(self._reader, self._timeline, self._repairs)
        self._at_start = True
        self._rate = float(video.average_rate or video.guessed_rate or 0) or None
        self._seek_to: float | None = None
        self._ended = False
        self._numbers = _Numbers()
        self._fingerprint = file_fingerprint([self.path], "" if stream is None else f"stream {stream}")
        self._warned = False
        self._frames = self._decode()
        first = self._peek()
        self._first_s = first.time_s
        picture = first.picture
        assert isinstance(picture, AvPicture)
        self.info = SourceInfo(
            name=printable(self.path.name),
            width=picture.width,
            height=picture.height,
            rate=self._rate,
            duration_s=self._duration(),
            frame_count=video.frames or None,
            can_seek=True,
            has_audio=bool(container.streams.audio),
            is_container=True,
            is_animation=container.format.name in _ANIMATIONS,
            stream=video.index,
            path=self.path,
            codec=video.codec_context.codec.canonical_name,
            time_base=Fraction(video.time_base or Fraction(1, 90000)),
            sample_aspect=picture.sample_aspect,
            colours=picture.colours,
            fingerprint=self._fingerprint,
        )

    def __iter__(self) -> Iterator[Frame]:
        if self._ended and self._seek_to is None:
            self._seek_to = 0.0
        self._ended = False
        whole = True  # frames are counted against the header only where the run began at the start
        delivered = 0
        while True:
            target, self._seek_to = self._seek_to, None
            whole = whole and not target
            frames = self._from(target) if target is not None else self._frames
            for frame in frames:
                delivered += 1
                yield frame
                if self._seek_to is not None:
                    break
            else:
                break
        self._ended = True
        self._tell_damage(delivered if whole else None)

    def seek(self, time_s: float) -> None:
        """See `Source.seek`. Times beyond the ends mean the first or the last frame."""
        self._seek_to = max(0.0, time_s)

    def close(self) -> None:
        self._reader.close()

    def _peek(self) -> Frame:
        """The first frame, which stays in line to be delivered."""
        try:
            first = next(self._frames)
        except StopIteration:
            self._reader.close()
            raise SourceError(
                f"{self.path}: no picture of its {self._reader.stream.codec_context.name} video can be decoded; "
                "copy it again from the camera"
            ) from None
        rest = self._frames

        def all_frames() -> Iterator[Frame]:
            yield first
            yield from rest

        self._frames = all_frames()
        return first

    def _duration(self) -> float | None:
        stream, container = self._reader.stream, self._reader.container
        end_s = self._timeline.end_s(stream.index)
        if end_s is not None:
            return end_s
        if stream.duration and stream.time_base:
            return float((stream.duration + (stream.start_time or 0)) * stream.time_base) - self._origin_s
        if not container.duration:
            return None
        duration_s = container.duration / av.time_base
        # Matroska's length is counted from 0, not from where the recording begins
        is_end = "matroska" in container.format.name and duration_s > self._origin_s
        return duration_s - self._origin_s if is_end else duration_s

    def _decode(self) -> Iterator[Frame]:
        """Frames from the container's present position on."""
        tick = Fraction(self._reader.stream.time_base or Fraction(1, 90_000))
        self._numbers.jump()
        at_start, self._at_start = self._at_start, False
        stored = self._in_order.pictures(at_start)
        for timed, frame in self._reader.whole(stored, lambda timed: timed.frame):
            arrived_s = time.perf_counter()
            time_s = float(timed.pts * tick) - self._origin_s
            index = self._numbers.of(timed.pts, round(time_s * self._rate) if self._rate else 0)
            yield Frame(
                index,
                time_s,
                self._reader.picture(frame),
                arrived_s=arrived_s,
                pts=timed.pts,
                source=self._fingerprint,
                duration_s=float(timed.duration * tick) if timed.duration else None,
            )
        if self._reader.broken_off:
            self.warnings.append(
                f"{self.path.name}: reading stopped early ({self._reader.broken_off}); kept what came before"
            )

    def _from(self, target_s: float) -> Iterator[Frame]:
        """Frames from the one shown at `target_s` on."""
        half_tick = 0.5 * float(self._reader.stream.time_base or 0)
        back_s, reopened = 0.0, False
        self._jump(target_s)
        while True:
            held: Frame | None = None
            frames = self._decode()
            for frame in frames:
                if frame.time_s > target_s + half_tick:
                    break
                held = frame
            else:
                frame = None
            if held is not None or (frame is not None and frame.time_s <= self._first_s + half_tick):
                break
            # the container's index pointed behind the target
            if target_s > back_s:
                back_s = max(1.0, back_s * 4)
                self._jump(max(0.0, target_s - back_s))
            elif not reopened:
                reopened, self._at_start = True, True
                self._reader.restart()
            else:
                break
        self._frames = _chain([f for f in (held, frame) if f is not None], frames)
        return self._frames

    def _jump(self, time_s: float) -> None:
        time_base = self._reader.stream.time_base
        assert time_base is not None
        time_s = max(0.0, time_s - self._reader.needs_before_s)
        # without times of its own, a picture's time is known by counting from the start only
        position = 0 if self._repairs.counted else self._timeline.position(self._reader.stream.index, time_s)
        if position == 0:
            self._at_start = True
            self._reader.restart()
        elif position is not None:
            self._reader.seek_byte(position)
        else:
            self._reader.seek(int((time_s + self._origin_s) / time_base))

    def _tell_damage(self, frames: int | None) -> None:
        if self._warned:
            return
        declared, lines = self._reader.stream.frames, self._repairs.lines(self._rate or 25)
        if lines:
            self._warned = True
            self.warnings += [f"{self.path.name}: {line}" for line in lines]
        if frames is not None and frames < declared:
            self._warned = True
            self.warnings.append(f"{self.path.name}: declares {declared} frames, but holds {frames}; kept these")


class _Numbers:
    """Numbers the pictures of a file: exactly as far as they were counted from the start, beyond that as estimated."""

    def __init__(self) -> None:
        self._counted = array("q")  # pts of pictures 0, 1, 2, …
        self._last: int | None = None

    def jump(self) -> None:
        """What comes next does not follow what came last, unless nothing has come yet."""
        self._last = -1 if not self._counted else None

    def of(self, pts: int, estimate: int) -> int:
        """Number of the next picture.

        Args:
            pts: of the picture, larger than that of the picture before unless `jump` was called.
            estimate: its number where nothing else is known.
        """
        place = bisect.bisect_left(self._counted, pts)
        if place < len(self._counted):
            number = place
        elif self._last is None:
            number = max(len(self._counted), estimate)
        else:
            number = self._last + 1
            if number == len(self._counted):
                self._counted.append(pts)
        self._last = number
        return number


def _chain(first: list[Frame], rest: Iterator[Frame]) -> Iterator[Frame]:
    yield from first
    yield from rest


SOURCE = SourceKind(
    "video file",
    lambda _text: True,
    lambda text: VideoFile(typed_path(text)),
    forms=(("a video file", ""),),
    suffixes=VIDEO_SUFFIXES,
    open_stream=lambda text, stream: VideoFile(typed_path(text), stream),
)
