"""Prediction against ground truth, frame by frame while it plays."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.frame import ByteArray
from seg_viewer.core.labels import DRIVING, IGNORE_ID, LabelSet

WINDOW_FRAMES = 100


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
        if classes.shape != truth.shape:
            raise ValueError(f"the class map is {classes.shape}, the truth {truth.shape}")
        if int(classes.max(initial=0)) >= self._size:
            raise ValueError(f"class id {int(classes.max())} is outside 0…{self._size - 1}")
        kept = truth != IGNORE_ID
        pairs = truth[kept].astype(np.int64) * self._size + classes[kept]
        matrix = np.bincount(pairs, minlength=self._size**2).reshape(self._size, self._size)
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
        hits, truth = np.diag(matrix), matrix.sum(axis=1)
        union = truth + matrix.sum(axis=0) - hits
        iou = {label.name: float(hits[label.id] / union[label.id]) for label in self.labels if union[label.id]}
        there = [iou[label.name] for label in self.labels if truth[label.id]]
        pixels = int(matrix.sum())
        return Score(
            frames,
            iou,
            float(np.mean(there)) if there else None,
            float(hits.sum() / pixels) if pixels else None,
        )
