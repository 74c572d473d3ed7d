"""The network within a model file that `trainer.export.graph` wrote, so that training can go on from the file alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.errors import ModelFileError, UsageError
from seg_viewer.core.model_file import read_model_file
from trainer.labels.named import read_label_map
from trainer.labels.subpixel import by_place
from trainer.network.names import LOGITS
from trainer.network.unet import PIXEL_SCALE
from trainer.recipe import Model


@dataclass(frozen=True)
class StoredNetwork:
    """A network to begin with.

    Args:
        model: its architecture.
        names: of the classes of its logits.
        layers: name of each Keras layer → its weights.
        step: of training, 0 where it is not known.
    """

    model: Model
    names: tuple[str, ...]
    layers: dict[str, list[NDArray[Any]]]
    step: int = 0


@dataclass
class _Convolution:
    """A convolution as it stands in the file."""

    kind: str
    kernel: NDArray[np.float32]  # as in ONNX
    bias: NDArray[np.float32]
    dilation: int = 1


def read_onnx(path: Path) -> StoredNetwork:
    """The U-Net (arch "unet-fast") of an .onnx file of ours, of any precision, batch norm folded.

    int8 weights come back as the numbers that they stand for: within half a step, 1/254 of a channel's largest weight.

    Raises:
        ModelFileError: the file cannot be read.
        UsageError: the graph in it is none that `seg-trainer export` makes of a unet-fast.
    """
    try:
        import onnx
    except ImportError as error:
        raise UsageError(
            f"{path}: reading it needs onnx: pip install onnx; or give a run folder whose training began with it"
        ) from error
    spec = read_model_file(path)
    try:
        graph = onnx.load(path).graph
    except Exception as error:  # protobuf's own kinds
        raise ModelFileError(f"{path}: is no ONNX file ({error})") from error
    found = _convolutions(graph)
    kinds = "".join("d" if one.kind == "ConvTranspose" else "c" for one in found)
    stages = kinds.count("d") + 1
    down = kinds.index("d") if "d" in kinds else 0
    context = down - 2 * stages
    pools = any(node.op_type == "MaxPool" for node in graph.node)
    if pools or stages < 2 or context < 0 or kinds[down:] != "dcc" * (stages - 1) + "c":
        raise UsageError(
            f"start: {path} holds no U-Net as --arch unet-fast has it; give a file that seg-trainer export wrote of one"
        )
    for one in found[:1]:
        one.kernel = one.kernel / np.float32(PIXEL_SCALE)
    names = [f"down{stage}{part}" for stage in range(stages) for part in "ab"]
    dilations = tuple(one.dilation for one in found[2 * stages : down])
    names += [f"context{dilation}" for dilation in dilations]
    for stage in reversed(range(stages - 1)):
        names += [f"up{stage}_double", f"up{stage}a", f"up{stage}b"]
    layers = {_layer(name): _as_keras(one) for name, one in zip([*names, LOGITS], found, strict=True)}
    widths = tuple(found[2 * stage].kernel.shape[0] for stage in range(stages))
    last = found[-1].kernel
    subpixel = last.shape[2] == 3
    model = Model(arch="unet-fast", widths=widths, context=dilations, norm=False, subpixel=subpixel)
    classes = last.shape[0] // 4 if subpixel else last.shape[0]
    if subpixel:  # ordered class by class in the int8 graph, place by place in ours
        kernel, bias = layers[LOGITS]
        if spec.precision == "int8":
            order = by_place(classes)
            kernel, bias = kernel[..., order], bias[order]
        layers[LOGITS] = [kernel, bias]
    step = (spec.provenance or {}).get("steps", 0)
    return StoredNetwork(model, _class_names(spec.labels.names, classes), layers, step if isinstance(step, int) else 0)


def _layer(name: str) -> str:
    return name if name.endswith("_double") or name == LOGITS else f"{name}_conv"


def _class_names(names: Sequence[str], count: int) -> tuple[str, ...]:
    """Names of the logits: the file's classes, or the finer ones that they were folded from."""
    streets = read_label_map("streets").labels.names
    for known in (tuple(names), streets):
        if len(known) == count:
            return known
    return tuple(f"class {index}" for index in range(count))


def _convolutions(graph: Any) -> list[_Convolution]:
    """Convolutions up to "logits" in order, those that were taken apart for int8 put together again."""
    from onnx import numpy_helper

    values = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    found: dict[str, _Convolution] = {}
    for node in graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in values:
            axis = next((a.i for a in node.attribute if a.name == "axis"), 1)
            stored = values[node.input[0]].astype(np.float32)
            shape = [-1 if place == axis else 1 for place in range(stored.ndim)]
            values[node.output[0]] = stored * values[node.input[1]].reshape(shape)
        elif node.op_type == "Cast" and node.input[0] in values:
            values[node.output[0]] = values[node.input[0]]
        if node.op_type not in ("Conv", "ConvTranspose") or node.input[1] not in values:
            continue
        kernel = values[node.input[1]].astype(np.float32)
        outputs = kernel.shape[0] if node.op_type == "Conv" else kernel.shape[1]
        bias = values[node.input[2]].astype(np.float32) if len(node.input) > 2 else np.zeros(outputs, np.float32)
        dilation = next((a.ints[0] for a in node.attribute if a.name == "dilations"), 1)
        name = node.name.split(".")[0] or node.output[0]
        if name in found:
            found[name].kernel = np.concatenate([found[name].kernel, kernel], axis=1)
            found[name].bias = found[name].bias + bias
        else:
            found[name] = _Convolution(node.op_type, kernel, bias, int(dilation))
        if node.output[0] == LOGITS:
            break
    return list(found.values())


def _as_keras(one: _Convolution) -> list[NDArray[np.float32]]:
    """ONNX (out, in, h, w), or (in, out, h, w) of a transposed one → Keras (h, w, in, out), or (h, w, out, in)."""
    return [np.ascontiguousarray(one.kernel.transpose(2, 3, 1, 0)), one.bias]
