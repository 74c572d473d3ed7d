"""Scores of a finished model on held-out pictures, at the resolution of their masks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.labels import LabelSet
from trainer.datasets import DataSet
from trainer.metrics import Scores, confusion_matrix
from trainer.recipe import Source

Predict = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
"""(H, W, 3) uint8 RGB of the network's size → (H, W) uint8 class ids."""


def to_frame(picture: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Stretch a picture to the network's (width, height); by area where it shrinks both ways, else bilinear."""
    height, width = picture.shape[:2]
    shrinks = size[0] < width and size[1] < height
    out = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return np.ascontiguousarray(out)


def to_mask_size(class_map: NDArray[np.uint8], mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Class map at the size of a mask, by nearest neighbour with half-pixel centres."""
    height, width = mask.shape
    return cv2.resize(class_map, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)


def score(
    predict: Predict,
    data: DataSet,
    size: tuple[int, int],
    labels: LabelSet,
    advance: Callable[[int, int], None] | None = None,
) -> Scores:
    """Scores on the held-out pairs of a data set.

    Args:
        predict: the model.
        data: the data set.
        size: (width, height) that `predict` takes.
        labels: classes of the masks.
        advance: called with (done, all).

    Raises:
        SourceError: a file is damaged.
    """
    total = np.zeros((len(labels), len(labels)), np.int64)
    for done, pair in enumerate(data.held_out, 1):
        picture, mask = data.read(pair)
        class_map = predict(to_frame(picture, size))
        total += confusion_matrix(mask, to_mask_size(class_map, mask), len(labels))
        if advance:
            advance(done, len(data.held_out))
    return Scores(len(data.held_out), total, labels)


def score_all(predict: Predict, sets: Sequence[DataSet], size: tuple[int, int], labels: LabelSet) -> dict[str, Scores]:
    """Scores on every data set that has held-out pictures, by name. Raises: SourceError."""
    return {data.name: score(predict, data, size, labels) for data in sets if data.held_out}


def training_frames(
    found: Sequence[tuple[Source, DataSet]], size: tuple[int, int], count: int, seed: int = 0
) -> list[NDArray[np.uint8]]:
    """Training pictures at the network's size, drawn by the recipe's weights without repeats (for calibration).

    Returns:
        At most about `count` arrays (H, W, 3) uint8 RGB.
    """
    rng = np.random.default_rng(seed)
    sets = [(source.weight or len(data.train), data) for source, data in found if data.train]
    total = sum(weight for weight, _ in sets)
    frames: list[NDArray[np.uint8]] = []
    for weight, data in sets:
        share = min(len(data.train), max(1, round(count * weight / total)))
        for index in sorted(rng.choice(len(data.train), share, replace=False)):
            picture, _ = data.read(data.train[index])
            frames.append(to_frame(picture, size))
    return frames
