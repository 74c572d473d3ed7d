"""Networks in .h5 files, as Keras 1 to 3 write them; the code that some hold is never run."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from seg_viewer.core.errors import ModelFileError
from trainer.network.keras_config import holds_code

SUFFIXES = (".h5", ".hdf5")

_DAMAGED = (OSError, ValueError, TypeError, KeyError, AttributeError, RuntimeError, RecursionError)
"""What h5py and Keras raise for a file that is no .h5 file, or holds a network that cannot be built."""

_ALWAYS_ONE = ("Conv2DTranspose", "DepthwiseConv2D")
"""Layers whose Keras 2 form has the value `groups`, which is always 1 and which Keras 3 refuses."""


def load_h5(path: Path) -> Any:
    """The network of a file.

    Args:
        path: file that exists.

    Returns:
        keras.Model, not compiled.

    Raises:
        ModelFileError: it is none, holds weights alone or Python code, or has layers that Keras 3 does not know.
    """
    import keras

    config = _config(path)
    if holds_code(config):
        raise ModelFileError(
            f"{path}: holds a Lambda layer, which is Python code and is not run here;"
            " save the network again with layers of Keras in its place"
        )
    try:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "network.h5"
            shutil.copyfile(path, copy)
            _write_config(copy, _as_keras_3(config))
            return keras.saving.load_model(copy, compile=False, safe_mode=True)
    except _DAMAGED as error:
        raise ModelFileError(
            f"{path}: Keras {keras.__version__} cannot build this network ({_reason(error)}); in Python, build it from"
            f" layers of Keras 3, then model.load_weights('{path.name}') and model.save('{path.stem}.keras')"
        ) from error


def _config(path: Path) -> Any:
    """The description of the network. Raises: ModelFileError."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            text = file.attrs.get("model_config")
    except OSError as error:
        raise ModelFileError(f"{path}: is no .h5 file, or is cut short ({_reason(error)})") from error
    if text is None:
        raise ModelFileError(
            f"{path}: holds weights without their network; in Python, build the network, then"
            f" model.load_weights('{path.name}') and model.save('{path.stem}.keras')"
        )
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise ModelFileError(f"{path}: its description of the network is damaged ({_reason(error)})") from error


def _write_config(path: Path, config: Any) -> None:
    import h5py

    with h5py.File(path, "r+") as file:
        file.attrs["model_config"] = json.dumps(config)


def _as_keras_3(config: Any) -> Any:
    """A description without what Keras 2 wrote and Keras 3 refuses although it says nothing."""
    if isinstance(config, list):
        return [_as_keras_3(part) for part in config]
    if not isinstance(config, dict):
        return config
    made = {key: _as_keras_3(part) for key, part in config.items()}
    inner = made.get("config")
    if made.get("class_name") in _ALWAYS_ONE and isinstance(inner, dict) and inner.get("groups") == 1:
        made["config"] = {key: part for key, part in inner.items() if key != "groups"}
    return made


def _reason(error: BaseException) -> str:
    """The line of a long message of Keras that says what is wrong: the last one."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1][-200:] if lines else type(error).__name__
