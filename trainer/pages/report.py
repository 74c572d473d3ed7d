"""The page about one model: report.html of a run, and what `evaluate --report` writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seg_viewer.core.errors import SourceError
from seg_viewer.core.page import escaped, facts, numbers, warnings, whole_page
from seg_viewer.core.scores import Scores
from trainer.data.formats import FORMATS, terms_of
from trainer.data.samples import kind_of
from trainer.drawing.pictures import Rgb
from trainer.pages import parts
from trainer.pages.pictures import Shown, drawing, figures
from trainer.pages.style import STYLE
from trainer.recipe import Source
from trainer.scoring.heights import Bins


@dataclass(frozen=True)
class SetPart:
    """What there is to say of one set of held-out pictures.

    Args:
        name: of the set.
        scores: from one confusion matrix.
        heights: class → bins, see `trainer.scoring.heights`.
        worst: pictures to show, the worst first.
        best: pictures to show, the best first.
    """

    name: str
    scores: Scores
    heights: Mapping[str, Bins] = field(default_factory=dict)
    worst: Sequence[Shown] = ()
    best: Sequence[Shown] = ()


@dataclass(frozen=True)
class Report:
    """All that the page says.

    Args:
        title: name of run or model.
        about: what it is and how it came about.
        sets: what it was scored on.
        calm: clip → `Flicker.to_json`.
        history: of its training, by epoch.
        drawings: title → picture (H, W, 3) uint8 RGB.
        recipe: TOML; "" where there is none.
        notes: what a reader should know first.
    """

    title: str
    about: Mapping[str, str]
    sets: Sequence[SetPart]
    calm: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    history: parts.History = ()
    drawings: Mapping[str, Rgb] = field(default_factory=dict)
    recipe: str = ""
    notes: Sequence[str] = ()


def report_page(report: Report, page: Path) -> str:
    """The whole page.

    Args:
        report: what it says.
        page: the file that it will be; links are relative to it.
    """
    scored = [one for one in report.sets if one.scores.iou]
    calm = {clip: {report.title: one} for clip, one in report.calm.items()}
    sections = {
        "scores": ("Scores", "".join(parts.score_table(one.name, one.scores) for one in scored)),
        "heights": (
            "By height of objects",
            "".join(parts.heights_part(one.name, one.heights, one.scores.labels) for one in scored),
        ),
        "confusion": ("Confusion matrix", "".join(parts.confusion_table(one.name, one.scores) for one in scored)),
        "calm": ("Calm over clips", parts.flicker_part(calm)),
        "curves": ("Training", parts.curves_part({report.title: report.history})),
        "worst": ("Worst pictures", _pictures({one.name: (one.scores, one.worst) for one in scored}, page)),
        "best": ("Best pictures", _pictures({one.name: (one.scores, one.best) for one in scored}, page)),
        "recipe": ("Recipe", parts.recipe_part(report.recipe)),
    }
    there = {anchor: (title, inside) for anchor, (title, inside) in sections.items() if inside}
    recipe = there.pop("recipe", None)
    body = [
        f"<h1>{escaped(report.title)}</h1>",
        warnings(report.notes),
        numbers(_cards(report)),
        parts.contents({anchor: title for anchor, (title, _) in there.items()}),
        parts.section("What it is", f'<div class="card">{facts(report.about.items())}</div>', "about"),
        "" if scored else "<p>Nothing was held out that has labels: there are no scores.</p>",
        *(parts.section(title, inside, anchor) for anchor, (title, inside) in there.items()),
        *(drawing(title, picture) for title, picture in report.drawings.items()),
        parts.section(*recipe, "recipe") if recipe else "",
    ]
    return whole_page(report.title, body, STYLE)


def _pictures(by_set: Mapping[str, tuple[Scores, Sequence[Shown]]], page: Path) -> str:
    """The pictures of each set, under its name where there are several."""
    drawn = {name: figures(shown, page, scores.labels) for name, (scores, shown) in by_set.items() if shown}
    if len(drawn) < 2:
        return "".join(drawn.values())
    return "".join(f"<h3>{escaped(name)}</h3>{inside}" for name, inside in drawn.items())


def whose_pictures(sources: Sequence[Source], roots: Sequence[Path] = ()) -> list[str]:
    """Lines on the terms of the data sets whose pictures a page shows; of our own folders there is nothing to say."""
    lines = []
    for source in sources:
        try:
            made = FORMATS[kind_of(source, roots)]
        except (SourceError, KeyError):
            continue
        if not made.ours:
            terms = terms_of(made.name) or "its terms are not known here"
            lines.append(f"Shows pictures of {source.name or made.name} ({terms}): mind that before you pass it on.")
    return list(dict.fromkeys(lines))


def _cards(report: Report) -> list[tuple[str, str]]:
    cards = []
    for one in report.sets:
        if one.scores.iou:
            cards.append((f"{one.scores.miou * 100:.1f} %", f"mean IoU, {one.name}"))
    if len(cards) == 1:
        scores = next(one.scores for one in report.sets if one.scores.iou)
        cards.append((f"{scores.accuracy * 100:.1f} %", "of the pixels are right"))
        cards += [(f"{value * 100:.1f} %", f"IoU of {name}") for name, value in list(scores.iou.items())[:4]]
    for clip, flicker in report.calm.items():
        if flicker["changed"] is not None:
            cards.append((f"{flicker['changed'] * 100:.2f} %", f"of what stands still in {clip} flickers"))
    return cards
