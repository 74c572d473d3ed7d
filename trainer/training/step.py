"""One training step under each Keras backend: what all of them offer, and which one is in use."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.errors import UsageError
from trainer.labels.details import Details
from trainer.network.devices import cluster_size, strategy
from trainer.network.losses import LossFunction
from trainer.recipe import Recipe
from trainer.run_folder.checkpoint import Arrays, Checkpoint

ROW = ("loss", "right", "counted", "fine")
"""Columns of `Stepper.read`: mean loss of the masks (not of a teacher), right pixels, counted pixels, 1 or 0."""

Rows = NDArray[np.float64]
"""(steps, 4) float64, as ROW says."""


class Stepper(Protocol):
    """Holds network, optimizer and moving average, on the device where it can.

    A step only starts the device's work; `read` waits for it. At most a few steps are under way.

    Args:
        model: the Keras model. Its own variables are what `load` put there; the weights of now are `weights()`.
        worker, workers: of how many machines this is which.
        skips: a batch whose loss or gradients are not finite leaves everything as it was.
        notes: lines to show at the start.
    """

    model: Any
    worker: int
    workers: int
    skips: bool
    notes: tuple[str, ...]

    def scope(self) -> AbstractContextManager[Any]:
        """What variables must be made and set in."""
        ...

    def load(self, checkpoint: Checkpoint) -> None:
        """Take over weights, average and, where it has them, optimizer and seeds.

        Raises: ValueError when they are of another model.
        """
        ...

    def put(self, pictures: Any, masks: Any) -> Any:
        """A batch of uint8 arrays on the device; the arrays may be written over once this returns."""
        ...

    def step(self, batch: Any, rate: float) -> None:
        """Start one step with a learning rate on what `put` gave."""
        ...

    def read(self) -> Rows:
        """What came of the steps since the last call, in their order; waits for them."""
        ...

    def average_in(self, keep: float) -> None:
        """Set average = keep · average + (1 − keep) · weights."""
        ...

    def weights(self) -> Arrays:
        """Copies of the weights, in the order of `model.weights`."""
        ...

    def average(self) -> Arrays:
        """Copies of their moving average, in the same order."""
        ...

    def set_average(self, average: Arrays) -> None:
        """Go on with another moving average."""
        ...

    def moved(self) -> tuple[Arrays, Arrays]:
        """Copies of the optimizer's variables, and of the states of random generators within the model."""
        ...


def make_stepper(recipe: Recipe, details: Details, loss: LossFunction, updates: int = 1 << 30) -> Stepper:
    """The stepper of the backend in use.

    Args:
        recipe: for network, crop, optimizer and teacher.
        details: what logits and masks mean.
        loss: (target, logits) → scalar.
        updates: steps of the whole run.

    Raises:
        UsageError: the recipe cannot be stepped here.
    """
    import keras

    check_steppable(recipe)
    backend = keras.backend.backend()
    if backend == "tensorflow":
        from trainer.training.step_tensorflow import TensorFlowStepper

        return TensorFlowStepper(recipe, details, loss, updates, strategy())
    if backend == "jax":
        from trainer.training.step_jax import JaxStepper

        return JaxStepper(recipe, details, loss, updates)
    from trainer.training.step_keras import KerasStepper

    return KerasStepper(recipe, details, loss, updates)


def check_steppable(recipe: Recipe) -> None:
    """Look whether this backend, on these devices, can step a recipe. Raises: UsageError."""
    import keras

    backend = keras.backend.backend()
    if backend == "tensorflow":
        devices = strategy().num_replicas_in_sync
        if recipe.run.batch_size % devices:
            raise UsageError(f"batch_size {recipe.run.batch_size} cannot be shared evenly by {devices} devices")
        return
    if cluster_size() > 1:
        raise UsageError("TF_CONFIG names several machines, but only the TensorFlow backend can use them")
    if recipe.loss.teacher and backend != "jax":
        raise UsageError(
            f"teacher: works with TensorFlow and JAX, not with {backend}; leave it out, or unset KERAS_BACKEND"
        )


class HeldByKeras:
    """The part of a stepper whose weights live in Keras' variables.

    The moving average is kept on the host, unless a subclass knows better.
    """

    model: Any
    optimizer: Any
    notes: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._average: Arrays = []
        self._rows: list[Any] = []

    def scope(self) -> AbstractContextManager[Any]:
        """As in `Stepper`."""
        raise NotImplementedError

    def load(self, checkpoint: Checkpoint) -> None:
        """As in `Stepper`."""
        with self.scope():
            set_variables(self.model, self.optimizer, checkpoint)
        self.set_average(checkpoint.average)

    def read(self) -> Rows:
        """As in `Stepper`."""
        rows = as_rows([[float(value) for value in row] for row in self._rows])
        self._rows.clear()
        return rows

    def average_in(self, keep: float) -> None:
        """As in `Stepper`."""
        for old, new in zip(self._average, self.model.get_weights(), strict=True):
            old *= keep
            old += (1.0 - keep) * new

    def weights(self) -> Arrays:
        """As in `Stepper`."""
        return list(self.model.get_weights())

    def average(self) -> Arrays:
        """As in `Stepper`."""
        return [value.copy() for value in self._average]

    def set_average(self, average: Arrays) -> None:
        """As in `Stepper`."""
        self._average = [np.array(value) for value in average]

    def moved(self) -> tuple[Arrays, Arrays]:
        """As in `Stepper`."""
        from keras import ops

        def copies(variables: Sequence[Any]) -> Arrays:
            return [np.array(ops.convert_to_numpy(variable)) for variable in variables]

        return copies(self.optimizer.variables), copies(seeds_of(self.model))


def set_variables(model: Any, optimizer: Any, checkpoint: Checkpoint) -> None:
    """Set Keras' variables to those of a checkpoint. Raises: ValueError when they are of another model."""
    model.set_weights(checkpoint.weights)
    if checkpoint.optimizer:
        for variable, value in zip(optimizer.variables, checkpoint.optimizer, strict=True):
            variable.assign(value)
        for variable, value in zip(seeds_of(model), checkpoint.seeds, strict=True):
            variable.assign(value)


def seeds_of(model: Any) -> list[Any]:
    """Variables of random generators within a model."""
    weights = {id(variable) for variable in model.weights}
    return [v for v in model.non_trainable_variables if id(v) not in weights]


def as_rows(rows: Sequence[Any]) -> Rows:
    """Numbers of steps as `Stepper.read` gives them."""
    return np.asarray(rows, np.float64).reshape(-1, len(ROW))
