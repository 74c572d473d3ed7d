"""Pages of what `evaluate` and `compare` measured: about one model, or about two."""

from __future__ import annotations

import contextlib
import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from seg_viewer.core.labels import LabelSet
from seg_viewer.core.part_file import write_text
from trainer.data.data_set import DataSet
from trainer.pages.comparison import Comparison, Side, comparison_page
from trainer.pages.parts import History
from trainer.pages.pictures import score_words, shown_rated
from trainer.pages.report import Report, SetPart, report_page, whose_pictures
from trainer.recipe import Source
from trainer.run_folder.checkpoint import HISTORY, RECIPE
from trainer.scoring.compare import Difference, differences, recipe_of
from trainer.scoring.evaluate import Measured
from trainer.scoring.worst import Rated

Apart = Sequence[tuple[DataSet, Rated, Rated]]


class Subject(NamedTuple):
    """What was measured.

    Args:
        name: short, for people.
        path: run folder or file.
        runs_as: what ran it.
    """

    name: str
    path: Path
    runs_as: str

    def about(self) -> dict[str, str]:
        """For the page. The folder is left out: pages are passed on."""
        about = {"model": self.path.name, "ran as": self.runs_as.replace(f"{self.path.parent}/", "")}
        if (self.path / RECIPE).is_file():
            recipe = recipe_of(self.path)
            width, height = recipe.run.size
            about["network"] = f"{recipe.model.arch}, {width}×{height}"
            about["trained"] = recipe.run.how_long(len(history_of(self.path)))
        return about


class Results(NamedTuple):
    """What measuring gave.

    Args:
        found: the data sets with their sources.
        measured: set → what each model did.
        flicker: clip → `Flicker.to_json` of each model.
        labels: the classes; None where nothing says them, and no set was scored.
    """

    found: Sequence[tuple[Source, DataSet]]
    measured: Mapping[str, Sequence[Measured]]
    flicker: Mapping[str, Sequence[Mapping[str, Any]]]
    labels: LabelSet | None


def write_model_page(
    page: Path, subject: Subject, results: Results, roots: Sequence[Path] = (), overwrite: bool = False
) -> Path:
    """Write the page about one model. Raises: SourceError, ExportError."""
    sets = {data.name: data for _, data in results.found}
    parts = [
        SetPart(
            name,
            one.scores,
            one.heights,
            [
                shown_rated(sets[name], {"prediction": rated}, score_words(rated.scores), one.scores.labels)
                for rated in one.worst
            ],
        )
        for name, (one, *_) in results.measured.items()
    ]
    report = Report(
        subject.name,
        subject.about(),
        parts,
        {clip: both[0] for clip, both in results.flicker.items()},
        history_of(subject.path),
        recipe=_recipe_text(subject.path),
        notes=whose_pictures([source for source, data in results.found if data.name in results.measured], roots),
    )
    write_text(page, report_page(report, page), overwrite=overwrite)
    return page


def write_comparison(
    page: Path,
    subjects: Sequence[Subject],
    results: Results,
    apart: Apart,
    recipes: Sequence[Difference] | None = None,
    notes: Sequence[str] = (),
    roots: Sequence[Path] = (),
    overwrite: bool = False,
) -> Path:
    """Write the page about two models. Raises: SourceError, ExportError."""
    one, other = (Side(each.name, each.about(), history_of(each.path)) for each in subjects)
    shown = []
    for data, first, second in apart:
        words = (
            f"{data.name}: mIoU {first.scores.miou * 100:.1f} and {second.scores.miou * 100:.1f}"
            f" ({(second.scores.miou - first.scores.miou) * 100:+.1f})"
        )
        shown.append(shown_rated(data, {one.name: first, other.name: second}, words, first.scores.labels))
    comparison = Comparison(
        (one, other),
        results.labels,
        results.measured,
        results.flicker,
        shown,
        recipes,
        [*notes, *whose_pictures([source for source, _ in results.found], roots)] if shown else list(notes),
    )
    write_text(page, comparison_page(comparison, page), overwrite=overwrite)
    return page


def history_of(path: Path) -> History:
    """The rows of a run's history.csv; none where it is no run folder, or that cannot be read."""
    rows: list[dict[str, float]] = []
    with contextlib.suppress(OSError, ValueError, csv.Error):
        for row in csv.DictReader((path / HISTORY).read_text(encoding="utf-8").splitlines()):
            rows.append({key: float(value) for key, value in row.items() if key and value})
    return [row for row in rows if "epoch" in row]


def _recipe_text(path: Path) -> str:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return (path / RECIPE).read_text(encoding="utf-8")
    return ""


def differences_of(paths: Sequence[Path]) -> list[Difference] | None:
    """Where the recipes of two run folders differ; None where one is no run folder."""
    if not all((path / RECIPE).is_file() for path in paths):
        return None
    one, other = map(recipe_of, paths)
    return differences(one, other)
