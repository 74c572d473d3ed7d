"""What steppers share: the numbers of a step, Keras' variables from a checkpoint, and weights that Keras holds."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.run_folder.checkpoint import Arrays, Checkpoint

ROW = ("loss", "right", "counted", "fine")
"""Columns of `Stepper.read`: mean loss of the masks (not of a teacher), right pixels, counted pixels, 1 or 0."""

Rows = NDArray[np.float64]
"""(steps, 4) float64, as ROW says."""


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
        rows = as_rows([np.asarray(row, np.float64) for row in self._rows])
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
