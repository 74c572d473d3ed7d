"""Has a `Governor` steer a pipeline: reads ages from its ledger, sets its cadence, changes its segmenter."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from seg_viewer.core.frame import Shot
from seg_viewer.core.model_file import ModelSpec
from seg_viewer.pipeline.governor import Governor
from seg_viewer.pipeline.pipeline import Pipeline

_UNTIL_THERE = 2
"""Of so many pictures, one is looked at while a smaller network is being opened: that takes a second or two."""
_FEW = 8
"""Pictures that the age is worked out of, at least."""


@dataclass(frozen=True)
class GovernorStatus:
    """What a deadline has come to.

    Args:
        deadline_s: seconds.
        model: whose class maps are wanted now, as people know it: "driving-fast".
        size: its input, "352×192", where that is smaller than its own; else "".
        every: of how many pictures one is looked at.
        p95_s: age that 95 in 100 of the latest pictures did not exceed, seconds; None before there are enough.
        holds: the deadline is kept, or there is still something to leave out.
        steps: how often it was changed.
        note: what it cannot do here, one line; else "".
    """

    deadline_s: float
    model: str
    size: str = ""
    every: int = 1
    p95_s: float | None = None
    holds: bool = True
    steps: int = 0
    note: str = ""

    def line(self) -> str:
        """ "driving-fast at 352×192, every 2nd picture"."""
        nth = {1: "", 2: ", every 2nd picture", 3: ", every 3rd picture"}[self.every]
        return self.model + (f" at {self.size}" if self.size else "") + nth


class Governing:
    """Looks after a pipeline of a live source from its first shot on; on the thread that iterates it.

    Args:
        pipeline: with the segmenter of the first network.
        deadline_s: that 95 in 100 pictures are to keep, seconds.
        networks: the finest first, which is the one that a person chose; all with the same labels.
        change: has another network take over, beside this thread; calls what it is given when that cannot run.
        stage: of the ledger, that holds the ages.
        note: what cannot be done here, for `GovernorStatus`.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        deadline_s: float,
        networks: Sequence[ModelSpec],
        change: Callable[[ModelSpec, Callable[[], None]], None],
        stage: str = "latency",
        note: str = "",
    ) -> None:
        self._pipeline, self._networks, self._change, self._stage = pipeline, tuple(networks), change, stage
        self._governor = Governor(deadline_s, len(self._networks))
        self._seen = pipeline.ledger.after(stage, 0)[0]
        self._steps = 0
        self._refused: list[int] = []
        self._network = 0
        self._is_awaited = False
        self._note = note
        pipeline.every = 1
        self.status = self._make_status()
        """What it has come to; safe from any thread."""

    def look(self, shot: Shot) -> bool:
        """After each shot. Returns whether something else is done from now on."""
        governor = self._governor
        changed = False
        while self._refused:
            changed |= governor.without(self._refused.pop())
            self._network = self._index_of(shot)
        self._seen, ages_s = self._pipeline.ledger.after(self._stage, self._seen)
        is_there = shot.maps[0].model == self._networks[self._network].sha256
        # a picture that stood still grew old by itself; one of the network before says nothing of this one
        if is_there and self._is_awaited:
            self._is_awaited, self._pipeline.every = False, governor.rung.every
        if is_there and not self._pipeline.paused and not changed:
            work_s, now_s = shot.times_s.get("inference", 0.0), time.perf_counter()
            changed = any(governor.look(age_s, work_s, now_s) for age_s in ages_s)
        if changed:
            self._follow()
        self.status = self._make_status()
        return changed

    def stop(self) -> None:
        """Back to every picture and to the first network; no more changes."""
        self._pipeline.every = 1
        if self._network:
            self._network = 0
            self._change(self._networks[0], lambda: None)

    def _index_of(self, shot: Shot) -> int:
        """Of the network that works."""
        return next((at for at, spec in enumerate(self._networks) if spec.sha256 == shot.maps[0].model), 0)

    def _make_status(self) -> GovernorStatus:
        governor, rung = self._governor, self._governor.rung
        spec = self._networks[rung.network]
        origin = next((other for other in self._networks if other.name == spec.name), spec)
        size = "" if origin is spec else f"{spec.width}×{spec.height}"
        p95_s = governor.p95_s if governor.count >= _FEW else None
        steps, holds = self._steps, governor.holds
        return GovernorStatus(governor.deadline_s, spec.name, size, rung.every, p95_s, holds, steps, self._note)

    def _follow(self) -> None:
        """Do what the governor says."""
        self._steps += 1
        rung = self._governor.rung
        self._pipeline.every = rung.every
        self._is_awaited = False
        if rung.network != self._network:
            if rung.network > self._network:
                self._is_awaited, self._pipeline.every = True, max(rung.every, _UNTIL_THERE)
            network = self._network = rung.network
            self._change(self._networks[network], lambda: self._refused.append(network))
