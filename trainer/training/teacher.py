"""Distillation: a network also learns what a larger one that is trained already answers (Hinton et al., 2015)."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from seg_viewer.core.errors import UsageError
from trainer.labels.details import Details
from trainer.network.build import make_model
from trainer.recipe import Recipe, read_recipe
from trainer.run_folder.checkpoint import RECIPE, load_weights


def soft_cross_entropy(truth: Any, logits: Any) -> Any:
    """L = −mean Σ_c q[c] log p[c], p and q the softmax of (N, h, w, C) float logits; scalar float32.

    Args:
        truth: the teacher's logits.
        logits: the learning network's.
    """
    from keras import ops

    q = ops.softmax(ops.cast(truth, "float32"), axis=-1)
    return -ops.mean(ops.sum(q * ops.log_softmax(ops.cast(logits, "float32"), axis=-1), axis=-1))


class Teacher:
    """The network of the run that `recipe.loss.teacher` names, at the size that is trained on; it never changes.

    Args:
        recipe: of the network that learns.
        details: what that network's logits mean.

    Raises:
        UsageError: no weights there, or a network of other classes.
    """

    def __init__(self, recipe: Recipe, details: Details) -> None:
        run = Path(recipe.loss.teacher)
        if not (run / RECIPE).is_file():
            raise UsageError(f"teacher: {run} holds no {RECIPE}; give the folder of a run of seg-trainer train")
        weights, _ = load_weights(run)
        before = read_recipe(str(run / RECIPE))
        if (before.run.labels, before.run.details) != (recipe.run.labels, recipe.run.details):
            taught = " with details ".join(filter(None, (before.run.labels, before.run.details)))
            raise UsageError(f"teacher: {run} learned {taught}; labels and details must be the same here")
        self._student = details
        self._details = dataclasses.replace(details, subpixel=before.model.subpixel)
        before = before.change(precision=recipe.optimizer.precision)
        try:
            self._model = make_model(before, self._details, recipe.crop)
            self._model.set_weights(weights)
        except ValueError as error:
            raise UsageError(f"teacher: {run}: {error}") from error
        self._model.trainable = False

    def values(self) -> list[Any]:
        """The values of its variables: a compiled function must be given them, or it holds them as constants."""
        return [variable.value for variable in self._model.non_trainable_variables]

    def loss(self, pictures: Any, logits: Any, values: list[Any] | None = None) -> Any:
        """Soft cross-entropy against the teacher's answers, every pixel counted, ignored ones too.

        Over the own classes where both networks have logits of them at half size and of nothing else; else over the
        model's classes, at the size of the learning network's logits of them.

        Args:
            pictures: (N, H, W, 3) float32 RGB 0…255.
            logits: what the learning network makes of them.
            values: what `values` gave, within a function that JAX compiles.
        """
        from keras import ops

        if values is None:
            answers = self._model(pictures, training=False)
        else:
            answers, _ = self._model.stateless_call([], values, pictures, training=False)
        if not self._student.subpixel and not self._details.subpixel:
            return soft_cross_entropy(answers, logits)
        truth, learned = self._details.fold(answers), self._student.fold(logits)
        if truth.shape[1:3] != learned.shape[1:3]:
            truth = ops.image.resize(truth, learned.shape[1:3], interpolation="bilinear")
        return soft_cross_entropy(truth, learned)
