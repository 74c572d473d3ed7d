"""Scores of a model on the held-out pictures, at the resolution of their masks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.errors import SourceError
from seg_viewer.core.labels import LabelSet
from trainer import datasets
from trainer.datasets import DataSet
from trainer.metrics import Scores, confusion_matrix
from trainer.mix import folder_of
from trainer.recipe import Recipe

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


def score(predict: Predict, data: DataSet, size: tuple[int, int], labels: LabelSet) -> Scores:
    """Scores on the held-out pairs of a data set.

    Args:
        predict: the model.
        data: the data set.
        size: (width, height) that `predict` takes.
        labels: classes of the masks.

    Raises:
        SourceError: a file is damaged.
    """
    total = np.zeros((len(labels), len(labels)), np.int64)
    for pair in data.held_out:
        picture, mask = data.read(pair)
        class_map = predict(to_frame(picture, size))
        total += confusion_matrix(mask, to_mask_size(class_map, mask), len(labels))
    return Scores(len(data.held_out), total, labels)


def found_sets(recipe: Recipe, roots: Sequence[Path]) -> Iterator[DataSet]:
    """The recipe's data sets; optional ones that are missing are left out. Raises: SourceError."""
    for source in recipe.data:
        try:
            yield datasets.find(source.kind, folder_of(source, roots), source.name or None)
        except SourceError:
            if not source.optional:
                raise


def score_all(predict: Predict, recipe: Recipe, roots: Sequence[Path], labels: LabelSet) -> dict[str, Scores]:
    """Scores on every data set of a recipe that has held-out pictures, by name. Raises: SourceError."""
    sets = [found for found in found_sets(recipe, roots) if found.held_out]
    return {found.name: score(predict, found, recipe.augment.frame, labels) for found in sets}


def training_frames(recipe: Recipe, roots: Sequence[Path], count: int, seed: int = 0) -> list[NDArray[np.uint8]]:
    """Training pictures at the network's size, drawn by the recipe's weights without repeats (for calibration).

    Returns:
        At most `count` arrays (H, W, 3) uint8 RGB.
    """
    rng = np.random.default_rng(seed)
    weights = {source.name or source.kind: source.weight for source in recipe.data}
    sets = [found for found in found_sets(recipe, roots) if found.train]
    total = sum(weights[found.name] for found in sets)
    frames: list[NDArray[np.uint8]] = []
    for found in sets:
        share = min(len(found.train), max(1, round(count * weights[found.name] / total)))
        for index in sorted(rng.choice(len(found.train), share, replace=False)):
            picture, _ = found.read(found.train[index])
            frames.append(to_frame(picture, recipe.augment.frame))
    return frames
