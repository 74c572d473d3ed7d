"""The `.keras` file: what comes back, and what is refused."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from seg_viewer.core.errors import ModelFileError
from seg_viewer.core.labels import DRIVING, LabelSet
from trainer.architecture import Model
from trainer.network.backend import start_backend
from trainer.network.keras_file import load_keras, save_keras
from trainer.network.unet import build


@pytest.fixture
def unsafe_process() -> Iterator[None]:
    """Keras as some other code of the process may have left it: lambdas of any file are run."""
    start_backend()
    from keras.src.saving.serialization_lib import SafeModeScope

    with SafeModeScope(safe_mode=False):  # as keras.config.enable_unsafe_deserialization(), which has no way back
        yield


def _network(kind: str, marker: Path) -> Any:
    """A network whose code, if it is run, leaves `marker` behind."""
    import keras

    frame = keras.Input((32, 32, 3))
    leave = keras.layers.Lambda(lambda x, path=str(marker): (open(path, "w", encoding="utf-8").close(), x * 2)[1])
    if kind == "plain":
        return keras.Model(frame, leave(frame))
    inner_frame = keras.Input((32, 32, 3))
    inner = keras.Model(inner_frame, leave(inner_frame))
    return keras.Model(frame, inner(frame))


@pytest.mark.parametrize("kind", ["plain", "nested"])
@pytest.mark.usefixtures("unsafe_process")
def test_python_code_in_a_file_is_refused_and_never_run(tmp_path: Path, kind: str) -> None:
    path, marker = tmp_path / "foreign.keras", tmp_path / "was-run"
    _network(kind, marker).save(path)
    assert marker.exists(), "the network was made here, with its code run"
    marker.unlink()
    with pytest.raises(ModelFileError, match=r"foreign\.keras: holds a Lambda layer.*its \.onnx file$"):
        load_keras(path)
    assert not marker.exists()


def test_a_network_of_ours_comes_back_with_its_classes(tmp_path: Path) -> None:
    save_keras(tmp_path / "m.keras", build(Model(widths=(2, 3)), 4, 32, 64), DRIVING)
    model, labels = load_keras(tmp_path / "m.keras")
    assert labels == DRIVING
    assert model.input_shape == (None, 32, 64, 3)


CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "cut short": lambda data: data[: len(data) // 2],
    "a list": lambda _: b"[]",
    "null": lambda _: b"null",
    "deep": lambda _: b"[" * 100_000,
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("member", ["seg_viewer.json", "config.json", "model.weights.h5"])
def test_a_changed_file_is_named_whatever_was_changed(tmp_path: Path, member: str, change: str) -> None:
    start_backend()
    save_keras(tmp_path / "m.keras", build(Model(widths=(2, 3)), 4, 32, 64), DRIVING)
    with zipfile.ZipFile(tmp_path / "m.keras") as whole, zipfile.ZipFile(tmp_path / "changed.keras", "w") as changed:
        assert member in whole.namelist()
        for name in whole.namelist():
            data = whole.read(name)
            changed.writestr(name, CHANGES[change](data) if name == member else data)
    with pytest.raises(ModelFileError, match=r"changed\.keras: is no Keras model, or is cut short \(.+\)$"):
        load_keras(tmp_path / "changed.keras")


def test_names_of_classes_are_fit_for_a_terminal(tmp_path: Path) -> None:
    save_keras(tmp_path / "m.keras", build(Model(widths=(2, 3)), 2, 32, 64), LabelSet([DRIVING[0], DRIVING[1]]))
    with zipfile.ZipFile(tmp_path / "m.keras") as whole, zipfile.ZipFile(tmp_path / "evil.keras", "w") as changed:
        for name in whole.namelist():
            data = whole.read(name)
            changed.writestr(name, data.replace(b'"road"', json.dumps("r\x1b]0;x\x07\nd").encode()))
    _, labels = load_keras(tmp_path / "evil.keras")
    assert labels is not None and all(name.isprintable() for name in labels.names)
