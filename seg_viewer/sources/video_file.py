"""Video files through PyAV (FFmpeg)."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import av

from seg_viewer.core.counted import counted
from seg_viewer.core.errors import SegViewerError, SourceError
from seg_viewer.core.frame import Frame
from seg_viewer.core.typed_path import typed_path
from seg_viewer.media.frame_times import Repairs
from seg_viewer.sources.base import SourceKind, file_fingerprint
from seg_viewer.sources.file_frames import FileFrames
from seg_viewer.sources.file_info import info_of
from seg_viewer.sources.filling import Filling
from seg_viewer.sources.frame_ring import FrameRing, bytes_to_keep
from seg_viewer.sources.near_places import AHEAD, LeftPlaces, Lookout, Way

VIDEO_SUFFIXES = (
    ".mp4", ".mkv", ".webm", ".avi", ".mov", ".m4v", ".mpg", ".mpeg", ".ts", ".wmv", ".flv", ".3gp", ".3g2", ".asf",
    ".m2ts", ".mts", ".m2v", ".vob", ".ogv", ".ogm", ".mxf", ".dav", ".dv", ".f4v", ".rm", ".rmvb", ".wtv", ".nut",
    ".ivf", ".h264", ".264", ".h265", ".265", ".hevc", ".obu", ".y4m", ".mjpeg", ".mjpg", ".gif", ".apng",
)  # fmt: skip

_SHARE = 4
"""Of the bytes of kept frames, one part in so many is for other places than the present one."""
_GONE = (SegViewerError, av.FFmpegError, OSError)
"""Raised where the file was moved or deleted; what is open can still be read."""


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
        self._ended = self._warned = self._cannot_prepare = False
        self._read_all = True
        self._ring: FrameRing | None = None
        self._reading: Iterator[Frame] | None = None
        self._read_pts: int | None = None  # of the frame that `_reading` gave last; None where it goes elsewhere
        self._most_bytes, self._jump_s = 0, 0.0
        self._filling = Filling(self._head.beside)
        self._left = LeftPlaces(0)
        self._lookout = Lookout(self._left)
        self._way: Way | None = None  # of `_head`, to the last kept frame of a ring
        self._frames = self._head.decode()
        first = self._peek()
        self._head.first_s = first.time_s
        self.info = info_of(self._head, first, self._fingerprint)

    def __iter__(self) -> Iterator[Frame]:
        if self._ring is None:
            yield from self._read()
            return
        if self._seek_to is None and self._ring.is_read_out:
            self.seek(0.0)
        while (frame := self._next_kept(self._ring)) is not None:
            yield frame

    def seek(self, time_s: float) -> None:
        """See `Source.seek`. Times beyond the ends mean the first or the last frame."""
        time_s = max(0.0, time_s)
        if self._ring is not None:
            at_s = time_s + self._head.half_tick_s
            if self._ring.covers(at_s) or self._turn_to(at_s, self._ring):
                self._seek_to = None
                self._ring.go_to(at_s)
                return
            if self._read_on_to(at_s, self._ring):
                return
            self._leave(self._ring)
        self._seek_to = time_s

    def close(self) -> None:
        for one in (self._head, self._lookout, self._filling):
            one.close()
        self._frames, self._reading, self._way = iter(()), None, None  # they hold on to this
        self._left.clear()
        if self._ring is not None:
            self._ring.clear()

    # -- frames that are kept --------------------------------------------------------------------------------------

    def keep(self, most_bytes: int, jump_s: float = 0.0) -> None:
        """See `Stepping.keep`."""
        self._ring = FrameRing(most_bytes)
        self._left = LeftPlaces(most_bytes // _SHARE)
        self._lookout.close()
        self._lookout = Lookout(self._left)
        self._most_bytes, self._jump_s = most_bytes, jump_s

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
            assert self._ring is not None
            ring = self._ring  # perhaps another one
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
        if ring is None or ring.first is None or self._cannot_prepare:
            return False
        try:
            if self._filling.is_urgent(ring) and self._fill_more(ring):
                return True
            looks_out = self._lookout.go_on
            return (
                self._catch_up(ring)
                or looks_out(self._head, ring, self._jump_s, self._most_bytes)
                or self._fill_more(ring)
            )
        except _GONE:
            self._cannot_prepare, self._way, self._lookout.scout = True, None, None
            return False

    def _fill_more(self, ring: FrameRing) -> bool:
        """Read a little of what comes before the kept frames; returns whether anything was missing."""
        wants = ring.wants(self._most_bytes - self.kept_bytes + ring.bytes)
        if is_worth := self._filling.is_worth(ring, wants):
            self._filling.go_on(ring, wants)
        return is_worth

    def _fill(self, ring: FrameRing) -> int:
        """Read what comes before the kept frames; returns how many came, 0 at the start of the file."""
        count = 0
        try:
            while not count and not ring.at_start and ring.first is not None and not self._cannot_prepare:
                count = self._filling.go_on(ring, ring.wants(self._most_bytes))
        except _GONE:
            self._cannot_prepare = True
        self._make_room()
        return count

    def _catch_up(self, ring: FrameRing) -> bool:
        """Decode a little of the way to the last kept frame, where what follows is wanted next. Returns whether."""
        last = ring.last
        if not ring.is_cut or last is None or len(ring) - ring.behind > AHEAD:
            return False
        if self._way is None or self._way.time_s != last.time_s:
            self._read_pts, self._way = None, Way(self._head, last.time_s)
        if not self._way.go_on():
            self._go_on_behind(ring)
        return True

    def _jump_before(self, ring: FrameRing) -> int:
        """As `_fill`, by keeping other frames instead; returns how many of them lie before what was the first one."""
        first = ring.first
        if first is None or ring.at_start:
            return 0
        ring.clear()
        self._way = None
        self._seek_to = max(0.0, first.time_s - 2 * self._head.half_tick_s)
        before = self._next_kept(ring)
        place = ring.place_of(before) if before is not None and before.id.pts < first.id.pts else None
        return 0 if place is None else place + 1

    def _next_kept(self, ring: FrameRing) -> Frame | None:
        """The next frame, kept or read; None at the end of the file."""
        kept = ring.take()
        if kept is not None or ring.at_end:
            return kept
        if ring.is_cut and ring.last is not None:
            if self._way is not None and self._way.time_s == ring.last.time_s:
                self._go_on_behind(ring)
            else:
                self._seek_to, ring.is_cut = ring.last.time_s, False
        if self._reading is None:
            self._reading = self._read()
        for frame in self._reading:
            self._read_pts = frame.id.pts
            if self._keep(frame):
                return frame
        self._reading = self._read_pts = None
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
        self._make_room()
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
        self._leave(ring)
        while (first := self._next_kept(ring)) is not None and first.time_s < from_s - self._head.half_tick_s:
            ring.clear()  # it was read before that
        self._ended = False
        return first is not None and first.time_s <= time_s

    # -- other places ----------------------------------------------------------------------------------------------

    @property
    def kept_bytes(self) -> int:
        """Of the pictures of all frames that are kept."""
        scout = self._lookout.scout
        return self._left.bytes + sum(place.bytes for place in (self._ring, scout and scout.ring) if place)

    def _make_room(self) -> None:
        if self.kept_bytes > self._most_bytes:
            self._left.clear()
            self._lookout.scout = None

    def _leave(self, ring: FrameRing) -> None:
        """Keep none of its frames but those to come back to, where coming back would take long."""
        at = ring.before_next
        if at is not None and self._head.is_far(at.time_s):
            self._left.leave(ring)
        ring.clear()

    def _turn_to(self, time_s: float, ring: FrameRing) -> bool:
        """Keep the frames around another time instead, where they are here or on their way. Returns whether."""
        found = self._left.take(time_s)
        if found is None:
            return self._follow(time_s, ring)
        self._leave(ring)
        self._ring = found
        found.is_cut = not found.at_end and (found.last is None or found.last.id.pts != self._read_pts)
        return True

    def _follow(self, time_s: float, ring: FrameRing) -> bool:
        """As `_turn_to`, to where the scout is, or will be: its place of reading is the one to read on from."""
        scout = self._lookout.scout
        if scout is None or not scout.leads_to(time_s):
            return False
        self._lookout.scout = None
        try:
            frames = scout.arrive()
        except _GONE:
            self._cannot_prepare = True
            return False
        if not scout.ring.covers(time_s) or scout.ring.last is None:
            return False
        self._leave(ring)
        self._ring = scout.ring
        self._ring.most_bytes = self._most_bytes
        self._head = self._lookout.exchange(self._head)
        self._read_on(frames, scout.ring.last)
        return True

    def _go_on_behind(self, ring: FrameRing) -> None:
        """Have the next frame read be the one after the last kept one, to which `_way` leads."""
        assert self._way is not None and ring.last is not None
        self._read_on(self._way.arrive(), ring.last)
        ring.is_cut = False

    def _read_on(self, frames: Iterator[Frame], last: Frame) -> None:
        """Read these frames of `_head` from now on; `last` is kept, and those up to it may come again."""
        self._frames, self._reading, self._read_pts = frames, self._read(from_start=False), last.id.pts
        self._seek_to = self._way = None
        self._ended = False

    # -- reading ---------------------------------------------------------------------------------------------------

    def _read(self, *, from_start: bool = True) -> Iterator[Frame]:
        if self._ended and self._seek_to is None:
            self._seek_to = 0.0
        self._ended = False
        self._read_all = from_start  # frames are counted against the header only where the run began at the start
        delivered = 0
        while True:
            target, self._seek_to = self._seek_to, None
            self._read_all = self._read_all and not target
            if target is not None:
                self._read_pts = self._way = None
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
        self._frames = itertools.chain((first,), self._frames)
        return first

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
