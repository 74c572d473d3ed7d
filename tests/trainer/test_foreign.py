"""Networks that were not trained here: scored as they were meant, or refused in one line that names the way out."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result

from tests.trainer.conftest import write_rgb
from trainer.cli import main
from trainer.network.backend import start_backend

HEIGHT, WIDTH = 32, 64
CUT = 150 / 255
"""Of red, 0…1: above it the made pictures show the object."""


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def discs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six pictures of red discs, and their masks of 0 and 255."""
    start_backend()
    root = tmp_path_factory.mktemp("foreign") / "discs"
    for number in range(6):
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        cv2.circle(mask, (12 + 7 * number, 16), 9, 255, -1)
        picture = np.where(mask[..., None] > 0, (200, 60, 40), (90, 110, 90)).astype(np.uint8)
        write_rgb(root / "images" / f"{number}.png", picture)
        write_rgb(root / "masks" / f"{number}.png", mask)
    return root


def _red(channels: int = 1, activation: str | None = None, scale: float = 1.0, name: str = "red") -> Any:
    """A 1×1 convolution that answers above 0 where red, times `scale`, is above `CUT`; of two channels, the second."""
    import keras

    layer = keras.layers.Conv2D(channels, 1, activation=activation, name=name)
    layer.build((None, HEIGHT, WIDTH, 3))
    kernel = np.zeros((1, 1, 3, channels), np.float32)
    kernel[0, 0, 0, -1] = 20 * scale
    bias = np.zeros(channels, np.float32)
    bias[-1] = -20 * CUT
    layer.set_weights([kernel, bias])
    return layer


def _network(*layers: Any, shape: tuple[int | None, ...] = (HEIGHT, WIDTH, 3)) -> Any:
    import keras

    frame = x = keras.Input(shape)
    for layer in layers:
        x = layer(x)
    return keras.Model(frame, x)


def _k() -> Any:
    import keras

    return keras.layers


GOOD: dict[str, Callable[[], Any]] = {
    "sigmoid": lambda: _network(_red(activation="sigmoid")),
    "logit": lambda: _network(_red()),
    "activation of its own": lambda: _network(_red(), _k().Activation("sigmoid")),
    "float32 at the end": lambda: _network(_red(activation="sigmoid"), _k().Activation("linear", dtype="float32")),
    "two channels": lambda: _network(_red(2), _k().Softmax()),
    "scales itself": lambda: _network(_k().Rescaling(1 / 255), _red(activation="sigmoid")),
    "a network within": lambda: _network(_network(_red(activation="sigmoid"))),
    "half size": lambda: _network(_k().AveragePooling2D(2), _red(activation="sigmoid")),
    "enlarged again": lambda: _network(_k().AveragePooling2D(2), _red(activation="sigmoid"), _k().UpSampling2D(2)),
    "without a last axis": lambda: _network(_red(activation="sigmoid"), _k().Reshape((HEIGHT, WIDTH))),
    "pixels in a row": lambda: _network(_red(2), _k().Reshape((HEIGHT * WIDTH, 2))),
    "doubled by transposing": lambda: _network(_k().AveragePooling2D(2), _red(), _doubling()),
}


def _doubling() -> Any:
    """Conv2DTranspose, which Keras 2 describes otherwise than Keras 3; it repeats each logit in 2×2 pixels."""
    layer = _k().Conv2DTranspose(1, 2, strides=2, use_bias=False, activation="sigmoid")
    layer.build((None, HEIGHT // 2, WIDTH // 2, 1))
    layer.set_weights([np.ones((2, 2, 1, 1), np.float32)])
    return layer


def _as_keras_2(path: Path) -> None:
    """Describe the network of an .h5 file as Keras 2 does where it differs, as seen in a file that it wrote."""
    import h5py

    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        for layer in config["config"]["layers"]:
            if layer["class_name"] == "Conv2DTranspose":
                layer["config"]["groups"] = 1
        file.attrs["model_config"] = json.dumps(config)
        file.attrs["keras_version"] = "2.15.0"


def _scored(model: Path, data: Path, *more: object) -> tuple[float, str]:
    """Mean IoU, and what was shown."""
    kept = model.with_suffix(".json")
    result = run("evaluate", "--model", model, "--data", data, "--validation-split", 0.5, "--json", kept, *more)
    assert result.exit_code == 0, result.output
    return float(json.loads(kept.read_text(encoding="utf-8"))["folder"]["miou"]), result.output


@pytest.mark.parametrize("kind", GOOD)
def test_a_network_from_elsewhere_is_scored_as_it_was_meant(kind: str, discs: Path, tmp_path: Path) -> None:
    GOOD[kind]().save(tmp_path / "m.keras")
    miou, shown = _scored(tmp_path / "m.keras", discs)
    assert miou == 1 or (miou > 0.85 and kind in ("half size", "enlarged again", "doubled by transposing")), shown
    assert f"pixels {'0…255, as it scales' if 'itself' in kind else '0…1, as nothing in it scales'}" in shown
    several = "2 channels, one a class"
    one = f"one channel: above {0 if kind == 'logit' else 0.5} it is the object"
    assert (several if kind in ("two channels", "pixels in a row") else one) in shown


@pytest.mark.parametrize("kind", ["sigmoid", "a network within", "doubled by transposing"])
def test_an_h5_file_is_read_whoever_wrote_it(kind: str, discs: Path, tmp_path: Path) -> None:
    GOOD[kind]().save(tmp_path / "m.h5")
    _as_keras_2(tmp_path / "m.h5")
    before = (tmp_path / "m.h5").read_bytes()
    assert _scored(tmp_path / "m.h5", discs)[0] > 0.85
    assert (tmp_path / "m.h5").read_bytes() == before


def test_how_pixels_are_given_and_their_size_can_be_said(discs: Path, tmp_path: Path) -> None:
    _network(_red(activation="sigmoid", scale=1 / 255), shape=(None, None, 3)).save(tmp_path / "m.keras")
    refused = run("evaluate", tmp_path / "m.keras", "--data", discs)
    assert refused.exit_code == 2 and "takes pictures of any size; say which" in refused.output
    size = ("--size", f"{WIDTH}x{HEIGHT}")
    assert _scored(tmp_path / "m.keras", discs, *size)[0] < 0.5  # it was trained on bytes
    miou, shown = _scored(tmp_path / "m.keras", discs, *size, "--pixels", "byte", "--overwrite")
    assert miou == 1 and "pixels 0…255 (--pixels)" in shown
    out = tmp_path / "out"
    done = run("predict", tmp_path / "m.keras", discs / "images", "-o", out, *size, "--pixels=byte")
    assert done.exit_code == 0, done.output
    mask = cv2.imread(str(out / "masks/3.png"), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(mask * 255, cv2.imread(str(discs / "masks/3.png"), cv2.IMREAD_UNCHANGED))


def _own(path: Path) -> Path:
    from seg_viewer.core.labels import Label, LabelSet
    from trainer.network.keras_file import save_keras

    names = LabelSet([Label(0, "background", (0, 0, 0), painted=False), Label(1, "object", (255, 0, 0))])
    save_keras(path, _network(_red(2)), names)
    return path


def _saved(path: Path, *layers: Any, shape: tuple[int | None, ...] = (HEIGHT, WIDTH, 3)) -> Path:
    _network(*layers, shape=shape).save(path)
    return path


def _weights_alone(folder: Path) -> Path:
    _network(_red()).save_weights(folder / "m.weights.h5")
    return folder / "m.weights.h5"


def _own_layer(folder: Path) -> Path:
    import keras

    class Mine(keras.layers.Layer):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            return x

    return _saved(folder / "m.h5", _red(), Mine())


def _keras_2(folder: Path) -> Path:
    """A .keras file whose description names modules of Keras 2."""
    _saved(folder / "3.keras", _red())
    with zipfile.ZipFile(folder / "3.keras") as whole, zipfile.ZipFile(folder / "m.keras", "w") as old:
        for name in whole.namelist():
            text = whole.read(name)
            if name == "config.json":
                text = text.replace(b"keras.src.models.functional", b"keras.src.engine.functional")
            if name == "metadata.json":
                text = json.dumps({"keras_version": "2.15.0"}).encode()
            old.writestr(name, text)
    return folder / "m.keras"


def _saved_model(folder: Path) -> Path:
    _network(_red()).export(folder / "net", verbose=False)
    return folder / "net"


def _two_outputs(folder: Path) -> Path:
    import keras

    frame = keras.Input((HEIGHT, WIDTH, 3))
    keras.Model(frame, [_red(name="a")(frame), _red(name="b")(frame)]).save(folder / "m.keras")
    return folder / "m.keras"


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


BAD: dict[str, tuple[Callable[[Path], Path], str]] = {
    "grey": (lambda f: _saved(f / "m.keras", _k().Conv2D(1, 1), shape=(32, 64, 1)), "takes pictures of 1 channels"),
    "four channels": (lambda f: _saved(f / "m.h5", _k().Conv2D(1, 1), shape=(32, 64, 4)), "of 4 channels"),
    "channels first": (lambda f: _saved(f / "m.keras", _k().Conv2D(1, 1), shape=(3, 32, 64)), "where pictures here"),
    "no picture": (lambda f: _saved(f / "m.keras", _k().Dense(2), shape=(12,)), "not one picture (None, H, W, 3)"),
    "two outputs": (_two_outputs, "gives 2 outputs; save a network with the one"),
    "one class": (lambda f: _saved(f / "m.keras", _k().GlobalAveragePooling2D()), "not classes of its pixels"),
    "another shape": (lambda f: _saved(f / "m.keras", _k().Cropping2D(4), _red()), "their shapes must agree"),
    "tanh": (lambda f: _saved(f / "m.keras", _red(activation="tanh")), "comes out of tanh, of which nobody knows"),
    "softmax": (lambda f: _saved(f / "m.keras", _red(), _k().Softmax()), "comes out of softmax"),
    "three classes": (lambda f: _saved(f / "m.keras", _red(3)), "has 3 classes, whose names it does not say; the data"),
    "weights alone": (_weights_alone, "holds weights without their network; in Python"),
    "a layer of one's own": (_own_layer, "cannot build this network"),
    "code": (lambda f: _saved(f / "m.h5", _k().Lambda(lambda x: x), _red()), "holds a Lambda layer, which is Python"),
    "Keras 2": (_keras_2, "was saved by Keras 2.15.0"),
    "SavedModel": (_saved_model, "is a SavedModel folder, which Keras 3 cannot"),
    "its file": (lambda f: _saved_model(f) / "saved_model.pb", "is a SavedModel folder"),
    "no .h5": (lambda f: _written(f / "m.h5", b"PK no such thing"), "is no .h5 file, or is cut short"),
    "empty .h5": (lambda f: _written(f / "m.h5", b""), "is no .h5 file"),
    "another kind": (lambda f: _written(f / "m.tflite", b""), "give a run folder, a .keras, .h5, .onnx or .plan"),
    "a folder": (lambda f: f, "is no run folder; it holds neither model.keras nor recipe.toml"),
    "our own, pixels": (lambda f: _own(f / "m.keras"), "was trained here and scales its pictures itself"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_cannot_be_scored_is_one_line_that_says_why(kind: str, discs: Path, tmp_path: Path) -> None:
    make, told = BAD[kind]
    model = make(tmp_path)
    result = run("evaluate", model, "--data", discs, *(["--pixels", "unit"] if "pixels" in kind else []))
    lines = result.output.strip().splitlines()
    assert result.exit_code in (1, 2) and len(lines) == 1, result.output
    assert told in lines[0] and isinstance(result.exception, SystemExit)
