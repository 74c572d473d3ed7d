"""The training step as Keras' own train_on_batch, for Torch."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from seg_viewer.core.labels import IGNORE_ID
from trainer.labels.details import Details
from trainer.network.build import make_model
from trainer.network.losses import LossFunction
from trainer.recipe import Recipe
from trainer.training.held import HeldByKeras
from trainer.training.optimizer import count_right, make_optimizer, set_rate


class KerasStepper(HeldByKeras):
    """See `trainer.training.step.Stepper`."""

    worker, workers = 0, 1
    skips = False

    def __init__(self, recipe: Recipe, details: Details, loss: LossFunction, updates: int) -> None:
        super().__init__()
        self._counts = details.folded_ids() != IGNORE_ID
        self.model = make_model(recipe, details, recipe.crop, updates)
        self.optimizer = make_optimizer(recipe)
        metrics = [_pixel_metrics(details)]
        self.model.compile(self.optimizer, loss, metrics=metrics, jit_compile="auto", auto_scale_loss=False)
        self.optimizer.build(self.model.trainable_variables)

    def scope(self) -> AbstractContextManager[Any]:
        """As in `Stepper`."""
        return nullcontext()

    def put(self, pictures: Any, masks: Any) -> Any:
        """As in `Stepper`."""
        return np.asarray(pictures).astype(np.float32), np.array(masks)

    def step(self, batch: Any, rate: float) -> None:
        """As in `Stepper`."""
        pictures, masks = batch
        set_rate(self.optimizer, rate)
        self.model.reset_metrics()
        logs = self.model.train_on_batch(np.asarray(pictures, np.float32), np.asarray(masks), return_dict=True)
        counted = float(np.sum(self._counts[np.asarray(masks)]))
        self._rows.append((logs["loss"], logs["accuracy"] * counted, counted, np.isfinite(float(logs["loss"]))))


def _pixel_metrics(details: Details) -> Any:
    """Pixel accuracy over the pixels that are not ignored, as a Keras metric called "accuracy"."""
    import keras
    from keras import ops

    class PixelAccuracy(keras.metrics.Metric):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(name="accuracy")
            self.right = self.add_variable((), "zeros", name="right")
            self.counted = self.add_variable((), "zeros", name="counted")

        def update_state(self, target: Any, logits: Any, sample_weight: Any = None) -> None:
            right, counted = count_right(target, logits, details)
            self.right.assign_add(right)
            self.counted.assign_add(counted)

        def result(self) -> Any:
            return self.right / ops.maximum(self.counted, 1.0)

    return PixelAccuracy()
