"""Training: one loop over steps, with checkpoints that a killed run goes on from."""

from __future__ import annotations

import csv
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.errors import SegViewerError, UsageError
from seg_viewer.core.labels import DRIVING
from trainer.losses import make_loss
from trainer.mix import Ahead, Mix
from trainer.recipe import Recipe
from trainer.unet import build_unet

CHECKPOINT = "checkpoint.npz"
WEIGHTS = "weights.npz"
HISTORY = "history.csv"
SCAN_EVERY = 100
EMA_EVERY = 4


@dataclass
class State:
    """What a run needs to go on: the step to do next, weights, their moving average, optimizer variables."""

    step: int
    weights: list[NDArray[Any]]
    average: list[NDArray[Any]]
    optimizer: list[NDArray[Any]]


def schedule(step: int, recipe: Recipe) -> float:
    """Learning rate at a step: linear warm-up, then one cosine down to 1 % (Loshchilov and Hutter, 2017)."""
    if step < recipe.warmup:
        return recipe.learning_rate * (step + 1) / recipe.warmup
    done = (step - recipe.warmup) / max(1, recipe.steps - recipe.warmup)
    return recipe.learning_rate * (0.01 + 0.99 * 0.5 * (1 + np.cos(np.pi * min(1.0, done))))


def save_arrays(path: Path, **arrays: Any) -> None:
    """Write an .npz under a name beside `path`, then put it in place, so that no half file ever stands there."""
    part = path.with_name(f".{path.name}.part.npz")
    np.savez(part, **arrays)
    os.replace(part, path)


def save_state(run: Path, state: State) -> None:
    """Write the checkpoint and, for evaluation and export, the averaged weights."""
    arrays: dict[str, Any] = {"step": state.step}
    for name in ("weights", "average", "optimizer"):
        arrays |= {f"{name}{index:04}": value for index, value in enumerate(getattr(state, name))}
    save_arrays(run / CHECKPOINT, **arrays)
    save_arrays(run / WEIGHTS, **{f"{index:04}": value for index, value in enumerate(state.average)}, step=state.step)


def load_state(run: Path) -> State | None:
    """The checkpoint of a run folder, or None. Raises: UsageError when it is damaged."""
    path = run / CHECKPOINT
    if not path.exists():
        return None
    try:
        with np.load(path) as file:
            lists = {
                name: [file[key] for key in sorted(file.files) if key.startswith(name)]
                for name in ("weights", "average", "optimizer")
            }
            return State(int(file["step"]), **lists)
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(f"{path}: checkpoint is damaged ({error}); remove it to start again") from error


def load_weights(run: Path) -> tuple[list[NDArray[Any]], int]:
    """The averaged weights of a run folder and the step they are from. Raises: UsageError."""
    path = run / WEIGHTS
    try:
        with np.load(path) as file:
            return [file[key] for key in sorted(file.files) if key != "step"], int(file["step"])
    except FileNotFoundError:
        raise UsageError(f"{path}: no weights there; train first: seg-trainer train") from None
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(f"{path}: weights are damaged ({error})") from error


def build_training_model(recipe: Recipe) -> Any:
    """The compiled U-Net under the recipe's precision policy, weights drawn from its seed."""
    import keras

    keras.utils.set_random_seed(recipe.seed)
    keras.config.set_dtype_policy(recipe.policy)
    try:
        crop_w, crop_h = recipe.augment.crop
        model = build_unet(len(DRIVING), recipe.widths, crop_h, crop_w)
    finally:
        keras.config.set_dtype_policy("float32")
    optimizer = keras.optimizers.AdamW(recipe.learning_rate, weight_decay=recipe.weight_decay, clipnorm=5.0)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    model.compile(optimizer, make_loss(recipe.class_weights, recipe.dice), jit_compile=False)
    optimizer.build(model.trainable_variables)
    return model


def train(
    recipe: Recipe, data: Sequence[Path], run: Path, note: Callable[[str], None], stop_at: int | None = None
) -> State:
    """Train until `recipe.steps`, going on from the run folder's checkpoint when there is one.

    Args:
        recipe: what to do.
        data: the data folders.
        run: the run folder; made when missing. Holds checkpoint, averaged weights, history.csv.
        note: called with one line of progress now and then.
        stop_at: stop (with a checkpoint) after this step, for a later call to go on from.

    Raises:
        SourceError: data is missing or damaged.
        UsageError: the checkpoint is damaged or of another model.
        SegViewerError: the loss is no longer finite.
    """
    _use_cores()
    run.mkdir(parents=True, exist_ok=True)
    model = build_training_model(recipe)
    state = load_state(run) or State(0, model.get_weights(), model.get_weights(), [])
    _restore(model, state, run)
    mix = Mix(recipe, data, note)
    stop = min(recipe.steps, stop_at or recipe.steps)
    ahead = Ahead(mix, state.step, stop)
    try:
        if state.step:
            note(f"goes on at step {state.step}")
        _loop(model, recipe, mix, ahead, state, stop, run, note)
    finally:
        ahead.close()
    return state


def _use_cores() -> None:
    """As many threads as this process may use cores; TensorFlow itself counts the machine's."""
    import tensorflow as tf

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        tf.config.threading.set_intra_op_parallelism_threads(cores)
        tf.config.threading.set_inter_op_parallelism_threads(cores)
    except RuntimeError:
        pass  # already started; then it keeps what it has


def _restore(model: Any, state: State, run: Path) -> None:
    try:
        model.set_weights(state.weights)
        if state.optimizer:
            for variable, value in zip(model.optimizer.variables, state.optimizer, strict=True):
                variable.assign(value)
    except ValueError as error:
        raise UsageError(f"{run / CHECKPOINT}: is of another model; give a new --run folder") from error


def _loop(
    model: Any, recipe: Recipe, mix: Mix, ahead: Ahead, state: State, stop: int, run: Path, note: Callable[[str], None]
) -> None:
    began, first, losses = time.perf_counter(), state.step, []
    while state.step < stop:
        pictures, masks = ahead.take()
        model.optimizer.learning_rate = schedule(state.step, recipe)
        loss = float(model.train_on_batch(pictures.astype(np.float32), masks))
        if not np.isfinite(loss):
            raise SegViewerError(f"loss is {loss} at step {state.step}: lower the learning rate; last checkpoint stays")
        losses.append(loss)
        state.step += 1
        if state.step % EMA_EVERY == 0:
            _average(state, model.get_weights(), recipe)
        if state.step % SCAN_EVERY == 0:
            mix.scan()
        if state.step % 50 == 0 or state.step == stop:
            rate = (state.step - first) * recipe.batch / (time.perf_counter() - began)
            left = (stop - state.step) * recipe.batch / rate / 60
            mean = float(np.mean(losses))
            note(f"step {state.step}/{recipe.steps}  loss {mean:.4f}  {rate:.1f} pictures/s  {left:.0f} min left")
            _write_history(run / HISTORY, state.step, mean, schedule(state.step, recipe), rate)
            losses = []
        if state.step % recipe.checkpoint_every == 0 or state.step == stop:
            state.weights = model.get_weights()
            state.optimizer = [np.asarray(variable) for variable in model.optimizer.variables]
            save_state(run, state)


def _average(state: State, weights: list[NDArray[Any]], recipe: Recipe) -> None:
    """Moving average of the weights; its memory grows from nothing, so that the first random weights are forgotten."""
    keep = min(recipe.ema**EMA_EVERY, state.step / (state.step + 10.0 * EMA_EVERY))
    for old, new in zip(state.average, weights, strict=True):
        old *= keep
        old += (1.0 - keep) * new


def _write_history(path: Path, step: int, loss: float, rate: float, speed: float) -> None:
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        if new:
            writer.writerow(["step", "loss", "learning_rate", "pictures_per_s"])
        writer.writerow([step, f"{loss:.5f}", f"{rate:.3e}", f"{speed:.2f}"])
