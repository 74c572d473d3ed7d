"""Distillation: a network also learns what a larger one that is trained already answers (Hinton et al., 2015)."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from seg_viewer.core.errors import UsageError
from trainer.labels.details import Details, plain
from trainer.network.build import make_model
from trainer.network.from_onnx import read_onnx
from trainer.recipe import Recipe, is_model_file, read_recipe
from trainer.run_folder.checkpoint import RECIPE, Arrays, load_weights


def soft_cross_entropy(truth: Any, logits: Any) -> Any:
    """L = −mean Σ_c q[c] log p[c], p and q the softmax of (N, h, w, C) float logits; scalar float32.

    Args:
        truth: the teacher's logits.
        logits: the learning network's.
    """
    from keras import ops

    q = ops.softmax(ops.cast(truth, "float32"), axis=-1)
    return -ops.mean(ops.sum(q * ops.log_softmax(ops.cast(logits, "float32"), axis=-1), axis=-1))


def _read_run(run: Path, recipe: Recipe, details: Details) -> tuple[Recipe, Details, Arrays]:
    """Recipe, meaning of the logits and weights of a run folder. Raises: UsageError."""
    if not (run / RECIPE).is_file():
        raise UsageError(
            f"teacher: {run} holds no {RECIPE}; give the folder of a run of seg-trainer train, or an .onnx file"
        )
    weights, _ = load_weights(run)
    before = read_recipe(str(run / RECIPE))
    if (before.run.labels, before.run.details) != (recipe.run.labels, recipe.run.details):
        taught = " with details ".join(filter(None, (before.run.labels, before.run.details)))
        raise UsageError(f"teacher: {run} learned {taught}; labels and details must be the same here")
    return before, dataclasses.replace(details, subpixel=before.model.subpixel), weights


def _read_file(path: Path, recipe: Recipe, details: Details) -> tuple[Recipe, Details, dict[str, list[NDArray[Any]]]]:
    """The same of a model file: it has logits of the model's classes, or, folded there, of the finer ones."""
    stored = read_onnx(path)
    subpixel = stored.model.subpixel
    if stored.names == details.labels.names:
        meant = plain(details.labels, subpixel)
    elif stored.names == details.names and not subpixel:
        meant = dataclasses.replace(details, subpixel=False)
    else:
        raise UsageError(f"teacher: {path} has the classes {', '.join(stored.names)}; they must be the same here")
    return dataclasses.replace(recipe, model=stored.model), meant, stored.layers


class Teacher:
    """The network of the run or model file that `recipe.loss.teacher` names, at the size that is trained on.

    It never changes.

    Args:
        recipe: of the network that learns.
        details: what that network's logits mean.

    Raises:
        UsageError: no weights there, or a network of other classes.
    """

    def __init__(self, recipe: Recipe, details: Details) -> None:
        self._student = details
        teacher = Path(recipe.loss.teacher)
        read = _read_file if is_model_file(teacher) else _read_run
        before, self._details, weights = read(teacher, recipe, details)
        try:
            self._model = make_model(before.change(precision=recipe.optimizer.precision), self._details, recipe.crop)
            if isinstance(weights, dict):
                for layer in self._model.layers:
                    layer.set_weights(weights.get(layer.name, []))
            else:
                self._model.set_weights(weights)
        except ValueError as error:
            raise UsageError(f"teacher: {teacher}: {error}") from error
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
        own = not self._student.subpixel and not self._details.subpixel
        if own and self._student.names == self._details.names:
            return soft_cross_entropy(answers, logits)
        truth, learned = self._details.fold(answers), self._student.fold(logits)
        if truth.shape[1:3] != learned.shape[1:3]:
            truth = ops.image.resize(truth, learned.shape[1:3], interpolation="bilinear")
        return soft_cross_entropy(truth, learned)
