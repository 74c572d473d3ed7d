"""What happens in the clip, in numbers only: the drive of the ego car and where everybody is. Needs no Blender."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

FPS = 16
SECONDS = 9.0
FRAMES = int(FPS * SECONDS)
FIELD_OF_VIEW = math.radians(62.0)
CAMERA_HEIGHT = 1.3
SHUTTER = 1.0 / 70.0
CROSSING = 58.0

# The ego car's speed: (from second, metres per second), straight lines between.
DRIVE = ((0.0, 8.6), (2.6, 8.6), (5.4, 3.4), (7.2, 2.6), (9.0, 4.2), (99.0, 4.2))

Track = Callable[[float], tuple[float, float]]


@dataclass(frozen=True)
class Mover:
    """A car or person: what it is, its colour number, its way (seconds to s, lat) and its heading (0 is ours)."""

    kind: str
    colour: int
    track: Track
    heading: float = 0.0


def speed(t: float) -> float:
    """Ego speed after `t` seconds."""
    for (t0, v0), (t1, v1) in itertools.pairwise(DRIVE):
        if t <= t1:
            return v0 + (v1 - v0) * (t - t0) / (t1 - t0)
    return DRIVE[-1][1]


def ego(t: float) -> float:
    """How far along the street the ego camera is after `t` seconds."""
    steps = max(1, round(t * 100))
    h = t / steps
    return sum(speed((k + 0.5) * h) * h for k in range(steps))


def _even(s: float, lat: float, v: float, sideways: float = 0.0) -> Track:
    return lambda t: (s + v * t, lat + sideways * t)


def _braking(s: float, lat: float, v: float, stop: float, room: float) -> Track:
    """Drive at `v` (signed), then brake evenly over `room` metres to stand at `stop`."""

    def track(t: float) -> tuple[float, float]:
        begin = stop - math.copysign(room, v)
        t0 = (begin - s) / v
        if t <= t0:
            return (s + v * t, lat)
        whole = 2 * room / abs(v)
        u = min((t - t0) / whole, 1.0)
        return (begin + math.copysign(room, v) * (2 * u - u * u), lat)

    return track


def _across(s: float, lat: float, v: float, start: float, drift: float = 0.0) -> Track:
    """Stand at the kerb until `start`, then walk across with `v` (signed, to the right is +)."""
    return lambda t: (s + drift * max(0.0, t - start), lat + v * max(0.0, t - start))


def cars() -> list[Mover]:
    """The moving cars of the clip."""
    return [
        Mover("suv", 6, _even(14.5, 1.65, 9.9)),
        Mover("hatch", 9, _even(33.0, -1.7, -9.2), math.pi),
        Mover("sedan", 1, _even(52.0, -1.65, -9.0), math.pi),
        Mover("van", 0, _even(72.0, -1.7, -8.8), math.pi),
        Mover("sedan", 7, _braking(112.0, -1.65, -9.0, CROSSING + 6.6, 22.0), math.pi),
        Mover("estate", 5, _braking(126.0, -1.7, -9.0, CROSSING + 13.0, 22.0), math.pi),
        Mover("truck", 2, _braking(150.0, -1.7, -9.0, CROSSING + 22.5, 24.0), math.pi),
        Mover("sedan", 4, _even(66.0, 1.6, 8.0)),
    ]


def people() -> list[Mover]:
    """The people of the clip: those who cross, then those on the pavements and beside parked cars."""
    right, left = -math.pi / 2, math.pi / 2  # headings of somebody who walks to the right, to the left
    crossing = [
        Mover("coat", 3, _across(CROSSING + 0.4, 5.9, -1.35, 3.1), left),
        Mover("child", 5, _across(CROSSING - 0.3, 6.5, -1.33, 3.1), left),
        Mover("man", 6, _across(CROSSING + 0.7, -6.1, 1.45, 3.0), right),
        Mover("woman", 12, _across(CROSSING - 0.7, -7.0, 1.4, 3.6), right),
        Mover("rucksack", 4, _across(CROSSING - 0.2, 6.6, -1.5, 5.2), left),
        Mover("skirt", 8, _across(31.0, -2.9, -1.3, 0.0, 0.3), left),
    ]
    beside = [
        ("man", 0, 11.0, 6.6, 1.3), ("woman", 3, 12.0, 7.3, 1.3), ("stout", 9, 22.0, 6.7, -1.1),
        ("skirt", 5, 30.0, 7.2, -1.3), ("rucksack", 10, 36.0, 6.5, 1.4), ("coat", 11, 41.0, 7.4, -1.2),
        ("man", 13, 47.0, 6.8, -1.3), ("woman", 7, 66.0, 6.9, -1.2), ("man", 1, 71.0, 7.3, -1.3),
        ("stout", 2, 84.0, 6.8, -1.0), ("coat", 6, 14.0, -6.8, 1.3), ("man", 4, 19.0, -7.4, -1.4),
        ("child", 12, 24.0, -6.9, 1.0), ("woman", 8, 24.6, -7.5, 1.0), ("rucksack", 3, 33.0, -6.7, -1.3),
        ("skirt", 0, 43.0, -7.0, 1.3), ("stout", 5, 52.0, -7.4, -1.1), ("man", 10, 67.0, -6.8, -1.4),
        ("woman", 6, 70.0, -7.3, -1.4), ("coat", 13, 80.0, -6.9, -1.2), ("man", 3, 8.0, -6.6, 1.2),
    ]  # fmt: skip
    walkers = [Mover(k, c, _even(s, lat, v), 0.0 if v > 0 else math.pi) for k, c, s, lat, v in beside]
    loader = Mover("man", 7, _even(27.0, 3.45, 0.9), 0.0)
    return [*crossing, *walkers, loader]
