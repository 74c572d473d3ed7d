"""What a run ends with: report.html and the pictures in it."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from seg_viewer.core.part_file import write_text
from seg_viewer.core.scores import Scores
from trainer.drawing import charts
from trainer.drawing.pictures import write_png
from trainer.files import make_folder
from trainer.recipe import Recipe
from trainer.run_folder.checkpoint import Arrays, Checkpoint
from trainer.scoring.grids import random_run, sample_grid, sequence_view
from trainer.scoring.tables import full_table
from trainer.training.validation import Validation

ENDS = 8


def write_report(
    run: Path, recipe: Recipe, checkpoint: Checkpoint, weights: Arrays, validation: Validation, name: str
) -> Path:
    """Write charts, grids and report.html into a run folder.

    Args:
        run: the run folder.
        recipe: that the run followed.
        checkpoint: its end, for the curves.
        weights: the best ones.
        validation: scores them, and finds the best and the worst pictures.
        name: title of the page.

    Returns:
        Path of report.html.

    Raises:
        ExportError: the folder cannot be written to.
        SourceError: a held-out picture is damaged.
    """
    folder = make_folder(run / "report")
    made: list[tuple[str, str]] = []
    if checkpoint.history:
        charts.curves(checkpoint.history, folder / "curves.png")
        made.append(("Loss, accuracy, mIoU", "curves.png"))
    validation.score(weights)
    scores = validation.last
    if scores is not None:
        charts.iou_bars(scores, folder / "iou.png")
        charts.confusion(scores, folder / "confusion.png")
        made += [("IoU by class", "iou.png"), ("Confusion matrix", "confusion.png")]
        ranking = [index for _, index in validation.ranking(weights)]
        for title, file, indices in (
            ("Worst held-out pictures", "worst.png", ranking[:ENDS]),
            ("Best held-out pictures", "best.png", ranking[::-1][:ENDS]),
        ):
            write_png(folder / file, sample_grid(validation.samples(weights, indices), validation.labels))
            made.append((title, file))
        rng = np.random.default_rng((recipe.run.seed, checkpoint.updates))
        for title, file, shown in (
            ("held-out", "sequence.png", validation),
            ("training", "training_sequence.png", validation.on_training()),
        ):
            numbers = random_run(len(shown.pairs), rng)
            if numbers:
                write_png(folder / file, sequence_view(shown.samples(weights, numbers), shown.labels))
                made.append((f"{len(numbers)} {title} pictures in sequence, from number {numbers[0] + 1} on", file))
    for title, file in (("The network", "architecture.png"), ("What augmentation does", "augmentation.png")):
        if (run / file).is_file():
            made.append((title, f"../{file}"))
    text = _page(name, recipe, checkpoint, scores, made)
    write_text(run / "report.html", text.replace('src="../', 'src="').replace('src="r:', 'src="report/'))
    return run / "report.html"


def _page(
    name: str, recipe: Recipe, checkpoint: Checkpoint, scores: Scores | None, pictures: Sequence[tuple[str, str]]
) -> str:
    last = checkpoint.history[-1] if checkpoint.history else {}
    facts = [
        ("network", f"{recipe.model.arch}, {recipe.run.size[0]}×{recipe.run.size[1]}"),
        ("loss", recipe.loss.loss),
        ("epochs", f"{len(checkpoint.history)} of {recipe.run.epochs}"),
        ("steps", str(checkpoint.updates)),
        ("training pictures per second", f"{last.get('pictures_per_s', 0):.1f}"),
    ]
    if checkpoint.best_epoch >= 0:
        facts.append(("best epoch", str(checkpoint.best_epoch + 1)))
    table = "".join(f"<tr><th>{html.escape(k)}<td>{html.escape(v)}" for k, v in facts)
    figures = "".join(
        f'<h2>{html.escape(title)}</h2><img src="{"" if file.startswith("../") else "r:"}{html.escape(file)}" alt="">'
        for title, file in pictures
    )
    score = (
        f"<pre>{html.escape(full_table('held out', scores))}</pre>"
        if scores
        else "<p>Nothing was held out, or nothing in it is labelled.</p>"
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(name)}</title>'
        "<style>body{font:15px system-ui,sans-serif;margin:2rem auto;max-width:1280px;padding:0 1rem;color:#22262c}"
        "img{max-width:100%;border:1px solid #d9dce1}pre{background:#f4f5f7;padding:1rem;overflow:auto}"
        "th{text-align:left;padding-right:2rem;font-weight:600}</style>"
        f"<h1>{html.escape(name)}</h1><table>{table}</table><h2>Scores on held-out pictures</h2>{score}{figures}"
        f"<h2>Recipe</h2><pre>{html.escape(recipe.to_toml())}</pre></html>\n"
    )
