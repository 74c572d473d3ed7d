"""The network within a model file that `trainer.export.graph` wrote, so that training can go on from the file alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.errors import ModelFileError, UsageError
from seg_viewer.core.model_file import read_model_file
from trainer.architecture import CONVOLUTIONS, Model
from trainer.labels.named import read_label_map
from trainer.labels.subpixel import by_place
from trainer.network.names import LOGITS
from trainer.network.unet import PIXEL_SCALE

PARTS = ascii_lowercase[:CONVOLUTIONS]
"""Of a stage, in the names of its layers."""


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
    level: int = 0
    """How often the map that it gives is half the picture's size."""


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
    read = None if any("Pool" in node.op_type for node in graph.node) else _structure(found)
    if read is None:
        raise UsageError(
            f"start: {path} holds no U-Net as --arch unet-fast has it; give a file that seg-trainer export wrote of one"
        )
    model, names = read
    found[0].kernel = found[0].kernel / np.float32(PIXEL_SCALE)
    layers = {name: _as_keras(one) for name, one in zip(names, found, strict=True)}
    last = found[-1].kernel
    subpixel = last.shape[2] == 3
    model = dataclasses.replace(model, subpixel=subpixel)
    classes = last.shape[0] // 4 if subpixel else last.shape[0]
    if subpixel:  # ordered class by class in the int8 graph, place by place in ours
        kernel, bias = layers[LOGITS]
        if spec.precision == "int8":
            order = by_place(classes)
            kernel, bias = kernel[..., order], bias[order]
        layers[LOGITS] = [kernel, bias]
    step = (spec.provenance or {}).get("steps", 0)
    return StoredNetwork(model, _class_names(spec.labels.names, classes), layers, step if isinstance(step, int) else 0)


def _structure(found: Sequence[_Convolution]) -> tuple[Model, list[str]] | None:
    """The network that convolutions are of, and the names of their layers; None where it is no unet-fast."""
    stages = max((one.level for one in found), default=0)
    names = _names(found[:-1], stages)
    if names is None or stages < 2 or found[-1].level != 1:
        return None
    named = dict(zip(names, found, strict=False))
    ends = [f"down{stage}a_conv" for stage in range(stages)]
    ends += [f"up{stage}{part}" for stage in range(stages - 1) for part in ("_double", "a_conv")]
    if len(named) != len(names) or not set(ends) <= set(named):
        return None
    down, up = ([sum(f"{kind}{stage}{part}_conv" in named for part in PARTS) for stage in range(count)]
                for kind, count in (("down", stages), ("up", stages - 1)))  # fmt: skip
    widths = tuple(named[f"down{stage}a_conv"].kernel.shape[0] for stage in range(stages))
    decoder = tuple(named[f"up{stage}_double"].kernel.shape[1] for stage in range(stages - 1))
    joined = [named[f"up{stage}a_conv"].kernel.shape[1] for stage in range(stages - 1)]
    model = Model(
        arch="unet-fast",
        widths=widths,
        context=tuple(one.dilation for name, one in named.items() if name.startswith("context")),
        convolutions=tuple(down) if set(down) != {CONVOLUTIONS} else (),
        decoder_widths=decoder if decoder != widths[:-1] else (),
        decoder_convolutions=tuple(up) if set(up) != {CONVOLUTIONS} else (),
        skips="add" if joined == list(decoder) else "concat",
        norm=False,
    )
    return model, [*names, LOGITS]


def _names(found: Sequence[_Convolution], stages: int) -> list[str] | None:
    """Names of the layers of convolutions as they follow each other; None where no unet-fast has such.

    A stage of the encoder begins with a stride, one of the decoder with a transposed convolution; what is 1×1 belongs
    to a skip connection.
    """
    names: list[str] = []
    doubled = context = False
    for one in found:
        stage = one.level - 1
        if stage < 0:
            return None
        if one.kind == "ConvTranspose":
            doubled = True
            names.append(f"up{stage}_double")
            continue
        if one.kernel.shape[2] == 1:
            names.append(f"up{stage}_skip")
            continue
        kind = "up" if doubled else "down"
        free = next((name for part in PARTS if (name := f"{kind}{stage}{part}_conv") not in names), None)
        context = context or (not doubled and stage == stages - 1 and (one.dilation > 1 or free is None))
        chosen = f"context{one.dilation}_conv" if context and not doubled else free
        if chosen is None:
            return None
        names.append(chosen)
    return names


def _class_names(names: Sequence[str], count: int) -> tuple[str, ...]:
    """Names of the logits: the file's classes, or the finer ones that they were folded from."""
    streets = read_label_map("streets").labels.names
    for known in (tuple(names), streets):
        if len(known) == count:
            return known
    return tuple(f"class {index}" for index in range(count))


def _convolutions(graph: Any) -> list[_Convolution]:
    """Convolutions up to "logits" in order, those that were made otherwise for int8 as they were."""
    from onnx import numpy_helper

    values = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    found: dict[str, _Convolution] = {}
    levels: dict[str, int] = {}
    for node in graph.node:
        level = next((levels[name] for name in node.input if name in levels), 0)
        if node.op_type in ("Conv", "ConvTranspose"):
            stride = next((a.ints[0] for a in node.attribute if a.name == "strides"), 1)
            level += (int(stride) == 2) * (1 if node.op_type == "Conv" else -1)
        levels[node.output[0]] = level
        if node.op_type == "DepthToSpace":
            _put_together(list(found.values())[-1])
            levels[node.output[0]] = level - 1
        elif node.op_type == "DequantizeLinear" and node.input[0] in values:
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
            found[name] = _Convolution(node.op_type, kernel, bias, int(dilation), level)
        if node.output[0] == LOGITS:
            break
    return list(found.values())


def _as_keras(one: _Convolution) -> list[NDArray[np.float32]]:
    """ONNX (out, in, h, w), or (in, out, h, w) of a transposed one → Keras (h, w, in, out), or (h, w, out, in)."""
    return [np.ascontiguousarray(one.kernel.transpose(2, 3, 1, 0)), one.bias]


def _put_together(one: _Convolution) -> None:
    """A transposed convolution again, whose four pixels were a 1×1 convolution; see `trainer.export.doubling`."""
    places = one.kernel[:, :, 0, 0].reshape(2, 2, -1, one.kernel.shape[1])
    one.kernel, one.bias = places.transpose(3, 2, 0, 1), one.bias[: len(one.bias) // 4]
    one.kind, one.level = "ConvTranspose", one.level - 1
