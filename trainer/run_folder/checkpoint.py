"""What a run needs to go on after a kill, in one file that any Keras backend can read."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.errors import UsageError
from seg_viewer.core.part_file import part_file, write_text
from trainer.run_folder.latest import load_latest

CHECKPOINT = "checkpoint.npz"
WEIGHTS = "weights.npz"
RECIPE = "recipe.toml"
HISTORY = "history.csv"

EMA_EVERY = 4
"""Steps from one update of the moving average to the next."""

Arrays = list[NDArray[Any]]


@dataclass
class Checkpoint:
    """A run between two steps.

    Args:
        weights, average: of the model, and their moving average.
        optimizer: its variables.
        seeds: states of the random generators within the model (dropout).
        epoch, step: the step of the epoch to do next.
        updates: steps done in all.
        sums: of this epoch so far: loss, right pixels, counted pixels, steps that they are of.
        skipped: steps of this epoch whose loss or gradients were not finite, and that changed nothing.
        seconds: of training in all, without compiling.
        best: best monitored value so far (larger is better), None before the first epoch ends.
        best_epoch: its epoch.
        waited: epochs without a better one.
        halvings: how often a plateau has halved the learning rate.
        history: one row for each epoch that ended.
        finished: whether the run has ended.
        rate: learning rate of the step to do next, None in a file from before it was kept.
    """

    weights: Arrays
    average: Arrays
    optimizer: Arrays = field(default_factory=list)
    seeds: Arrays = field(default_factory=list)
    epoch: int = 0
    step: int = 0
    updates: int = 0
    sums: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0, 0.0])
    skipped: int = 0
    seconds: float = 0.0
    best: float | None = None
    best_epoch: int = -1
    waited: int = 0
    halvings: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    finished: bool = False
    rate: float | None = None

    @property
    def loss(self) -> float:
        """Mean loss of this epoch so far."""
        return self.sums[0] / max(1.0, self.sums[3])

    @property
    def all_skipped(self) -> int:
        """Steps that changed nothing, in all epochs."""
        return self.skipped + int(sum(row.get("skipped", 0) for row in self.history))


_LISTS = ("weights", "average", "optimizer", "seeds")
_VALUES = (
    "epoch",
    "step",
    "updates",
    "sums",
    "skipped",
    "seconds",
    "best",
    "best_epoch",
    "waited",
    "halvings",
    "history",
    "finished",
    "rate",
)


_DAMAGED = (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile)
"""What NumPy raises for a file that is no .npz of ours: empty, cut short, changed, an .npy."""


def save_arrays(path: Path, **arrays: Any) -> None:
    """Write an .npz that is there whole or not at all. Raises: ExportError."""
    with part_file(path) as part:
        np.savez(part, **arrays)


def save_checkpoint(run: Path, checkpoint: Checkpoint) -> None:
    """Write the checkpoint of a run folder. Raises: ExportError."""
    arrays: dict[str, Any] = {"values": json.dumps({name: getattr(checkpoint, name) for name in _VALUES})}
    for name in _LISTS:
        arrays |= {f"{name}{index:04}": value for index, value in enumerate(getattr(checkpoint, name))}
    save_arrays(run / CHECKPOINT, **arrays)


def load_checkpoint(run: Path) -> Checkpoint | None:
    """The checkpoint of a run folder, or None. Raises: UsageError when it is damaged."""
    path = run / CHECKPOINT
    if not path.exists():
        return None
    try:
        with np.load(path) as file:
            values: dict[str, Any] = json.loads(str(file["values"]))
            values |= {name: [file[key] for key in sorted(file.files) if key.startswith(name)] for name in _LISTS}
            if len(values["sums"]) == 3:  # from before steps were skipped
                values["sums"].append(float(values["step"]))
            return Checkpoint(**values)
    except _DAMAGED as error:
        raise UsageError(f"{path}: checkpoint is damaged ({error}); remove it to start again") from error


def save_weights(run: Path, weights: Arrays, step: int) -> None:
    """Write the weights that count: those of the best epoch. Raises: ExportError."""
    save_arrays(run / WEIGHTS, **{f"{index:04}": value for index, value in enumerate(weights)}, step=step)


def load_weights(run: Path) -> tuple[Arrays, int]:
    """The weights of a run folder and the step they are from; without best ones the latest. Raises: UsageError."""
    path = run / WEIGHTS
    if not path.exists() and (latest := load_latest(run)):
        return latest
    try:
        with np.load(path) as file:
            return [file[key] for key in sorted(file.files) if key != "step"], int(file["step"])
    except FileNotFoundError:
        raise UsageError(f"{path}: no weights there; train first: seg-trainer train --run {run}") from None
    except _DAMAGED as error:
        raise UsageError(f"{path}: weights are damaged ({error}); train again in another --run folder") from error


def write_history(path: Path, rows: Sequence[dict[str, float]]) -> None:
    """The rows as CSV, columns in the order of their first appearance. Raises: ExportError."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: value if isinstance(value, int) else f"{value:.6g}" for key, value in row.items()})
    write_text(path, text.getvalue())
