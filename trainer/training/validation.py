"""Scores of a network under training, on all held-out pictures, from one confusion matrix."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.labels import IGNORE_ID, LabelSet
from seg_viewer.core.scores import Scores, confusion_matrix
from trainer.data.data_set import DataSet
from trainer.labels.details import details_of
from trainer.network.build import make_model
from trainer.network.compiled import compiled
from trainer.network.losses import LossFunction
from trainer.recipe import Recipe
from trainer.run_folder.checkpoint import Arrays
from trainer.scoring.evaluate import to_frame, to_mask_size
from trainer.scoring.grids import Sample

CACHE_BYTES = 1 << 30


class Answers(NamedTuple):
    """What a network makes of a batch of held-out pictures.

    Args:
        indices: which, N of them.
        loss: of the batch; None where every pixel is ignored.
        maps: (N, H, W) uint8 classes at the network's size.
        masks: what is right, each at its own size.
    """

    indices: list[int]
    loss: float | None
    maps: NDArray[np.uint8]
    masks: list[NDArray[np.uint8]]


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

    def predict(self, weights: Arrays, indices: Sequence[int]) -> Iterator[Answers]:
        """Held-out pictures in batches, as large as those of training, the last one smaller.

        Pictures of the next batch are read while the device works on one.
        """
        from keras import ops

        answer = self._ready(weights)
        size = self._recipe.run.batch_size
        parts = [list(indices[start : start + size]) for start in range(0, len(indices), size)]
        if not parts:
            return
        with ThreadPoolExecutor(1, thread_name_prefix="held-out") as reader:
            ahead = reader.submit(self._batch, parts[0])
            for number, chosen in enumerate(parts):
                pictures, targets, masks = ahead.result()
                if number + 1 < len(parts):
                    ahead = reader.submit(self._batch, parts[number + 1])
                loss, maps = answer(pictures, targets)
                counts = self._loss is not None and bool((targets != IGNORE_ID).any())
                kept = np.asarray(ops.convert_to_numpy(maps)[: len(chosen)], np.uint8)
                yield Answers(chosen, float(loss) if counts else None, kept, masks)

    def _batch(self, chosen: list[int]) -> tuple[NDArray[np.uint8], NDArray[np.uint8], list[NDArray[np.uint8]]]:
        """Pictures and targets of a whole batch, the last one filled up with what is ignored, and the masks."""
        read = [self._read(index) for index in chosen]
        size = self._recipe.run.batch_size
        pictures = np.stack([picture for picture, _, _ in read] + [read[-1][0]] * (size - len(read)))
        ignored = np.full_like(read[-1][2], IGNORE_ID)
        targets = np.stack([target for _, _, target in read] + [ignored] * (size - len(read)))
        return pictures, targets, [mask for _, mask, _ in read]

    def class_maps(self, weights: Arrays, indices: Sequence[int]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """Index and class map (H, W) uint8, at the network's size, of each."""
        for answers in self.predict(weights, indices):
            yield from zip(answers.indices, answers.maps, strict=True)

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
        for answers in self.predict(weights, range(len(self.pairs))):
            for mask, class_map in zip(answers.masks, answers.maps, strict=True):
                matrix += confusion_matrix(mask, to_mask_size(class_map, mask), classes)
            if answers.loss is not None:
                losses.append((answers.loss, len(answers.indices)))
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

    def _ready(self, weights: Arrays) -> Callable[[Any, Any], tuple[Any, Any]]:
        """(pictures uint8, targets uint8) → loss, class maps uint8 at the network's size, in one compiled function.

        Of a network of its own: the one under training stays as it is.
        """
        import keras
        from keras import ops

        if self._model is None:
            width, height = self._recipe.run.size
            self._model = model = make_model(self._recipe, self._details, (width, height))
            by_values = keras.backend.backend() == "jax"

            def answer(values: list[Any], pictures: Any, targets: Any) -> tuple[Any, Any]:
                frames = ops.cast(pictures, "float32")
                if by_values:
                    logits, _ = model.stateless_call(*values, frames, training=False)
                else:
                    logits = model(frames, training=False)
                full = self._details.fold(logits)
                if self._recipe.model.logits_stride > 1:
                    full = ops.image.resize(full, (height, width), interpolation="bilinear")
                loss = 0.0 if self._loss is None else self._loss(targets, logits)
                return loss, ops.cast(ops.argmax(full, axis=-1), "uint8")

            self._answer = compiled(answer)
        model = self._model
        model.set_weights(weights)
        values: list[Any] = []
        if keras.backend.backend() == "jax":
            values = [[v.value for v in part] for part in (model.trainable_variables, model.non_trainable_variables)]
        return lambda pictures, targets: self._answer(values, pictures, targets)
