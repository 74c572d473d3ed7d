"""A strip of a timeline, as SVG: how a number goes over the time."""

from __future__ import annotations

import math

import numpy as np

from seg_viewer.sinks.series import Floats

MOST_BINS = 1000
WIDTH, HEIGHT = 1000.0, 100.0

_DAY_S = 86_400
_STEPS_S = (
    *(0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30),
    *(60, 120, 300, 600, 900, 1800),
    *(3600, 7200, 10_800, 21_600, 43_200, _DAY_S),
)


def binned(times_s: Floats, values: Floats, start_s: float, end_s: float) -> tuple[Floats, Floats, Floats, Floats]:
    """Least, mean and most of what falls into each of `MOST_BINS` equal parts of the time; of fewer values, themselves.

    Args:
        times_s: of each value, seconds.
        values: shape as `times_s`.
        start_s: where the first part begins.
        end_s: where the last one ends; later than `start_s`.

    Returns:
        (where, seconds: the middle of each part; least; mean; most); parts in which nothing falls are left out.
    """
    if len(values) <= MOST_BINS:
        return times_s, values, values, values
    count = MOST_BINS
    parts = np.clip(((times_s - start_s) / (end_s - start_s) * count).astype(int), 0, count - 1)
    least, most = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(least, parts, values)
    np.maximum.at(most, parts, values)
    number = np.bincount(parts, minlength=count)
    total = np.bincount(parts, values, count)
    there = number > 0
    middles = start_s + (np.arange(count) + 0.5) * (end_s - start_s) / count
    return middles[there], least[there], total[there] / number[there], most[there]


def nice_top(largest: float) -> float:
    """The least of 1, 2, 2.5, 5 × a power of ten that is not below a number; of 0, 1."""
    if largest <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(largest))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= largest * (1 - 1e-9))


def nice_times(start_s: float, end_s: float, most: int = 6) -> list[float]:
    """Round times within a stretch, at most so many."""
    wanted = (end_s - start_s) / most
    step = next((step for step in _STEPS_S if step >= wanted), _DAY_S * math.ceil(wanted / _DAY_S))
    first = math.ceil(start_s / step - 1e-9)
    last = math.floor(end_s / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def strip(times_s: Floats, values: Floats, start_s: float, end_s: float, top: float, color: str) -> str:
    """An SVG that stretches to the width it is given: the mean as an area under a line, least and most as a band.

    Args:
        times_s: of each value, seconds.
        values: 0…top.
        start_s: at the left edge.
        end_s: at the right edge.
        top: value at the upper edge.
        color: as CSS has it.
    """
    middles, least, mean, most = binned(times_s, values, start_s, end_s)
    x = (middles - start_s) / (end_s - start_s) * WIDTH
    area, band = _path([(x[0], HEIGHT), *_points(x, mean, top), (x[-1], HEIGHT)]), ""
    if most is not least:
        edges = [*_points(x, most, top), *reversed(_points(x, least, top))]
        band = f'<path class="band" d="{_path(edges)}Z"/>'
    grid = "".join(f'<line class="grid" x1="0" x2="{WIDTH:g}" y1="{y:g}" y2="{y:g}"/>' for y in (0, HEIGHT / 2, HEIGHT))
    return (
        f'<svg class="strip" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" preserveAspectRatio="none" aria-hidden="true"'
        f' style="--c:{color}">{grid}'
        f'{band}<path class="area" d="{area}Z"/>'
        f'<path class="line" d="{_path(_points(x, mean, top))}"/></svg>'
    )


def _points(x: Floats, values: Floats, top: float) -> list[tuple[float, float]]:
    y = HEIGHT * (1 - np.clip(values / top, 0, 1))
    return [(float(a), float(b)) for a, b in zip(x, y, strict=True)]


def _path(points: list[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
