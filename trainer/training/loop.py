"""Training: epochs of steps, scores on all held-out pictures after each, checkpoints that a killed run goes on from."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.errors import SegViewerError, UsageError
from seg_viewer.core.labels import LabelSet
from seg_viewer.core.part_file import write_text
from trainer.data.feed import Feed
from trainer.data.samples import Samples
from trainer.data.scan import Scan
from trainer.labels.details import Details
from trainer.network.losses import LossFunction, make_loss
from trainer.network.tensorflow_layers import one_kernel
from trainer.recipe import Recipe
from trainer.run_folder.checkpoint import (
    EMA_EVERY,
    HISTORY,
    Arrays,
    Checkpoint,
    load_checkpoint,
    save_checkpoint,
    save_weights,
)
from trainer.training.explained import explained
from trainer.training.progress import Reporter
from trainer.training.resume import goes_on, keep_recipe, rate_jump
from trainer.training.start import begin_with
from trainer.training.step import Stepper, make_stepper, set_rate
from trainer.training.validation import Validation

SEEN_FIRST = 32
"""Crops from which batch norm begins where a start has it folded in."""


class Stopped(KeyboardInterrupt):
    """Somebody asked training to end; its text says how to go on."""


def schedule(update: int, recipe: Recipe, updates: int, halvings: int = 0) -> float:
    """Learning rate of a step.

    Linear warm-up, then one cosine down to 1 % (Loshchilov and Hutter, 2017), or the full rate, halved at each plateau.

    Args:
        update: step counted from the start of the run.
        recipe: for rate, warm-up and schedule.
        updates: steps of the whole run.
        halvings: plateaus so far.
    """
    options = recipe.optimizer
    largest = options.resume_rate or options.learning_rate
    warmup = min(options.warmup, updates // 10 + 1)
    if update < warmup:
        return largest * (update + 1) / warmup
    if options.schedule == "cosine":
        done = (update - warmup) / max(1, updates - warmup)
        return largest * (0.01 + 0.99 * 0.5 * (1 + float(np.cos(np.pi * min(1.0, done)))))
    return largest * 0.5**halvings


def class_weights(recipe: Recipe, scans: Sequence[Scan], labels: LabelSet) -> tuple[float, ...]:
    """Given weights, or (1 / share) ** balance scaled to a mean of 1 over the pixels; none when neither is asked for.

    Raises:
        UsageError: not one weight for each class.
    """
    given = recipe.loss.class_weights
    if given:
        if len(given) != len(labels):
            names = ", ".join(labels.names)
            raise UsageError(f"{len(given)} class weights for {len(labels)} classes: {names} (in this order)")
        return given
    if not recipe.loss.balance or not scans:
        return ()
    counts = np.sum([scan.counts[: scan.train, :-1].sum(0) for scan in scans], axis=0)
    shares = counts / max(1, counts.sum())
    raw = np.where(shares > 0, np.maximum(shares, 1e-6) ** -recipe.loss.balance, 0.0)
    return tuple(float(value) for value in raw / max(1e-9, float((raw * shares).sum())))


def loss_of(
    recipe: Recipe,
    scans: Sequence[Scan],
    details: Details,
    wrap: Callable[[LossFunction], LossFunction] = lambda loss: loss,
) -> LossFunction:
    """The loss that a recipe minimises, (target, logits) → scalar; a teacher's share is not in it.

    Args:
        recipe: names it.
        scans: class shares, for weights from frequencies.
        details: what target and logits mean.
        wrap: as in `make_loss`.
    """
    weights = class_weights(recipe, scans, details.labels)
    return make_loss(recipe.loss.loss, weights, recipe.loss.focal_gamma, details if details.finer else None, wrap)


def train(
    recipe: Recipe,
    samples: Samples,
    validation: Validation,
    run: Path,
    reporter: Reporter,
    scans: Sequence[Scan] = (),
    stop_at: int | None = None,
    stop: threading.Event | None = None,
    feed: Feed | None = None,
) -> Checkpoint:
    """Train to the end of the recipe, going on from the run folder's checkpoint when there is one.

    Args:
        recipe: what to do.
        samples: its training pictures.
        validation: scores the averaged weights after every epoch.
        run: the run folder, which exists. Holds checkpoint, best weights, history.csv, the recipe.
        reporter: hears of every step and epoch.
        scans: class shares, for weights from frequencies.
        stop_at: stop (with a checkpoint) after so many steps in all, for a later call to go on from.
        stop: set from anywhere to stop after the step under way.
        feed: makes the batches of `samples`; threads do when None.

    Raises:
        Stopped: `stop` was set; the checkpoint is written.
        SourceError: a file is damaged.
        UsageError: the checkpoint is damaged or of another model.
        OutOfMemory: the batch does not fit.
        SegViewerError: the loss is no longer finite.
    """
    loss = loss_of(recipe, scans, samples.details, one_kernel)
    with explained(recipe, run):
        stepper = make_stepper(recipe, samples.details, loss, recipe.run.epochs * samples.steps)
        loop = _Loop(recipe, samples, validation, run, reporter, stepper, stop, feed or Feed(samples))
        if stepper.worker == 0:
            keep_recipe(recipe, run, loop.checkpoint)
        return loop.go(stop_at)


class _Loop:
    def __init__(
        self,
        recipe: Recipe,
        samples: Samples,
        validation: Validation,
        run: Path,
        reporter: Reporter,
        stepper: Stepper,
        stop: threading.Event | None,
        feed: Feed,
    ) -> None:
        self._feed = feed
        self.recipe, self.samples, self.validation, self.run = recipe, samples, validation, run
        self.reporter, self.stepper = reporter, stepper
        self._stop = stop or threading.Event()
        self.updates = recipe.run.epochs * samples.steps
        self._batch = (0, 0)
        model = stepper.model
        found = load_checkpoint(run)
        self._start: Arrays = []
        blend = recipe.optimizer.blend
        if recipe.model.start and (found is None or blend):
            with stepper.scope():
                note = reporter.note if found is None else lambda _: None
                begin_with(model, recipe, samples.details, note, lambda: _first_pictures(samples))
            self._start = model.get_weights() if blend else []
        self.checkpoint = found or Checkpoint(model.get_weights(), model.get_weights())
        self._restore(resumed=found is not None)

    def _restore(self, resumed: bool) -> None:
        checkpoint, model = self.checkpoint, self.stepper.model
        try:
            with self.stepper.scope():
                model.set_weights(checkpoint.weights)
                if resumed:
                    for variable, value in zip(self.stepper.optimizer.variables, checkpoint.optimizer, strict=True):
                        variable.assign(value)
                    for variable, value in zip(_seeds(model), checkpoint.seeds, strict=True):
                        variable.assign(value)
        except ValueError as error:
            raise UsageError(
                f"{self.run}: its checkpoint is of another model; give a new --run folder, or remove the checkpoint"
            ) from error
        checkpoint.finished = checkpoint.finished and not goes_on(self.recipe, self.run, checkpoint)
        if resumed and checkpoint.finished:
            self.reporter.note(f"{self.run}: finished already at epoch {len(checkpoint.history)}")
        elif resumed:
            self.reporter.note(
                f"goes on at epoch {checkpoint.epoch + 1}, step {checkpoint.step + 1} of {self.samples.steps}"
            )
            jump = rate_jump(self.recipe, checkpoint, self._rate())
            if jump:
                self.reporter.note(jump)

    def go(self, stop_at: int | None) -> Checkpoint:
        checkpoint = self.checkpoint
        self.reporter.begin(self.recipe.run.epochs, self.samples.steps, self.recipe.run.batch_size, checkpoint)
        try:
            while not checkpoint.finished and checkpoint.epoch < self.recipe.run.epochs:
                if not self._epoch(stop_at):
                    self._save()
                    self._end_if_asked()
                    return checkpoint
                self._score()
        finally:
            self.reporter.end()
        if not checkpoint.finished:
            checkpoint.finished = True
            self._save()
        return checkpoint

    def _epoch(self, stop_at: int | None) -> bool:
        """The rest of the current epoch; False when it had to stop, at `stop_at` or because somebody asked."""
        checkpoint, stepper = self.checkpoint, self.stepper
        epoch_batches = self._feed.epoch(checkpoint.epoch, checkpoint.step, stepper.worker, stepper.workers)
        for pictures, masks in epoch_batches:
            set_rate(stepper.optimizer, self._rate())
            loss, right, counted = stepper(pictures, masks)
            self._batch = (checkpoint.epoch, checkpoint.step)
            if not np.isfinite(loss):
                raise SegViewerError(self._not_finite(loss))
            for index, value in enumerate((loss, right, counted)):
                checkpoint.sums[index] += value
            checkpoint.step += 1
            checkpoint.updates += 1
            if checkpoint.updates % EMA_EVERY == 0:
                self._average()
            self.reporter.step(checkpoint, loss, counted)
            if checkpoint.step == self.samples.steps:
                break
            if self._stop.is_set() or (stop_at is not None and checkpoint.updates >= stop_at):
                return False
            if checkpoint.updates % self.recipe.run.checkpoint_every == 0:
                self._save()
        return True

    def _score(self) -> None:
        """End of an epoch: scores, history, best weights, plateau, early stopping."""
        checkpoint, options = self.checkpoint, self.recipe.run
        before = [value.copy() for value in checkpoint.average]
        self._average()
        if not all(np.isfinite(value).all() for value in checkpoint.average):
            raise SegViewerError(self._not_finite(float("nan")))
        row = {
            "epoch": checkpoint.epoch + 1,
            "step": checkpoint.updates,
            "learning_rate": schedule(checkpoint.updates - 1, self.recipe, self.updates, checkpoint.halvings),
            "loss": checkpoint.sums[0] / max(1, checkpoint.step),
            "accuracy": checkpoint.sums[1] / max(1.0, checkpoint.sums[2]),
            "pictures_per_s": self.reporter.rate(),
        }
        kept = self._kept()
        try:
            row |= self.validation.score(kept, self._end_if_asked)
        except Stopped:
            checkpoint.average = before  # the epoch is scored by whoever goes on, as if nothing had been
            self._save()
            raise
        if self.validation.pairs and self.validation.last is None and not checkpoint.history:
            self.reporter.note("every pixel of the held-out pictures is ignored: nothing can be scored")
        checkpoint.history.append(row)
        value = row.get("val_miou") if options.monitor == "miou" else -row["val_loss"] if "val_loss" in row else None
        if value is None or checkpoint.best is None or value > checkpoint.best:
            checkpoint.best, checkpoint.best_epoch, checkpoint.waited = value, checkpoint.epoch, 0
            if self.stepper.worker == 0:
                save_weights(self.run, kept, checkpoint.updates)
        else:
            checkpoint.waited += 1
            plateau = self.recipe.optimizer.schedule == "plateau"
            if plateau and checkpoint.waited % self.recipe.optimizer.plateau_patience == 0:
                checkpoint.halvings += 1
                self.reporter.note(f"no better for {checkpoint.waited} epochs: learning rate halved")
            if options.early_stopping and checkpoint.waited >= options.early_stopping:
                self.reporter.note(
                    f"no better for {checkpoint.waited} epochs: stops early, best was {checkpoint.best_epoch + 1}"
                )
                checkpoint.finished = True
        checkpoint.epoch, checkpoint.step, checkpoint.sums = checkpoint.epoch + 1, 0, [0.0, 0.0, 0.0]
        self._save()
        if self.stepper.worker == 0:
            write_history(self.run / HISTORY, checkpoint.history)
        self.reporter.epoch(row, self.validation.last, best=checkpoint.waited == 0)

    def _save(self) -> None:
        if self.stepper.worker:
            return  # the first machine writes for all
        weights = self.stepper.model.get_weights()
        if not all(np.isfinite(value).all() for value in weights):
            raise SegViewerError(self._not_finite(float("nan")))
        self.checkpoint.weights, self.checkpoint.rate = weights, self._rate()
        self.checkpoint.optimizer = [np.array(_as_array(variable)) for variable in self.stepper.optimizer.variables]
        self.checkpoint.seeds = [np.array(_as_array(variable)) for variable in _seeds(self.stepper.model)]
        save_checkpoint(self.run, self.checkpoint)

    def _rate(self) -> float:
        """Learning rate of the step to do next."""
        return schedule(self.checkpoint.updates, self.recipe, self.updates, self.checkpoint.halvings)

    def _end_if_asked(self) -> None:
        """Raises: Stopped."""
        if self._stop.is_set():
            where = f"epoch {self.checkpoint.epoch + 1}, step {self.checkpoint.step} of {self.samples.steps}"
            raise Stopped(
                f"the checkpoint holds all up to {where}; the same command goes on, or:"
                f" seg-trainer train --run {self.run}"
            )

    def _average(self) -> None:
        """Moving average of the weights; its memory grows from nothing, so that the first weights are forgotten."""
        checkpoint, momentum = self.checkpoint, self.recipe.optimizer.ema
        keep = (
            min(momentum**EMA_EVERY, checkpoint.updates / (checkpoint.updates + 10.0 * EMA_EVERY)) if momentum else 0.0
        )
        for old, new in zip(checkpoint.average, self.stepper.model.get_weights(), strict=True):
            old *= keep
            old += (1.0 - keep) * new

    def _kept(self) -> Arrays:
        """What is scored and exported: the average, or a mean of it and of what the run began with.

        Such a mean often does better on new streets than either (Wortsman et al., 2022).
        """
        blend = self.recipe.optimizer.blend
        if not blend:
            return self.checkpoint.average
        return [(1 - blend) * new + blend * old for new, old in zip(self.checkpoint.average, self._start, strict=True)]

    def _not_finite(self, loss: float) -> str:
        epoch, step = self._batch
        pairs = self.samples.plan(epoch)[step]
        names = ", ".join(self.samples.pair(which).picture.name for which in pairs[:4])
        return (
            f"loss is {loss} at epoch {epoch + 1}, step {step + 1} (its batch begins with {names}):"
            " the last checkpoint stays. Lower --learning-rate, or run 'seg-trainer check' if it is always this batch"
        )


def _first_pictures(samples: Samples) -> NDArray[np.uint8]:
    """The first training crops, at most `SEEN_FIRST`, (N, h, w, 3)."""
    entries = samples.plan(0).reshape(-1, 2)[:SEEN_FIRST]
    return np.stack([samples.sample(0, place, entry)[0] for place, entry in enumerate(entries)])


def _seeds(model: Any) -> list[Any]:
    """Variables of random generators within a model."""
    weights = {id(variable) for variable in model.weights}
    return [v for v in model.non_trainable_variables if id(v) not in weights]


def _as_array(variable: Any) -> NDArray[Any]:
    from keras import ops

    return ops.convert_to_numpy(variable)


def write_history(path: Path, rows: Sequence[dict[str, float]]) -> None:
    """The rows as CSV, columns in the order of their first appearance. Raises: ExportError."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: value if isinstance(value, int) else f"{value:.6g}" for key, value in row.items()})
    write_text(path, text.getvalue())
