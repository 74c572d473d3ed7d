"""Beginning with the weights of another run or of a model file.

That may be the same network, a narrower one, one without context or one with other classes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.counted import counted
from seg_viewer.core.errors import UsageError
from trainer.architecture import Model, decoder_widths, stage_widths
from trainer.labels.details import Details
from trainer.labels.named import read_label_map
from trainer.labels.subpixel import doubling_kernels
from trainer.network.blocks import NORM_EPSILON
from trainer.network.from_onnx import StoredNetwork, read_onnx
from trainer.network.names import LOGITS, OWN_LOGITS
from trainer.network.unet import build
from trainer.recipe import Recipe, is_model_file, read_recipe
from trainer.run_folder.checkpoint import RECIPE, load_weights

Weights = list[NDArray[Any]]
"""Of one layer, as Keras' `get_weights` gives them."""

Channels = NDArray[np.intp]
"""For each channel of a tensor, the channel of the old network that it is; −1: it is new."""


ENCODER = ("frame", "scale", "down", "context")
"""How the names of its layers begin."""


def begin_with(
    model: Any,
    recipe: Recipe,
    details: Details,
    note: Callable[[str], None] = lambda _: None,
    pictures: Callable[[], NDArray[np.uint8]] | None = None,
) -> None:
    """Set a network's weights from what `recipe.model.start` names.

    A wider layer keeps the old channels; its new ones begin at random, and nothing listens to them yet (weights of 0),
    so that the network gives what the narrow one gave. A convolution that the old network does not have begins as the
    identity; one that this network does not have is left out. A decoder that is joined otherwise, or narrower, begins
    anew, with its logits. Batch norm that was folded into the old weights begins with what it sees in `pictures`.

    Args:
        model: keras.Model, as `trainer.network.unet.build` makes it; changed in place.
        recipe: its recipe.
        details: what its logits mean.
        note: called with what was done.
        pictures: gives (N, H, W, 3) uint8 RGB training crops; only asked where the old network has its batch norm
            folded in.

    Raises:
        UsageError: no weights there, no pictures, or a network that this one cannot begin with.
        ModelFileError: a model file that cannot be read.
    """
    start = Path(recipe.model.start)
    old = read_onnx(start) if is_model_file(start) else _read_run(start)
    if recipe.model.residual or old.model.residual:
        raise UsageError("start: networks with residual blocks cannot begin with others, nor others with them")
    if recipe.model.arch != old.model.arch:
        raise UsageError(
            f"start: {start} holds another kind of network, {old.model.arch}: give --arch {old.model.arch}"
        )
    taken = f"begins with the weights of {start}" + (f", step {old.step}" if old.step else "")
    if recipe.model.norm and not old.model.norm:
        if pictures is None:
            raise UsageError(f"start: {start} has its batch norm folded in; give --no-norm here too")
        crops = pictures()
        told = _begin_unfolded(model, recipe, old, details, crops)
        told.append(f"batch norm as seen in {counted(len(crops), 'crop')}")
    else:
        layers = old.layers if recipe.model.norm else _without_norm(old.layers)
        told = _take_over(model, recipe.model, dataclasses.replace(old, layers=layers), details)
    note("; ".join([taken, *told]))


def _take_over(model: Any, network: Model, old: StoredNetwork, details: Details) -> list[str]:
    """Set the weights of all layers, from the picture to the logits, following which old channels each one gives.

    Returns:
        What a reader would not expect, a few words each: what begins anew, and what is not taken.
    """
    from keras import layers as kinds

    keeps = _same_decoder(network, old.model)
    made: dict[str, Channels] = {}
    added: list[str] = []
    for layer, inputs in _with_inputs(model):
        if not keeps and not layer.name.startswith(ENCODER):
            continue
        if isinstance(layer, kinds.InputLayer):
            made[layer.name] = np.arange(3)
        elif isinstance(layer, kinds.Concatenate) and LOGITS not in inputs:
            sizes = np.cumsum([0] + [old_channels(old.layers, name) for name in inputs])
            parts = [np.where(made[name] < 0, -1, made[name] + sizes[i]) for i, name in enumerate(inputs)]
            made[layer.name] = np.concatenate(parts)
        elif isinstance(layer, kinds.Conv2D | kinds.Conv2DTranspose):
            came = made[inputs[0]]
            if layer.name == LOGITS and details.subpixel:
                layer.set_weights(_sub_pixels(old, came, details))
            elif layer.name in (LOGITS, OWN_LOGITS):
                layer.set_weights(_logits(_old_logits(old), came, old.names, details))
            elif layer.name in old.layers:
                made[layer.name] = _set_convolution(layer, old.layers[layer.name], came)
            else:
                _set_identity(layer)
                made[layer.name] = came
                added.append(layer.name.removesuffix("_conv"))
        elif LOGITS not in inputs:
            channels = made[layer.name] = made[inputs[0]]
            if layer.get_weights() and layer.name in old.layers:
                _set_norm(layer, old.layers[layer.name], channels)
    return _in_words(model, old, keeps, added)


def _in_words(model: Any, old: StoredNetwork, keeps: bool, added: Sequence[str]) -> list[str]:
    """What begins anew and what is not taken, as `_take_over` gives it."""
    told = [] if keeps else ["the encoder only, the decoder and the logits begin anew"]
    if added:
        told.append(f"new, and identity at first: {', '.join(added)}")
    here = {layer.name for layer in model.layers}
    left = [
        name.removesuffix("_conv")
        for name, values in old.layers.items()
        if values and name not in here and name.endswith("_conv") and (keeps or name.startswith(ENCODER))
    ]
    return told + ([f"not taken: {', '.join(left)}"] if left else [])


def _same_decoder(network: Model, old: Model) -> bool:
    """Whether a decoder can begin with the weights of another: joined alike, and no stage narrower."""
    ours, theirs = decoder_widths(network), decoder_widths(old)
    if network.skips != old.skips or any(wide < narrow for wide, narrow in zip(ours, theirs, strict=False)):
        return False
    if network.skips == "concat":
        return True
    projected = [
        [width != below for width, below in zip(stage_widths(one), decoder_widths(one), strict=False)]
        for one in (network, old)
    ]
    return projected[0] == projected[1]


def _read_run(run: Path) -> StoredNetwork:
    """The best weights of a run folder. Raises: UsageError."""
    if not (run / RECIPE).is_file():
        raise UsageError(
            f"start: {run} holds no {RECIPE}; give the folder of a run of seg-trainer train, or an .onnx file"
        )
    weights, step = load_weights(run)
    before = read_recipe(str(run / RECIPE))
    names = _class_names(before, weights[-1].size)
    classes, own = len(names), 0
    if before.model.subpixel:
        classes, own = _two_heads(weights)
    network = build(before.model, classes, before.run.size[1], before.run.size[0], own)
    try:
        network.set_weights(weights)
    except ValueError as error:
        raise UsageError(f"start: {run}: its weights are of another model than its {RECIPE}") from error
    return StoredNetwork(before.model, names, {layer.name: layer.get_weights() for layer in network.layers}, step)


def _begin_unfolded(
    model: Any, recipe: Recipe, old: StoredNetwork, details: Details, pictures: NDArray[np.uint8]
) -> list[str]:
    """Set the weights of a network with batch norm so that it gives what one without gives; returns as `_take_over`.

    γ and β are spread and mean of what each convolution gives over the pictures. Kernels are scaled to the spread of
    He initialisation, which batch norm takes back: that is what learning rates are made for, and folded ones are up to
    five times smaller.
    """
    import keras

    network = dataclasses.replace(recipe.model, norm=False)
    height, width = pictures.shape[1:3]
    plain = build(network, details.heads[0], height, width, details.heads[1])
    told = _take_over(plain, network, old, details)
    names = [layer.name for layer in plain.layers if layer.name.endswith("_conv")]
    seen = keras.Model(plain.input, [plain.get_layer(name).output for name in names])
    parts = [seen.predict_on_batch(picture[None].astype(np.float32)) for picture in pictures]
    for index, name in enumerate(names):
        values = np.concatenate([part[index].reshape(-1, part[index].shape[-1]) for part in parts])
        mean, variance = values.mean(0), values.var(0)
        kernel, bias = plain.get_layer(name).get_weights()
        scale = np.sqrt(2 / np.prod(kernel.shape[:3])) / max(float(kernel.std()), 1e-6)
        model.get_layer(name).set_weights([kernel * scale])
        variance = variance * scale**2
        norm = model.get_layer(name.removesuffix("_conv") + "_norm")
        norm.set_weights([np.sqrt(variance + NORM_EPSILON) / scale, mean, (mean - bias) * scale, variance])
    for layer in model.layers:
        if layer.get_weights() and not layer.name.endswith(("_conv", "_norm")):
            layer.set_weights(plain.get_layer(layer.name).get_weights())
    return told


def _without_norm(layers: dict[str, Weights]) -> dict[str, Weights]:
    """Convolutions with their batch norm folded in: w · γ / √(σ² + ε) and β − μ · γ / √(σ² + ε) (NORM_EPSILON)."""
    out = dict(layers)
    for name, values in layers.items():
        if name.endswith("_norm") and values:
            gamma, beta, mean, variance = values
            scale = gamma / np.sqrt(variance + NORM_EPSILON)
            convolution = name.removesuffix("_norm") + "_conv"
            out[convolution] = [layers[convolution][0] * scale, beta - mean * scale]
            del out[name]
    return out


def _with_inputs(model: Any) -> Iterator[tuple[Any, list[str]]]:
    """Each layer of a model, in order, with the names of the layers whose outputs it takes."""
    gives = {id(layer.output): layer.name for layer in model.layers}
    for layer in model.layers:
        tensors = layer.input if isinstance(layer.input, list) else [layer.input]
        yield layer, [gives[id(tensor)] for tensor in tensors]


def old_channels(layers: dict[str, Weights], name: str) -> int:
    """Channels of the old network at the output of a layer of ours: of the convolution that it belongs to."""
    stem = name.rsplit("_", 1)[0]
    for candidate in (name, f"{stem}_conv", f"{stem[:-1]}a_conv"):  # a stage there may have one convolution
        if layers.get(candidate):
            kernel = layers[candidate][0]
            return int(kernel.shape[2] if name.endswith("_double") else kernel.shape[-1])
    raise UsageError(f"start: the old network has no layer {name}")


def _set_convolution(layer: Any, old: Weights, came: Channels) -> Channels:
    """Weights of a convolution as wide or wider; returns the channels of its output."""
    doubling = type(layer).__name__ == "Conv2DTranspose"  # its kernel is (h, w, out, in)
    kernel = old[0].swapaxes(2, 3) if doubling else old[0]
    values = layer.get_weights()
    wide = values[0].swapaxes(2, 3) if doubling else values[0]
    if wide.shape[:2] != kernel.shape[:2] or len(values) != len(old):
        raise UsageError(f"start: {layer.name} is another kind of convolution there")
    count, before = wide.shape[3], kernel.shape[3]
    if count < before:
        raise UsageError(
            f"start: {layer.name} has {count} channels where the old network has {before}; it must not be narrower:"
            " raise --width, or give other --widths"
        )
    wide[:, :, :, :before] = _listening(kernel, came)
    for own, value in zip(values[1:], old[1:], strict=True):
        own[:before] = value
    layer.set_weights([wide.swapaxes(2, 3) if doubling else wide, *values[1:]])
    return np.where(np.arange(count) < before, np.arange(count), -1)


def _set_norm(layer: Any, old: Weights, channels: Channels) -> None:
    """Weights of a batch norm; channels that are new keep what they begin with."""
    known = channels >= 0
    values = layer.get_weights()
    for own, value in zip(values, old, strict=True):
        own[known] = value[channels[known]]
    layer.set_weights(values)


def _listening(kernel: NDArray[Any], came: Channels) -> NDArray[np.float32]:
    """An old kernel (h, w, in, out) over the channels that come now: what is new counts nothing."""
    out = np.zeros((*kernel.shape[:2], len(came), kernel.shape[3]), np.float32)
    out[:, :, came >= 0] = kernel[:, :, came[came >= 0]]
    return out


def _set_identity(layer: Any) -> None:
    kernel, *rest = layer.get_weights()
    if kernel.shape[2] != kernel.shape[3] or kernel.shape[0] != 3:
        raise UsageError(f"start: {layer.name} is new there and changes the number of channels")
    kernel = np.zeros_like(kernel)
    kernel[1, 1] = np.eye(kernel.shape[2])
    layer.set_weights([kernel, *(np.zeros_like(value) for value in rest)])


def _class_names(before: Recipe, count: int) -> tuple[str, ...]:
    """Names of the logits of the old network."""
    for name in (before.run.details, before.run.labels, "streets", "driving"):
        if name and name != "native":
            labels = read_label_map(name).labels
            if len(labels) == count:
                return labels.names
    return tuple(f"class {index}" for index in range(count))


def _two_heads(weights: Weights) -> tuple[int, int]:
    """`classes` and `own` of an old network with sub-pixel logits: a 3×3 kernel, alone or before a 1×1 one."""
    last = weights[-2]
    if last.shape[0] == 3:
        return last.shape[-1] // 4, 0
    return weights[-4].shape[-1] // 4, last.shape[-1]


def _old_logits(old: StoredNetwork) -> Weights:
    """Kernel and bias of the old 1×1 convolution of its own classes; without one, the mean of its sub-pixels."""
    if not old.model.subpixel:
        return old.layers[LOGITS]
    if OWN_LOGITS in old.layers:
        return old.layers[OWN_LOGITS]
    kernel, bias = old.layers[LOGITS]
    flat = kernel.sum((0, 1)).reshape(kernel.shape[2], 4, -1).mean(1)
    return [flat[None, None], bias.reshape(4, -1).mean(0)]


def _sub_pixels(old: StoredNetwork, came: Channels, details: Details) -> Weights:
    """Weights of the last convolution for sub-pixel logits: the old ones, or bilinear doubling of a fold's mean."""
    if old.model.subpixel:
        kernel, bias = old.layers[LOGITS]
        if kernel.shape[-1] != 4 * len(details.labels):
            raise UsageError(f"start: sub-pixel logits there are of {kernel.shape[-1] // 4} classes")
        return [_listening(kernel, came), bias]
    kernel, bias = _logits(old.layers[LOGITS], came, old.names, details)
    folding = np.zeros((len(details), len(details.groups)), np.float32)
    for index, group in enumerate(details.groups):
        folding[list(group), index] = 1 / len(group)
    kernel, bias = kernel[0, 0] @ folding, bias @ folding
    wide = np.einsum("pyx,ic->yxipc", doubling_kernels(), kernel)
    return [wide.reshape(3, 3, len(came), -1).astype(np.float32), np.tile(bias, 4).astype(np.float32)]


def _logits(old: Weights, came: Channels, names: tuple[str, ...], details: Details) -> Weights:
    """Weights of the last convolution: classes by name; one that folds into an old class begins as a share of it."""
    kernel, bias = _listening(old[0], came), old[1]
    columns, offsets = [], []
    for index, name in enumerate(details.names):
        group = next((place for place, members in enumerate(details.groups) if index in members), None)
        coarse = details.labels.names[group] if group is not None else ""
        if name in names:
            columns.append(names.index(name))
            offsets.append(0.0)
        elif coarse in names:
            columns.append(names.index(coarse))
            offsets.append(-float(np.log(len(details.groups[group]))))  # type: ignore[index]
        else:
            raise UsageError(f"start: '{name}' is no class there, nor part of one; there are {', '.join(names)}")
    return [kernel[..., columns].astype(np.float32), (bias[columns] + np.array(offsets)).astype(np.float32)]
