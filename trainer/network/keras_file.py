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
from trainer.network.h5_file import SUFFIXES, load_h5
from trainer.network.keras_config import holds_code

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
    """The network of a .keras or .h5 file and its classes (None in a file that is not from here).

    Python code within a file is never run.

    Raises:
        UsageError: there is no such file.
        ModelFileError: it is no Keras file, or holds Python code.
    """
    import keras

    if not path.is_file():
        raise UsageError(f"{path}: no such model file")
    if path.suffix.lower() in SUFFIXES:
        return load_h5(path), None
    wrote = ""
    try:
        labels = None
        with zipfile.ZipFile(path) as archive:
            if MEMBER in archive.namelist():
                labels = LabelSet.from_json(printable_all(json.loads(archive.read(MEMBER)))["labels"])
            code = holds_code(json.loads(archive.read("config.json")))
            if "metadata.json" in archive.namelist():
                wrote = str(json.loads(archive.read("metadata.json")).get("keras_version", ""))
        # before Keras looks: it would run the code where somebody has switched its safe mode off for the process
        if code:
            raise ModelFileError(
                f"{path}: holds a Lambda layer, which is Python code and is not run here;"
                " save the network again with layers of Keras in its place, or give its .onnx file"
            )
        return keras.saving.load_model(path, compile=False, safe_mode=True), labels
    except _DAMAGED as error:
        if wrote.startswith("2."):
            raise ModelFileError(
                f"{path}: was saved by Keras {wrote}, whose .keras files Keras {keras.__version__} cannot read; where"
                f" it was made: keras.models.load_model('{path.name}', compile=False).save('{path.stem}.h5'), then give"
                " the .h5 file"
            ) from error
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise ModelFileError(f"{path}: is no Keras model, or is cut short ({reason})") from error
