"""Scores of a network under training, on all held-out pictures, from one confusion matrix."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.labels import IGNORE_ID, LabelSet
from seg_viewer.core.scores import Scores, confusion_matrix
from trainer.data.data_set import DataSet
from trainer.labels.details import details_of
from trainer.network.build import make_model
from trainer.network.losses import LossFunction
from trainer.recipe import Recipe
from trainer.run_folder.checkpoint import Arrays
from trainer.scoring.evaluate import to_frame, to_mask_size
from trainer.scoring.grids import Sample

CACHE_BYTES = 1 << 30


class Validation:
    """Scores weights at the network's size.

    Args:
        recipe: for the network, its size and the batch size.
        sets: the data sets whose held-out pictures count.
        loss: (target, logits) → scalar, as in training; or None for no loss.
    """

    def __init__(self, recipe: Recipe, sets: Sequence[DataSet], loss: LossFunction | None = None) -> None:
        self._recipe, self._loss = recipe, loss
        self.labels: LabelSet = sets[0].labels
        self._details = details_of(self.labels, sets[0].details, recipe.model.subpixel)
        self._sets = sets
        self.pairs = [(data, pair) for data in sets for pair in data.held_out]
        self.last: Scores | None = None
        self._kept: dict[int, tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]] = {}
        self._bytes = 0
        self._model: Any = None

    def on_training(self) -> Validation:
        """The same network, once it has scored something, on the training pictures; none of them is kept."""
        other = copy.copy(self)
        other.pairs = [(data, pair) for data in self._sets for pair in data.train]
        other._kept, other._bytes, other.last = {}, CACHE_BYTES, None  # noqa: SLF001 - of its own kind
        return other

    def read(self, index: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Held-out picture at the network's size and its mask at its own. Raises: SourceError."""
        return self._read(index)[:2]

    def _read(self, index: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
        """As `read`, and what the loss compares with: ids of `details` at the size of the logits."""
        if index in self._kept:
            return self._kept[index]
        data, pair = self.pairs[index]
        picture, mask = data.read(pair)
        finer = mask if data.details is None else data.read_details(pair, picture)
        width, height = (side // self._recipe.model.logits_stride for side in self._recipe.run.size)
        target = np.asarray(cv2.resize(finer, (width, height), interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)
        read = (to_frame(picture, self._recipe.run.size), mask, target)
        if self._bytes < CACHE_BYTES:
            self._kept[index] = read
            self._bytes += sum(part.nbytes for part in read)
        return read

    def predict(
        self, weights: Arrays, indices: Sequence[int]
    ) -> Iterator[tuple[list[int], NDArray[np.floating], NDArray[np.uint8]]]:
        """Held-out pictures in batches, as large as those of training, the last one smaller.

        Yields:
            indices, what the network gives (N, h, w, channels), class maps (N, H, W) uint8 at the network's size.
        """
        model = self._ready(weights)
        size = self._recipe.run.batch_size
        for start in range(0, len(indices), size):
            chosen = list(indices[start : start + size])
            pictures = np.stack([self.read(index)[0] for index in chosen])
            full = np.concatenate([pictures, np.repeat(pictures[-1:], size - len(chosen), axis=0)])
            logits, maps = model.predict_on_batch(full.astype(np.float32))
            yield chosen, logits[: len(chosen)], np.asarray(maps[: len(chosen)], np.uint8)

    def class_maps(self, weights: Arrays, indices: Sequence[int]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """Index and class map (H, W) uint8, at the network's size, of each."""
        for chosen, _, maps in self.predict(weights, indices):
            yield from zip(chosen, maps, strict=True)

    def score(self, weights: Arrays, between: Callable[[], None] = lambda: None) -> dict[str, float]:
        """Columns val_loss, val_accuracy, val_miou, val_dice and val_iou_NAME; empty when nothing can be scored.

        The loss is that of training, over batches of the same size.

        Args:
            weights: of the network.
            between: called after each batch; may raise.

        Raises:
            SourceError: a file is damaged.
        """
        classes = len(self.labels)
        matrix = np.zeros((classes, classes), np.int64)
        losses: list[tuple[float, int]] = []
        for chosen, logits, maps in self.predict(weights, range(len(self.pairs))):
            for index, class_map in zip(chosen, maps, strict=True):
                mask = self.read(index)[1]
                matrix += confusion_matrix(mask, to_mask_size(class_map, mask), classes)
            if self._loss is not None:
                target = np.stack([self._read(index)[2] for index in chosen])
                if (target != IGNORE_ID).any():
                    losses.append((float(self._loss(target, logits)), len(chosen)))
            between()
        self.last = Scores(len(self.pairs), matrix, self.labels) if matrix.any() else None
        if self.last is None:
            return {}
        scores = self.last
        row = {"val_loss": sum(loss * count for loss, count in losses) / sum(n for _, n in losses)} if losses else {}
        row |= {"val_accuracy": scores.accuracy, "val_miou": scores.miou, "val_dice": scores.mdice}
        return row | {f"val_iou_{name}": value for name, value in scores.iou.items()}

    def samples(self, weights: Arrays, indices: Sequence[int]) -> list[Sample]:
        """Held-out pictures with their answers."""
        out = []
        for index, class_map in self.class_maps(weights, indices):
            picture, mask = self.read(index)
            predicted = to_mask_size(class_map, mask)
            matrix = confusion_matrix(mask, predicted, len(self.labels))
            data, pair = self.pairs[index]
            miou = Scores(1, matrix, self.labels).miou
            out.append(Sample(f"{data.name}/{pair.picture.name}", picture, mask, predicted, miou))
        return out

    def _ready(self, weights: Arrays) -> Any:
        """A network of its own (the one under training stays as it is): what that one gives, and class maps."""
        import keras
        from keras import ops

        if self._model is None:
            width, height = self._recipe.run.size
            inner = make_model(self._recipe, self._details, (width, height))
            full = self._details.fold(inner.output)
            if self._recipe.model.logits_stride > 1:
                full = ops.image.resize(full, (height, width), interpolation="bilinear")
            self._model = keras.Model(inner.input, [inner.output, ops.argmax(full, axis=-1)])
            self._inner = inner
        self._inner.set_weights(weights)
        return self._model
