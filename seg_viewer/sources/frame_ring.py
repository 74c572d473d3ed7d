"""Decoded frames around the one on the screen, so that a step back need not decode a whole group of pictures again."""

from __future__ import annotations

import bisect
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace

from seg_viewer.core.frame import Frame

_BEHIND = 72
"""Frames kept behind the place of reading: 60 steps back, and what a pipeline has read ahead of the screen."""
_AHEAD = 16
"""Frames that always stay ahead of it, though more are wanted behind."""
_MOST = 2 * _BEHIND
_LEAST = 12
"""Kept, however large they are: what a pipeline has under way must be among them."""
_MOST_BYTES, _LEAST_BYTES = 900 << 20, 200 << 20
_SHARE = 16
"""Of the machine's memory, one part in so many."""


def bytes_to_keep() -> int:
    """How many bytes of pictures a player may keep: a sixteenth of the memory, between 200 MB and 900 MB.

    900 MB are 72 pictures of 3840×2160 in YUV 4:2:0.
    """
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not on this system
        memory = _SHARE * _LEAST_BYTES
    return min(max(memory // _SHARE, _LEAST_BYTES), _MOST_BYTES)


class FrameRing:
    """Frames that follow each other in a source, and the place among them where reading goes on.

    Args:
        most_bytes: of their pictures, at most.

    Attributes:
        at_start: the first one is the first of the source, or nothing before it can be read.
        at_end: the last one is the last of the source.
        is_cut: frames were let go at the end; what reads on has to find the last one again.
    """

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self._bytes = 0
        self.clear()

    def clear(self) -> None:
        self._frames: list[Frame] = []
        self._bytes = self._next = 0
        self.at_start = self.at_end = self.is_cut = False

    def __len__(self) -> int:
        return len(self._frames)

    def __iter__(self) -> Iterator[Frame]:
        return iter(self._frames)

    @property
    def bytes(self) -> int:
        """Of all pictures."""
        return self._bytes

    @property
    def first(self) -> Frame | None:
        return self._frames[0] if self._frames else None

    @property
    def last(self) -> Frame | None:
        return self._frames[-1] if self._frames else None

    def take(self) -> Frame | None:
        """The next frame; None where it is not here."""
        if self._next >= len(self._frames):
            return None
        self._next += 1
        return self._frames[self._next - 1]

    def append(self, frame: Frame) -> None:
        """One that was read and follows the last one; it counts as taken, and those before it, too."""
        self._frames.append(frame)
        self._bytes += size_of(frame)
        self._next = len(self._frames)
        while self._next > _BEHIND or (self._bytes > self.most_bytes and self._next > _LEAST):
            self._drop(0)
            self.at_start = False

    def covers(self, time_s: float) -> bool:
        """Whether the frame on the screen at a time is here."""
        if not self._frames:
            return False
        begins = self.at_start or self._frames[0].time_s <= time_s
        return begins and (self.at_end or time_s < self._frames[-1].time_s)

    def go_to(self, time_s: float) -> None:
        """The next frame is the one on the screen at a time, which it `covers`."""
        place = bisect.bisect_right(self._frames, time_s, key=lambda frame: frame.time_s) - 1
        self._next = max(0, place)

    def place_of(self, frame: Frame) -> int | None:
        """Where a frame is among those that are here."""
        place = bisect.bisect_left(self._frames, frame.id.pts, key=lambda each: each.id.pts)
        is_here = place < len(self._frames) and self._frames[place].id.pts == frame.id.pts
        return place if is_here else None

    def go_to_place(self, place: int) -> None:
        """The next frame is the one at a place, counted from the first one."""
        self._next = place

    @property
    def is_read_out(self) -> bool:
        """The last frame of the source was taken."""
        return self.at_end and self._next >= len(self._frames)

    @property
    def before_next(self) -> Frame | None:
        """The frame taken last, or that lies before the next one."""
        return self._frames[self._next - 1] if 0 < self._next <= len(self._frames) else self.first

    @property
    def behind(self) -> int:
        """How many frames lie before the next one."""
        return self._next

    def wants(self, most_bytes: int) -> int:
        """How many frames from before the first one would be kept, with so many bytes in all."""
        if self.at_start or not self._frames:
            return 0
        count = min(_BEHIND - self._next, _MOST - _AHEAD - self._next)
        room = min(most_bytes, self.most_bytes) - sum(size_of(frame) for frame in self._frames[: self._next + _AHEAD])
        return max(0, min(count, room // max(1, size_of(self._frames[0]))))

    def prepend(self, frames: Sequence[Frame]) -> int:
        """Keep frames that come right before the first one, in order; their numbers are worked out from its own.

        Returns: how many.
        """
        if not self._frames:
            return 0
        number = self._frames[0].index
        before = [replace(frame, index=max(0, number - len(frames) + place)) for place, frame in enumerate(frames)]
        self._frames[:0] = before
        self._next += len(before)
        self._bytes += sum(map(size_of, before))
        while len(self._frames) > self._next + _AHEAD and (len(self._frames) > _MOST or self._bytes > self.most_bytes):
            self._drop(len(self._frames) - 1)
            self.is_cut, self.at_end = True, False
        return len(before)

    def excerpt(self, behind: int, ahead: int) -> FrameRing:
        """The frames around the next one, so many before it and as many from it on, in a ring of their own."""
        first, end = max(0, self._next - behind), self._next + ahead
        other = FrameRing(self.most_bytes)
        other._frames, other._next = self._frames[first:end], self._next - first
        other._bytes = sum(map(size_of, other._frames))
        other.at_start, other.at_end = self.at_start and not first, self.at_end and end >= len(self._frames)
        other.is_cut = not other.at_end
        return other

    def _drop(self, place: int) -> None:
        self._bytes -= size_of(self._frames.pop(place))
        if place < self._next:
            self._next -= 1


def size_of(frame: Frame) -> int:
    """Bytes of its picture."""
    picture = frame.picture
    return getattr(picture, "nbytes", picture.width * picture.height * 3)
