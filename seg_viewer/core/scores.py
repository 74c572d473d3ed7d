"""Prediction against ground truth: the confusion matrix, what follows from it, and both while a clip plays."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.frame import ByteArray
from seg_viewer.core.labels import DRIVING, IGNORE_ID, LabelSet

WINDOW_FRAMES = 100
_PLACES = 6


def confusion_matrix(truth: NDArray[np.uint8], predicted: NDArray[np.integer], classes: int) -> NDArray[np.int64]:
    """Pixel counts [truth, predicted], shape (classes, classes), int64; pixels with truth 255 are not counted.

    Raises:
        ValueError: the shapes differ, or an id is outside 0…classes − 1.
    """
    if truth.shape != predicted.shape:
        raise ValueError(f"truth is {truth.shape}, predicted {predicted.shape}")
    kept = truth != IGNORE_ID
    rows, columns = truth[kept].astype(np.int64), predicted[kept].astype(np.int64)
    for ids in (rows, columns):
        outside = ids[(ids < 0) | (ids >= classes)]
        if outside.size:
            raise ValueError(f"class id {int(outside[0])} is outside 0…{classes - 1}")
    return np.bincount(rows * classes + columns, minlength=classes * classes).reshape(classes, classes)


@dataclass(frozen=True)
class Scores:
    """Scores of a set of pictures, all from one confusion matrix; means are over the classes that the truth holds.

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
    def class_iou(self) -> NDArray[np.float64]:
        """Intersection over union, TP / (TP + FP + FN), of every class, shape (classes,); 0 where there is no pixel."""
        hit, wrong, missed = self._counts
        return np.asarray(hit / np.maximum(hit + wrong + missed, 1.0))

    @property
    def iou(self) -> dict[str, float]:
        """`class_iou` of each class that occurs in the truth."""
        return self._by_class(self.class_iou)

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
        """As stored in a model file: shares of 1, rounded so finely that a percentage of them is rounded once."""
        return {
            "pictures": self.pictures,
            "miou": round(self.miou, _PLACES),
            "iou": {name: round(value, _PLACES) for name, value in self.iou.items()},
            "accuracy": round(self.accuracy, _PLACES),
        }

    def to_full_json(self) -> dict[str, Any]:
        """Everything, with the confusion matrix."""
        more = {
            name: {label: round(value, _PLACES) for label, value in getattr(self, name).items()}
            for name in ("dice", "precision", "recall")
        }
        counted = {"classes": len(self.iou), "mdice": round(self.mdice, _PLACES), "matrix": self.matrix.tolist()}
        return self.to_json() | more | counted


@dataclass(frozen=True)
class Score:
    """Scores of one frame, or of the latest frames together.

    Args:
        frames: how many frames it is of.
        iou: intersection over union, TP / (TP + FP + FN), 0…1, by class name; classes that neither the truth nor the
            prediction holds are left out.
        miou: mean of `iou` over the classes that the truth holds; None when it holds none.
        accuracy: share of the labelled pixels that are right, 0…1; None without any.
    """

    frames: int
    iou: dict[str, float]
    miou: float | None
    accuracy: float | None


def truth_for(truth: ByteArray, labels: LabelSet, width: int, height: int) -> ByteArray:
    """Ground truth as a model of those labels would have to answer.

    Args:
        truth: class ids of `DRIVING`, shape (H, W), uint8, 255 = ignore.
        labels: of the model; a class of the truth that it does not have is ignored.
        width: of the class maps, pixels; each takes the pixel of the truth under its middle.
        height: likewise.

    Returns:
        shape (height, width), uint8.
    """
    table = np.full(256, IGNORE_ID, np.uint8)
    ids = {label.name: label.id for label in labels}
    for label in DRIVING:
        table[label.id] = ids.get(label.name, IGNORE_ID)
    rows = ((np.arange(height) + 0.5) * truth.shape[0] / height).astype(int)
    columns = ((np.arange(width) + 0.5) * truth.shape[1] / width).astype(int)
    return np.asarray(table[truth[rows[:, None], columns]], np.uint8)


def wrong_pixels(classes: ByteArray, truth: ByteArray) -> NDArray[np.bool_]:
    """Where a class map (h, w), uint8, differs from its truth of the same shape; ignored pixels are never wrong."""
    return (classes != truth) & (truth != IGNORE_ID)


class LiveScore:
    """A running confusion matrix over the latest frames. Fed on one thread, read from any.

    Args:
        labels: of the model.
        window: how many frames are counted together.
    """

    def __init__(self, labels: LabelSet, window: int = WINDOW_FRAMES) -> None:
        self.labels = labels
        self._lock = threading.Lock()
        self._size = len(labels)
        self._window: deque[NDArray[np.int64]] = deque(maxlen=window)
        self._sum = np.zeros((self._size, self._size), np.int64)

    def add(self, classes: ByteArray, truth: ByteArray) -> Score:
        """Count one frame.

        Args:
            classes: what the model says, shape (h, w), uint8.
            truth: what is there, shape (h, w), uint8, 255 = ignore; see `truth_for`.

        Returns:
            the score of this frame alone.

        Raises:
            ValueError: the shapes differ, or a class map holds an id that no class has.
        """
        matrix = confusion_matrix(truth, classes, self._size)
        with self._lock:
            if len(self._window) == self._window.maxlen:
                self._sum -= self._window[0]
            self._window.append(matrix)
            self._sum += matrix
        return self._score(matrix, 1)

    def score(self) -> Score:
        """Of the frames in the window together."""
        with self._lock:
            return self._score(self._sum.copy(), len(self._window))

    def _score(self, matrix: NDArray[np.int64], frames: int) -> Score:
        """`matrix`: pixels [truth, prediction]."""
        scores = Scores(frames, matrix, self.labels)
        counted = matrix.sum(axis=0) + matrix.sum(axis=1)
        iou = {label.name: float(scores.class_iou[label.id]) for label in self.labels if counted[label.id]}
        return Score(
            frames,
            iou,
            scores.miou if scores.iou else None,
            scores.accuracy if matrix.any() else None,
        )
