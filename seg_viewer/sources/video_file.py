"""Video files through PyAV (FFmpeg)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av

from seg_viewer.core.counted import counted
from seg_viewer.core.errors import SegViewerError, SourceError
from seg_viewer.core.frame import Frame
from seg_viewer.core.printable import printable
from seg_viewer.core.typed_path import typed_path
from seg_viewer.media.av_picture import AvPicture
from seg_viewer.media.frame_times import Repairs
from seg_viewer.media.hardware import SOFTWARE
from seg_viewer.sources.base import SourceInfo, SourceKind, file_fingerprint
from seg_viewer.sources.file_frames import FileFrames
from seg_viewer.sources.frame_ring import FrameRing, bytes_to_keep

VIDEO_SUFFIXES = (
    ".mp4", ".mkv", ".webm", ".avi", ".mov", ".m4v", ".mpg", ".mpeg", ".ts", ".wmv", ".flv", ".3gp", ".3g2", ".asf",
    ".m2ts", ".mts", ".m2v", ".vob", ".ogv", ".ogm", ".mxf", ".dav", ".dv", ".f4v", ".rm", ".rmvb", ".wtv", ".nut",
    ".ivf", ".h264", ".264", ".h265", ".265", ".hevc", ".obu", ".y4m", ".mjpeg", ".mjpg", ".gif", ".apng",
)  # fmt: skip

_SOON = 8
"""Frames before the one on the screen that are read before all others."""
MUCH_BYTES = 64 << 20
"""Of kept frames: where more are left by a jump, the decoders that gave them are let go, too."""
_ANIMATIONS = {"gif", "apng", "webp_anim"}


class VideoFile:
    """A video file: frames by presentation time, rotation applied, frame-accurate seek.

    Frames that do not decode are carried as the picture before; what was repaired is told in `warnings`.

    Args:
        path: file of any container and codec that FFmpeg reads.
        stream: which of several video streams, see `VideoReader`.
        hardware: likewise.

    Raises:
        UsageError: there is no such file or stream.
        SourceError: it is empty, no video, cut off before its index, of an unknown codec, or holds sound only.
    """

    def __init__(self, path: str | Path, stream: int | None = None, *, hardware: bool = False) -> None:
        self.path = Path(path)
        self._stream = stream
        self._repairs = Repairs()
        self._fingerprint = file_fingerprint([self.path], "" if stream is None else f"stream {stream}")
        self._head = FileFrames(self.path, stream, self._fingerprint, self._repairs, hardware=hardware)
        self.warnings = self._head.warnings
        self._seek_to: float | None = None
        self._ended = False
        self._warned = False
        self._read_all = True
        self._ring: FrameRing | None = None
        self._reading: Iterator[Frame] | None = None
        self._behind: FileFrames | None = None
        self._filling: Iterator[list[Frame] | None] | None = None
        self._filled_for: Frame | None = None
        self._cannot_fill = False
        self._frames = self._head.decode()
        first = self._peek()
        self._head.first_s = first.time_s
        self.info = self._make_info(first)

    def _make_info(self, first: Frame) -> SourceInfo:
        video, container = self._head.reader.stream, self._head.reader.container
        picture = first.picture
        assert isinstance(picture, AvPicture)
        return SourceInfo(
            name=printable(self.path.name),
            width=picture.width,
            height=picture.height,
            rate=self._head.rate,
            duration_s=self._duration(),
            frame_count=video.frames or None,
            can_seek=True,
            has_audio=bool(container.streams.audio),
            is_container=True,
            is_animation=container.format.name in _ANIMATIONS,
            stream=video.index,
            path=self.path,
            codec=video.codec_context.codec.canonical_name,
            decoder=self._head.reader.device or SOFTWARE,
            time_base=Fraction(video.time_base or Fraction(1, 90000)),
            sample_aspect=picture.sample_aspect,
            colours=picture.colours,
            fingerprint=self._fingerprint,
        )

    def __iter__(self) -> Iterator[Frame]:
        if self._ring is None:
            yield from self._read()
            return
        if self._ended and self._seek_to is None and self._ring.is_read_out:
            self.seek(0.0)
        while (frame := self._next_kept(self._ring)) is not None:
            yield frame

    def seek(self, time_s: float) -> None:
        """See `Source.seek`. Times beyond the ends mean the first or the last frame."""
        time_s = max(0.0, time_s)
        if self._ring is not None:
            at_s = time_s + self._head.half_tick_s
            if self._ring.covers(at_s):
                self._seek_to = None
                self._ring.go_to(at_s)
                return
            if self._read_on_to(at_s, self._ring):
                return
            self._leave(self._ring)
        self._seek_to = time_s

    def close(self) -> None:
        for head in (self._head, self._behind):
            if head is not None:
                head.close()
        self._frames, self._reading, self._filling = iter(()), None, None  # they hold on to this
        if self._ring is not None:
            self._ring.clear()

    # -- frames that are kept --------------------------------------------------------------------------------------

    def keep(self, most_bytes: int) -> None:
        """See `Stepping.keep`."""
        self._ring = FrameRing(most_bytes)

    def step(self, frame: Frame, count: int) -> None:
        """See `Stepping.step`."""
        if self._ring is None:
            self.keep(bytes_to_keep())
        ring = self._ring
        assert ring is not None
        place = ring.place_of(frame)
        if place is None:
            self.seek(frame.time_s)
            next(iter(self), None)
            place = ring.place_of(frame)
            if place is None:
                return  # it cannot be read any more
        place += count
        if place < 0:
            ring.go_to_place(0)
            while place < 0 and (found := self._fill(ring) or self._jump_before(ring)):
                place += found
            place = max(0, place)
        elif place >= len(ring):
            missing = place - len(ring) + 1
            ring.go_to_place(len(ring))
            while missing and self._next_kept(ring) is not None:
                missing -= 1
            place = len(ring) - 1
        ring.go_to_place(place)

    def prepare(self) -> bool:
        """See `Stepping.prepare`."""
        ring = self._ring
        if ring is None or ring.first is None or ring.wants <= 0 or self._cannot_fill:
            return False
        self._begin_filling(ring, ring.first)
        self._go_on_filling(ring)
        return True

    def _fill(self, ring: FrameRing) -> int:
        """Read what comes before the kept frames; returns how many came, 0 at the start of the file."""
        count = 0
        while not count and not ring.at_start and ring.first is not None and not self._cannot_fill:
            self._begin_filling(ring, ring.first)
            count = self._go_on_filling(ring)
        return count

    def _begin_filling(self, ring: FrameRing, first: Frame) -> None:
        """Unless it was begun."""
        if self._filling is None or self._filled_for is not first:
            # the next few first: they cost less by themselves, and a step may be waiting for them
            count = ring.wants if ring.behind >= _SOON else min(ring.wants, _SOON)
            self._filled_for, self._filling = first, self._before(first, max(1, count))

    def _before(self, first: Frame, count: int) -> Iterator[list[Frame] | None]:
        if self._behind is None:
            self._behind = FileFrames(
                self.path, self._stream, self._fingerprint, self._repairs, hardware=bool(self._head.reader.device)
            )
            self._behind.first_s = self._head.first_s
        yield from self._behind.before(first, count)

    def _go_on_filling(self, ring: FrameRing) -> int:
        """Decode one frame more; returns how many are kept more."""
        assert self._filling is not None
        try:
            found = next(self._filling, [])
        except (SegViewerError, av.FFmpegError, OSError):  # moved or deleted; what is open can still be read
            self._cannot_fill = True
            return 0
        if found is None:
            return 0
        self._filling = None
        if found:
            return ring.prepend(found)
        ring.at_start = True
        return 0

    def _jump_before(self, ring: FrameRing) -> int:
        """As `_fill`, by keeping other frames instead; returns how many of them lie before what was the first one."""
        first = ring.first
        if first is None or ring.at_start:
            return 0
        self._leave(ring)
        self._seek_to = max(0.0, first.time_s - 2 * self._head.half_tick_s)
        before = self._next_kept(ring)
        place = ring.place_of(before) if before is not None and before.id.pts < first.id.pts else None
        return 0 if place is None else place + 1

    def _leave(self, ring: FrameRing) -> None:
        """Keep none of its frames; a jump follows.

        FFmpeg gives a picture's memory back only when its decoder ends: until then each decoder holds as much as it
        ever gave at once. The one that goes on needs that again; the two others need not be there.
        """
        if ring.bytes > MUCH_BYTES:
            self._head.reader.let_go_together()
            behind, self._behind, self._filling, self._filled_for = self._behind, None, None, None
            if behind is not None:
                behind.close()
        ring.clear()

    def _next_kept(self, ring: FrameRing) -> Frame | None:
        """The next frame, kept or read; None at the end of the file."""
        kept = ring.take()
        if kept is not None or ring.at_end:
            return kept
        if ring.is_cut and ring.last is not None:
            self._seek_to, ring.is_cut = ring.last.time_s, False
        if self._reading is None:
            self._reading = self._read()
        for frame in self._reading:
            if self._keep(frame):
                return frame
        self._reading = None
        ring.at_end = True
        return None

    def _keep(self, frame: Frame) -> bool:
        """Returns whether it follows those that are kept; else it is one of them."""
        ring = self._ring
        if ring is None or (ring.last is not None and frame.id.pts <= ring.last.id.pts):
            return False
        if ring.last is None:
            ring.at_start = frame.time_s <= self._head.first_s + self._head.half_tick_s
        ring.append(frame)
        return True

    def _read_on_to(self, time_s: float, ring: FrameRing) -> bool:
        """Where a jump would not lead any nearer, go on from the last kept frame. Returns whether that was so."""
        last = ring.last
        if last is None or ring.is_cut or ring.at_end or not self._head.is_nearer(last.time_s, time_s):
            return False
        self._seek_to = None
        from_s = self._head.wanted_from_s(time_s)
        if from_s is not None and from_s > last.time_s and not self._hurry(from_s, time_s, ring):
            ring.clear()
            return False
        ring.go_to_place(len(ring))
        while not ring.covers(time_s) and self._next_kept(ring) is not None:
            pass
        ring.go_to(time_s)
        return True

    def _hurry(self, from_s: float, time_s: float, ring: FrameRing) -> bool:
        """Read on to a time, and keep no frames before another one. Returns whether what is on the screen is kept."""
        deque(self._head.hurry(from_s), 0)
        self._read_all = False
        ring.clear()
        while (first := self._next_kept(ring)) is not None and first.time_s < from_s - self._head.half_tick_s:
            ring.clear()  # it was read before that
        self._ended = False
        return first is not None and first.time_s <= time_s

    # -- reading ---------------------------------------------------------------------------------------------------

    def _read(self) -> Iterator[Frame]:
        if self._ended and self._seek_to is None:
            self._seek_to = 0.0
        self._ended = False
        self._read_all = True  # frames are counted against the header only where the run began at the start
        delivered = 0
        while True:
            target, self._seek_to = self._seek_to, None
            self._read_all = self._read_all and not target
            if target is not None:
                self._frames = self._head.starting_at(target, self._keep)
            for frame in self._frames:
                delivered += 1
                yield frame
                if self._seek_to is not None:
                    break
            else:
                break
        self._ended = True
        self._tell_damage(delivered if self._read_all else None)

    def _peek(self) -> Frame:
        """The first frame, which stays in line to be delivered."""
        try:
            first = next(self._frames)
        except StopIteration:
            self._head.reader.close()
            raise SourceError(
                f"{self.path}: no picture of its {self._head.reader.stream.codec_context.name} video can be decoded; "
                "copy it again from the camera"
            ) from None
        rest = self._frames

        def all_frames() -> Iterator[Frame]:
            yield first
            yield from rest

        self._frames = all_frames()
        return first

    def _duration(self) -> float | None:
        stream, container = self._head.reader.stream, self._head.reader.container
        end_s = self._head.timeline.end_s(stream.index)
        if end_s is not None:
            return end_s
        if stream.duration and stream.time_base:
            return float((stream.duration + (stream.start_time or 0)) * stream.time_base) - self._head.origin_s
        if not container.duration:
            return None
        duration_s = container.duration / av.time_base
        # Matroska's length is counted from 0, not from where the recording begins
        is_end = "matroska" in container.format.name and duration_s > self._head.origin_s
        return duration_s - self._head.origin_s if is_end else duration_s

    def _tell_damage(self, frames: int | None) -> None:
        if self._warned:
            return
        declared, lines = self._head.reader.stream.frames, self._repairs.lines(self._head.rate or 25)
        if lines:
            self._warned = True
            self.warnings += [f"{self.path.name}: {line}" for line in lines]
        if frames is not None and frames < declared:
            self._warned = True
            self.warnings.append(
                f"{self.path.name}: declares {counted(declared, 'frame')}, but holds {frames}; kept these"
            )


SOURCE = SourceKind(
    "video file",
    lambda _text: True,
    lambda text: VideoFile(typed_path(text)),
    forms=(("a video file", ""),),
    suffixes=VIDEO_SUFFIXES,
    open_stream=lambda text, stream: VideoFile(typed_path(text), stream),
    open_by_hardware=lambda text, stream: VideoFile(typed_path(text), stream, hardware=True),
)
