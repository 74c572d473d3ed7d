"""What a person sees while a run goes on: a progress bar in a terminal, lines elsewhere, and TensorBoard."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from seg_viewer.core.console import plain_console
from seg_viewer.core.scores import Scores
from trainer.run_folder.checkpoint import Checkpoint

LINE_EVERY_S = 30.0

WAITS = 0.05
"""From this share of the time on it is said that training waits for samples."""


class Reporter:
    """Shows steps and epochs.

    Args:
        console: where to write.
        board: folder for TensorBoard events, or None.
    """

    def __init__(self, console: Console | None = None, board: Path | None = None) -> None:
        self._console = console or plain_console(soft_wrap=True)
        self._board_folder = board
        self._board: Board | None = None
        self._bar: Progress | None = None
        self._task = TaskID(0)
        self._began = self._last_line = 0.0
        self._done = 0
        self._seconds = self._waited = 0.0
        self._epochs = self._steps = self._batch = 0
        self._minutes = 0.0

    def note(self, text: str) -> None:
        """One line, with the time of day."""
        self._console.print(f"{time.strftime('%H:%M:%S')}  {text}")

    def begin(self, epochs: int, steps: int, batch: int, checkpoint: Checkpoint, minutes: float = 0.0) -> None:
        """Before the first step.

        Args:
            epochs, steps, batch: of the run, of an epoch, pictures of a step.
            checkpoint: where it begins.
            minutes: how long it goes on, whatever `epochs` says; 0: by epochs.
        """
        if self._board_folder and self._board is None:
            self._board = Board(self._board_folder)
            if self._board.without:
                self.note(f"{self._board.without} is not installed: no events for TensorBoard")
        self._epochs, self._steps, self._batch, self._minutes = epochs, steps, batch, minutes
        self._count_anew()
        self._last_line = self._began
        if self._console.is_terminal:
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                *(() if minutes else (MofNCompleteColumn(),)),
                TaskProgressColumn(),
                TextColumn("{task.fields[rate]}"),
                TimeRemainingColumn(),
            )
            self._bar = Progress(*columns, console=self._console, transient=True)
            self._bar.start()
            total = minutes * 60 if minutes else epochs * steps
            self._task = self._bar.add_task("", total=total, completed=self._completed(checkpoint), rate="")

    def _completed(self, checkpoint: Checkpoint) -> int:
        return round(checkpoint.seconds) if self._minutes else checkpoint.updates

    def compiled(self) -> None:
        """The step that is reported next is no measure of the rate: something was compiled in it."""
        self._count_anew()
        self._last_line = self._began
        self._done = -1

    def _count_anew(self) -> None:
        self._began = time.perf_counter()
        self._done, self._seconds, self._waited = 0, 0.0, 0.0

    def waited(self, seconds: float) -> None:
        """So long nothing was asked of the device, because no batch was there."""
        self._waited += seconds

    def step(self, checkpoint: Checkpoint, loss: float) -> None:
        """After every step.

        Args:
            checkpoint: where the run is; its sums may lack the last few steps.
            loss: the newest that is known.
        """
        self._done += 1
        now = time.perf_counter()
        self._seconds = now - self._began
        known = f"  loss {checkpoint.loss:.4f}" if checkpoint.sums[3] else ""
        known += f"  skipped {checkpoint.all_skipped}" if checkpoint.all_skipped else ""
        text = f"{self._epoch_name(checkpoint.epoch + 1)}{known}"
        if self._bar:
            self._bar.update(
                self._task,
                completed=self._completed(checkpoint),
                description=text,
                rate=f"{self.rate():.1f} pictures/s{self._waits()}",
            )
        elif now - self._last_line > LINE_EVERY_S:
            self._last_line = now
            if self._minutes:
                left = self._minutes - checkpoint.seconds / 60
            else:
                left = (self._epochs * self._steps - checkpoint.updates) * self._batch / max(1e-9, self.rate()) / 60
            self.note(
                f"{text}  step {checkpoint.step}/{self._steps}  {self.rate():.1f} pictures/s{self._waits()}"
                f"  {left:.0f} min left"
            )
        if self._board and checkpoint.updates % 20 == 0:
            self._board.scalars({"step/loss": loss}, checkpoint.updates)

    def _epoch_name(self, number: int) -> str:
        return f"epoch {number}" if self._minutes else f"epoch {number}/{self._epochs}"

    def _waits(self) -> str:
        """How much of the time goes in waiting for samples, where it is worth a word."""
        share = self._waited / self._seconds if self._seconds else 0.0
        return f", waits for samples {share:.0%} of the time" if share >= WAITS else ""

    def rate(self) -> float:
        """Training pictures per second of this epoch; scoring does not count."""
        return self._done * self._batch / self._seconds if self._seconds else 0.0

    def epoch(self, row: dict[str, float], scores: Scores | None, best: bool) -> None:
        """After every epoch's scores."""
        text = f"{self._epoch_name(int(row['epoch']))}  loss {row['loss']:.4f}  accuracy {row['accuracy'] * 100:.2f}"
        text += f"  skipped {int(row['skipped'])}" if row.get("skipped") else ""
        if scores:
            classes = [f"{name} {value * 100:.1f}" for name, value in scores.iou.items()]
            more = " ".join(classes) if len(classes) <= 5 else f"{len(classes)} classes"
            loss = f" loss {row['val_loss']:.4f}" if "val_loss" in row else ""
            text += f"  val{loss} accuracy {scores.accuracy * 100:.2f} mIoU {scores.miou * 100:.2f} ({more})"
        self.note(text + ("  best" if best and scores else "") + f"  {row['pictures_per_s']:.1f} pictures/s")
        if self._board:
            self._board.scalars(
                {f"epoch/{k}": v for k, v in row.items() if k not in ("epoch", "step")}, int(row["step"])
            )
        self._count_anew()

    def pictures(self, name: str, picture: NDArray[np.uint8], step: int) -> None:
        """One (H, W, 3) uint8 RGB picture for TensorBoard."""
        if self._board:
            self._board.picture(name, picture, step)

    def end(self) -> None:
        """After the last step, whatever ended it."""
        if self._bar:
            self._bar.stop()
            self._bar = None
        if self._board:
            self._board.close()


class Board:
    """TensorBoard events through tf.summary; without TensorFlow or tensorboard nothing is written.

    Args:
        folder: of the events.
    """

    def __init__(self, folder: Path) -> None:
        self._writer: Any = None
        self.without = ""
        """The package that is missing."""
        try:
            import tensorflow as tf
        except ImportError:
            self.without = "tensorflow"
            return
        if os.environ.get("KERAS_BACKEND", "tensorflow") != "tensorflow":
            with contextlib.suppress(RuntimeError, ValueError):  # the GPU is another backend's
                tf.config.set_visible_devices([], "GPU")
        self._tf = tf
        try:
            tf.summary.scalar  # noqa: B018  lives in tensorboard, which may be missing
            self._writer = tf.summary.create_file_writer(str(folder))
        except (ImportError, AttributeError):
            self.without = "tensorboard"

    def scalars(self, values: dict[str, float], step: int) -> None:
        """Numbers by name, such as "step/loss"."""
        if self._writer:
            with self._writer.as_default():
                for name, value in values.items():
                    self._tf.summary.scalar(name, value, step)

    def picture(self, name: str, picture: NDArray[np.uint8], step: int) -> None:
        """One (H, W, 3) uint8 RGB picture."""
        if self._writer:
            with self._writer.as_default():
                self._tf.summary.image(name, picture[None], step)

    def close(self) -> None:
        """Write out what is still in memory."""
        if self._writer:
            self._writer.flush()
