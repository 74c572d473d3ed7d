"""Networks that Keras runs: of a run folder, finished or not, and in .keras and .h5 files from anywhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.errors import ExportError, ModelFileError, UsageError
from seg_viewer.core.labels import LabelSet
from trainer.labels.details import Details, plain
from trainer.labels.named import read_label_map
from trainer.network.backend import start_backend
from trainer.recipe import Recipe, read_recipe
from trainer.run_folder.checkpoint import CHECKPOINT, EMA_EVERY, RECIPE, WEIGHTS, load_checkpoint, load_weights
from trainer.run_folder.classes import CLASSES, read_classes
from trainer.run_folder.latest import load_latest
from trainer.scoring.evaluate import Predict

FINISHED = "model.keras"
SAVED_MODEL = "saved_model.pb"


@dataclass
class Runner:
    """A model that is ready.

    Args:
        name: for people.
        predict: (H, W, 3) uint8 RGB of the network's size → (H, W) uint8 class ids.
        size: (width, height) it takes.
        labels: its classes; None where the file does not say.
        classes: how many it tells apart.
        runs_as: what runs it, for people.
        close: lets go of it.
    """

    name: str
    predict: Predict
    size: tuple[int, int]
    labels: LabelSet | None
    classes: int
    runs_as: str
    close: Callable[[], None]


def open_keras(path: Path, pixels: str, size: tuple[int, int] | None) -> Runner:
    """A .keras or .h5 file; `pixels` and `size` as in `open_model`. Raises: UsageError, ModelFileError."""
    start_backend()
    from trainer.network.foreign import adapt
    from trainer.network.keras_file import load_keras

    model, labels = load_keras(path)
    if labels is not None and pixels != "auto":
        raise UsageError(f"{path}: was trained here and scales its pictures itself; leave --pixels out")
    # our own networks scale their pictures themselves
    network = adapt(path, model, "byte" if labels else pixels, size)
    if labels is not None and len(labels) != network.classes:
        raise ModelFileError(f"{path}: gives {network.classes} classes, and names {len(labels)}")
    says = _runs_as() + ("" if labels else f"; {network.says}")
    return Runner(path.name, network.predict, network.size, labels, network.classes, says, lambda: None)


def open_folder(path: Path) -> Runner:
    """A run folder: its model.keras, or the best weights so far where it has not finished.

    Raises:
        UsageError: it is no run folder, or has no weights yet.
        ModelFileError: it is a SavedModel folder, or cannot be read.
    """
    if (path / SAVED_MODEL).is_file():
        raise ModelFileError(
            f"{path}: is a SavedModel folder, which Keras 3 cannot build a network from; where it was made:"
            f" tf.keras.models.load_model('{path.name}', compile=False).save('{path.name}.h5'), then give the .h5 file"
        )
    if not (path / RECIPE).is_file() and not (path / FINISHED).is_file():
        raise UsageError(f"{path}: is no run folder; it holds neither {FINISHED} nor {RECIPE}")
    state = load_checkpoint(path) if (path / CHECKPOINT).is_file() else None
    if (path / FINISHED).is_file() and (state is None or state.finished):
        return open_keras(path / FINISHED, "auto", None)
    return _open_unfinished(path)


def _open_unfinished(run: Path) -> Runner:
    """The best weights so far, before the first epoch's end those of the checkpoint. Raises: UsageError."""
    start_backend()
    from trainer.network.build import float_unet, folded
    from trainer.network.keras_file import keras_class_map

    state = load_checkpoint(run)
    recipe = read_recipe(str(run / RECIPE))
    if (run / WEIGHTS).is_file():
        weights, step = load_weights(run)
        where = f"best weights so far, of step {step}"
    elif state is None and (latest := load_latest(run)):
        weights, step = latest
        where = f"latest weights, of step {step}"
    elif state is not None and state.updates:
        weights, step = (state.average if state.updates >= EMA_EVERY else state.weights), state.updates
        where = f"weights of step {step}, before the end of the first epoch"
    else:
        raise UsageError(f"{run}: has no weights yet; train on: seg-trainer train --run {run}")
    details = read_classes(run) or _known_classes(run, recipe)
    try:
        model: Any = folded(float_unet(recipe.model, weights, recipe.run.size, details), details)
    except ExportError as error:
        raise UsageError(f"{run}: its weights are of another network than its {RECIPE} says") from error

    def predict(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return keras_class_map(model, picture)

    labels: LabelSet = details.labels
    says = f"{_runs_as()}; not finished: {where}"
    return Runner(run.resolve().name, predict, recipe.run.size, labels, len(labels), says, lambda: None)


def _known_classes(run: Path, recipe: Recipe) -> Details:
    """The classes of a run from before they were kept, where a label map says them. Raises: UsageError."""
    if recipe.run.labels != "native" and not recipe.run.details:
        return plain(read_label_map(recipe.run.labels).labels, recipe.model.subpixel)
    raise UsageError(
        f"{run}: has no {CLASSES}, so that nobody knows what its weights mean; go on with its training once"
        f" (seg-trainer train --run {run}), which writes it"
    )


def _runs_as() -> str:
    import keras

    return f"Keras {keras.__version__} on {keras.backend.backend()}, float32"
