"""The page about two models, or two runs: what differs in their recipes, scores, flicker and pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from seg_viewer.core.counted import counted
from seg_viewer.core.labels import LabelSet
from seg_viewer.core.page import escaped, facts, numbers, scrolling, table, warnings, whole_page
from seg_viewer.core.scores import Scores
from trainer.pages import parts
from trainer.pages.chart import Curve, chart, share_marks
from trainer.pages.pictures import Shown, figures
from trainer.pages.style import STYLE
from trainer.recipe import Loss
from trainer.scoring.compare import Difference
from trainer.scoring.evaluate import Measured
from trainer.scoring.heights import Bins, bin_name, percent

_OF_THE_LOSS = {f.name for f in fields(Loss)}


@dataclass(frozen=True)
class Side:
    """One of the two.

    Args:
        name: short, as the columns have it.
        about: what it is.
        history: of its training, by epoch.
    """

    name: str
    about: Mapping[str, str]
    history: parts.History = ()


@dataclass(frozen=True)
class Comparison:
    """All that the page says.

    Args:
        sides: the two.
        labels: their classes; None where nothing says them, and no set was scored.
        sets: set → what each did.
        calm: clip → `Flicker.to_json` of each.
        apart: pictures that they differ most on.
        recipes: what their recipes say differently; None where they have none.
        notes: what a reader should know first.
    """

    sides: tuple[Side, Side]
    labels: LabelSet | None
    sets: Mapping[str, Sequence[Measured]]
    calm: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    apart: Sequence[Shown] = ()
    recipes: Sequence[Difference] | None = None
    notes: Sequence[str] = ()

    @property
    def names(self) -> tuple[str, str]:
        """Of the two."""
        return self.sides[0].name, self.sides[1].name


def comparison_page(comparison: Comparison, page: Path) -> str:
    """The whole page.

    Args:
        comparison: what it says.
        page: the file that it will be; links are relative to it.
    """
    names = comparison.names
    title = f"{names[0]} and {names[1]}"
    sets = {name: both for name, both in comparison.sets.items() if both[0].scores.iou}
    calm = {clip: dict(zip(names, both, strict=True)) for clip, both in comparison.calm.items()}
    same_loss = not _OF_THE_LOSS & {name for name, *_ in comparison.recipes or ()}
    apart = figures(comparison.apart, page, comparison.labels) if comparison.labels else ""
    sections = {
        "recipes": ("Where the recipes differ", _recipes(comparison)),
        "scores": ("Scores", "".join(_scores(name, both, names) for name, both in sets.items())),
        "heights": ("By height of objects", "".join(_heights(name, both, names) for name, both in sets.items())),
        "calm": ("Calm over clips", parts.flicker_part(calm)),
        "curves": ("Training", parts.curves_part({side.name: side.history for side in comparison.sides}, same_loss)),
        "apart": ("Pictures where they differ most", apart),
    }
    there = {anchor: (title, inside) for anchor, (title, inside) in sections.items() if inside}
    about = "".join(
        f'<div class="card"><h3>{escaped(side.name)}</h3>{facts(side.about.items())}</div>' for side in comparison.sides
    )
    body = [
        f"<h1>{escaped(title)}</h1>",
        warnings(comparison.notes),
        numbers(_cards(sets, names)),
        parts.contents({anchor: title for anchor, (title, _) in there.items()}),
        parts.section("What they are", f'<div class="beside">{about}</div>', "about"),
        *(parts.section(title, inside, anchor) for anchor, (title, inside) in there.items()),
    ]
    return whole_page(title, body, STYLE)


def _cards(sets: Mapping[str, Sequence[Measured]], names: Sequence[str]) -> list[tuple[str, str]]:
    cards = []
    for name, (one, other) in sets.items():
        for side, measured in zip(names, (one, other), strict=True):
            cards.append((f"{measured.scores.miou * 100:.1f} %", f"mean IoU of {side}, {name}"))
        cards.append((f"{(other.scores.miou - one.scores.miou) * 100:+.1f}", f"change, {name}"))
    return cards


def _recipes(comparison: Comparison) -> str:
    if comparison.recipes is None:
        return ""
    if not comparison.recipes:
        return "<p>They are the same.</p>"
    rows = [[escaped(cell) for cell in row] for row in comparison.recipes]
    inside = table(("value", *map(escaped, comparison.names)), rows)
    return scrolling("Differences of the recipes", inside)


def change(one: float | None, other: float | None, places: int = 2) -> str:
    """What the second gains or loses, in points, as HTML: by sign and colour."""
    if one is None or other is None:
        return "–"
    value = round((other - one) * 100, places)
    if value == 0:
        return '<span class="soft">0</span>'
    return f'<span class="{"better" if value > 0 else "worse"}">{value:+.{places}f}</span>'


def _scores(name: str, both: Sequence[Measured], names: Sequence[str]) -> str:
    one, other = (measured.scores for measured in both)
    rows = []
    for label in one.iou:
        cells = [parts.class_name(one.labels, label)]
        for key in ("iou", "precision", "recall"):
            values = [getattr(scores, key)[label] for scores in (one, other)]
            cells += [*(f"{value * 100:.2f}" for value in values), change(values[0], values[1])]
        rows.append(cells)
    means = [f"{scores.miou * 100:.2f}" for scores in (one, other)]
    rows.append(["mean", *means, change(one.miou, other.miou), *[""] * 6])
    accuracy = _accuracy(one, other, names)
    heads = ["class"]
    for what in ("IoU", "precision", "recall"):
        heads += [f"{what}, {escaped(names[0])}", f"{what}, {escaped(names[1])}", "change"]
    pictures = counted(one.pictures, "picture", form=",")
    caption = f"{escaped(name)}: {pictures}; {accuracy}; in per cent, changes in points"
    return scrolling(f"Scores of {name}", table(heads, rows, caption))


def _accuracy(one: Scores, other: Scores, names: Sequence[str]) -> str:
    shown = " and ".join(
        f"{scores.accuracy * 100:.2f} ({escaped(name)})" for name, scores in zip(names, (one, other), strict=True)
    )
    return f"of the pixels are right {shown}"


def _heights(name: str, both: Sequence[Measured], names: Sequence[str]) -> str:
    drawn = []
    for label, bins in both[0].heights.items():
        pair: list[Bins] = [bins, both[1].heights[label]]
        curves = [
            Curve(side, [(place, one["iou"]) for place, one in enumerate(bins_of)])
            for side, bins_of in zip(names, pair, strict=True)
        ]
        marks = [(float(place), bin_name(one)) for place, one in enumerate(bins)]
        says = "; ".join(
            f"{bin_name(one)}: {percent(one['iou'])} and {percent(other['iou'])}"
            for one, other in zip(*pair, strict=True)
        )
        picture = chart(f"IoU of {label}, {name}", curves, marks, share_marks(), says)
        rows = []
        for one, other in zip(*pair, strict=True):
            cells = [percent(one["iou"]), percent(other["iou"]), change(one["iou"], other["iou"], 1)]
            rows.append([bin_name(one), f"{one['objects']:,}", *cells])
        shown = parts.class_name(both[0].scores.labels, label)
        caption = f"{shown}, by height as a share of the picture's; IoU in per cent"
        heads = ("height", "objects", *map(escaped, names), "change")
        beside = scrolling(f"{label} by height", table(heads, rows, caption))
        drawn.append(f'<div class="beside">{picture}{beside}</div>')
    return "".join(drawn)
