"""The training step under JAX: one compiled function whose state stays on the device.

Weights, optimizer and random states go in and come out as one state whose memory is used again (donated); pictures
come as uint8 and become float32 in the graph. Nothing is read back but four numbers of each step, and these late.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import numpy as np

from trainer.labels.details import Details
from trainer.network.build import make_model
from trainer.network.losses import LossFunction
from trainer.recipe import Recipe
from trainer.run_folder.checkpoint import Arrays, Checkpoint
from trainer.training.held import Rows, as_rows, seeds_of, set_variables
from trainer.training.optimizer import count_right, make_optimizer, rate_index, scales_loss
from trainer.training.teacher import Teacher

AHEAD = 3
"""Steps that may be under way: enough that the device never waits for the host."""


class State(NamedTuple):
    """What a step changes, each a list of JAX arrays.

    Args:
        learned: the model's trainable variables.
        seen: its other variables: averages of batch norm, random states.
        moved: the optimizer's variables.
    """

    learned: list[Any]
    seen: list[Any]
    moved: list[Any]


class JaxStepper:
    """See `trainer.training.step.Stepper`; on one device."""

    worker, workers = 0, 1
    skips = True

    def __init__(self, recipe: Recipe, details: Details, loss: LossFunction, updates: int) -> None:
        import jax

        self.model = make_model(recipe, details, recipe.crop, updates)
        self.optimizer = make_optimizer(recipe)
        self.optimizer.build(self.model.trainable_variables)
        teacher = Teacher(recipe, details) if recipe.loss.teacher else None
        self._taught = teacher.values() if teacher else []
        one = _step_function(self.model, self.optimizer, recipe, details, loss, teacher)
        self._step = jax.jit(one, donate_argnums=0)
        self._mix = jax.jit(_mix, donate_argnums=0)
        place = {id(v): i for i, v in enumerate([*self.model.trainable_variables, *self.model.non_trainable_variables])}
        self._order = [place[id(variable)] for variable in self.model.weights]
        self._seeds = [place[id(variable)] for variable in seeds_of(self.model)]
        self._rows: list[Any] = []
        others = jax.local_device_count() - 1
        self.notes: tuple[str, ...] = (f"JAX: trains on one of {others + 1} devices",) if others else ()
        self._averages: list[Any] = []
        self._take_state()

    def _take_state(self) -> None:
        """State from Keras' variables; copied, because a step hands its memory on."""
        import jax.numpy as jnp

        def copies(variables: Sequence[Any]) -> list[Any]:
            return [jnp.array(variable.value, copy=True) for variable in variables]

        model = self.model
        self._state = State(
            copies(model.trainable_variables), copies(model.non_trainable_variables), copies(self.optimizer.variables)
        )

    def scope(self) -> AbstractContextManager[Any]:
        """As in `Stepper`."""
        return nullcontext()

    def load(self, checkpoint: Checkpoint) -> None:
        """As in `Stepper`."""
        set_variables(self.model, self.optimizer, checkpoint)
        self._take_state()
        self.set_average(checkpoint.average)

    def put(self, pictures: Any, masks: Any) -> Any:
        """As in `Stepper`."""
        import jax

        batch = (np.asarray(pictures), np.asarray(masks))
        if jax.default_backend() == "cpu":  # there the device may use the host's memory itself
            return tuple(jax.device_put(np.array(part)) for part in batch)
        return jax.block_until_ready(jax.device_put(batch))  # only the copy, not the steps under way

    def step(self, batch: Any, rate: float) -> None:
        """As in `Stepper`."""
        import jax

        self._state, row = self._step(self._state, self._taught, np.float32(rate), *batch)
        self._rows.append(row)
        if len(self._rows) > AHEAD:
            jax.block_until_ready(self._rows[-1 - AHEAD])

    def read(self) -> Rows:
        """As in `Stepper`."""
        import jax

        rows = as_rows(jax.device_get(self._rows))
        self._rows.clear()
        return rows

    def average_in(self, keep: float) -> None:
        """As in `Stepper`."""
        self._averages = self._mix(self._averages, self._weights(), np.float32(keep))

    def _weights(self) -> list[Any]:
        values = [*self._state.learned, *self._state.seen]
        return [values[index] for index in self._order]

    def weights(self) -> Arrays:
        """As in `Stepper`."""
        return _host(self._weights())

    def average(self) -> Arrays:
        """As in `Stepper`."""
        return _host(self._averages)

    def set_average(self, average: Arrays) -> None:
        """As in `Stepper`."""
        import jax.numpy as jnp

        self._averages = [jnp.array(value, copy=True) for value in average]

    def moved(self) -> tuple[Arrays, Arrays]:
        """As in `Stepper`."""
        values = [*self._state.learned, *self._state.seen]
        return _host(self._state.moved), _host([values[index] for index in self._seeds])


def _host(values: Sequence[Any]) -> Arrays:
    """Copies of JAX arrays that stay when these are handed on."""
    import jax

    return [np.array(value) for value in jax.device_get(list(values))]


def _mix(average: list[Any], weights: list[Any], keep: Any) -> list[Any]:
    """Of each: keep · average + (1 − keep) · weights."""
    return [keep * old + (1.0 - keep) * new for old, new in zip(average, weights, strict=True)]


def _step_function(
    model: Any, optimizer: Any, recipe: Recipe, details: Details, loss: LossFunction, teacher: Teacher | None
) -> Callable[..., tuple[State, Any]]:
    """(state, the teacher's weights, learning rate, pictures, masks) → state, row of `trainer.training.held.ROW`."""
    import jax
    import jax.numpy as jnp
    import keras

    place, scaler = rate_index(optimizer), scales_loss(optimizer)

    def objective(learned: list[Any], state: State, taught: list[Any], pictures: Any, masks: Any) -> Any:
        logits, seen = model.stateless_call(learned, state.seen, pictures, training=True)
        value = total = loss(masks, logits)
        if teacher:
            total = value + recipe.loss.teacher_share * teacher.loss(pictures, logits, taught)
        with keras.StatelessScope(state_mapping=list(zip(optimizer.variables, state.moved, strict=True))):
            scaled = optimizer.scale_loss(total)
        return scaled, (value, total, logits, seen)

    def step(state: State, taught: list[Any], rate: Any, pictures: Any, masks: Any) -> tuple[State, Any]:
        state = state._replace(moved=[rate if i == place else v for i, v in enumerate(state.moved)])
        frames = pictures.astype(jnp.float32)
        found, gradients = jax.value_and_grad(objective, has_aux=True)(state.learned, state, taught, frames, masks)
        value, total, logits, seen = found[1]
        learned, moved = optimizer.stateless_apply(state.moved, gradients, state.learned)
        fine = jnp.isfinite(total)
        for gradient in gradients:
            fine &= jnp.isfinite(gradient).all()

        def chosen(new: list[Any], old: list[Any]) -> list[Any]:
            return [jnp.where(fine, one, other) for one, other in zip(new, old, strict=True)]

        # one that scales the loss must learn that its scale was too large
        after = State(
            chosen(learned, state.learned), chosen(seen, state.seen), moved if scaler else chosen(moved, state.moved)
        )
        right, counted = count_right(masks, logits, details)
        # without the teacher's share, which held-out pictures have none of; but a sum that is no number shows
        shown = jnp.where(jnp.isfinite(total), value, total)
        return after, jnp.stack([jnp.asarray(v, jnp.float32) for v in (shown, right, counted, fine)])

    return step
