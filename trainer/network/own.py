"""A network of one's own, from a `.keras` file, in place of the ones that are built here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from seg_viewer.core.errors import UsageError
from trainer.network.keras_file import load_keras
from trainer.network.names import LOGITS


def own_network(path: Path, classes: int, height: int | None = None, width: int | None = None) -> Any:
    """The network of a file, with its weights.

    Args:
        path: the file, as Keras' `model.save` writes it.
        classes: channels that its last layer must have.
        height, width: of the picture, pixels; a network that takes any size is set to these.

    Returns:
        keras.Model: float pixels 0…255, (N, H, W, 3) RGB → logits (N, H, W, classes); its last layer is called
        "logits".

    Raises:
        UsageError: it takes or gives something else.
        ModelFileError: it is no Keras file.
    """
    import keras

    model, _ = load_keras(path)
    check_network(model, str(path), classes, height, width)
    frame = keras.Input((height, width, 3), name="frame")
    last = model.output._keras_history.operation.name  # noqa: SLF001 - no other way to the layer behind an output
    if any(layer.name == LOGITS for layer in model.layers if layer.name != last):
        raise UsageError(f"{path}: a layer within it is called '{LOGITS}', which only the last one may be")

    def clone(layer: Any) -> Any:
        config = layer.get_config()
        return type(layer).from_config(config | {"name": LOGITS} if layer.name == last else config)

    made = keras.models.clone_model(model, input_tensors=frame, clone_function=clone)
    made.set_weights(model.get_weights())
    return made


def check_network(
    model: Any, name: str, classes: int, height: int | None = None, width: int | None = None, *, stride: int | None = 1
) -> None:
    """Raises: UsageError, with the network's name, where it cannot be trained here; the text says what to change.

    Args:
        stride: picture pixels that a logit stands for each way; None: any.
    """
    shape, given = getattr(model, "input_shape", None), getattr(model, "output_shape", None)
    if not (isinstance(shape, tuple) and len(shape) == 4 and shape[3] == 3):
        raise UsageError(f"{name}: takes {shape}; a network here takes one picture (None, H, W, 3)")
    if any(size and own and own != size for own, size in zip(shape[1:3], (height, width), strict=True)):
        raise UsageError(
            f"{name}: takes pictures of {shape[2]}x{shape[1]}, not {width}x{height}: give --size {shape[2]}x{shape[1]}"
            " and no --crop, or let it take any size"
        )
    if not (isinstance(given, tuple) and len(given) == 4):
        raise UsageError(f"{name}: gives {given}; a network here gives a logit for each class (None, H, W, {classes})")
    if given[3] != classes:
        also = "; one channel and a sigmoid are two classes with a logit each" if given[3] == 1 else ""
        raise UsageError(
            f"{name}: its last layer has {given[3]} channels, the data {classes} classes: end it with"
            f" Conv2D({classes}, 1){also}"
        )
    if stride and given[1:3] != shape[1:3]:
        raise UsageError(f"{name}: gives maps of {given[2]}x{given[1]} for pictures of {shape[2]}x{shape[1]}")
    last = model.output._keras_history.operation  # noqa: SLF001
    activation = getattr(getattr(last, "activation", None), "__name__", "linear")
    if activation != "linear" or type(last).__name__ == "Softmax":
        what = activation.replace("linear", "softmax")
        raise UsageError(f"{name}: ends with {what}; leave it out, because the losses take logits")
