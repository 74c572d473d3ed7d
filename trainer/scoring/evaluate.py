"""A finished model on held-out pictures, at the resolution of their masks: scores, by height, the worst of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.errors import UsageError
from seg_viewer.core.labels import LabelSet
from seg_viewer.core.scores import Scores, confusion_matrix
from seg_viewer.media.rgb_picture import RgbPicture
from trainer.data.data_set import DataSet
from trainer.recipe import Source
from trainer.scoring.heights import Heights
from trainer.scoring.worst import Apart, Rated, Worst

Predict = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
"""(H, W, 3) uint8 RGB of the network's size → (H, W) uint8 class ids."""


def to_frame(picture: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """A picture (H, W, 3) uint8 RGB at the network's (width, height), scaled as seg-viewer scales it."""
    return RgbPicture(picture).scaled_rgb(*size)


def to_mask_size(class_map: NDArray[np.uint8], mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Class map at the size of a mask, by nearest neighbour with half-pixel centres."""
    height, width = mask.shape
    return cv2.resize(class_map, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)


class MeasuredModel(NamedTuple):
    """What is measured.

    Args:
        predict: the model.
        size: (width, height) that it takes.
        labels: its classes; None where it does not say, then they are those of the data.
    """

    predict: Predict
    size: tuple[int, int]
    labels: LabelSet | None


@dataclass(frozen=True)
class Measured:
    """What one model did on one set.

    Args:
        scores: from one confusion matrix.
        heights: class → bins, see `trainer.scoring.heights`.
        worst: its worst pictures, the worst first.
    """

    scores: Scores
    heights: dict[str, list[dict[str, Any]]]
    worst: list[Rated]


def measure(
    models: Sequence[MeasuredModel],
    data: DataSet,
    worst: int = 0,
    advance: Callable[[int, int], None] | None = None,
    apart: Apart | None = None,
) -> list[Measured]:
    """Everything about the held-out pairs of a data set: each is read once, and goes through each model once.

    Args:
        models: with the classes of the masks.
        data: the data set.
        worst: how many of the worst pictures are remembered.
        advance: called with (done, all).
        apart: remembers the pictures that the models differ most on; for two models or more.

    Returns:
        One for each model, in their order.

    Raises:
        SourceError: a file is damaged.
        UsageError: a model answers a class that there is not.
    """
    classes = [model.labels or data.labels for model in models]
    totals = [np.zeros((len(labels),) * 2, np.int64) for labels in classes]
    heights = [Heights(labels) for labels in classes]
    ranks = [Worst(worst) for _ in models]
    for done, pair in enumerate(data.held_out, 1):
        picture, mask = data.read(pair)
        rated: list[Rated] = []
        for model, labels, total, by_height, rank in zip(models, classes, totals, heights, ranks, strict=True):
            class_map = model.predict(to_frame(picture, model.size))
            if class_map.max() >= len(labels):
                raise UsageError(
                    f"the model answers class {class_map.max()}, where there are only {', '.join(labels.names)}:"
                    " give the label map that it was trained with (--labels)"
                )
            predicted = to_mask_size(class_map, mask)
            matrix = confusion_matrix(mask, predicted, len(labels))
            total += matrix
            by_height.add(mask, predicted)
            rated.append(Rated(pair, Scores(1, matrix, labels), class_map))
            rank.add(rated[-1])
        if apart is not None:
            apart.add(data, rated)
        if advance:
            advance(done, len(data.held_out))
    return [
        Measured(Scores(len(data.held_out), total, labels), by_height.to_json(), rank.found)
        for labels, total, by_height, rank in zip(classes, totals, heights, ranks, strict=True)
    ]


def measure_all(model: MeasuredModel, sets: Sequence[DataSet], worst: int = 0) -> dict[str, Measured]:
    """`measure` on every data set that has held-out pictures, by name. Raises: SourceError."""
    return {data.name: measure([model], data, worst)[0] for data in sets if data.held_out}


def score_all(predict: Predict, sets: Sequence[DataSet], size: tuple[int, int], labels: LabelSet) -> dict[str, Scores]:
    """Scores on every data set that has held-out pictures, by name. Raises: SourceError."""
    found = measure_all(MeasuredModel(predict, size, labels), sets)
    return {name: measured.scores for name, measured in found.items()}


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
