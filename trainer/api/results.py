"""What a model does, from Python: scores, class maps, pictures and curves."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.errors import SourceError, UsageError
from seg_viewer.core.scores import Scores, confusion_matrix
from trainer.api.data import PARTS, Data, check_count, check_data, shown, stacked
from trainer.api.training import Trained
from trainer.data.data_set import DataSet
from trainer.data.picture_files import read_picture
from trainer.drawing.charts import curves_png
from trainer.drawing.pictures import Rgb, decoded
from trainer.network.keras_file import keras_class_map
from trainer.network.own import check_network
from trainer.pairs import Pair
from trainer.run_folder.checkpoint import load_checkpoint
from trainer.scoring.evaluate import MeasuredModel, measure, to_frame, to_mask_size
from trainer.scoring.grids import Sample, random_run, sample_grid
from trainer.scoring.runner import Runner, open_model

AnyModel = Any
"""A keras.Model, a `Trained`, or the path of a run folder, a .keras, .onnx or .plan file."""


def evaluate(model: AnyModel, data: Data, part: str = "held-out") -> Scores:
    """Scores of all pictures of a part, from one confusion matrix at the resolution of the masks.

    Args:
        model: a keras.Model, what `fit` returned, or the path of a run folder, a .keras, .onnx or .plan file.
        data: its pictures; the classes must be the model's.
        part: "held-out" or "training".

    Returns:
        `miou`, `accuracy`, `mdice`, and by class name `iou`, `dice`, `precision`, `recall`; shares of 1.

    Raises:
        UsageError: the model has other classes.
        SourceError: a file is damaged, or nothing is in that part.
    """
    check_data(data)
    count = len(data.labels)
    matrix, pictures = np.zeros((count, count), np.int64), 0
    with _opened(model, data) as running:
        for _, one in data.found:
            shown = one if part == "held-out" else dataclasses.replace(one, held_out=one.train)
            if shown.held_out:
                scores = measure([MeasuredModel(running.predict, running.size, data.labels)], shown)[0].scores
                matrix, pictures = matrix + scores.matrix, pictures + scores.pictures
    if not data.pairs(part):
        raise SourceError(f"nothing was scored: no {part} picture; give validation_split to load_dataset")
    return Scores(pictures, matrix, data.labels)


def predict(model: AnyModel, picture: str | Path | Rgb, engine: str = "auto") -> NDArray[np.uint8]:
    """The class of each pixel.

    Args:
        model: as in `evaluate`.
        picture: a file, or (H, W, 3) uint8 RGB.
        engine: runtime of an .onnx file: "auto", "openvino", "onnxruntime", "tensorrt-rtx" or "tensorrt".

    Returns:
        (H, W) uint8 class ids, at the size of the picture.

    Raises:
        SourceError: the file cannot be read.
        UsageError, ModelFileError, EngineError: the model cannot be read or run.
    """
    array = np.asarray(read_picture(Path(picture)) if isinstance(picture, str | Path) else picture)
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3:
        raise UsageError(f"picture is {array.dtype} {array.shape}; give (H, W, 3) uint8 RGB")
    with _opened(model, None, engine) as running:
        size = running.size if all(running.size) else (array.shape[1], array.shape[0])
        return to_mask_size(running.predict(to_frame(array, size)), array[:, :, 0])


def show_predictions(
    model: AnyModel,
    data: Data,
    count: int = 6,
    part: str = "held-out",
    *,
    start: int | None = None,
    seed: int | None = None,
    path: str | Path | None = None,
) -> Any:
    """Pictures beside their masks, the predictions and what is wrong in them, under a legend.

    Args:
        model: as in `evaluate`.
        data: its pictures.
        count: how many; they follow each other.
        part: "held-out", "training", or "both": so many of each.
        start: number of the first one, counted from 0; drawn at random when None.
        seed: of that draw.
        path: a .png file to write too.

    Returns:
        PIL.Image.Image; a notebook shows it.

    Raises:
        UsageError: the model has other classes.
        SourceError: a file is damaged, or nothing is in that part.
        ExportError: `path` cannot be written.
    """
    check_data(data)
    check_count(count)
    rng = np.random.default_rng(seed)
    grids = []
    with _opened(model, data) as running:
        for one in PARTS if part == "both" else (part,):
            pairs = data.pairs(one)
            if not pairs and part != "both":
                raise SourceError(f"nothing to show: no {one} picture; give validation_split to load_dataset")
            numbers = random_run(len(pairs), rng, count)
            if start is not None:
                numbers = [(start + step) % len(pairs) for step in range(len(numbers))]
            if numbers:
                samples = [_sample(running, *pairs[number], one) for number in numbers]
                grids.append(sample_grid(samples, data.labels))
    return shown(stacked(grids), path)


def show_history(run: Trained | str | Path, path: str | Path | None = None) -> Any:
    """Loss, accuracy, mean IoU and learning rate over the epochs, training against held-out pictures.

    Args:
        run: what `fit` returned, or a run folder.
        path: a .png file to write too.

    Returns:
        PIL.Image.Image; a notebook shows it.

    Raises:
        UsageError: no epoch has ended.
    """
    if isinstance(run, Trained):
        history: Sequence[Mapping[str, float]] = run.history
    else:
        checkpoint = load_checkpoint(Path(run))
        history = checkpoint.history if checkpoint else ()
    if not history:
        raise UsageError(f"{run.folder if isinstance(run, Trained) else run}: no epoch has ended; nothing to draw")
    return shown(decoded(curves_png(history)), path)


@contextlib.contextmanager
def _opened(model: AnyModel, data: Data | None, engine: str = "auto") -> Iterator[Runner]:
    """The model as a function, let go of afterwards. Raises: UsageError when it has other classes than the data."""
    if isinstance(model, Trained):
        model = model.folder
    running = open_model(Path(model), engine) if isinstance(model, str | Path) else _running(model, data)
    try:
        if data is not None and running.labels is not None and running.labels.names != data.labels.names:
            raise UsageError(
                f"{running.name} has the classes {', '.join(running.labels.names)}, the data"
                f" {', '.join(data.labels.names)}: give load_dataset the labels that fit"
            )
        yield running
    finally:
        running.close()


def _running(model: Any, data: Data | None) -> Runner:
    """A keras.Model as a function. Raises: UsageError when it is none, or has other classes than the data."""
    shape = getattr(model, "input_shape", None)
    if not isinstance(shape, tuple) or len(shape) != 4:
        raise UsageError(f"{type(model).__name__} is no model: give a keras.Model, what fit returned, or a path")
    if data is not None:
        check_network(model, model.name, len(data.labels), stride=None)
    size = (shape[2] or 0, shape[1] or 0) if data is None else (shape[2] or data.size[0], shape[1] or data.size[1])
    classes = model.output_shape[3]
    return Runner(model.name, lambda frame: keras_class_map(model, frame), size, None, classes, "Keras", lambda: None)


def _sample(running: Runner, one: DataSet, pair: Pair, part: str) -> Sample:
    picture, mask = one.read(pair)
    frame = to_frame(picture, running.size)
    predicted = to_mask_size(running.predict(frame), mask)
    miou = Scores(1, confusion_matrix(mask, predicted, len(one.labels)), one.labels).miou
    return Sample(f"{part}: {pair.picture.name}", picture, mask, predicted, miou)
