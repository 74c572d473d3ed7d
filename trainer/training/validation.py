"""Scores of a network under training, on all held-out pictures, from one confusion matrix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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

CACHE_BYTES = 1 << 30


@dataclass(frozen=True)
class Sample:
    """One held-out picture with its answer.

    Args:
        name: data set and file.
        picture: (H, W, 3) uint8 RGB at the network's size.
        truth, predicted: (h, w) uint8 class ids at the mask's size.
        miou: mean IoU of this picture.
    """

    name: str
    picture: NDArray[np.uint8]
    truth: NDArray[np.uint8]
    predicted: NDArray[np.uint8]
    miou: float


class Validation:
    """Scores weights at the network's size.

    Args:
        recipe: for the network, its size and the batch size.
        sets: the data sets whose held-out pictures count.
        loss: (target, logits) → scalar, or None for no loss.
    """

    def __init__(self, recipe: Recipe, sets: Sequence[DataSet], loss: LossFunction | None = None) -> None:
        self._recipe, self._loss = recipe, loss
        self.labels: LabelSet = sets[0].labels
        self._details = details_of(self.labels, sets[0].details, recipe.model.subpixel)
        self.pairs = [(data, pair) for data in sets for pair in data.held_out]
        self.last: Scores | None = None
        self._kept: dict[int, tuple[NDArray[np.uint8], NDArray[np.uint8]]] = {}
        self._bytes = 0
        self._model: Any = None

    def read(self, index: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Held-out picture at the network's size and its mask at its own. Raises: SourceError."""
        if index in self._kept:
            return self._kept[index]
        data, pair = self.pairs[index]
        picture, mask = data.read(pair)
        read = (to_frame(picture, self._recipe.run.size), mask)
        if self._bytes < CACHE_BYTES:
            self._kept[index] = read
            self._bytes += read[0].nbytes + mask.nbytes
        return read

    def predict(
        self, weights: Arrays, indices: Sequence[int]
    ) -> Iterator[tuple[int, NDArray[np.floating], NDArray[np.uint8]]]:
        """Held-out pictures: (index, logits (h, w, C), class map (H, W) uint8 at the network's size) of each."""
        model = self._ready(weights)
        size = self._recipe.run.batch_size
        for start in range(0, len(indices), size):
            chosen = list(indices[start : start + size])
            pictures = np.stack([self.read(index)[0] for index in chosen])
            full = np.concatenate([pictures, np.repeat(pictures[-1:], size - len(chosen), axis=0)])
            logits, maps = model.predict_on_batch(full.astype(np.float32))
            for place, index in enumerate(chosen):
                yield index, logits[place], np.asarray(maps[place], np.uint8)

    def score(self, weights: Arrays) -> dict[str, float]:
        """Columns val_loss, val_accuracy, val_miou, val_dice and val_iou_NAME; empty when nothing is held out.

        Raises: SourceError.
        """
        if not self.pairs:
            self.last = None
            return {}
        classes = len(self.labels)
        matrix = np.zeros((classes, classes), np.int64)
        losses = []
        for index, logits, class_map in self.predict(weights, range(len(self.pairs))):
            mask = self.read(index)[1]
            matrix += confusion_matrix(mask, to_mask_size(class_map, mask), classes)
            if self._loss is not None:
                target = cv2.resize(mask, logits.shape[1::-1], interpolation=cv2.INTER_NEAREST_EXACT)
                if (target != IGNORE_ID).any():
                    losses.append(float(self._loss(target[None], logits[None])))
        scores = self.last = Scores(len(self.pairs), matrix, self.labels)
        row = {"val_loss": float(np.mean(losses))} if losses else {}
        row |= {"val_accuracy": scores.accuracy, "val_miou": scores.miou, "val_dice": scores.mdice}
        return row | {f"val_iou_{name}": value for name, value in scores.iou.items()}

    def samples(self, weights: Arrays, indices: Sequence[int]) -> list[Sample]:
        """Held-out pictures with their answers."""
        out = []
        for index, _, class_map in self.predict(weights, indices):
            picture, mask = self.read(index)
            predicted = to_mask_size(class_map, mask)
            matrix = confusion_matrix(mask, predicted, len(self.labels))
            data, pair = self.pairs[index]
            miou = Scores(1, matrix, self.labels).miou
            out.append(Sample(f"{data.name}/{pair.picture.name}", picture, mask, predicted, miou))
        return out

    def _ready(self, weights: Arrays) -> Any:
        """A network of its own (the one under training stays as it is) that gives logits and class maps."""
        import keras
        from keras import ops

        if self._model is None:
            width, height = self._recipe.run.size
            inner = make_model(self._recipe, self._details, (width, height))
            logits = self._details.fold(inner.output)
            full = logits
            if self._recipe.model.logits_stride > 1:
                full = ops.image.resize(logits, (height, width), interpolation="bilinear")
            self._model = keras.Model(inner.input, [logits, ops.argmax(full, axis=-1)])
            self._inner = inner
        self._inner.set_weights(weights)
        return self._model
