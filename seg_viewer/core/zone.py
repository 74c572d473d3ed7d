"""A part of the picture that is watched for classes. No safety function: the network misses people and cars."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal

import cv2
import numpy as np

from seg_viewer.core.counted import counted
from seg_viewer.core.frame import ByteArray, Frame
from seg_viewer.core.labels import LabelSet

Point = tuple[float, float]

LEAST_CORNERS, MOST_CORNERS = 3, 100
NOTHING_INSIDE = "a zone needs corners with something between them: these lie on one line, or in one place"
_LEAST_AREA = 1e-6
_DECIMALS = 4
_LOOK_AT = (0.13, 0.29, 0.42, 0.57, 0.71, 0.88)
NO_SAFETY = "no safety function: the network misses people and cars"
WATCHED = ("person", "car")
_LONGEST_GAP_S = 5.0


@dataclass(frozen=True)
class Zone:
    """A polygon; where its edges cross, what is inside an even number of times is outside.

    Args:
        corners: 3 to 100, one after the other; x and y as shares of the picture, 0…1.

    Raises:
        ValueError: too few or too many corners, one outside the picture, or nothing is inside.
    """

    corners: tuple[Point, ...] = ((0.40, 0.60), (0.60, 0.60), (0.85, 0.98), (0.15, 0.98))

    def __post_init__(self) -> None:
        if not LEAST_CORNERS <= len(self.corners) <= MOST_CORNERS:
            raise ValueError(f"{counted(len(self.corners), 'corner')}: a zone has {LEAST_CORNERS} to {MOST_CORNERS}")
        for x, y in self.corners:
            if not (0 <= x <= 1 and 0 <= y <= 1):
                raise ValueError(f"corner {x:g},{y:g}: give shares of the picture's width and height, 0 to 1")
        if not _holds_something([(round(x, _DECIMALS), round(y, _DECIMALS)) for x, y in self.corners]):
            raise ValueError(NOTHING_INSIDE)

    @classmethod
    def read(cls, text: str) -> Zone:
        """Of "0.4,0.6 0.6,0.6 0.85,0.98 0.15,0.98". Raises: ValueError, saying how it is written."""
        corners = []
        for word in text.split():
            match = re.fullmatch(r"(\d*\.?\d+),(\d*\.?\d+)", word)
            if match is None:
                raise ValueError(f"'{word}': write corners as x,y, each 0 to 1, with spaces between: 0.4,0.6 0.6,0.6 …")
            corners.append((float(match[1]), float(match[2])))
        return cls(tuple(corners))

    def __str__(self) -> str:
        """As `read` takes it."""
        return " ".join(f"{round(x, _DECIMALS):g},{round(y, _DECIMALS):g}" for x, y in self.corners)

    def with_corner(self, index: int, point: Point) -> Zone:
        """One corner moved, kept inside the picture. Raises: ValueError when nothing is inside then."""
        return Zone((*self.corners[:index], _inside(point), *self.corners[index + 1 :]))

    def with_more(self, index: int, point: Point) -> Zone:
        """Another corner before that of an index. Raises: ValueError when there are enough."""
        return Zone((*self.corners[:index], _inside(point), *self.corners[index:]))

    def without(self, index: int) -> Zone:
        """One corner less. Raises: ValueError when that is too few, or nothing is inside then."""
        return Zone((*self.corners[:index], *self.corners[index + 1 :]))

    def middles(self) -> list[Point]:
        """Of the edges: the one that ends at the corner of the same index comes first."""
        before = (self.corners[-1], *self.corners)
        return [((a[0] + b[0]) / 2, (a[1] + b[1]) / 2) for a, b in zip(before, self.corners, strict=False)]

    def mask(self, width: int, height: int) -> ByteArray:
        """Shape (height, width), uint8: 1 inside, 0 outside."""
        mask = np.zeros((height, width), np.uint8)
        points = np.array([(x * (width - 1), y * (height - 1)) for x, y in self.corners])
        cv2.fillPoly(mask, [np.rint(points).astype(np.int32)], 1)
        return mask


def _holds_something(corners: Sequence[Point]) -> bool:
    """Whether something is inside an odd number of times that is not thinner than a pixel of a large picture.

    Looked for along lines across the picture: some between each corner and the next one below it.
    """
    x0, y0 = np.array(corners).T
    x1, y1 = np.roll(x0, -1), np.roll(y0, -1)
    heights = np.unique(y0)
    area = 0.0
    for above, below in pairwise(heights):
        for share in _LOOK_AT:
            y = above + share * (below - above)
            crossed = (y0 <= y) != (y1 <= y)
            slope = (x1[crossed] - x0[crossed]) / (y1[crossed] - y0[crossed])
            at = np.sort(x0[crossed] + (y - y0[crossed]) * slope)
            area += float((at[1::2] - at[::2]).sum() * (below - above)) / len(_LOOK_AT)
            if area > _LEAST_AREA:
                return True
    return False


def _inside(point: Point) -> Point:
    return min(1.0, max(0.0, point[0])), min(1.0, max(0.0, point[1]))


@dataclass(frozen=True)
class Crossing:
    """A class came into a zone, or went.

    Args:
        event: "enter"; "leave"; "end": it was still there when nobody looked any more (a jump, the end).
        name: of the class.
        time_s: media time of the picture, seconds.
        frame: its number.
        share: of the zone that the class covered in it, 0…1.
        pixels: likewise, of the class map.
        most_share: the largest share so far.
        duration_s: since it entered, media time; None while it enters.
        taken: when the picture was taken, local time with its offset; None for what is not live.
        clock: "capture": by the camera; "arrival": when it came here; "" without.
    """

    event: Literal["enter", "leave", "end"]
    name: str
    time_s: float
    frame: int
    share: float
    pixels: int
    most_share: float
    duration_s: float | None = None
    taken: datetime | None = None
    clock: str = ""


def when_taken(frame: Frame, *, live: bool) -> tuple[datetime | None, str]:
    """Date and time of a picture and by which clock, see `Crossing`; of what is not live nobody knows."""
    seconds = frame.captured_s if frame.captured_s is not None else frame.arrived_s
    if not live or not seconds:
        return None, ""
    ago = timedelta(seconds=max(0.0, time.perf_counter() - seconds))
    return datetime.now().astimezone() - ago, "capture" if frame.captured_s is not None else "arrival"


@dataclass
class _Presence:
    """What is known of one class: in the zone or not, and for how long the maps have said otherwise."""

    inside: bool = False
    agreeing: int = 0
    turned: Crossing | None = None
    entered_s: float = 0.0
    most_share: float = 0.0
    last: Crossing | None = None


class ZoneWatch:
    """Which watched classes are in the zone; a single noisy class map, or a moment without them, changes nothing.

    Args:
        zone: where.
        labels: of the class maps.
        names: classes that are watched, of those that there are.
        enter: share of the zone from which on a class is in it.
        leave: share below which it is not; less than `enter`.
        maps: how many class maps in a row must agree.
        calm_s: for how long a class must be gone besides, seconds of media time, before it has left.
        live: pictures have a date.
    """

    def __init__(
        self,
        zone: Zone,
        labels: LabelSet,
        names: Iterable[str] = WATCHED,
        *,
        enter: float = 0.02,
        leave: float = 0.01,
        maps: int = 3,
        calm_s: float = 0.5,
        live: bool = False,
    ) -> None:
        if not 0 <= leave <= enter:
            raise ValueError(f"leave {leave} must be from 0 to enter {enter}")
        self.zone = zone
        self.shares: dict[str, float] = {}
        """Of the zone, by class, in the latest map."""
        watched = set(names)
        self._ids = {label.name: label.id for label in labels if label.name in watched}
        self._there = {name: _Presence() for name in self._ids}
        self._enter, self._leave, self._maps, self._calm_s = enter, leave, maps, calm_s
        self._live = live
        self._last_s: float | None = None
        self._mask: ByteArray | None = None

    @property
    def occupied(self) -> bool:
        """Some class is in it."""
        return any(there.inside for there in self._there.values())

    def look(self, classes: ByteArray, frame: Frame) -> list[Crossing]:
        """Take in the class map of a frame, shape (h, w), uint8; returns what came or went with it.

        After a jump in time all begins anew.
        """
        if frame.time_s == self._last_s:
            return []  # shown again
        gap = 0.0 if self._last_s is None else frame.time_s - self._last_s
        found = self.end() if gap < 0 or gap > _LONGEST_GAP_S else []
        self._last_s = frame.time_s
        if self._mask is None or self._mask.shape != classes.shape:
            self._mask = self.zone.mask(classes.shape[1], classes.shape[0])
        inside = classes[self._mask != 0]
        taken, clock = when_taken(frame, live=self._live)
        for name, id_ in self._ids.items():
            pixels = int(np.count_nonzero(inside == id_))
            share = pixels / max(1, inside.size)
            self.shares[name] = share
            now = Crossing("enter", name, frame.time_s, frame.index, share, pixels, share, None, taken, clock)
            if (crossing := self._turn(self._there[name], now)) is not None:
                found.append(crossing)
        return found

    def end(self) -> list[Crossing]:
        """Nobody looks any more: what is still in the zone, as it was seen last."""
        found = [
            replace(
                there.last, event="end", most_share=there.most_share, duration_s=there.last.time_s - there.entered_s
            )
            for there in self._there.values()
            if there.inside and there.last is not None
        ]
        self._there = {name: _Presence() for name in self._ids}
        self._last_s = None
        return found

    def _turn(self, there: _Presence, now: Crossing) -> Crossing | None:
        there.last = now
        if there.inside:
            there.most_share = max(there.most_share, now.share)
        differs = now.share < self._leave if there.inside else now.share >= self._enter
        if not differs:
            there.agreeing, there.turned = 0, None
            return None
        there.agreeing += 1
        there.turned = first = there.turned or now
        calm = not there.inside or now.time_s - first.time_s >= self._calm_s
        if there.agreeing < self._maps or not calm:
            return None
        there.agreeing, there.turned = 0, None
        there.inside = not there.inside
        if there.inside:
            there.entered_s, there.most_share = first.time_s, max(first.share, now.share)
            return replace(first, most_share=there.most_share)
        gone = max(0.0, first.time_s - there.entered_s)
        return replace(first, event="leave", most_share=there.most_share, duration_s=gone)

    def line(self) -> str:
        """ "person 3.2 %, car 0.0 %"."""
        return ", ".join(f"{name} {100 * share:.1f} %" for name, share in self.shares.items())
