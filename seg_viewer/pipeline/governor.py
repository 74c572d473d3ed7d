"""Holds the age of what is painted: which network looks at which pictures, decided from ages alone."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

SETTLING = 4
"""Pictures after a change that do not count: an engine warms up, and what was under way is older."""
WINDOW = 48
"""Pictures that are judged together."""
LATE_AT_ONCE = 8
"""Late pictures that need no full window."""
FAR_TOO_LATE = 3
"""As many in a row that are far older than the deadline; where few are painted, more would take seconds."""
FAR = 1.5
"""Times the deadline that is far above it: one step down would not do."""
ROOM = 0.6
"""Share of the deadline below which the 95th percentile leaves room for a step up."""
ROOM_FOR_S = 10.0
"""For how long there has to be room."""
HOLDS_S = 60.0
"""A step up that holds for so long was right; what ends it then is another load."""
EASED = 0.75
"""After a step up in vain, the 95th percentile has to fall to this share of what it was before the next one ..."""
TRY_AGAIN_S = 300.0
"""... or so much time has to pass."""

_P95 = 0.95


@dataclass(frozen=True)
class Rung:
    """How much is done for each picture.

    Args:
        network: place in the list of networks, the finest first.
        every: of how many pictures one is looked at and painted.
    """

    network: int = 0
    every: int = 1


def ladder(networks: int) -> tuple[Rung, ...]:
    """From all there is down to the least: every 2nd picture before a smaller network, every 3rd of the smallest."""
    rungs = [Rung(network, every) for network in range(networks) for every in (1, 2)]
    return (*rungs, Rung(networks - 1, 3))


def p95(ages_s: Sequence[float]) -> float:
    """The age that 95 in 100 do not exceed (nearest rank), seconds; NaN of none."""
    ordered = sorted(ages_s)
    return ordered[math.ceil(_P95 * len(ordered)) - 1] if ordered else math.nan


@dataclass(frozen=True)
class _Vain:
    """A step up that had to be taken back: when, and the 95th percentile from which it was made."""

    at_s: float
    from_s: float


class Governor:
    """Goes down a ladder while pictures are older than the deadline, and up again once there is room.

    It knows no clock, no thread and no engine: it is told the age of each picture that was painted.

    - Down: as soon as `LATE_AT_ONCE` of the last `WINDOW` pictures are late, or more than 5 in 100 of a full window,
      or `FAR_TOO_LATE` in a row are older than `FAR` times the deadline: then it takes two steps at once.
      Where the network alone takes longer than the deadline, painting fewer pictures does not help, and the next
      network is tried at once.
    - Up: after `ROOM_FOR_S` with a 95th percentile below `ROOM` of the deadline.
    - A step up that is taken back within `HOLDS_S` was in vain. It is only made again when pictures have become younger
      still (`EASED`), which says that the load is another one, or after `TRY_AGAIN_S`. So no load makes it swing.

    Args:
        deadline_s: that the 95th percentile is to keep, seconds.
        networks: how many there are, at least 1.
    """

    def __init__(self, deadline_s: float, networks: int) -> None:
        self.deadline_s = deadline_s
        self._ladder = list(ladder(networks))
        self._at = 0
        self._ages: deque[float] = deque(maxlen=WINDOW)
        self._work: deque[float] = deque(maxlen=WINDOW)
        self._settling = SETTLING
        self._room_since_s: float | None = None
        self._came_up: _Vain | None = None
        self._vain: dict[Rung, _Vain] = {}

    @property
    def rung(self) -> Rung:
        """What is to be done from now on."""
        return self._ladder[self._at]

    @property
    def p95_s(self) -> float:
        """Of the latest pictures on this rung, seconds; NaN before the first one."""
        return p95(self._ages)

    @property
    def count(self) -> int:
        """Pictures that `p95_s` is of."""
        return len(self._ages)

    @property
    def holds(self) -> bool:
        """The deadline is kept, as far as is known, or a step down is still possible."""
        return not (self._is_late() and self._at == len(self._ladder) - 1)

    def look(self, age_s: float, work_s: float, now_s: float) -> bool:
        """Take note of a picture that was painted.

        Args:
            age_s: from its arrival to its overlay on the screen, seconds.
            work_s: what the network took of that, seconds.
            now_s: time from anywhere, seconds; never less than before.

        Returns:
            Whether `rung` is another one from now on.
        """
        if self._settling:
            self._settling -= 1
            return False
        self._ages.append(age_s)
        self._work.append(work_s)
        if self._is_late():
            self._room_since_s = None
            return self._down(now_s)
        if len(self._ages) < WINDOW or self.p95_s > ROOM * self.deadline_s:
            self._room_since_s = None
            return False
        if self._room_since_s is None:
            self._room_since_s = now_s
        if now_s - self._room_since_s >= ROOM_FOR_S and self._at and self._may_rise(now_s):
            self._came_up = _Vain(now_s, self.p95_s)
            self._go_to(self._at - 1)
            return True
        return False

    def without(self, network: int) -> bool:
        """A network cannot run. Returns whether `rung` is another one; the first network stays in any case."""
        if network == 0 or all(rung.network != network for rung in self._ladder):
            return False
        here = self.rung
        self._ladder = [rung for rung in self._ladder if rung.network != network]
        last = Rung(self._ladder[-1].network, 3)
        if last not in self._ladder:
            self._ladder.append(last)
        if here.network != network:
            self._at = self._ladder.index(here)
            return False
        self._go_to(max(at for at, rung in enumerate(self._ladder) if rung.network < network))
        return True

    def _is_late(self) -> bool:
        late = sum(age_s > self.deadline_s for age_s in self._ages)
        return (
            self._is_far_too_late()
            or late >= LATE_AT_ONCE
            or (len(self._ages) == WINDOW and self.p95_s > self.deadline_s)
        )

    def _is_far_too_late(self) -> bool:
        latest = list(self._ages)[-FAR_TOO_LATE:]
        return len(latest) == FAR_TOO_LATE and min(latest) > FAR * self.deadline_s

    def _down(self, now_s: float) -> bool:
        if self._at == len(self._ladder) - 1:
            return False
        came = self._came_up
        if came is not None and now_s - came.at_s < HOLDS_S:
            self._vain[self.rung] = _Vain(now_s, came.from_s)
        else:
            self._vain.pop(self.rung, None)
        to = min(self._at + (2 if self._is_far_too_late() else 1), len(self._ladder) - 1)
        if median(self._work) > self.deadline_s:
            larger = [at for at in range(to, len(self._ladder)) if self._ladder[at].network > self.rung.network]
            to = larger[0] if larger else to
        self._came_up = None
        self._go_to(to)
        return True

    def _may_rise(self, now_s: float) -> bool:
        vain = self._vain.get(self._ladder[self._at - 1])
        return vain is None or self.p95_s <= EASED * vain.from_s or now_s - vain.at_s >= TRY_AGAIN_S

    def _go_to(self, at: int) -> None:
        self._at = at
        self._settling = SETTLING
        self._room_since_s = None
        self._ages.clear()
        self._work.clear()
