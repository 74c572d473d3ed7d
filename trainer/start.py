"""Beginning with the weights of another run: the same network, a narrower one, one without context or other classes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.errors import UsageError
from trainer.details import Details
from trainer.head import doubling_kernels
from trainer.labelmap import read_label_map
from trainer.recipe import Recipe, read_recipe
from trainer.state import RECIPE, load_weights
from trainer.unet import LOGITS, OWN_LOGITS, build

NOISE = 0.03
"""Noise on copied channels, against the spread of their weights: two equal channels would stay equal for ever."""

Channels = NDArray[np.intp]
"""For each channel of a tensor, the channel of the old network that it is a copy of."""


def begin_with(model: Any, recipe: Recipe, details: Details, note: Callable[[str], None] = lambda _: None) -> None:
    """Set a network's weights from the run that `recipe.model.start` names.

    A wider layer repeats channels of the narrow one and shares their weight among the copies, so that the network
    gives what the narrow one gave (Net2Net, Chen et al., 2016), but for `NOISE`. A convolution that the old network
    does not have begins as the identity.

    Args:
        model: keras.Model, as `trainer.unet.build` makes it; changed in place.
        recipe: its recipe.
        details: what its logits mean.
        note: told what was done.

    Raises:
        UsageError: no weights there, or a network that this one cannot begin with.
    """
    from keras import layers as kinds

    run = Path(recipe.model.start)
    if not (run / RECIPE).is_file():
        raise UsageError(f"start: {run} holds no {RECIPE}; give the folder of a run of seg-trainer train")
    weights, step = load_weights(run)
    before = read_recipe(str(run / RECIPE))
    if recipe.model.residual or before.model.residual:
        raise UsageError("start: networks with residual blocks cannot begin with others, nor others with them")
    names = _class_names(before, weights[-1].size)
    classes, own = len(names), 0
    if before.model.subpixel:
        classes, own = _two_heads(weights)
    old = build(before.model, classes, before.run.size[1], before.run.size[0], own)
    try:
        old.set_weights(weights)
    except ValueError as error:
        raise UsageError(f"start: {run}: its weights are of another model than its {RECIPE}") from error
    layers = {layer.name: layer.get_weights() for layer in old.layers}
    rng = np.random.default_rng(recipe.run.seed)
    made: dict[str, Channels] = {}
    for layer in model.layers:
        inputs = _inputs(layer)
        if isinstance(layer, kinds.InputLayer):
            made[layer.name] = np.arange(3)
        elif isinstance(layer, kinds.Concatenate) and LOGITS not in inputs:
            sizes = np.cumsum([0] + [old_channels(layers, name) for name in inputs])
            made[layer.name] = np.concatenate([made[name] + sizes[i] for i, name in enumerate(inputs)])
        elif isinstance(layer, kinds.Conv2D | kinds.Conv2DTranspose):
            came = made[inputs[0]]
            if layer.name == LOGITS and details.subpixel:
                layer.set_weights(_sub_pixels(layers, came, names, details, before.model.subpixel))
            elif layer.name in (LOGITS, OWN_LOGITS):
                layer.set_weights(_logits(_old_logits(layers, before.model.subpixel), came, names, details))
            elif layer.name in layers:
                made[layer.name] = _set_convolution(layer, layers[layer.name], came, rng)
            else:
                _set_identity(layer)
                made[layer.name] = came
        elif LOGITS not in inputs:
            made[layer.name] = made[inputs[0]]
            if layer.get_weights() and layer.name in layers:
                layer.set_weights([value[made[layer.name]] for value in layers[layer.name]])
    note(f"begins with the weights of {run}, step {step}")


def _inputs(layer: Any) -> list[str]:
    """Names of the layers whose outputs a layer takes."""
    if not layer._inbound_nodes:
        return []
    return [tensor._keras_history.operation.name for tensor in layer._inbound_nodes[0].input_tensors]


def old_channels(layers: dict[str, list[NDArray[Any]]], name: str) -> int:
    """Channels of the old network at the output of a layer of ours: of the convolution that it belongs to."""
    stem = name.rsplit("_", 1)[0]
    for candidate in (name, f"{stem}_conv"):
        if layers.get(candidate):
            kernel = layers[candidate][0]
            return int(kernel.shape[2] if name.endswith("_double") else kernel.shape[-1])
    raise UsageError(f"start: the old network has no layer {name}")


def _copies(count: int, old: int, rng: np.random.Generator) -> Channels:
    if count < old:
        raise UsageError(f"start: a layer of {count} channels cannot begin with one of {old}; it must not be narrower")
    return np.concatenate([np.arange(old), rng.integers(old, size=count - old)])


def _set_convolution(layer: Any, old: list[NDArray[Any]], came: Channels, rng: np.random.Generator) -> Channels:
    """Weights of a convolution as wide or wider; returns the channels of its output."""
    doubling = type(layer).__name__ == "Conv2DTranspose"  # its kernel is (h, w, out, in)
    kernel = old[0].swapaxes(2, 3) if doubling else old[0]
    own = layer.get_weights()
    shape = own[0].swapaxes(2, 3).shape if doubling else own[0].shape
    if shape[:2] != kernel.shape[:2] or len(own) != len(old):
        raise UsageError(f"start: {layer.name} is another kind of convolution there")
    goes = _copies(shape[3], kernel.shape[3], rng)
    times = np.bincount(came, minlength=kernel.shape[2])[came]
    wide = kernel[:, :, came][:, :, :, goes] / times[None, None, :, None]
    copied = (np.arange(len(goes)) >= kernel.shape[3])[None, None, None, :] | (times > 1)[None, None, :, None]
    wide = wide + copied * rng.normal(0, NOISE * wide.std(), wide.shape)
    values = [(wide.swapaxes(2, 3) if doubling else wide).astype(np.float32)]
    values += [bias[goes] for bias in old[1:]]
    layer.set_weights(values)
    return goes


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


def _two_heads(weights: list[NDArray[Any]]) -> tuple[int, int]:
    """`classes` and `own` of an old network with sub-pixel logits: a 3×3 kernel, alone or before a 1×1 one."""
    last = weights[-2]
    if last.shape[0] == 3:
        return last.shape[-1] // 4, 0
    return weights[-4].shape[-1] // 4, last.shape[-1]


def _old_logits(layers: dict[str, list[NDArray[Any]]], subpixel: bool) -> list[NDArray[Any]]:
    """Kernel and bias of the old 1×1 convolution that told its own classes. Raises: UsageError."""
    if not subpixel:
        return layers[LOGITS]
    if OWN_LOGITS not in layers:
        raise UsageError("start: the old network has sub-pixel logits only; give --subpixel here too")
    return layers[OWN_LOGITS]


def _sub_pixels(
    layers: dict[str, list[NDArray[Any]]], came: Channels, names: tuple[str, ...], details: Details, subpixel: bool
) -> list[NDArray[np.float32]]:
    """Weights of the last convolution for sub-pixel logits: the old ones, or bilinear doubling of a fold's mean."""
    times = np.bincount(came)[came]
    if subpixel:
        kernel, bias = layers[LOGITS]
        if kernel.shape[-1] != 4 * len(details.labels):
            raise UsageError(f"start: sub-pixel logits there are of {kernel.shape[-1] // 4} classes")
        return [(kernel[:, :, came] / times[None, None, :, None]).astype(np.float32), bias]
    kernel, bias = _logits(layers[LOGITS], came, names, details)
    folding = np.zeros((len(details), len(details.groups)), np.float32)
    for index, group in enumerate(details.groups):
        folding[list(group), index] = 1 / len(group)
    kernel, bias = kernel[0, 0] @ folding, bias @ folding
    wide = np.einsum("pyx,ic->yxipc", doubling_kernels(), kernel)
    return [wide.reshape(3, 3, len(came), -1).astype(np.float32), np.tile(bias, 4).astype(np.float32)]


def _logits(
    old: list[NDArray[Any]], came: Channels, names: tuple[str, ...], details: Details
) -> list[NDArray[np.float32]]:
    """Weights of the last convolution: classes by name; one that folds into an old class begins as a share of it."""
    kernel, bias = old
    times = np.bincount(came, minlength=kernel.shape[2])[came]
    kernel = kernel[:, :, came] / times[None, None, :, None]
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
            raise UsageError(f"start: nothing there tells '{name}': it has {', '.join(names)}")
    return [kernel[..., columns].astype(np.float32), (bias[columns] + np.array(offsets)).astype(np.float32)]
