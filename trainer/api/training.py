"""Networks and their training from Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from seg_viewer.core.console import plain_console
from trainer.api.data import Data, check_data
from trainer.data.chosen import refuse_beside_network
from trainer.limits import check_range, fitting
from trainer.network.backend import start_backend
from trainer.network.keras_file import load_keras
from trainer.network.unet import build
from trainer.recipe import Recipe
from trainer.run_folder.checkpoint import load_weights
from trainer.training.run import NETWORK, keep_network, new_run_folder, run_training

MOST_STAGES = 30


@dataclass(frozen=True)
class Trained:
    """A run that ended, or was stopped.

    Args:
        folder: the run folder: recipe.toml, checkpoints, history.csv, model.keras, report.html.
        history: one row for each epoch, as in history.csv: epoch, loss, accuracy, val_loss, val_accuracy, val_miou, …
        best_epoch: the epoch, counted from 1, whose weights are kept; 0 when none has ended.
        finished: False when `stop_at` ended it.
    """

    folder: Path
    history: tuple[Mapping[str, float], ...]
    best_epoch: int
    finished: bool

    @property
    def model(self) -> Any:
        """The keras.Model with the best weights, float32. Raises: UsageError when the run has not finished."""
        start_backend()
        return load_keras(self.folder / "model.keras")[0]


def unet(
    classes: int,
    size: tuple[int, int] | None = (256, 192),
    *,
    width: int = 32,
    depth: int = 5,
    widths: Sequence[int] = (),
    dropout: float = 0.0,
    residual: bool = False,
    norm: bool = True,
) -> Any:
    """The U-Net of Ronneberger et al. (2015), made of `conv_block` and `upsampling_block`.

    Args:
        classes: number of classes.
        size: (width, height) of the picture, pixels; None for any.
        width: channels of the first stage, doubled at each.
        depth: stages; sizes must be multiples of 2 ** (depth − 1).
        widths: channels of each stage, instead of `width` and `depth`.
        dropout, residual, norm: as of `conv_block`; dropout in the two deepest stages.

    Returns:
        keras.Model: pixels 0…255, (N, H, W, 3) RGB → logits (N, H, W, classes).

    Raises:
        UsageError: a value cannot be, or a side does not halve often enough.
    """
    check_range("classes", fitting("classes", classes, "int"), {"least": 1})
    asked = {"widths": widths, "width": width, "depth": depth, "dropout": dropout, "residual": residual, "norm": norm}
    stages = len(fitting("widths", widths, "tuple[int, ...]")) or fitting("depth", depth, "int")
    any_size = (2 ** min(max(stages, 0), MOST_STAGES),) * 2
    model = Recipe(()).change(arch="unet", size=any_size if size is None else size, **asked).model
    start_backend()
    across, down = (None, None) if size is None else size
    return build(model, classes, down, across)


def fit(
    model: Any,
    data: Data,
    *,
    run: str | Path | None = None,
    quiet: bool = False,
    stop_at: int | None = None,
    workers: int | None = None,
    **options: Any,
) -> Trained:
    """Train, as `seg-trainer train` does: scores after every epoch, checkpoints, the best weights, a report.

    Called again with the same run folder it goes on where it stopped, or says that it has finished.

    Args:
        model: a keras.Model that takes pixels 0…255 (N, H, W, 3) and gives logits (N, H, W, classes), such as `unet`
            makes; training begins with its weights, and leaves the best ones in it. None: the network that `options`
            and the recipe describe (arch="unet-fast" and so on).
        data: what to train on, of the size that the model takes.
        run: the run folder; runs/NAME of the first data set when not given.
        quiet: print nothing.
        stop_at: stop after so many steps in all; the same call goes on later.
        workers: processes that make samples, 0 for threads; as many as suit the machine when None.
        options: every option of `seg-trainer train`: epochs, batch_size, optimizer, learning_rate, loss,
            early_stopping, monitor, augment, …

    Raises:
        UsageError: the model or an option cannot be.
        SourceError: a file is damaged.
        SegViewerError: the loss is no longer a number, or memory is out.
    """
    check_data(data)
    if model is not None:
        refuse_beside_network(options)
    start_backend()
    recipe = data.recipe.change(**options | ({} if model is None else {"network": NETWORK}))
    folder = Path(run) if run else new_run_folder(Path(recipe.data[0].path).name or "run", recipe)
    if model is not None:
        recipe = recipe.change(network=str(keep_network(model, len(data.labels), recipe.run.size, folder)))
    console = Console(quiet=True) if quiet else plain_console(soft_wrap=True)
    state = run_training(recipe, (), folder, console, stop_at, workers)
    if model is not None and state.finished:
        model.set_weights(load_weights(folder)[0])
    return Trained(folder, tuple(state.history), state.best_epoch + 1, state.finished)
