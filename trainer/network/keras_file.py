"""The `.keras` file of a run: the network in float32, with our classes stored beside its weights."""

from __future__ import annotations

import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.errors import ModelFileError, UsageError
from seg_viewer.core.labels import LabelSet
from seg_viewer.core.part_file import part_file
from seg_viewer.core.printable import printable_all

MEMBER = "seg_viewer.json"

_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    EOFError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    RuntimeError,  # an encrypted member, and JSON that nests too deep
)
"""What Python and Keras raise for a file that is no .keras file, or a changed one."""


def keras_class_map(model: Any, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What the exported graph must answer: arg-max of the logits, doubled bilinearly where they are at half size.

    (H, W, 3) uint8 RGB → (H, W) uint8.
    """
    from keras import ops

    logits = model(picture[None].astype(np.float32), training=False)
    height, width = picture.shape[:2]
    if logits.shape[1] != height:
        logits = ops.image.resize(logits, (height, width), interpolation="bilinear")
    return np.argmax(ops.convert_to_numpy(logits)[0], axis=-1).astype(np.uint8)


def save_keras(path: Path, model: Any, labels: LabelSet) -> None:
    """Write the file, whole or not at all. Raises: ExportError."""
    with part_file(path) as part:
        model.save(part)
        with zipfile.ZipFile(part, "a") as archive:
            archive.writestr(MEMBER, json.dumps({"labels": labels.to_json()}))


def load_keras(path: Path) -> tuple[Any, LabelSet | None]:
    """The network and its classes (None in a file that is not from here).

    Python code within a file is never run.

    Raises:
        UsageError: there is no such file.
        ModelFileError: it is no Keras file, holds Python code, or is a network of another kind.
    """
    model, labels = open_keras(path)
    shape = getattr(model, "input_shape", None)
    if not (isinstance(shape, tuple) and len(shape) == 4 and shape[3] == 3 and shape[1] and shape[2]):
        raise ModelFileError(f"{path}: takes {shape}, not (None, H, W, 3) with fixed H and W")
    return model, labels


def open_keras(path: Path) -> tuple[Any, LabelSet | None]:
    """As `load_keras`, whatever the network takes and gives."""
    import keras

    if not path.is_file():
        raise UsageError(f"{path}: no such model file")
    try:
        labels = None
        with zipfile.ZipFile(path) as archive:
            if MEMBER in archive.namelist():
                labels = LabelSet.from_json(printable_all(json.loads(archive.read(MEMBER)))["labels"])
            code = _holds_code(json.loads(archive.read("config.json")))
        # before Keras looks: it would run the code where somebody has switched its safe mode off for the process
        if code:
            raise ModelFileError(
                f"{path}: holds a Lambda layer, which is Python code and is not run here;"
                " save the network again with layers of Keras in its place, or give its .onnx file"
            )
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except _DAMAGED as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise ModelFileError(f"{path}: is no Keras model, or is cut short ({reason})") from error
    return model, labels


def _holds_code(config: Any) -> bool:
    """Whether a Lambda layer, or a lambda of another layer, is anywhere in the config.json of a Keras file."""
    if isinstance(config, dict):
        return config.get("class_name") in ("Lambda", "__lambda__") or any(map(_holds_code, config.values()))
    return isinstance(config, list) and any(map(_holds_code, config))
