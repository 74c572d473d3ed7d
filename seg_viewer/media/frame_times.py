"""Decoded pictures in order of time, each with a time of its own; what cannot be read shows the one before."""

from __future__ import annotations

import bisect
import itertools
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import av

from seg_viewer.core.counted import counted
from seg_viewer.media.timeline import Timeline
from seg_viewer.media.video_reader import VideoReader

_WINDOW = 8  # pictures that wait for one with an earlier time
_AHEAD = 8  # packets read before they are decoded, so that the next times are known …
_AHEAD_BYTES = 2 << 20  # … unless they are large
# codecs of which a packet may rightly hold nothing to show: hidden frames, second fields, packed B-frames
_MAY_HIDE = {"h264", "vp8", "vp6", "vp6f", "vp6a", "mpeg4", "msmpeg4v3", "theora"}


@dataclass(frozen=True)
class TimedPicture:
    """A decoded picture and its time.

    Args:
        pts: presentation time in units of the stream's time base, ascending; jumps of the file's clock are taken out.
        frame: the picture as it is stored; for what could not be read, the one before.
        duration: how long the file says it is shown, in the same units; None where it does not.
    """

    pts: int
    frame: av.VideoFrame
    duration: int | None


@dataclass
class Repairs:
    """What was wrong with the times and pictures of a file; each picture counts once however often it is decoded.

    Args:
        carried: times (pts) of pictures that could not be read, where the one before is shown.
        missing: times of pictures at the start that could not be read.
        moved: times given to pictures whose own was taken or past.
        crowded: pictures that had no time of their own, nor room for one.
        sorted: times that came out of order.
        counted: times that the file does not hold, counted by its rate.
    """

    carried: set[int] = field(default_factory=set)
    missing: set[int] = field(default_factory=set)
    moved: set[int] = field(default_factory=set)
    crowded: set[int] = field(default_factory=set)
    sorted: set[int] = field(default_factory=set)
    counted: set[int] = field(default_factory=set)

    def lines(self, rate: float) -> list[str]:
        """For people, a line each."""
        told = [
            (self.carried, "could not be read; the one before is shown instead"),
            (self.missing, "at the start could not be read; left out"),
            (self.sorted, "came with a time out of order; sorted"),
            (self.moved, "came with the time of another; placed after it"),
            (self.crowded, "came with the time of another and no room beside it; left out"),
            (self.counted, f"came without a time; counted at {rate:g} frames/s"),
        ]
        return [f"{counted(len(times), 'picture')} {what}" for times, what in told if times]


@dataclass(eq=False)
class _Held:
    """A picture that waits.

    Args:
        time: that it will have.
        own: that it came with.
        frame: the picture.
    """

    time: int
    own: int
    frame: av.VideoFrame


class InOrder:
    """Pictures of a video stream in order of time.

    Args:
        reader: of the file.
        timeline: of the same file, for this reader alone.
        repairs: where to count what was repaired.

    Attributes:
        hurried: pictures were left out in this run, see `hurry`.
    """

    def __init__(self, reader: VideoReader, timeline: Timeline, repairs: Repairs) -> None:
        self._reader, self._timeline, self._repairs = reader, timeline, repairs
        stream = reader.stream
        self._tick = Fraction(stream.time_base or Fraction(1, 90_000))
        rate = stream.average_rate or stream.guessed_rate or 25
        self._step = max(1, round(1 / (rate * self._tick)))
        self._may_hide = stream.codec_context.name in _MAY_HIDE
        self._pairs = stream.codec_context.codec.intra_only
        self.begin(False)

    def begin(self, from_start: bool) -> None:
        """A run from the reader's present position on.

        Args:
            from_start: that is the start of the file; pictures that are missing there are counted.
        """
        self._clear()
        self._from_start = from_start
        self._line = self._packets()

    def close(self) -> None:
        """Give no more, and keep nothing; its packets know it, so that it would stay until Python's collector comes."""
        self._clear()
        self._line = iter(())

    def pictures(self) -> Iterator[TimedPicture]:
        """Of the run that was begun last."""
        while (packet := next(self._line, None)) is not None:
            self._is_first = False
            frames = self._reader.decode(packet)
            if frames is None:
                self._failed += 1
                self._damaged = True
                continue
            for frame in frames:
                self._arrive(frame)
                while self._held and (len(self._held) > _WINDOW or not self._is_awaited(self._held_min())):
                    yield from self._emit()
        while self._held:
            yield from self._emit()
        yield from self._expire(None)

    def _clear(self) -> None:
        self.hurried = False
        self._from: int | None = None  # pictures before it are not wanted
        self._is_first = True  # no packet was taken yet
        self._ahead: list[int] = []  # times of packets that are not decoded yet, ascending
        self._sent: list[int] = []  # times of packets whose pictures have not come yet, ascending
        self._held: list[_Held] = []
        self._failed = 0  # packets that did not decode and whose times have not passed yet
        self._damaged = False  # one did not, ever
        self._hides = False  # packets without a picture are how this stream is made
        self._last: int | None = None
        self._good: av.VideoFrame | None = None

    def hurry(self, to: int) -> Iterator[None]:
        """Give no picture any more that is shown before a time; all others come out as they would without this.

        What comes before is decoded only as far as later pictures need it: `VideoReader.can_hurry` holds. Where a run
        does not begin with a key frame, nothing is left out. Where something is damaged on the way, the run ends early;
        without hurry it may still give what can be seen.

        Args:
            to: that time, in units of the stream's time base.

        Returns:
            None after each packet. It is to be exhausted before pictures are taken.
        """
        while (packet := next(self._line, None)) is not None:
            is_first, self._is_first = self._is_first, False
            time = packet.pts
            if time is None or not packet.size or time >= to or (is_first and not packet.is_keyframe):
                self._line = itertools.chain((packet,), self._line)
                self._is_first = is_first
                return
            if self._from != to:
                if is_first and to - time > self._reader.long_way * self._step:
                    self._reader.decode_together()
                self._from, self.hurried = to, True
                self._held.clear()
            if not self._pass_over(packet, time):
                self._line = iter(())
            yield None

    def _pass_over(self, packet: av.Packet[Any], time: int) -> bool:
        """Decode a packet if others need it. Returns whether all is well."""
        with self._reader.only_what_is_needed():
            frames = self._reader.decode(packet)
        _remove(self._sent, time)
        if frames is None or any(frame.is_corrupt for frame in frames):
            return False
        for frame in frames:
            self._good = frame
            if frame.pts is not None:
                self._last = frame.pts
                _remove(self._sent, frame.pts)
        return True

    def _packets(self) -> Iterator[av.Packet[Any]]:
        """Packets with the clock's jumps taken out; their times are known some packets before they come."""
        line: deque[tuple[av.Packet[Any], int | None]] = deque()
        size = 0
        for packet in self._reader.packets():
            line.append((packet, self._place(packet)))
            size += packet.size
            while len(line) > _AHEAD or (size > _AHEAD_BYTES and len(line) > 1):
                size -= line[0][0].size
                yield self._send(*line.popleft())
        while line:
            yield self._send(*line.popleft())

    def _place(self, packet: av.Packet[Any]) -> int | None:
        offset_s = self._timeline.offset_s(packet)
        offset = round(Fraction(offset_s) / self._tick) if offset_s else 0
        pts, dts = self._timeline.likely_times(packet)
        if offset or pts != packet.pts:
            packet.pts = None if pts is None else pts + offset
            packet.dts = None if dts is None else dts + offset
        time = packet.pts if packet.pts is not None else packet.dts
        if time is None or not packet.size or packet.is_discard:
            return None
        bisect.insort(self._ahead, time)
        return time

    def _send(self, packet: av.Packet[Any], time: int | None) -> av.Packet[Any]:
        if time is not None:
            _remove(self._ahead, time)
            bisect.insort(self._sent, time)
        return packet

    def _arrive(self, frame: av.VideoFrame) -> None:
        time = frame.pts
        if time is None:
            if self._sent:
                time = self._sent[0]
            else:
                time = max([held.time for held in self._held] + [self._last if self._last is not None else -self._step])
                time += self._step
                self._repairs.counted.add(time)
        _remove(self._sent, time)
        self._held.append(_Held(time, time, frame))

    def _held_min(self) -> int:
        return min(held.time for held in self._held)

    def _is_awaited(self, time: int) -> bool:
        """Whether a picture with an earlier time may still come."""
        first = min(self._sent[:1] + self._ahead[:1], default=time)
        return first < time and (self._last is None or first > self._last)

    def _emit(self) -> Iterator[TimedPicture]:
        """The next picture, and before it what could not be read."""
        time = self._held_min()
        earliest = next(held for held in self._held if held.time == time)
        # a picture that needs no other keeps its time; else the decoder's order is right, and the times are not
        chosen = earliest if self._pairs else self._held[0]
        if chosen is not earliest:
            earliest.time, chosen.time = chosen.time, time
        if chosen.own != time or chosen is not self._held[0]:
            self._repairs.sorted.add(time)
        self._held.remove(chosen)
        frame = chosen.frame
        yield from self._expire(time)
        if self._last is not None and time <= self._last:
            nearest = [held.time for held in self._held] + self._sent + self._ahead
            following = min((t for t in nearest if t > self._last), default=self._last + self._step)
            if following - self._last < 2:
                self._repairs.crowded.add(self._last)
                return
            time = (self._last + following) // 2
            self._repairs.moved.add(time)
        self._damaged |= frame.is_corrupt
        yield from self._deliver(time, None if frame.is_corrupt else frame, frame.duration or None)

    def _expire(self, before: int | None) -> Iterator[TimedPicture]:
        """Times of packets that gave no picture, up to a time."""
        end = len(self._sent) if before is None else bisect.bisect_left(self._sent, before)
        lost, self._sent = self._sent[:end], self._sent[end:]
        for time in lost:
            if self._good is not None and self._may_hide and not self._failed and (self._hides or not self._damaged):
                self._hides = True
                continue
            self._failed = max(0, self._failed - 1)
            if self._last is None or time > self._last:
                yield from self._deliver(time, None, None)

    def _deliver(self, time: int, frame: av.VideoFrame | None, duration: int | None) -> Iterator[TimedPicture]:
        if frame is None:
            if self._good is None:
                if self._from_start:
                    self._repairs.missing.add(time)
                return
            self._repairs.carried.add(time)
        else:
            self._good = frame
        self._last = time
        assert self._good is not None
        if self._from is not None and time < self._from:
            return
        yield TimedPicture(time, self._good, duration)


def _remove(times: list[int], time: int) -> None:
    place = bisect.bisect_left(times, time)
    if place < len(times) and times[place] == time:
        del times[place]
