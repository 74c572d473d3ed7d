"""What came of the steps: sums of an epoch, steps that were skipped, and the line that names a batch."""

from __future__ import annotations

import math

from seg_viewer.core.errors import SegViewerError
from trainer.data.samples import Samples
from trainer.run_folder.checkpoint import Checkpoint
from trainer.training.progress import Reporter
from trainer.training.step import Stepper

MOST_SKIPPED = 20
"""So many steps on end that are not finite end a run: it does not come back by itself."""


class Tally:
    """Adds up in a checkpoint what a stepper gives.

    Args:
        stepper: is read.
        checkpoint: its `sums` and `skipped` are kept.
        samples: whose batches they are.
        reporter: hears of steps that are skipped.
    """

    def __init__(self, stepper: Stepper, checkpoint: Checkpoint, samples: Samples, reporter: Reporter) -> None:
        self._stepper, self._checkpoint, self._samples, self._reporter = stepper, checkpoint, samples, reporter
        self._next, self._streak = checkpoint.step, 0
        self.loss = 0.0
        """The newest that is known."""

    def begin(self) -> None:
        """At the first step of an epoch, or where one goes on."""
        self._next = self._checkpoint.step

    def read(self) -> None:
        """Add what came of the steps since the last time; waits for them.

        Raises: SegViewerError when too many on end are not finite.
        """
        checkpoint, before = self._checkpoint, self._checkpoint.skipped
        for loss, right, counted, fine in self._stepper.read():
            step, self._next = self._next, self._next + 1
            if fine:
                for index, value in enumerate((loss, right, counted, 1.0)):
                    checkpoint.sums[index] += value
                self.loss, self._streak = float(loss), 0
                continue
            self._streak += 1
            if not self._stepper.skips or self._streak >= MOST_SKIPPED:
                raise SegViewerError(self.broken(float(loss), step))
            if checkpoint.skipped == before:
                self._reporter.note(f"{self._named(float(loss), step)}: skipped")
            checkpoint.skipped += 1

    def check_epoch(self) -> None:
        """Raises: SegViewerError when not one step of an epoch that has ended was finite."""
        if not self._checkpoint.sums[3]:
            raise SegViewerError(self.broken(math.nan))

    def broken(self, loss: float, step: int | None = None) -> str:
        """Why a run ends.

        Args:
            loss: what is no number; if it is one, the gradients are not.
            step: of the epoch; the last one when None.
        """
        return (
            f"{self._named(loss, self._checkpoint.step - 1 if step is None else step)}: the last checkpoint stays."
            " Lower --learning-rate, or run 'seg-trainer check' if it is always this batch"
        )

    def _named(self, loss: float, step: int) -> str:
        epoch = self._checkpoint.epoch
        plan = self._samples.plan(epoch)
        pairs = plan[min(max(0, step) // self._samples.recipe.run.echo, len(plan) - 1)]
        names = ", ".join(self._samples.pair(which).picture.name for which in pairs[:4])
        what = "gradients are not finite" if math.isfinite(loss) else f"loss is {loss}"
        return f"{what} at epoch {epoch + 1}, step {step + 1} (its batch begins with {names})"
