"""Training: epochs of steps, scores on all held-out pictures after each, checkpoints that a killed run goes on from."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.errors import SegViewerError, UsageError
from trainer.data.feed import Feed
from trainer.data.samples import Samples
from trainer.data.scan import Scan
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
    write_history,
)
from trainer.run_folder.latest import save_latest
from trainer.training.echo import Echo
from trainer.training.explained import explained
from trainer.training.objective import loss_of
from trainer.training.progress import Reporter
from trainer.training.resume import goes_on, keep_recipe, rate_jump
from trainer.training.schedule import Clock, schedule
from trainer.training.start import begin_with
from trainer.training.step import Stepper, make_stepper
from trainer.training.tally import Tally
from trainer.training.validation import Validation

READ_EVERY = 20
"""Steps from one reading of losses to the next: each one waits for the device."""

SAVE_EVERY_S = 60.0
"""In a run by time: what a machine that dies loses."""

SCORE_SHARE = 0.1
"""Share of a run by time that scores may take before its end."""

SEEN_FIRST = 32
"""Crops from which batch norm begins where a start has it folded in."""


class Stopped(KeyboardInterrupt):
    """Somebody asked training to end; its text says how to go on."""


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
        SegViewerError: loss or gradients are not finite, batch after batch.
    """
    loss = loss_of(recipe, scans, samples.details, one_kernel)
    with explained(recipe, run):
        stepper = make_stepper(recipe, samples.details, loss, _updates(recipe, samples))
        loop = _Loop(recipe, samples, validation, run, reporter, stepper, stop, feed or Feed(samples))
        if stepper.worker == 0:
            keep_recipe(recipe, run, loop.checkpoint)
        return loop.go(stop_at)


def _updates(recipe: Recipe, samples: Samples) -> int:
    """Steps of the whole run; one by time has no end that is known."""
    return 1 << 30 if recipe.run.minutes else recipe.run.epochs * samples.steps * recipe.run.echo


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
        self.steps, self.updates = samples.steps * recipe.run.echo, _updates(recipe, samples)
        self._limit_s = recipe.run.minutes * 60
        self._echo = Echo(recipe) if recipe.run.echo > 1 else None
        self._begun = self._has_echoed = False
        self._saved_at = self._scored_s = self._score_took = 0.0
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
        self.tally = Tally(stepper, self.checkpoint, samples, reporter)
        self.clock = Clock(self.checkpoint.seconds)
        self._restore(resumed=found is not None)

    def _restore(self, resumed: bool) -> None:
        checkpoint = self.checkpoint
        try:
            self.stepper.load(checkpoint)
        except ValueError as error:
            raise UsageError(
                f"{self.run}: its checkpoint is of another model; give a new --run folder, or remove the checkpoint"
            ) from error
        for line in self.stepper.notes:
            self.reporter.note(line)
        checkpoint.finished = checkpoint.finished and not goes_on(self.recipe, self.run, checkpoint)
        if resumed and checkpoint.finished:
            self.reporter.note(f"{self.run}: finished already at epoch {len(checkpoint.history)}")
            return
        if self._limit_s:
            left = max(0.0, self._limit_s - checkpoint.seconds) / 60
            rest = f", {left:.3g} of them left" if resumed else ""
            self.reporter.note(
                f"trains for {self.recipe.run.minutes:g} minutes{rest}, whatever epochs ({self.recipe.run.epochs}) says"
            )
        if resumed:
            self.reporter.note(f"goes on at epoch {checkpoint.epoch + 1}, step {checkpoint.step + 1} of {self.steps}")
            jump = rate_jump(self.recipe, checkpoint, self._rate())
            if jump:
                self.reporter.note(jump)

    def go(self, stop_at: int | None) -> Checkpoint:
        checkpoint, run = self.checkpoint, self.recipe.run
        self.reporter.begin(run.epochs, self.steps, run.batch_size, checkpoint, run.minutes)
        self.clock = Clock(checkpoint.seconds)
        self._saved_at, self._scored_s = time.perf_counter(), checkpoint.seconds
        try:
            while not checkpoint.finished and (self._limit_s or checkpoint.epoch < run.epochs):
                if not self._epoch(stop_at):
                    self._save()
                    self._end_if_asked()
                    return checkpoint
                if self._over():
                    self._save_latest()  # before the scores, which a rented machine may not live to see
                self._end_epoch()
        finally:
            self.reporter.end()
        if not checkpoint.finished:
            checkpoint.finished = True
            self._save()
        if self._limit_s:
            self._save_latest()
        if checkpoint.all_skipped:
            self.reporter.note(f"{checkpoint.all_skipped} of {checkpoint.updates} steps were skipped: not finite")
        return checkpoint

    def _epoch(self, stop_at: int | None) -> bool:
        """The rest of the current epoch; False when it had to stop, at `stop_at` or because somebody asked."""
        checkpoint = self.checkpoint
        self.tally.begin()
        with contextlib.closing(self._batches()) as every:
            for batch in every:
                self._step(batch)
                checkpoint.step += 1
                checkpoint.updates += 1
                if checkpoint.updates % EMA_EVERY == 0:
                    self._average()
                if checkpoint.updates % READ_EVERY == 0:
                    self.tally.read()
                checkpoint.seconds = self.clock.seconds()
                self.reporter.step(checkpoint, self.tally.loss)
                if checkpoint.step == self.steps or self._over():
                    break
                if self._stop.is_set() or (stop_at is not None and checkpoint.updates >= stop_at):
                    return False
                self._save_when_due()
        self.tally.read()
        return True

    def _batches(self) -> Generator[Any, None, None]:
        """What the steps to come are made on, on the device: each batch `echo` times."""
        checkpoint, stepper, echo = self.checkpoint, self.stepper, self.recipe.run.echo
        first = checkpoint.step // echo
        asked = time.perf_counter()
        for pictures, masks in self._feed.epoch(checkpoint.epoch, first, stepper.worker, stepper.workers):
            self.reporter.waited(time.perf_counter() - asked)
            batch = stepper.put(pictures, masks)
            for use in range(checkpoint.step % echo, echo):
                yield self._echoed(batch) if use else batch
            asked = time.perf_counter()

    def _step(self, batch: Any) -> None:
        """One step; the clock begins where the first one, which compiles, has ended."""
        self.stepper.step(batch, self._rate())
        if not self._begun:
            self._begun = True
            self.tally.read()
            self.clock = Clock(self.checkpoint.seconds)
            self.reporter.compiled()
        elif not self.stepper.skips:
            self.tally.read()

    def _echoed(self, batch: Any) -> Any:
        """The batch changed anew; the first time, which compiles, the clock stands still."""
        if self._echo is None:
            return batch
        with contextlib.nullcontext() if self._has_echoed else self.clock.stopped():
            self._has_echoed = True
            return self._echo(batch, self.checkpoint.epoch, self.checkpoint.step, self.stepper.worker)

    def _over(self) -> bool:
        """Whether the time of a run by time is up."""
        return bool(self._limit_s) and self.clock.seconds() >= self._limit_s

    def _end_epoch(self) -> None:
        """End of an epoch: scores, history, best weights, plateau, early stopping."""
        checkpoint = self.checkpoint
        self.tally.check_epoch()
        before = self.stepper.average()
        self._average()
        average = self.stepper.average()
        if not all(np.isfinite(value).all() for value in average):
            raise SegViewerError(self.tally.broken(float("nan")))
        row = {
            "epoch": checkpoint.epoch + 1,
            "step": checkpoint.updates,
            "learning_rate": self._rate(checkpoint.updates - 1),
            "loss": checkpoint.loss,
            "accuracy": checkpoint.sums[1] / max(1.0, checkpoint.sums[2]),
            "pictures_per_s": self.reporter.rate(),
            "skipped": checkpoint.skipped,
        }
        scored = self._to_be_scored()
        best = False
        if scored:
            kept = self._kept(average)
            try:
                began = time.perf_counter()
                row |= self.validation.score(kept, self._end_if_asked)
                self._score_took, self._scored_s = time.perf_counter() - began, self.clock.seconds()
            except Stopped:
                self.stepper.set_average(before)  # scored by whoever goes on, as if nothing had been
                self._save()
                raise
            if self.validation.pairs and self.validation.last is None and not checkpoint.history:
                self.reporter.note("every pixel of the held-out pictures is ignored: nothing can be scored")
            best = self._judge(row, kept)
        checkpoint.history.append(row)
        checkpoint.finished = checkpoint.finished or (scored and self._over())
        checkpoint.epoch, checkpoint.step, checkpoint.skipped = checkpoint.epoch + 1, 0, 0
        checkpoint.sums = [0.0, 0.0, 0.0, 0.0]
        checkpoint.seconds = self.clock.seconds()
        if scored:
            self._save()
            if self.stepper.worker == 0:
                write_history(self.run / HISTORY, checkpoint.history)
        else:
            self._save_when_due()
        self.reporter.epoch(row, self.validation.last if scored else None, best)

    def _to_be_scored(self) -> bool:
        """Whether an epoch that has ended is scored: each one, but by time no more than takes `SCORE_SHARE` of it."""
        if not self._limit_s or self._over():
            return True
        since = self.clock.seconds() - self._scored_s
        return since >= max(self._score_took, self._limit_s * SCORE_SHARE**2) / SCORE_SHARE

    def _judge(self, row: dict[str, float], kept: Arrays) -> bool:
        """Keep the best weights; see whether a plateau, or the end, is reached. Returns whether these are the best."""
        checkpoint, options = self.checkpoint, self.recipe.run
        value = row.get("val_miou") if options.monitor == "miou" else -row["val_loss"] if "val_loss" in row else None
        if value is None or checkpoint.best is None or value > checkpoint.best:
            checkpoint.best, checkpoint.best_epoch, checkpoint.waited = value, checkpoint.epoch, 0
            if self.stepper.worker == 0:
                save_weights(self.run, kept, checkpoint.updates)
            return True
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
        return False

    def _save_when_due(self) -> None:
        """A checkpoint every so many steps; by time every minute, and the average beside it in small files."""
        now = time.perf_counter()
        if not self._limit_s:
            if self.checkpoint.updates % self.recipe.run.checkpoint_every == 0:
                self._save()
        elif now - self._saved_at >= SAVE_EVERY_S:
            self._saved_at = now
            self._save()
            self._save_latest()

    def _save_latest(self) -> None:
        if self.stepper.worker == 0:
            save_latest(self.run, self._kept(self.stepper.average()), self.checkpoint.updates)

    def _save(self) -> None:
        self.tally.read()
        if self.stepper.worker:
            return  # the first machine writes for all
        checkpoint, weights = self.checkpoint, self.stepper.weights()
        if not all(np.isfinite(value).all() for value in weights):
            raise SegViewerError(self.tally.broken(float("nan")))
        checkpoint.weights, checkpoint.average, checkpoint.rate = weights, self.stepper.average(), self._rate()
        checkpoint.optimizer, checkpoint.seeds = self.stepper.moved()
        save_checkpoint(self.run, checkpoint)

    def _rate(self, update: int | None = None) -> float:
        """Learning rate of a step, of that to do next if not told which."""
        checkpoint = self.checkpoint
        done = min(1.0, self.clock.seconds() / self._limit_s) if self._limit_s else None
        step = checkpoint.updates if update is None else update
        return schedule(step, self.recipe, self.updates, checkpoint.halvings, done)

    def _end_if_asked(self) -> None:
        """Raises: Stopped."""
        if self._stop.is_set():
            where = f"epoch {self.checkpoint.epoch + 1}, step {self.checkpoint.step} of {self.steps}"
            raise Stopped(
                f"the checkpoint holds all up to {where}; the same command goes on, or:"
                f" seg-trainer train --run {self.run}"
            )

    def _average(self) -> None:
        """Moving average of the weights; its memory grows from nothing, so that the first weights are forgotten."""
        updates, momentum = self.checkpoint.updates, self.recipe.optimizer.ema
        keep = min(momentum**EMA_EVERY, updates / (updates + 10.0 * EMA_EVERY)) if momentum else 0.0
        self.stepper.average_in(keep)

    def _kept(self, average: Arrays) -> Arrays:
        """What is scored and exported: the average, or a mean of it and of what the run began with.

        Such a mean often does better on new streets than either (Wortsman et al., 2022).
        """
        blend = self.recipe.optimizer.blend
        if not blend:
            return average
        return [(1 - blend) * new + blend * old for new, old in zip(average, self._start, strict=True)]


def _first_pictures(samples: Samples) -> NDArray[np.uint8]:
    """The first training crops, at most `SEEN_FIRST`, (N, h, w, 3)."""
    entries = samples.plan(0).reshape(-1, 2)[:SEEN_FIRST]
    return np.stack([samples.sample(0, place, entry)[0] for place, entry in enumerate(entries)])
