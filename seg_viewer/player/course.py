"""Where a session goes: wishes turned into moves of its pipeline, one after the other."""

from __future__ import annotations

import threading

from seg_viewer.core.frame import Shot
from seg_viewer.pipeline import Pipeline, Step
from seg_viewer.player.length import Length
from seg_viewer.player.wishes import Ends, Wishes


class Course:
    """Called from any thread; without a pipeline, or where a source cannot seek, what cannot be done is not begun.

    Args:
        lock: of the session; taken before that of the pipeline.
    """

    def __init__(self, lock: threading.Condition) -> None:
        self.pipeline: Pipeline | None = None
        """Of the session; None before and after."""
        self.latest: Shot | None = None
        """The shot that it delivered last."""
        self._lock = lock
        self._wishes = Wishes()
        self._awaited = 0  # which of the pipeline's wishes is under way
        self._delivered_s: float | None = None  # time of what was delivered last: moves count from there
        self._answered_s: float | None = None  # where a move has led, until that is in the window
        self._length = Length()

    @property
    def length_s(self) -> float | None:
        """See `Length.of`."""
        return self._length.of(self.pipeline)

    def wished_s(self, position_s: float) -> float:
        """Where it is going, or has gone unseen, seconds; else `position_s`, the time of what is in the window."""
        with self._lock:
            if self._wishes.is_under_way:
                from_s = position_s if self._delivered_s is None else self._delivered_s
                return self._wishes.wished_s(from_s, self._ends())
            return position_s if self._answered_s is None else self._answered_s

    @property
    def is_under_way(self) -> bool:
        """A seek or step is."""
        with self._lock:
            return self._wishes.is_under_way

    def seek(self, time_s: float) -> None:
        """To a time, seconds."""
        with self._lock:
            if self._can_seek():
                self._wishes.seek(self._ends().within(time_s))
                self._make_moves()

    def seek_by(self, delta_s: float) -> None:
        """So many seconds on, or back, from where what was asked for last leads to."""
        with self._lock:
            if self._can_seek():
                position_s = self.latest.frame.time_s if self.latest is not None else 0.0
                self._wishes.seek_by(delta_s, position_s, self._ends())
                self._make_moves()

    def step(self, count: int) -> None:
        """So many frames on, or back, from there."""
        with self._lock:
            if count > 0 or self._can_seek():
                self._wishes.step(count)
                self._make_moves()

    def set_part(self, part: tuple[float, float] | None) -> None:
        """First and last moment of the part that is played again and again, seconds; None for none."""
        with self._lock:
            if self.pipeline is None:
                return
            self.pipeline.part = part
            shot = self.latest
            inside = part is not None and shot is not None and part[0] <= shot.frame.time_s <= part[1]
            if inside and not self._wishes.is_under_way:
                self._wishes.step(0)  # what was read ahead may be behind its end
                self._make_moves()

    def delivered(self, shot: Shot) -> None:
        """By the thread that iterates over the pipeline, before it takes the next one."""
        with self._lock:
            pipeline, self._delivered_s = self.pipeline, shot.frame.time_s
            if pipeline is not None and self._wishes.is_under_way and pipeline.answered >= self._awaited:
                self._answered_s = shot.frame.time_s
                self._wishes.answer(shot.frame.time_s)
                self._make_moves()

    def taken(self) -> None:
        """What was delivered last is in the window."""
        with self._lock:
            self._answered_s = None

    def _can_seek(self) -> bool:
        return self.pipeline is not None and self.pipeline.source.info.can_seek

    def _ends(self) -> Ends:
        rate = self.pipeline.source.info.rate if self.pipeline is not None else None
        return Ends(self.length_s, 1 / rate if rate else Ends.frame_s)

    def _make_moves(self) -> None:
        pipeline = self.pipeline
        if pipeline is None or (moves := self._wishes.begin()) is None:
            return
        if list(moves) == [Step(1)] or not pipeline.source.info.can_seek:
            pipeline.step()  # it may be ready
        else:
            pipeline.move(moves)
        self._awaited = pipeline.wishes
