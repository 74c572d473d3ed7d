"""Scores of class maps, all from one confusion matrix; numpy only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.labels import IGNORE_ID, LabelSet


def confusion_matrix(truth: NDArray[np.uint8], predicted: NDArray[np.integer], classes: int) -> NDArray[np.int64]:
    """Pixel counts [truth, predicted], shape (classes, classes), int64; pixels with truth 255 are not counted.

    Raises:
        ValueError: the shapes differ, or an id is outside 0…classes − 1.
    """
    if truth.shape != predicted.shape:
        raise ValueError(f"truth is {truth.shape}, predicted {predicted.shape}")
    kept = truth != IGNORE_ID
    rows, columns = truth[kept].astype(np.int64), predicted[kept].astype(np.int64)
    if rows.size and (rows.max() >= classes or columns.max() >= classes or columns.min() < 0):
        raise ValueError(f"class ids outside 0…{classes - 1}")
    return np.bincount(rows * classes + columns, minlength=classes * classes).reshape(classes, classes)


@dataclass(frozen=True)
class Scores:
    """Scores of one set.

    Args:
        pictures: how many pictures were counted.
        matrix: confusion matrix [truth, predicted] in pixels.
        labels: the classes.
    """

    pictures: int
    matrix: NDArray[np.int64]
    labels: LabelSet

    def _by_class(self, share: NDArray[np.float64]) -> dict[str, float]:
        """Values of the classes that occur in the truth."""
        truth = self.matrix.sum(1)
        return {label.name: float(share[label.id]) for label in self.labels if truth[label.id] > 0}

    @property
    def _counts(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """True positives, false positives, false negatives of each class."""
        hit = np.diag(self.matrix).astype(float)
        return hit, self.matrix.sum(0) - hit, self.matrix.sum(1) - hit

    @property
    def iou(self) -> dict[str, float]:
        """Intersection over union, TP / (TP + FP + FN), of each class that occurs in the truth."""
        hit, wrong, missed = self._counts
        return self._by_class(hit / np.maximum(hit + wrong + missed, 1.0))

    @property
    def dice(self) -> dict[str, float]:
        """Dice coefficient (F1), 2 TP / (2 TP + FP + FN), of each class that occurs in the truth."""
        hit, wrong, missed = self._counts
        return self._by_class(2 * hit / np.maximum(2 * hit + wrong + missed, 1.0))

    @property
    def precision(self) -> dict[str, float]:
        """TP / (TP + FP) of each class that occurs in the truth; 0 when it is never predicted."""
        hit, wrong, _ = self._counts
        return self._by_class(hit / np.maximum(hit + wrong, 1.0))

    @property
    def recall(self) -> dict[str, float]:
        """TP / (TP + FN) of each class that occurs in the truth."""
        hit, _, missed = self._counts
        return self._by_class(hit / np.maximum(hit + missed, 1.0))

    @property
    def miou(self) -> float:
        """Mean of `iou`; 0 when there are none."""
        return float(np.mean(list(self.iou.values()))) if self.iou else 0.0

    @property
    def mdice(self) -> float:
        """Mean of `dice`; 0 when there are none."""
        return float(np.mean(list(self.dice.values()))) if self.dice else 0.0

    @property
    def accuracy(self) -> float:
        """Share of pixels that are right; 0 when there are none."""
        return float(np.trace(self.matrix) / max(1, self.matrix.sum()))

    def to_json(self) -> dict[str, Any]:
        """As stored in a model file: shares of 1, rounded to 4 places."""
        return {
            "pictures": self.pictures,
            "miou": round(self.miou, 4),
            "iou": {name: round(value, 4) for name, value in self.iou.items()},
            "accuracy": round(self.accuracy, 4),
        }

    def to_full_json(self) -> dict[str, Any]:
        """Everything, with the confusion matrix."""
        more = {
            name: {label: round(value, 4) for label, value in getattr(self, name).items()}
            for name in ("dice", "precision", "recall")
        }
        counted = {"classes": len(self.iou), "mdice": round(self.mdice, 4), "matrix": self.matrix.tolist()}
        return self.to_json() | more | counted


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
        f"{name}: {score.pictures} pictures, pixel accuracy {score.accuracy * 100:.2f}, mIoU {score.miou * 100:.2f},"
        f" mean Dice {score.mdice * 100:.2f} ({len(score.iou)} of {len(score.labels)} classes occur)",
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
    lines = [f"{name}: {one.pictures} pictures, IoU", f"  {'class':{width}} {' '.join(heads)} {'change':>8}"]
    rows = {label: (value, other.iou[label]) for label, value in one.iou.items()}
    for label, values in (rows | {"mIoU": (one.miou, other.miou)}).items():
        shown = " ".join(f"{value * 100:{len(head)}.2f}" for value, head in zip(values, heads, strict=True))
        lines.append(f"  {label:{width}} {shown} {(values[1] - values[0]) * 100:+8.2f}")
    return "\n".join(lines)
