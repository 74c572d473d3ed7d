"""The network of a recipe: for stepping and scoring under its precision, and in float32 for the files it leaves."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from seg_viewer.core.errors import ExportError
from trainer.architecture import Model
from trainer.labels.details import Details
from trainer.network.tensorflow_layers import with_own_kernels
from trainer.network.unet import build
from trainer.recipe import Recipe


def make_model(recipe: Recipe, details: Details, size: tuple[int, int], updates: int = 1 << 30) -> Any:
    """The recipe's network under its precision policy, weights drawn from its seed, for stepping and scoring.

    Args:
        recipe: for network, precision and seed.
        details: what its logits mean.
        size: (width, height) in pixels.
        updates: steps of the whole run; batch norm must learn its averages within them.
    """
    import keras

    momentum = min(recipe.model.norm_momentum, max(0.5, 1.0 - 5.0 / max(1, updates)))
    network = dataclasses.replace(recipe.model, norm_momentum=momentum)
    keras.utils.set_random_seed(recipe.run.seed)
    keras.config.set_dtype_policy(recipe.optimizer.precision)
    try:
        classes, own = details.heads
        made = build(network, classes, size[1], size[0], own)
    finally:
        keras.config.set_dtype_policy("float32")
    return with_own_kernels(made) if keras.backend.backend() == "tensorflow" else made


def float_unet(model: Model, weights: Sequence[NDArray[Any]], size: tuple[int, int], details: Details) -> Any:
    """The network under a float32 policy with given weights (a mixed-precision model would export casts).

    Args:
        model: the architecture.
        weights: as `get_weights` of that network gives them.
        size: (width, height) in pixels.
        details: what its logits mean.

    Raises:
        ExportError: the weights are of another model.
    """
    import keras

    keras.config.set_dtype_policy("float32")
    classes, own = details.heads
    made = build(model, classes, size[1], size[0], own)
    try:
        made.set_weights(list(weights))
    except ValueError as error:
        raise ExportError(
            "the weights are of another model than the recipe's: export with the recipe that trained"
        ) from error
    return made


def folded(model: Any, details: Details) -> Any:
    """The network whose logits are of the model's classes: itself, where they are already."""
    import keras

    changes = details.folds or details.subpixel
    return keras.Model(model.input, details.fold(model.output), name=model.name) if changes else model
