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

    @property
    def iou(self) -> dict[str, float]:
        """Intersection over union, TP / (TP + FP + FN), of each class that occurs in the truth."""
        hit, truth = np.diag(self.matrix).astype(float), self.matrix.sum(1)
        union = self.matrix.sum(0) + truth - hit
        return {label.name: hit[label.id] / union[label.id] for label in self.labels if truth[label.id] > 0}

    @property
    def miou(self) -> float:
        """Mean of `iou`; 0 when there are none."""
        return float(np.mean(list(self.iou.values()))) if self.iou else 0.0

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


def table_text(scores: Mapping[str, Scores]) -> str:
    """The scores as lines of text, in percent."""
    lines = []
    for name, score in scores.items():
        classes = "  ".join(f"{label} {value * 100:5.1f}" for label, value in score.iou.items())
        lines.append(f"{name:10} {score.pictures:4} pictures  mIoU {score.miou * 100:5.1f}  {classes}")
    return "\n".join(lines)
