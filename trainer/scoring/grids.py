"""Grids of pictures: truth and prediction of what a data set knows, prediction alone of what nobody labelled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.labels import IGNORE_ID, LabelSet
from trainer.drawing.legend import IGNORED, WRONG, Legend
from trainer.drawing.pictures import Rgb, colored, errors, fit, overlay, tiles

SEQUENCE = 50
TILE_WIDTH = 240
HEADER = ("picture", "truth", "prediction", "error")
UNKNOWN = ("picture", "prediction", "overlay")


@dataclass(frozen=True)
class Sample:
    """One picture with its truth and its answer.

    Args:
        name: data set and file.
        picture: (H, W, 3) uint8 RGB.
        truth, predicted: (h, w) uint8 class ids at the mask's size.
        miou: mean IoU of this picture.
    """

    name: str
    picture: NDArray[np.uint8]
    truth: NDArray[np.uint8]
    predicted: NDArray[np.uint8]
    miou: float


def sample_row(sample: Sample, labels: LabelSet, width: int = TILE_WIDTH) -> list[Rgb]:
    """Picture, truth, prediction and error of a sample, each `width` pixels wide."""
    height, full = sample.picture.shape[:2]
    size = (width, max(1, round(height * width / full)))
    picture = fit(sample.picture, size)
    truth, predicted = (fit(part, size, nearest=True) for part in (sample.truth, sample.predicted))
    return [
        picture,
        colored(truth, labels),
        colored(predicted, labels),
        errors(picture, truth, predicted),
    ]


def sample_grid(samples: Sequence[Sample], labels: LabelSet) -> Rgb:
    """One row for each sample: picture · truth · prediction · error."""
    rows = [sample_row(sample, labels) for sample in samples]
    captions = [f"{s.name}   mIoU {s.miou * 100:.1f}" for s in samples]
    return tiles(rows, captions, legend_of(samples, labels), HEADER)


def sequence_view(samples: Sequence[Sample], labels: LabelSet, width: int = 160) -> Rgb:
    """Pictures in their order, two samples to a row."""
    rows = [sample_row(sample, labels, width) for sample in samples]
    pairs = [[cell for row in rows[start : start + 2] for cell in row] for start in range(0, len(rows), 2)]
    both = [f"{s.name}   mIoU {s.miou * 100:.1f}" for s in samples]
    names = [tuple(both[start : start + 2]) for start in range(0, len(both), 2)]
    return tiles(pairs, names, legend_of(samples, labels), HEADER * min(2, len(samples)))


def legend_of(samples: Sequence[Sample], labels: LabelSet) -> Legend:
    """What the colours of `sample_row` mean."""
    ignores = any((sample.truth == IGNORE_ID).any() for sample in samples)
    return Legend(labels, more={"wrong": WRONG} | ({"not labelled": IGNORED} if ignores else {}))


def random_run(count: int, rng: np.random.Generator, most: int = SEQUENCE) -> list[int]:
    """Up to `most` numbers below `count` that follow each other, from a random one on, beginning again at the end."""
    start = int(rng.integers(count)) if count else 0
    return [(start + step) % count for step in range(min(most, count))]


def predicted_row(picture: Rgb, class_map: NDArray[np.uint8], labels: LabelSet, width: int = TILE_WIDTH) -> list[Rgb]:
    """Picture, prediction and overlay of a picture that has no truth, each `width` pixels wide."""
    height, full = picture.shape[:2]
    size = (width, max(1, round(height * width / full)))
    small = fit(picture, size)
    ids = cv2.resize(class_map, size, interpolation=cv2.INTER_NEAREST_EXACT)
    return [small, colored(ids, labels), overlay(small, ids, labels)]


def predicted_grid(rows: Sequence[Sequence[Rgb]], names: Sequence[str], labels: LabelSet) -> Rgb:
    """The rows of `predicted_row` under a legend."""
    return tiles(rows, names, Legend(labels), UNKNOWN)
