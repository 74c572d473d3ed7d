"""What summary and report share: one number a frame for each class, kept small enough for hours."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.frame import Shot
from seg_viewer.core.frame_stats import countable_names
from seg_viewer.core.labels import LabelSet
from seg_viewer.sinks.table import STAGES

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Peak:
    """Where a class covers most.

    Args:
        frame: number of the frame.
        time_s: its time, seconds.
        share: of the picture, 0…1.
    """

    frame: int
    time_s: float
    share: float


class Series:
    """Times, shares, counts and stage times of all frames; 4 bytes a number, about 8 MB for an hour of our classes.

    Args:
        labels: the classes.
    """

    def __init__(self, labels: LabelSet) -> None:
        self._times, self._frames = array("d"), array("q")
        self._last_duration_s: float | None = None
        self._shares = {name: array("f") for name in labels.names}
        self._counts = {name: array("f") for name in countable_names(labels)}
        self._stages = {stage: array("f") for stage in STAGES}

    def add(self, shot: Shot) -> None:
        """Take a shot."""
        self._times.append(shot.frame.time_s)
        self._frames.append(shot.frame.index)
        self._last_duration_s = shot.frame.duration_s
        for name, shares in self._shares.items():
            shares.append(shot.stats.shares[name])
        for name, counts in self._counts.items():
            counts.append(shot.stats.counts[name])
        for stage, seconds in self._stages.items():
            if (took := shot.times_s.get(stage)) is not None:
                seconds.append(took)

    def __len__(self) -> int:
        return len(self._times)

    @property
    def times_s(self) -> Floats:
        return np.array(self._times, np.float64)

    @property
    def frames(self) -> NDArray[np.int64]:
        return np.array(self._frames, np.int64)

    @property
    def shares(self) -> Mapping[str, Floats]:
        """Class name → share of each frame, 0…1."""
        return {name: np.array(values, np.float64) for name, values in self._shares.items()}

    @property
    def counts(self) -> Mapping[str, Floats]:
        """Countable class → how many in each frame."""
        return {name: np.array(values, np.float64) for name, values in self._counts.items()}

    @property
    def stages_ms(self) -> Mapping[str, Floats]:
        """Stage → milliseconds, of the frames that brought it."""
        return {stage: 1000 * np.array(values, np.float64) for stage, values in self._stages.items() if values}

    @property
    def length_s(self) -> float:
        """From the first frame to the end of the last one, as long as the source, or the median step, says it lasts."""
        if not self._times:
            return 0.0
        last = self._last_duration_s
        if last is None:
            last = float(np.median(np.diff(self.times_s))) if len(self) > 1 else 0.0
        return self._times[-1] - self._times[0] + last

    def peaks(self, name: str, most: int, apart_s: float) -> list[Peak]:
        """Where a class covers most: the largest share, then the next at least `apart_s` away from it, and so on."""
        times, shares, frames = self.times_s, np.array(self._shares[name], np.float64), self.frames
        found: list[Peak] = []
        while len(found) < most and len(shares) and (best := int(np.argmax(shares))) >= 0 and shares[best] > 0:
            found.append(Peak(int(frames[best]), float(times[best]), float(shares[best])))
            shares[np.abs(times - times[best]) < apart_s] = 0
        return found


def apart_s(duration_s: float | None) -> float:
    """How far apart peaks have to be, seconds: a twentieth of the length, at least 1."""
    return max(1.0, duration_s / 20) if duration_s else 5.0


def spread(values: Floats, percentiles: Sequence[int]) -> dict[str, float]:
    """Mean, least, most and percentiles ("p50") of some numbers; of none, nothing."""
    if not len(values):
        return {}
    points = np.percentile(values, percentiles)
    named = {f"p{percent:02}": float(point) for percent, point in zip(percentiles, points, strict=True)}
    return {"mean": float(values.mean()), "min": float(values.min()), "max": float(values.max()), **named}
