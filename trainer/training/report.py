"""What a run ends with: report.html, and the pictures in report/ that TensorBoard shows too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from seg_viewer.core.part_file import write_text
from seg_viewer.core.scores import Scores, confusion_matrix
from trainer.data.picture_files import read_picture
from trainer.drawing import charts
from trainer.drawing.pictures import Rgb, write_png
from trainer.files import make_folder
from trainer.pages.pictures import Shown, score_words, views
from trainer.pages.report import Report, SetPart, report_page, whose_pictures
from trainer.recipe import Recipe
from trainer.run_folder.checkpoint import Arrays, Checkpoint
from trainer.scoring.evaluate import to_mask_size
from trainer.scoring.grids import Sample, random_run, sample_grid, sequence_view
from trainer.scoring.heights import Heights
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
    drawings: dict[str, Rgb] = {}
    if checkpoint.history:
        charts.curves(checkpoint.history, folder / "curves.png")
    validation.score(weights)
    sets = []
    if validation.last is not None:
        charts.iou_bars(validation.last, folder / "iou.png")
        charts.confusion(validation.last, folder / "confusion.png")
        ranking, heights = _look(weights, validation)
        ends = {"worst": ranking[:ENDS], "best": ranking[::-1][:ENDS]}
        pictures = {}
        for end, indices in ends.items():
            samples = validation.samples(weights, indices)
            write_png(folder / f"{end}.png", sample_grid(samples, validation.labels))
            pictures[end] = [_shown(sample, index, validation) for sample, index in zip(samples, indices, strict=True)]
        sets.append(SetPart("held out", validation.last, heights, **pictures))
        rng = np.random.default_rng((recipe.run.seed, checkpoint.updates))
        for title, file, shown in (
            ("held-out", "sequence.png", validation),
            ("training", "training_sequence.png", validation.on_training()),
        ):
            numbers = random_run(len(shown.pairs), rng)
            if numbers:
                sequence = sequence_view(shown.samples(weights, numbers), shown.labels)
                write_png(folder / file, sequence)
                title = f"{len(numbers)} {title} pictures in sequence, from number {numbers[0] + 1} on"
                drawings[title] = sequence
    for title, file in (("The network", "architecture.png"), ("What augmentation does", "augmentation.png")):
        if (run / file).is_file():
            drawings[title] = read_picture(run / file)
    report = Report(
        name,
        _about(recipe, checkpoint),
        sets,
        history=checkpoint.history,
        drawings=drawings,
        recipe=recipe.to_toml(),
        notes=whose_pictures(recipe.data),
    )
    write_text(run / "report.html", report_page(report, run / "report.html"))
    return run / "report.html"


def _look(weights: Arrays, validation: Validation) -> tuple[list[int], dict[str, list[dict[str, Any]]]]:
    """Numbers of the held-out pictures, the worst first (those without labels left out), and scores by height."""
    heights = Heights(validation.labels)
    found = []
    for index, class_map in validation.class_maps(weights, range(len(validation.pairs))):
        mask = validation.read(index)[1]
        predicted = to_mask_size(class_map, mask)
        heights.add(mask, predicted)
        scores = Scores(1, confusion_matrix(mask, predicted, len(validation.labels)), validation.labels)
        if scores.iou:
            found.append((scores.miou, index))
    return [index for _, index in sorted(found)], heights.to_json()


def _shown(sample: Sample, index: int, validation: Validation) -> Shown:
    data, pair = validation.pairs[index]
    matrix = confusion_matrix(sample.truth, sample.predicted, len(validation.labels))
    words = score_words(Scores(1, matrix, validation.labels))
    picture, truth = data.read(pair)  # the network's size is too small to look at
    return Shown(sample.name, words, pair, views(picture, truth, {"prediction": sample.predicted}, validation.labels))


def _about(recipe: Recipe, checkpoint: Checkpoint) -> dict[str, str]:
    last = checkpoint.history[-1] if checkpoint.history else {}
    return {
        "network": f"{recipe.model.arch}, {recipe.run.size[0]}×{recipe.run.size[1]}",
        "data": ", ".join(source.name or Path(source.path).name for source in recipe.data),
        "loss": recipe.loss.loss,
        "trained": recipe.run.how_long(len(checkpoint.history)),
        "best epoch": str(checkpoint.best_epoch + 1) if checkpoint.best_epoch >= 0 else "",
        "steps": str(checkpoint.updates),
        "steps skipped": str(checkpoint.all_skipped or ""),
        "training pictures per second": f"{last.get('pictures_per_s', 0):.1f}",
    }
