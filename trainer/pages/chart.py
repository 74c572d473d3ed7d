"""Curves over something, as SVG that stretches to the room it has; scales and words are HTML and keep their size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seg_viewer.core.page import escaped

WIDTH, HEIGHT = 1000.0, 100.0
MOST_DOTS = 30
MOST_MARKS = 8

Point = tuple[float, float | None]


@dataclass(frozen=True)
class Curve:
    """One curve.

    Args:
        name: for the legend.
        points: (x, y) with rising x; y None where there is a gap.
    """

    name: str
    points: Sequence[Point]


def chart(
    title: str,
    curves: Sequence[Curve],
    across: Sequence[tuple[float, str]],
    up: Sequence[tuple[float, str]],
    says: str,
) -> str:
    """A figure: title, legend, curves, and both scales.

    Args:
        title: any text.
        curves: one or two; the second one is dashed, so that it needs no sense of colour.
        across: (x, text) of the marks below; the first and the last one are the edges.
        up: (y, text) of the marks on the left, rising; the first and the last one are the edges.
        says: what the picture shows, for whoever does not see it.
    """
    left, right, low, high = across[0][0], across[-1][0], up[0][0], up[-1][0]
    wide, tall = (right - left) or 1.0, (high - low) or 1.0

    def place(point: Point) -> tuple[float, float] | None:
        x, y = point
        return None if y is None else ((x - left) / wide * WIDTH, HEIGHT * (1 - (y - low) / tall))

    grid = "".join(f'<path class="grid" d="M0 {HEIGHT * (1 - (y - low) / tall):.1f}h{WIDTH:g}"/>' for y, _ in up)
    lines = "".join(_line(number, [place(point) for point in curve.points]) for number, curve in enumerate(curves))
    names = "".join(f"<span>{_key(number)}{escaped(curve.name)}</span>" for number, curve in enumerate(curves))
    widest = max((words for _, words in up), key=len)
    scale = "".join(f'<span style="bottom:{(y - low) / tall * 100:.2f}%">{escaped(words)}</span>' for y, words in up)
    return (
        f'<figure class="plot"><figcaption><b>{escaped(title)}</b>{names}</figcaption><div class="field">'
        f'<div class="up"><i aria-hidden="true">{escaped(widest)}</i>{scale}</div>'
        f'<svg viewBox="0 0 {WIDTH:g} {HEIGHT:g}" preserveAspectRatio="none" role="img"'
        f' aria-label="{escaped(f"{title}: {says}")}">{grid}{lines}</svg>'
        f'<div></div><div class="axis">{_below(across, left, wide)}</div></div></figure>'
    )


def _line(number: int, places: Sequence[tuple[float, float] | None]) -> str:
    path, dots, pen_down = "", "", False
    for each in places:
        if each is None:
            pen_down = False
            continue
        x, y = each
        path += f"{'L' if pen_down else 'M'}{x:.1f} {y:.1f}"
        dots += f"M{x:.1f} {y:.1f}h0"  # a line without length, with round ends: stays round where the picture does not
        pen_down = True
    few = sum(each is not None for each in places) <= MOST_DOTS
    dotted = f'<path class="dot s{number}" d="{dots}"/>' if few and dots else ""
    return f'<path class="curve s{number}" d="{path}"/>{dotted}' if path else ""


def _key(number: int) -> str:
    line = f'<path class="curve s{number}" d="M0 5h26"/>'
    return f'<svg class="key" viewBox="0 0 26 10" aria-hidden="true">{line}</svg>'


def _below(across: Sequence[tuple[float, str]], left: float, wide: float) -> str:
    marks = []
    for x, words in across:
        share = (x - left) / wide
        edge = ' class="first"' if share < 0.02 else ' class="last"' if share > 0.98 else ""
        marks.append(f'<span{edge} style="left:{100 * share:.2f}%">{escaped(words)}</span>')
    return "".join(marks)


def whole_marks(first: int, last: int) -> list[tuple[float, str]]:
    """Marks at the ends of a stretch of whole numbers and at a few round ones between them."""
    step = next(step * 10**power for power in range(9) for step in (1, 2, 5) if (last - first) < step * 10**power * 6)
    between = [n for n in range(first // step * step, last, step) if first + step * 0.6 < n < last - step * 0.6]
    return [(float(n), str(n)) for n in sorted({first, *between, last})]


def share_marks() -> list[tuple[float, str]]:
    """0 to 100 %."""
    return [(0.0, "0"), (0.5, "50"), (1.0, "100 %")]


def round_marks(values: Sequence[float]) -> list[tuple[float, str]]:
    """Round numbers around values, from below the least to above the largest; from 0 where that is near."""
    from matplotlib.ticker import MaxNLocator

    low, high = min(values), max(values)
    low = 0.0 if 0 <= low < high / 2 or low == high else low
    ticks = MaxNLocator(nbins=4).tick_values(low, high if high > low else low + 1)
    ticks = [float(tick) for tick in ticks if not (low >= 0 and tick < 0)]
    return [(tick, f"{tick:.4g}") for tick in ticks]
