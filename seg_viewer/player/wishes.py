"""Where a person wants to be: what was asked for while the answer before is still awaited, none of it lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seg_viewer.pipeline import Move, Seek, SeekBy, Step

_MOST_MOVES = 64
"""That wait; further ones are added to the last."""


@dataclass(frozen=True)
class Ends:
    """Where a source begins and ends, seconds.

    Args:
        length_s: its end, or None where it is not known.
        frame_s: how long a frame is shown on average.
    """

    length_s: float | None = None
    frame_s: float = 0.04

    def within(self, time_s: float) -> float:
        """The nearest time that there is."""
        return max(0.0, time_s if self.length_s is None else min(time_s, self.length_s))


class Wishes:
    """One move is under way at a time; what is asked for meanwhile adds up to the next one.

    So that quick presses are exact, however slow the answers: each counts from where the one before leads to.
    """

    def __init__(self) -> None:
        self._under_way: list[Move] | None = None
        self._next: list[Move] = []
        self._beyond_s = 0.0

    @property
    def is_under_way(self) -> bool:
        """An answer is awaited."""
        return self._under_way is not None

    def wished_s(self, position_s: float, ends: Ends) -> float:
        """Where all of it leads to, seconds; of frames that are to be counted, only about.

        Args:
            position_s: time of the frame delivered last.
            ends: of the source.
        """
        time_s = position_s
        for move in (*(self._under_way or ()), *self._next):
            match move:
                case Seek(to_s):
                    time_s = to_s
                case SeekBy(delta_s):
                    time_s += delta_s
                case Step(count):
                    time_s += count * ends.frame_s
            time_s = ends.within(time_s)
        return time_s

    def seek(self, time_s: float) -> None:
        """To a time, whatever was asked for before."""
        self._next = [Seek(time_s)]

    def seek_by(self, delta_s: float, position_s: float, ends: Ends) -> None:
        """So many seconds from where the wishes so far lead to; arguments as for `wished_s`."""
        before = self._next or self._under_way
        last = before[-1] if before else None
        if last is None:
            self._next = [Seek(ends.within(ends.within(position_s + self._beyond_s) + delta_s))]
        elif isinstance(last, Seek):
            self._next = [*self._next[:-1], Seek(ends.within(last.time_s + delta_s))]
        elif self._next and isinstance(last, SeekBy) and self._may_merge(last.delta_s, delta_s):
            self._next[-1] = SeekBy(last.delta_s + delta_s)
        else:  # only at the frame that was stepped to is its time known
            self._next.append(SeekBy(delta_s))

    def step(self, count: int) -> None:
        """So many frames from there, back where negative."""
        last = self._next[-1] if self._next else None
        if isinstance(last, Step) and self._may_merge(last.count, count):
            self._next[-1] = Step(last.count + count)
        else:
            self._next.append(Step(count))

    def _may_merge(self, one: float, other: float) -> bool:
        """There and back are two moves, as there may be an end in between; unless they become too many."""
        return (one < 0) == (other < 0) or len(self._next) >= _MOST_MOVES

    def begin(self) -> Sequence[Move] | None:
        """The next move to make, None while one is under way or none is wanted."""
        if self._under_way is not None or not self._next:
            return None
        self._under_way, self._next = self._next, []
        return self._under_way

    def answer(self, time_s: float) -> None:
        """What was under way has led to a frame of that time, seconds."""
        last = self._under_way[-1] if self._under_way else None
        # the next jump counts from the time asked for, which the frame on the screen began before
        self._beyond_s = max(0.0, last.time_s - time_s) if isinstance(last, Seek) else 0.0
        self._under_way = None
