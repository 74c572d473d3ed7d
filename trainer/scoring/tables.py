"""Scores as tables of text."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

from seg_viewer.core.counted import counted
from seg_viewer.core.scores import Scores


def table_text(scores: Mapping[str, Scores]) -> str:
    """The scores as lines of text, in percent."""
    lines = []
    for name, score in scores.items():
        classes = "  ".join(f"{label} {value * 100:5.1f}" for label, value in score.iou.items())
        lines.append(f"{name:10} {score.pictures:4} pictures  mIoU {score.miou * 100:5.1f}  {classes}")
    return "\n".join(lines)


def full_table(name: str, score: Scores) -> str:
    """All scores of one set as a table of text, in percent; says how many classes the means count."""
    width = max([14, *(len(label) for label in score.iou)])
    lines = [
        f"{name}: {counted(score.pictures, 'picture')}, pixel accuracy {score.accuracy * 100:.2f},"
        f" mIoU {score.miou * 100:.2f}, mean Dice {score.mdice * 100:.2f}"
        f" ({len(score.iou)} of {len(score.labels)} classes occur)",
        f"  {'class':{width}} {'IoU':>7} {'Dice':>7} {'precis.':>7} {'recall':>7} {'share':>7}",
    ]
    shares = score.matrix.sum(1) / max(1, score.matrix.sum())
    for label in score.iou:
        values = [part[label] * 100 for part in (score.iou, score.dice, score.precision, score.recall)]
        share = shares[score.labels.by_name(label).id] * 100
        lines.append(f"  {label:{width}} " + " ".join(f"{value:7.2f}" for value in [*values, share]))
    return "\n".join(lines)


def side_by_side(name: str, columns: Mapping[str, Scores]) -> str:
    """IoU of two models on the same pictures as a table of text, in percent, and what the second loses or gains.

    Args:
        name: of the set.
        columns: model's name → its scores; two.
    """
    one, other = columns.values()
    width = max([14, *(len(label) for label in one.iou)])
    heads = [f"{column:>{max(8, len(column))}}" for column in columns]
    lines = [f"{name}: {counted(one.pictures, 'picture')}, IoU", f"  {'class':{width}} {' '.join(heads)} {'change':>8}"]
    rows = {label: (value, other.iou[label]) for label, value in one.iou.items()}
    for label, values in (rows | {"mIoU": (one.miou, other.miou)}).items():
        shown = " ".join(f"{value * 100:{len(head)}.2f}" for value, head in zip(values, heads, strict=True))
        lines.append(f"  {label:{width}} {shown} {(values[1] - values[0]) * 100:+8.2f}")
    return "\n".join(lines)


COLUMNS = ("model", "set", "pictures", "class", "iou", "dice", "precision", "recall", "share", "accuracy")
MEAN = "(mean)"


def csv_text(scores: Mapping[tuple[str, str], Scores]) -> str:
    """Scores as CSV: for each model and set a row for each class that occurs, and one of their means.

    Shares of 1 with 6 places. `share` is the class's part of the labelled pixels; `accuracy`, of all pixels, stands in
    the row of the means, whose class is "(mean)".

    Args:
        scores: (model, set) → its scores.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for (model, name), one in scores.items():
        known = {"model": model, "set": name, "pictures": one.pictures}
        measures = {"iou": one.iou, "dice": one.dice, "precision": one.precision, "recall": one.recall}
        pixels = one.matrix.sum(1) / max(1, one.matrix.sum())
        for label in one.iou:
            values = {key: values[label] for key, values in measures.items()}
            writer.writerow(
                known | {"class": label} | _rounded(values | {"share": pixels[one.labels.by_name(label).id]})
            )
        means = {key: sum(values.values()) / max(1, len(values)) for key, values in measures.items()}
        writer.writerow(known | {"class": MEAN} | _rounded(means | {"accuracy": one.accuracy}))
    return text.getvalue()


def _rounded(values: Mapping[str, float]) -> dict[str, str]:
    return {key: f"{value:.6f}" for key, value in values.items()}
