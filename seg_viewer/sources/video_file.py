"""Video files through PyAV (FFmpeg)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av

from seg_viewer.core.errors import SourceError
from seg_viewer.core.frame import Frame
from seg_viewer.media.av_picture import AvPicture
from seg_viewer.media.video_reader import VideoReader
from seg_viewer.sources.base import SourceInfo


class VideoFile:
    """A video file: frames by presentation time, rotation applied, frame-accurate seek.

    Frames that do not decode are skipped and told in `warnings`.

    Args:
        path: file of any container and codec that FFmpeg reads.

    Raises:
        UsageError: there is no such file.
        SourceError: it is empty, no video, cut off before its index, or holds sound only.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.warnings: list[str] = []
        self._reader = VideoReader(self.path)
        stream, container = self._reader.stream, self._reader.container
        self._origin_s = max(0.0, (container.start_time or 0) / av.time_base)
        self._rate = float(stream.average_rate or stream.guessed_rate or 0) or None
        self._seek_to: float | None = None
        self._ended = False
        self._decoded = 0
        self._warned = False
        self._frames = self._decode()
        first = self._peek()
        self.info = SourceInfo(
            name=self.path.name,
            width=first.picture.width,
            height=first.picture.height,
            rate=self._rate,
            duration_s=self._duration(),
            frame_count=stream.frames or None,
            can_seek=True,
            has_audio=bool(container.streams.audio),
            path=self.path,
            codec=stream.codec_context.codec.canonical_name,
            time_base=Fraction(stream.time_base or Fraction(1, 90000)),
            sample_aspect=Fraction(stream.sample_aspect_ratio or 1),
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
        if stream.duration and stream.time_base:
            return float(stream.duration * stream.time_base)
        if container.duration:
            return container.duration / av.time_base
        return None

    def _decode(self) -> Iterator[Frame]:
        """Frames from the container's present position on."""
        last_s = -1.0
        for frame in self._reader.frames():
            arrived_s = time.perf_counter()
            if frame.pts is not None and frame.time_base is not None:
                time_s = float(frame.pts * frame.time_base) - self._origin_s
            else:
                time_s = last_s + 1 / (self._rate or 25) if last_s >= 0 else 0.0
            if time_s <= last_s:  # broken muxers repeat times; a picture without a place of its own is kept, just after
                time_s = last_s + 0.5 / (self._rate or 25)
            last_s = time_s
            index = round(time_s * self._rate) if self._rate else self._decoded
            self._decoded += 1
            yield Frame(index, time_s, AvPicture(self._reader.upright(frame)), arrived_s=arrived_s)
        if self._reader.broken_off:
            self.warnings.append(
                f"{self.path.name}: reading stopped early ({self._reader.broken_off}); kept what came before"
            )

    def _from(self, target_s: float) -> Iterator[Frame]:
        """Frames from the one shown at `target_s` on."""
        half_tick = 0.5 * float(self._reader.stream.time_base or 0)
        back_s = 0.0
        while True:
            start_s = target_s - back_s
            self._jump(max(0.0, start_s))
            held: Frame | None = None
            frames = self._decode()
            for frame in frames:
                if frame.time_s > target_s + half_tick:
                    break
                held = frame
            else:
                frame = None
            if held is None and frame is not None and start_s > 0:
                back_s = max(1.0, back_s * 4)  # the container's index pointed behind the target
                continue
            break
        self._frames = _chain([f for f in (held, frame) if f is not None], frames)
        return self._frames

    def _jump(self, time_s: float) -> None:
        time_base = self._reader.stream.time_base
        assert time_base is not None
        self._reader.seek(int((time_s + self._origin_s) / time_base))

    def _tell_damage(self, frames: int | None) -> None:
        if self._warned:
            return
        declared, damaged = self._reader.stream.frames, self._reader.damaged
        if damaged:
            self._warned = True
            self.warnings.append(f"{self.path.name}: {damaged} damaged pieces did not decode and were left out")
        if frames is not None and frames < declared:
            self._warned = True
            self.warnings.append(f"{self.path.name}: declares {declared} frames, but holds {frames}; kept these")


def _chain(first: list[Frame], rest: Iterator[Frame]) -> Iterator[Frame]:
    yield from first
    yield from rest
