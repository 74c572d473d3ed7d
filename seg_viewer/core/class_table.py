"""How much of the picture each class covers, over the time of a video."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
BINS = 4096
"""Parts of the video that columns are made of."""
COARSE = 64
"""Parts of the video; one look at each is the first that is known of it."""
_GAP_S = 0.5
"""A stretch goes on when the class is gone for no longer."""
_UNKNOWN_S = 2.0
"""And when nothing is known for no longer."""

UNKNOWN, NEAR, KNOWN = 0, 1, 2
_DENSE_S = 0.45
"""Between two frames that are known: all there is between them counts as known."""


@dataclass(frozen=True)
class Columns:
    """What a strip of some width shows.

    Args:
        values: largest value of each column, shape (width, tracks), float; NaN where there is none.
        states: of each column, shape (width,): UNKNOWN, NEAR (single moments are known there, or close to it) or KNOWN.
    """

    values: Floats
    states: NDArray[np.uint8]


@dataclass(frozen=True)
class Stretch:
    """A part of the video where a value is above a limit.

    Args:
        start_s, end_s: times of its first and last frame that are known, seconds.
    """

    start_s: float
    end_s: float


class ClassTable:
    """Values by time; safe from any thread.

    Args:
        names: of the values, e.g. the classes.
        length_s: of the video, seconds.
        interval_s: between two frames, seconds.
    """

    def __init__(self, names: Sequence[str], length_s: float, interval_s: float) -> None:
        self.names = tuple(names)
        self.length_s, self.interval_s = length_s, interval_s
        self.version = 0
        """Raised with every change."""
        self._lock = threading.Lock()
        self._places: dict[int, int] = {}
        self._times: Floats = np.zeros(64)
        self._values: Floats = np.full((64, len(self.names)), np.nan)
        self._bins: Floats = np.full((BINS, len(self.names)), np.nan)
        self._seen = np.zeros(BINS, np.bool_)
        self._sorted: tuple[int, Floats, Floats] | None = None

    def __len__(self) -> int:
        return len(self._places)

    def has(self, pts: int) -> bool:
        return pts in self._places

    def add(self, pts: int, time_s: float, values: Sequence[float] | NDArray[np.floating]) -> None:
        """What is known of a frame; NaN leaves what was known before.

        Args:
            pts: of the frame.
            time_s: of the frame, seconds.
            values: one for each of `names`.
        """
        self.add_all(np.array([pts]), np.array([time_s]), np.array([values], np.float64))

    def add_all(self, pts: NDArray[np.integer], times_s: NDArray[np.floating], values: NDArray[np.floating]) -> None:
        """As `add`; shapes (n,), (n,) and (n, names)."""
        with self._lock:
            if not self._places and len(np.unique(pts)) == len(pts):
                self._places = dict(zip(pts.tolist(), range(len(pts)), strict=True))
                self._times = np.append(times_s, np.zeros(64))
                self._values = np.concatenate((values, np.full((64, len(self.names)), np.nan)))
                pts = pts[:0]
            for number, time_s, row in zip(
                pts.tolist(), times_s.tolist(), np.asarray(values, np.float64), strict=False
            ):
                place = self._places.setdefault(number, len(self._places))
                if place == len(self._times):
                    self._times = np.concatenate((self._times, np.zeros_like(self._times)))
                    self._values = np.concatenate((self._values, np.full_like(self._values, np.nan)))
                self._times[place] = time_s
                self._values[place] = np.where(np.isnan(row), self._values[place], row)
            bins = self._bin(times_s)
            np.fmax.at(self._bins, bins, values)
            self._seen[bins] = True
            self.version += 1

    def has_values(self, name: str) -> bool:
        """Whether any frame has a value of that name."""
        return not np.isnan(self._bins[:, self.names.index(name)]).all()

    def is_known(self, time_s: float, within_s: float) -> bool:
        """Whether a frame no further away is known."""
        times, _values = self._in_order()
        place = int(np.searchsorted(times, time_s))
        return any(abs(times[each] - time_s) <= within_s for each in (place - 1, place) if 0 <= each < len(times))

    def next_gap(self, time_s: float, longest_s: float) -> float | None:
        """From when on, at that time or later, no frame is known for longer than that; None when none is missing."""
        times, _values = self._in_order()
        place = int(np.searchsorted(times, time_s, side="right"))
        if place == 0 or time_s - times[place - 1] > longest_s:
            return time_s
        ends = np.append(times[place:], self.length_s)
        gaps = np.flatnonzero(ends - times[place - 1 :] > longest_s)
        return float(times[place - 1 + gaps[0]]) if len(gaps) else None

    def columns(self, width: int, length_s: float) -> Columns:
        """What columns show that span so many seconds together."""
        with self._lock:
            bins, seen = self._bins.copy(), self._seen.copy()
        part = length_s / self.length_s * BINS / width
        # the places of what is known, and for each column the ones beside it
        places = np.flatnonzero(seen)
        values = np.full((width, len(self.names)), np.nan)
        states = np.zeros(width, np.uint8)
        if not len(places):
            return Columns(values, states)
        edges = np.arange(width + 1) * part
        first, last = np.searchsorted(places, np.ceil(edges[:-1])), np.searchsorted(places, np.ceil(edges[1:]))
        within = last > first
        if within.any():  # what lies in them lies side by side
            values[within] = np.fmax.reduceat(bins[places[: last.max()]], first[within], axis=0)
        dense = max(_DENSE_S, 1.5 * self.interval_s) * BINS / self.length_s + 1
        close = np.concatenate(([False], np.diff(places) <= dense, [False]))
        known = close[:-1] | close[1:] | (len(places) == 1 and self.length_s <= _DENSE_S)
        states[within] = np.where(known[first[within]], KNOWN, NEAR)
        empty = np.flatnonzero(~within)
        middles = (edges[empty] + edges[empty + 1]) / 2
        before = np.clip(first[empty] - 1, 0, len(places) - 1)
        after = np.clip(first[empty], 0, len(places) - 1)
        # a frame is on the screen until the next one comes: what is before counts first
        distances = np.abs(np.stack((middles - places[before], places[after] - middles)))
        nearest = np.where(distances[0] <= distances[1] + 1, before, after)
        away_s = np.minimum(*distances) * self.length_s / BINS
        reach_s = max(self.length_s / COARSE * 0.75, 1.5 * self.interval_s)
        is_known = known[nearest] & (away_s <= max(_DENSE_S / 2, 1.5 * self.interval_s))
        states[empty] = np.where(is_known, KNOWN, np.where(away_s <= reach_s, NEAR, UNKNOWN))
        values[empty] = np.where((states[empty] > UNKNOWN)[:, None], bins[places[nearest]], np.nan)
        return Columns(values, states)

    def known_share(self, start_s: float = 0.0, end_s: float | None = None) -> float:
        """Of a part of the video, how much has been looked at, 0…1."""
        end_s = self.length_s if end_s is None else end_s
        if end_s - start_s <= self.interval_s:
            return 1.0
        states = self.columns(512, self.length_s).states
        first, last = (round(each / self.length_s * 512) for each in (start_s, end_s))
        part = states[min(first, 511) : max(last, first + 1)]
        return float((part > UNKNOWN).mean())

    def at(self, time_s: float) -> Floats | None:
        """Values of what is known closest to a time, shape (names,); None where nothing close is."""
        with self._lock:
            places = np.flatnonzero(self._seen)
            if not len(places):
                return None
            nearest = int(places[np.abs(places + 0.5 - time_s / self.length_s * BINS).argmin()])
            away_s = abs(nearest + 0.5 - time_s / self.length_s * BINS) * self.length_s / BINS
            reach_s = max(1.5 * self.interval_s, self.length_s / COARSE * 0.75)
            return self._bins[nearest].copy() if away_s <= reach_s else None

    def stretches(self, name: str, least: float) -> list[Stretch]:
        """Where a value is above a limit, in order; what interrupts it for less than half a second counts as well.

        Two moments with nothing known between them for two seconds are two stretches.
        """
        times, values = self._in_order()
        above = np.flatnonzero(values[:, self.names.index(name)] > least)
        if not len(above):
            return []
        away_s = np.diff(times[above])
        apart = ((np.diff(above) > 1) & (away_s > _GAP_S)) | (away_s > max(_UNKNOWN_S, 3 * self.interval_s))
        starts, ends = np.append(above[0], above[1:][apart]), np.append(above[:-1][apart], above[-1])
        return [Stretch(float(times[a]), float(times[b])) for a, b in zip(starts, ends, strict=True)]

    def _bin(self, times_s: NDArray[np.floating]) -> NDArray[np.intp]:
        return np.clip(times_s / self.length_s * BINS, 0, BINS - 1).astype(np.intp)

    def _in_order(self) -> tuple[Floats, Floats]:
        """Times, ascending, and the values beside them."""
        with self._lock:
            if self._sorted is None or self._sorted[0] != self.version:
                count = len(self._places)
                order = np.argsort(self._times[:count], kind="stable")
                self._sorted = (self.version, self._times[:count][order], self._values[:count][order])
            return self._sorted[1:]
