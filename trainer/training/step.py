"""One training step under each Keras backend: what all of them offer, and which one is in use."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Protocol

from seg_viewer.core.errors import UsageError
from trainer.labels.details import Details
from trainer.network.devices import cluster_size, strategy
from trainer.network.losses import LossFunction
from trainer.recipe import Recipe
from trainer.run_folder.checkpoint import Arrays, Checkpoint
from trainer.training.held import Rows


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
    if recipe.run.minutes and cluster_size() > 1:
        raise UsageError("minutes: several machines would not end together; give --epochs")
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
