"""One place of reading in a video file: frames with their times, from the start or from any time on."""

from __future__ import annotations

import bisect
import itertools
import math
import time
from array import array
from collections import deque
from collections.abc import Callable, Generator, Iterator
from fractions import Fraction
from pathlib import Path

from seg_viewer.core.frame import Frame
from seg_viewer.core.machine import usable_cores
from seg_viewer.media.frame_times import InOrder, Repairs
from seg_viewer.media.timeline import Timeline
from seg_viewer.media.together import fewer_if_large
from seg_viewer.media.video_reader import VideoReader

_NEIGHBOURS = 2
"""Frames after a jump that lack the one before them, where two halves are made whole with their neighbours."""
_NEAR, _LEAST_NEAR = 16, 10
"""Frames before a place that are decoded in any case: what steps back from there want first; fewer above full HD."""
_LONGEST_S = 20.0
"""How far back to look for a key frame; some films have one at their start only."""

Passed = Callable[[Frame], object]


class FileFrames:
    """Frames of a video file in order of time; what is in the file twice over (size, rate, …) `reader` knows.

    Args:
        path: of the file.
        stream: which of several video streams, see `VideoReader`.
        fingerprint: of the source that the frames are of.
        repairs: where to count what was repaired; shared by all that read the same file.
        hardware: see `VideoReader`.
        timeline: of the file, where another one reads it already.

    Attributes:
        warnings: what was wrong with the file so far, a line each.
        first_s: time of the first frame, seconds; to be set by whoever has read it.
        is_whole: the latest frame is the same as when the file is played from its start: a key frame came since the
            last jump, and its neighbours where two are made one.
        at_start: the next frame is the first of the file.

    Raises:
        UsageError, SourceError: as for `VideoReader`.
    """

    def __init__(
        self,
        path: Path,
        stream: int | None,
        fingerprint: str,
        repairs: Repairs,
        *,
        hardware: bool = False,
        timeline: Timeline | None = None,
    ) -> None:
        self.path, self._stream = path, stream
        self.reader = VideoReader(path, stream, hardware=hardware)
        video = self.reader.stream
        self._near = fewer_if_large(_NEAR, _LEAST_NEAR, video.width, video.height)
        self.timeline = timeline.again() if timeline is not None else Timeline(path)
        self.warnings = self.reader.notes  # what the reader finds on the way is told at once
        self.warnings += self.timeline.notes
        self.origin_s = self.timeline.origin_s
        self.repairs = repairs
        self.rate = float(video.average_rate or video.guessed_rate or 0) or None
        self.first_s = 0.0
        self.is_whole = False
        self.at_start = True
        self._in_order = InOrder(self.reader, self.timeline, self.repairs)
        self._numbers = _Numbers()
        self._fingerprint = fingerprint

    def beside(self) -> FileFrames:
        """Another place of reading in the same file; both know what either finds out about that.

        Raises: as the constructor, where the file is gone.
        """
        other = FileFrames(
            self.path,
            self._stream,
            self._fingerprint,
            self.repairs,
            hardware=bool(self.reader.device),
            timeline=self.timeline,
        )
        other.first_s = self.first_s
        other._numbers = self._numbers.beside()
        other.warnings = other.reader.notes = self.warnings
        return other

    @property
    def half_tick_s(self) -> float:
        """Times that are not further apart are the same."""
        return 0.5 * float(self.reader.stream.time_base or 0)

    def decode(self) -> Iterator[Frame]:
        """Frames from the container's present position on."""
        self._numbers.jump()
        at_start, self.at_start = self.at_start, False
        self.is_whole = False
        self._in_order.begin(at_start)
        return self._decode(at_start)

    def _decode(self, at_start: bool) -> Iterator[Frame]:
        tick = Fraction(self.reader.stream.time_base or Fraction(1, 90_000))
        since_key = -1
        stored = self._in_order.pictures()
        for timed, frame in self.reader.whole(stored, lambda timed: timed.frame):
            arrived_s = time.perf_counter()
            if since_key >= 0 or timed.frame.key_frame or self._in_order.hurried:
                since_key += 1
                self.is_whole = at_start or since_key >= (_NEIGHBOURS if self.reader.needs_before_s else 0)
            time_s = float(timed.pts * tick) - self.origin_s
            index = self._numbers.of(timed.pts, round(time_s * self.rate) if self.rate else 0)
            yield Frame(
                index,
                time_s,
                self.reader.picture(frame),
                arrived_s=arrived_s,
                pts=timed.pts,
                source=self._fingerprint,
                duration_s=float(timed.duration * tick) if timed.duration else None,
            )
        if self.reader.broken_off:
            self.warnings.append(
                f"{self.path.name}: reading stopped early ({self.reader.broken_off}); kept what came before"
            )

    def hurry(self, to_s: float) -> Iterator[None]:
        """Give no frame of the present run before a time any more; what leads there is decoded as far as needed.

        The run may end early, or have no frame that is on the screen at that time; a jump gives it then.

        Args:
            to_s: that time, seconds.

        Returns:
            None after each step; to be exhausted.
        """
        self._numbers.jump()
        tick = float(self.reader.stream.time_base or Fraction(1, 90_000))
        return self._in_order.hurry(math.ceil((to_s + self.origin_s) / tick))

    def wanted_from_s(self, time_s: float, count: int | None = None) -> float | None:
        """Where so many frames before a time begin, about, seconds; None where none before that can be left out."""
        if not self.rate or not self.reader.can_hurry or self.repairs.counted:
            return None
        return time_s - (self._near if count is None else count) / self.rate

    def starting_at(
        self, target_s: float, passed: Passed = lambda _frame: None, *, may_hurry: bool = True
    ) -> Iterator[Frame]:
        """Frames from the one on the screen at a time on.

        Args:
            target_s: that time, seconds.
            passed: gets the frames that are decoded on the way there, as far as they are whole, without a gap.
            may_hurry: on the way there what is not needed may be left out, and several pictures be decoded at once.
        """
        way = self.going_to(target_s, passed, may_hurry=may_hurry)
        while True:
            try:
                next(way)
            except StopIteration as arrived:
                frames: Iterator[Frame] = arrived.value
                return frames

    def going_to(
        self, target_s: float, passed: Passed = lambda _frame: None, *, may_hurry: bool = True
    ) -> Generator[None, None, Iterator[Frame]]:
        """As `starting_at`, step by step: None after each, and in the end what that returns."""
        back_s, reopened = 0.0, False
        from_s = self.wanted_from_s(target_s) if may_hurry else None
        self.jump(target_s)
        while True:
            held: Frame | None = None
            held_is_whole = False
            frames = self.decode()
            if from_s is not None:
                yield from self.hurry(from_s)
            for frame in frames:
                if frame.time_s > target_s + self.half_tick_s or self.reader.is_unsure:
                    break
                if held is not None and held_is_whole:
                    passed(held)
                held, held_is_whole = frame, self.is_whole
                yield None
            else:
                frame = None
            if self.reader.is_unsure:
                from_s = None  # something is damaged
                self.jump(target_s)
                continue
            if held is not None or (frame is not None and frame.time_s <= self.first_s + self.half_tick_s):
                break
            if from_s is not None and self._in_order.hurried:
                from_s = None  # something is damaged, or a frame that stays for long is on the screen
                self.jump(target_s)
            # the container's index pointed behind the target
            elif target_s > back_s:
                back_s = max(1.0, back_s * 4)
                self.jump(max(0.0, target_s - back_s))
            elif not reopened:
                reopened, self.at_start = True, True
                self.reader.restart()
            else:
                break
        return self._surely([f for f in (held, frame) if f is not None], frames)

    def _surely(self, found: list[Frame], frames: Iterator[Frame]) -> Iterator[Frame]:
        """What was found and what follows; from the first damage on it is decoded again, one picture at a time."""
        last: Frame | None = None
        for frame in itertools.chain(found, frames):
            if self.reader.is_unsure:
                break
            last = frame
            yield frame
        if last is not None and self.reader.is_unsure:
            for frame in self.starting_at(last.time_s, may_hurry=False):
                if frame.id.pts > last.id.pts:
                    yield frame

    def before(self, frame: Frame, count: int) -> Iterator[list[Frame] | None]:
        """The frames before another one, as many as lie between it and the key frame before; None after each decoded.

        Args:
            frame: the one that follows them.
            count: how many at most; at least one comes unless `frame` is the first of the file.
        """
        if frame.time_s <= self.first_s + self.half_tick_s:
            return
        target_s, back_s, reopened = frame.time_s - 2 * self.half_tick_s, 0.0, False
        from_s = self.wanted_from_s(frame.time_s, count)
        self.jump(target_s)
        while True:
            whole: deque[Frame] = deque(maxlen=count)
            last: Frame | None = None
            frames = self.decode()
            if from_s is not None:
                yield from self.hurry(from_s)
            for other in frames:
                if other.time_s >= frame.time_s - self.half_tick_s or self.reader.is_unsure:
                    break
                last = other
                if self.is_whole:
                    whole.append(other)
                yield None
            if from_s is not None and self._in_order.hurried and (not whole or self.reader.is_unsure):
                from_s = None
                self.jump(target_s)
                continue
            if not whole and last is not None and (back_s > _LONGEST_S or back_s > target_s):
                whole.append(last)  # as a jump there would show it
            if whole or reopened:
                yield list(whole)
                return
            if target_s > back_s:
                back_s = max(1.0, back_s * 4)
                self.jump(max(0.0, target_s - back_s))
            else:
                reopened, self.at_start = True, True
                self.reader.restart()

    def jump(self, time_s: float) -> None:
        """Go to the last key frame at or before a time."""
        time_base = self.reader.stream.time_base
        assert time_base is not None
        self.at_start = False
        time_s = max(0.0, time_s - self.reader.needs_before_s)
        # without times of its own, a picture's time is known by counting from the start only
        position = 0 if self.repairs.counted else self.timeline.position(self.reader.stream.index, time_s)
        if position == 0:
            self.at_start = True
            self.reader.restart()
        elif position is not None:
            self.reader.seek_byte(position)
        else:
            self.reader.seek(int((time_s + self.origin_s) / time_base))

    def is_nearer(self, from_s: float, to_s: float) -> bool:
        """Whether reading on from a time gets to a later one no later than a jump would, as far as the file says."""
        key_s = self._key_before_s(to_s)
        if key_s is None or not key_s <= from_s <= to_s:
            return False
        # one picture at a time from here, or several at once from the key frame on
        at_once = usable_cores() if self._goes_together(to_s - key_s) and not self.reader.is_together else 1
        return to_s - from_s <= (to_s - key_s) / at_once

    def is_far(self, time_s: float) -> bool:
        """Whether a jump there takes long, as far as the file says: many pictures lie between it and a key frame."""
        key_s = self._key_before_s(time_s)
        return (
            key_s is not None
            and (time_s - key_s) * (self.rate or 0) > self.reader.long_way
            and not self.repairs.counted
        )

    def _goes_together(self, way_s: float) -> bool:
        """Whether a jump so far behind a key frame decodes several pictures at once."""
        reader = self.reader
        return reader.may_together and reader.can_hurry and way_s * (self.rate or 0) > reader.long_way + self._near

    def _key_before_s(self, time_s: float) -> float | None:
        """Time of the key frame before a time; None where the file does not say."""
        stream, time_base = self.reader.stream, self.reader.stream.time_base
        if self.timeline.pieces > 1 or not time_base:
            return None
        entries = stream.index_entries
        if not len(entries):
            return None
        first = entries[0].timestamp
        start = first if stream.start_time is None else stream.start_time
        early = max(0, start - first)  # MP4 files list when a picture is decoded, not when it is shown
        place = entries.search_timestamp(int((time_s + self.origin_s) / time_base) - early, backward=True)
        return (entries[place].timestamp + early) * float(time_base) - self.origin_s if place >= 0 else None

    def close(self) -> None:
        self._in_order.close()
        self.reader.close()


class _Numbers:
    """Numbers the pictures of a file: exactly as far as they were counted from the start, beyond that as estimated."""

    def __init__(self) -> None:
        self._counted = array("q")  # pts of pictures 0, 1, 2, …
        self._counts = True  # it adds to them, and no other does
        self._last: int | None = None

    def beside(self) -> _Numbers:
        """For another place of reading, with what is counted here."""
        other = _Numbers()
        other._counted, other._counts = self._counted, False
        return other

    def jump(self) -> None:
        """What comes next does not follow what came last, unless nothing has come yet."""
        self._last = -1 if not self._counted and self._counts else None

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
            if number == len(self._counted) and self._counts:
                self._counted.append(pts)
        self._last = number
        return number
