"""Networks that were not trained here: what they take, what they give, and what that means in classes."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.errors import ModelFileError, UsageError

PIXELS = {"byte": (1.0, 0.0, "0…255"), "unit": (1 / 255, 0.0, "0…1"), "signed": (2 / 255, -1.0, "−1…1")}
"""How pixels are given to a network: factor, offset, for people."""

_SCALES = ("Rescaling", "Normalization", "TrueDivide", "Divide")
"""Layers by which a network scales its pictures itself."""

_SHAPES_ONLY = ("Reshape", "Resizing", "UpSampling2D", "Identity", "Dropout", "Permute", "Cropping2D", "ZeroPadding2D")
"""Layers that leave what the values mean as it is."""

_CUTS = {"sigmoid": 0.5, "hard_sigmoid": 0.5, "linear": 0.0}
"""Last activation of one channel → value above which it means the object."""


@dataclass(frozen=True)
class Foreign:
    """A network ready to be asked.

    Args:
        predict: (H, W, 3) uint8 RGB of `size` → (H, W) uint8 class ids.
        size: (width, height) it takes.
        classes: how many it tells apart; 2 where it has one channel.
        says: how it is read, for people.
    """

    predict: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
    size: tuple[int, int]
    classes: int
    says: str


def adapt(path: Path, model: Any, pixels: str = "auto", size: tuple[int, int] | None = None) -> Foreign:
    """Ask a network for class ids.

    One channel says where the object is: above 0.5 behind a sigmoid, above 0 without one. Several channels: the
    largest. Answers of another size are scaled bilinearly before they are compared.

    Args:
        path: its file, for messages.
        model: keras.Model.
        pixels: a key of `PIXELS`; "auto": "byte" where the network scales pictures itself, else "unit".
        size: (width, height) for a network that takes any.

    Raises:
        ModelFileError: it takes or gives something else than pictures and classes.
        UsageError: `size` is missing or wrong.
    """
    width, height = _size(path, model, size)
    way = pixels if pixels != "auto" else "byte" if _scales(model) else "unit"
    factor, offset, shown = PIXELS[way]

    def ask(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        batch = picture[None].astype(np.float32) * np.float32(factor) + np.float32(offset)
        return _planes(path, model(batch, training=False), height, width)

    try:
        with warnings.catch_warnings(action="ignore"):  # what is wrong with it is said below, in one line
            channels = ask(np.zeros((height, width, 3), np.uint8)).shape[-1]
    except (ValueError, TypeError, RuntimeError, ArithmeticError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise ModelFileError(f"{path}: cannot be run on a picture of {width}x{height} ({reason})") from error
    cut = _cut(path, model) if channels == 1 else 0.0

    def predict(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        planes = ask(picture)
        if channels == 1:
            return (planes[:, :, 0] > cut).astype(np.uint8)
        return np.argmax(planes, axis=-1).astype(np.uint8)

    says = f"one channel: above {cut:g} it is the object" if channels == 1 else f"{channels} channels, one a class"
    found = {"byte": ", as it scales them itself", "unit": ", as nothing in it scales them"} if pixels == "auto" else {}
    return Foreign(predict, (width, height), max(2, channels), f"{says}; pixels {shown}{found.get(way, '')} (--pixels)")


def _size(path: Path, model: Any, size: tuple[int, int] | None) -> tuple[int, int]:
    """(width, height) of the pictures it takes. Raises: ModelFileError, UsageError."""
    shape = getattr(model, "input_shape", None)
    if not (isinstance(shape, tuple) and len(shape) == 4):
        raise ModelFileError(f"{path}: takes {shape}, not one picture (None, H, W, 3)")
    if shape[3] != 3:
        raise ModelFileError(
            f"{path}: takes pictures of {shape[3]} channels (shape {shape}), where pictures here have 3: RGB, last axis"
        )
    own = (shape[2], shape[1])
    if all(own):
        if size and size != own:
            raise UsageError(f"{path}: takes {own[0]}x{own[1]}, not {size[0]}x{size[1]}; leave --size out")
        return int(own[0]), int(own[1])
    if size is None:
        raise UsageError(f"{path}: takes pictures of any size; say which it was trained on: --size WIDTHxHEIGHT")
    return size


def _planes(path: Path, answer: Any, height: int, width: int) -> NDArray[np.float32]:
    """What a network gave for one picture, as (H, W, channels). Raises: ModelFileError."""
    from keras import ops

    if isinstance(answer, list | tuple | dict):
        if len(answer) != 1:
            raise ModelFileError(f"{path}: gives {len(answer)} outputs; save a network with the one of classes alone")
        answer = next(iter(answer.values() if isinstance(answer, dict) else answer))
    shape = tuple(answer.shape)
    if len(shape) == 3 and shape[1] == height * width:  # the pixels in a row
        answer = ops.reshape(answer, (1, height, width, shape[2]))
    elif len(shape) == 3 and shape[1:] == (height, width):
        answer = ops.expand_dims(answer, -1)
    if len(answer.shape) != 4:
        raise ModelFileError(
            f"{path}: gives {shape} for a picture of {width}x{height}, not classes of its pixels (1, H, W, channels)"
        )
    rows, columns = answer.shape[1:3]
    if rows * width != columns * height:
        raise ModelFileError(
            f"{path}: gives a map of {columns}x{rows} for a picture of {width}x{height}; their shapes must agree"
        )
    answer = ops.cast(answer, "float32")
    if rows != height:
        answer = ops.image.resize(answer, (height, width), interpolation="bilinear")
    return np.asarray(ops.convert_to_numpy(answer)[0], np.float32)


def _layers(model: Any) -> Iterator[Any]:
    """All layers, those of inner networks too."""
    for layer in model.layers:
        yield from _layers(layer) if hasattr(layer, "layers") else (layer,)


def _scales(model: Any) -> bool:
    return any(type(layer).__name__ in _SCALES for layer in _layers(model))


def _keeps_values(layer: Any) -> bool:
    """Whether the values that come out of a layer mean what those meant that went in."""
    kind = type(layer).__name__
    name = getattr(getattr(layer, "activation", None), "__name__", "")
    return kind in _SHAPES_ONLY or (kind == "Activation" and name == "linear")


def _cut(path: Path, model: Any) -> float:
    """Value of the one channel above which it means the object. Raises: ModelFileError."""
    last = next((one for one in reversed(list(_layers(model))) if not _keeps_values(one)), None)
    kind = type(last).__name__.lower()
    # a layer of its own (Activation, Sigmoid) or the activation of a convolution
    name = kind if kind in _CUTS else getattr(getattr(last, "activation", None), "__name__", kind)
    if name not in _CUTS:
        raise ModelFileError(
            f"{path}: its one channel comes out of {name}, of which nobody knows where the object begins;"
            f" one channel needs {', '.join(_CUTS)}"
        )
    return _CUTS[name]
