"""Frames around other places of a video file than the present one: where it was, and where a jump is likely to lead."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from functools import partial

from seg_viewer.core.frame import Frame
from seg_viewer.sources.file_frames import FileFrames
from seg_viewer.sources.frame_ring import FrameRing, size_of

_BEHIND, AHEAD = 16, 2
"""Frames before the next one, and from it on, that are kept of a place that was left."""
_LEAST = 12
"""Frames that must fit, else no other place is kept."""
_MOST_LEFT = 2
_STEPS = 8
"""Steps back that do not change where a scout goes: it keeps the frames before that place, too."""


class Way:
    """A place of reading on its way to a time, step by step.

    Args:
        head: the place of reading; nobody else uses it meanwhile.
        time_s: where it goes, seconds.
        passed: see `FileFrames.starting_at`.

    Attributes:
        frames: from the one on the screen at that time on; None until it is there.
    """

    def __init__(
        self, head: FileFrames, time_s: float, passed: Callable[[Frame], object] = lambda _frame: None
    ) -> None:
        self.time_s = time_s
        self.frames: Iterator[Frame] | None = None
        self._steps: Generator[None, None, Iterator[Frame]] = head.going_to(time_s, passed)

    def go_on(self) -> bool:
        """Decode a little; returns whether it is still on its way."""
        try:
            next(self._steps)
        except StopIteration as arrived:
            self.frames = arrived.value or iter(())  # nothing after an error
            return False
        return True

    def arrive(self) -> Iterator[Frame]:
        """Decode the rest of the way; returns `frames`."""
        while self.frames is None:
            self.go_on()
        return self.frames


class Scout:
    """Reads what a jump is likely to show before anybody asks for it, little by little.

    Args:
        head: a place of reading of its own.
        time_s: where the jump would lead, seconds.
        most_bytes: of the frames that it keeps.

    Attributes:
        head: to be exchanged for another one by whoever takes it.
        ring: frames up to the one after that on the screen at that time.
        is_there: nothing is missing.
    """

    def __init__(self, head: FileFrames, time_s: float, most_bytes: int) -> None:
        self.head, self.time_s = head, time_s
        self.ring = FrameRing(most_bytes)
        self.is_there = False
        self._keep = partial(_keep, self.ring, head.first_s + head.half_tick_s)  # does not hold on to this
        self._way = Way(head, time_s, self._keep)

    def go_on(self) -> None:
        """Decode a little."""
        if self.is_there or self._way.go_on():
            return
        frames = self._way.arrive()
        for frame in frames:
            self._keep(frame)
            if frame.time_s > self.time_s:
                break
        else:
            self.ring.at_end = True
        self.is_there = True

    def leads_to(self, time_s: float) -> bool:
        """Whether a frame on the screen at a time is among those that it keeps, or will be."""
        if self.is_there:
            return self.ring.covers(time_s)
        frame_s = 1 / self.head.rate if self.head.rate else 0.0
        return -_STEPS * frame_s <= time_s - self.time_s < frame_s

    def arrive(self) -> Iterator[Frame]:
        """Decode what is missing; returns what follows `ring`, perhaps after its last frame."""
        while not self.is_there:
            self.go_on()
        return self._way.arrive()


class Lookout:
    """Sends a scout where jumps from the present place would lead, to one place after the other.

    Args:
        left: gets what the scout has found before it goes elsewhere.

    Attributes:
        scout: on its way, or there.
    """

    def __init__(self, left: LeftPlaces) -> None:
        self.scout: Scout | None = None
        self._left = left
        self._spare: FileFrames | None = None  # the place of reading of `scout`

    def go_on(self, head: FileFrames, ring: FrameRing, jump_s: float, most_bytes: int) -> bool:
        """Decode a little of what a jump would show, back or else on. Returns whether anything was missing.

        Args:
            head: the place of reading that is at `ring`.
            ring: the present frames.
            jump_s: how far a jump leads, seconds; 0 for not known.
            most_bytes: of all frames that are kept.
        """
        at, left, scout = ring.before_next, self._left, self.scout
        if not jump_s or at is None or head.reader.device or not left.may_keep(at):
            return False
        ways = (at.time_s - jump_s, at.time_s + jump_s)
        wanted = [one for one in ways if head.is_far(one) and not ring.covers(one) and not left.covers(one)]
        if not wanted:
            return False
        if head.reader.can_hurry and head.reader.make_together():  # for a jump that comes before the scout is there
            return True
        found_s = next((one for one in wanted if scout and (scout.leads_to(one) or scout.time_s == one)), None)
        if scout is None or found_s is None:
            return self._send(head, wanted[0], ring.bytes + left.most_bytes <= most_bytes)
        if not scout.is_there:
            scout.go_on()
            left.make_room(scout.ring.bytes)
            return True
        if len(wanted) > 1 and scout.ring.covers(found_s) and 2 * scout.ring.bytes <= left.most_bytes:
            scout.ring.go_to(found_s)
            left.leave(scout.ring)
            self.scout = None
            return True
        return False

    def _send(self, head: FileFrames, time_s: float, has_room: bool) -> bool:
        self.scout = None
        if has_room:
            self._spare = self._spare or head.beside()
            self.scout = Scout(self._spare, time_s, self._left.most_bytes)
        return has_room

    def exchange(self, head: FileFrames) -> FileFrames:
        """The place of reading of the latest scout, for another one."""
        assert self._spare is not None
        taken, self._spare = self._spare, head
        return taken

    def close(self) -> None:
        """Let go of all; again is fine."""
        self.scout = None
        if self._spare is not None:
            self._spare.close()
            self._spare = None


def _keep(ring: FrameRing, first_until_s: float, frame: Frame) -> None:
    if ring.last is None:
        ring.at_start = frame.time_s <= first_until_s
    elif frame.id.pts <= ring.last.id.pts:
        return
    ring.append(frame)


class LeftPlaces:
    """Frames around the places that were left last.

    Args:
        most_bytes: of all that is kept here.
    """

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self._rings: list[FrameRing] = []

    @property
    def bytes(self) -> int:
        """Of all pictures."""
        return sum(ring.bytes for ring in self._rings)

    def may_keep(self, frame: Frame) -> bool:
        """Whether enough frames like this one fit."""
        return _LEAST * size_of(frame) <= self.most_bytes

    def leave(self, ring: FrameRing) -> None:
        """Remember what is around the next frame of a ring."""
        if ring.first is None or not self.may_keep(ring.first):
            return
        behind = min(_BEHIND, self.most_bytes // size_of(ring.first) - AHEAD)
        left = ring.excerpt(behind, AHEAD)
        others = [other for other in self._rings if not any(left.place_of(frame) is not None for frame in other)]
        self._rings = [left, *others][:_MOST_LEFT]
        self.make_room(0)

    def make_room(self, count: int) -> None:
        """Forget places, the one left first before the others, until so many bytes more would fit."""
        while self._rings and self.bytes + count > self.most_bytes:
            self._rings.pop()

    def covers(self, time_s: float) -> bool:
        """Whether the frame on the screen at a time is here."""
        return any(ring.covers(time_s) for ring in self._rings)

    def take(self, time_s: float) -> FrameRing | None:
        """The frames around the one on the screen at a time; they are not kept here any longer."""
        found = next((ring for ring in self._rings if ring.covers(time_s)), None)
        self._rings = [ring for ring in self._rings if ring is not found]
        return found

    def clear(self) -> None:
        self._rings = []
