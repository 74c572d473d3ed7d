"""Where the time goes: stage times, rates, dropped frames."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RATE_WINDOW_S = 2.0
_SAMPLES = 512


@dataclass(frozen=True)
class StageTimes:
    """Times of one stage over its latest frames, seconds; `count` and `total_s` over all of them."""

    count: int
    total_s: float
    p50_s: float
    p95_s: float
    p99_s: float


@dataclass(frozen=True)
class LedgerSnapshot:
    """The ledger at one moment.

    Args:
        stages: times of each stage by name.
        rates: events per second by name ("source", "engine", "display"), over the last two seconds.
        counts: events in all by the same names.
        drops: frames that were not shown, by cause.
    """

    stages: dict[str, StageTimes]
    rates: dict[str, float]
    counts: dict[str, int]
    drops: dict[str, int]


class Ledger:
    """Collects from any thread; memory does not grow with time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        with self._lock:
            self._times: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=_SAMPLES))
            self._totals: defaultdict[str, float] = defaultdict(float)
            self._stage_counts: Counter[str] = Counter()
            self._ticks: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=_SAMPLES))
            self._tick_counts: Counter[str] = Counter()
            self._drops: Counter[str] = Counter()

    def record(self, stage: str, seconds: float) -> None:
        with self._lock:
            self._times[stage].append(seconds)
            self._totals[stage] += seconds
            self._stage_counts[stage] += 1

    def after(self, stage: str, count: int) -> tuple[int, list[float]]:
        """How often a stage was recorded, and its times since it was so often, seconds; of many, the latest only."""
        with self._lock:
            recorded = self._stage_counts[stage]
            new = recorded - count if recorded >= count else recorded  # it was forgotten in between
            times = self._times.get(stage)
            return recorded, list(times)[-new:] if times and new else []

    def forget(self, *stages: str) -> None:
        """The times of these stages so far count no more: something else does their work from now on."""
        with self._lock:
            for stage in stages:
                self._times.pop(stage, None)
                self._totals.pop(stage, None)
                self._stage_counts.pop(stage, None)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        start_s = time.perf_counter()
        yield
        self.record(stage, time.perf_counter() - start_s)

    def tick(self, name: str, now_s: float | None = None) -> None:
        """One event whose rate is wanted."""
        with self._lock:
            self._ticks[name].append(time.perf_counter() if now_s is None else now_s)
            self._tick_counts[name] += 1

    def drop(self, cause: str) -> None:
        with self._lock:
            self._drops[cause] += 1

    @property
    def dropped(self) -> int:
        """Frames that were not shown, of all causes."""
        with self._lock:
            return sum(self._drops.values())

    def snapshot(self, now_s: float | None = None) -> LedgerSnapshot:
        now_s = time.perf_counter() if now_s is None else now_s
        with self._lock:
            times = {name: np.array(values) for name, values in self._times.items() if values}
            totals = dict(self._totals)
            counts = dict(self._stage_counts)
            rates = {name: _rate(values, now_s) for name, values in self._ticks.items()}
            ticks = dict(self._tick_counts)
            drops = dict(self._drops)
        stages = {}
        for name, values in times.items():
            p50, p95, p99 = _percentiles(values, (0.50, 0.95, 0.99))
            stages[name] = StageTimes(counts[name], totals[name], p50, p95, p99)
        return LedgerSnapshot(stages, rates, ticks, drops)


def _percentiles(values: NDArray[np.float64], shares: Sequence[float]) -> list[float]:
    """As `numpy.percentile` with its default way between two values, in a tenth of its time: a window asks often."""
    places = np.multiply(shares, len(values) - 1)
    between: list[float] = np.interp(places, np.arange(len(values)), np.sort(values)).tolist()
    return between


def _rate(ticks: deque[float], now_s: float) -> float:
    """Events per second: intervals, not events, over the time they span (n events bound n-1 intervals)."""
    recent = [t for t in ticks if t >= now_s - RATE_WINDOW_S]
    if len(recent) < 2:
        return 0.0
    # an interval that is still open counts once it is longer than the mean, so that the rate falls when events stop
    mean_s = (recent[-1] - recent[0]) / (len(recent) - 1)
    open_s = now_s - recent[-1]
    if open_s > 2 * mean_s:
        return len(recent) / (now_s - recent[0])
    return 1 / mean_s if mean_s > 0 else 0.0
