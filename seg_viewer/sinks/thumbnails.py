"""Pictures of the moments in which a class covers most, found while shots go by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from seg_viewer.core.frame import Shot


@dataclass
class Moment:
    """A candidate.

    Args:
        frame: number of the frame.
        time_s: its time, seconds.
        share: of the picture that the class covers there, 0…1.
        count: how many there are, or None for what is not counted.
        shot: until its picture is made.
        picture: what `draw` gave, afterwards.
    """

    frame: int
    time_s: float
    share: float
    count: int | None
    shot: Shot | None
    picture: bytes = b""


class TopMoments:
    """The moments of one class, at most `most`, at least `apart_s` from each other.

    A share that grows makes each frame the best so far: a picture is made of it only once it has stayed the best for
    `apart_s`, or at the end. So at most two shots are held at a time.

    Args:
        name: the class.
        most: how many moments.
        apart_s: seconds.
        draw: makes the picture of a shot.
        measure: share and count of a shot; None for those of the class.
    """

    def __init__(
        self,
        name: str,
        most: int,
        apart_s: float,
        draw: Callable[[Shot], bytes],
        measure: Callable[[Shot], tuple[float, int | None]] | None = None,
    ) -> None:
        self.name = name
        self._most, self._apart_s, self._draw = most, apart_s, draw
        self._measure = measure or self._of_the_class
        self._found: list[Moment] = []

    def add(self, shot: Shot) -> None:
        """Take a shot."""
        now_s, (share, count) = shot.frame.time_s, self._measure(shot)
        for moment in self._found:
            if moment.shot is not None and abs(now_s - moment.time_s) >= self._apart_s:
                self._settle(moment)
        if share <= 0 or count == 0:  # what is too small to be counted is noise
            return
        near = [moment for moment in self._found if abs(now_s - moment.time_s) < self._apart_s]
        if any(moment.share >= share for moment in near):
            return
        others = [moment for moment in self._found if moment not in near]
        if len(others) >= self._most:
            least = min(others, key=lambda moment: moment.share)
            if least.share >= share:
                return
            others.remove(least)
        self._found = [*others, Moment(shot.frame.index, now_s, share, count, shot)]

    def _of_the_class(self, shot: Shot) -> tuple[float, int | None]:
        return shot.stats.shares[self.name], shot.stats.counts.get(self.name)

    def finish(self) -> list[Moment]:
        """All of them, with their pictures, the largest share first."""
        for moment in self._found:
            self._settle(moment)
        return sorted(self._found, key=lambda moment: -moment.share)

    def _settle(self, moment: Moment) -> None:
        if moment.shot is not None:
            moment.picture = self._draw(moment.shot)
            moment.shot = None
