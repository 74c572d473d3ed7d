"""int8: one graph with QuantizeLinear/DequantizeLinear pairs that every engine runs.

Where the pairs stand was chosen by what OpenVINO then runs (every convolution in int8, none in bf16) and by what
TensorRT takes (symmetric int8 only, zero point 0): after every ReLU and every transposed convolution, weights per
output channel.
Unsigned activations after ReLU would hold one bit more and run about 5 % faster, but TensorRT refuses them.

Concatenations are taken apart (`split_joins`): OpenVINO 2026.4 takes a concatenation of a ReLU's int8 output and a
signed one for unsigned and loses the negative half (97.9 % of the pixels as in float32 instead of 99.7 %).
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.model_file import INPUT_NAME
from trainer.export.graph import CENTRED, cpu_session
from trainer.export.head import FOLDED, SHARES, drop_unused

LEVELS = 127
KEPT_PER_PICTURE = 4096


def split_joins(onnx_model: Any) -> Any:
    """A copy in which each convolution of a concatenation is the sum of convolutions of its parts: the same numbers.

    conv(concat(a, b), [w_a, w_b]) + bias = conv(a, w_a) + bias + conv(b, w_b). Each part keeps a scale of its own, and
    nothing is copied together in memory. A concatenation that something else takes too stays for it: a pooling, a
    transposed convolution, or a convolution in groups, whose outputs do not listen to all parts.
    """
    import onnx
    from onnx import helper, numpy_helper

    split = copy.deepcopy(onnx_model)
    graph = split.graph
    constants = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    channels = _channels(graph, constants)
    joins: dict[str, list[str]] = {}
    for node in graph.node:
        if node.op_type == "Concat" and node.output[0] in channels:
            joins[node.output[0]] = [leaf for part in node.input for leaf in joins.get(part, [part])]
    kept = {name for node in graph.node if not _splits(node) for name in node.input}
    nodes: list[Any] = []
    for node in graph.node:
        if node.output[0] in joins and node.output[0] not in kept:
            continue
        if not _splits(node) or node.input[0] not in joins:
            nodes.append(node)
            continue
        parts = joins[node.input[0]]
        ends = np.cumsum([channels[part] for part in parts])
        weights = np.split(constants[node.input[1]], ends[:-1], axis=1)
        outputs = [f"{node.name}.part{index}" for index in range(len(parts))]
        for index, (part, weight) in enumerate(zip(parts, weights, strict=True)):
            name = f"{node.input[1]}{index}"
            graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(weight), name))
            bias = [node.input[2]] if index == 0 and len(node.input) > 2 else []
            nodes.append(helper.make_node("Conv", [part, name, *bias], [outputs[index]], name=f"{node.name}.{index}"))
            nodes[-1].attribute.extend(node.attribute)
        total = outputs[0]
        for index, output in enumerate(outputs[1:], 1):
            name = node.output[0] if index == len(outputs) - 1 else f"{node.name}.sum{index}"
            nodes.append(helper.make_node("Add", [total, output], [name], name=f"{node.name}.add{index}"))
            total = name
    set_nodes(graph, nodes)
    onnx.checker.check_model(split)
    return split


def _axis(node: Any) -> int:
    return next(int(attribute.i) for attribute in node.attribute if attribute.name == "axis")


def _splits(node: Any) -> bool:
    """Whether a node is the sum of such nodes over parts of its input's channels."""
    return node.op_type == "Conv" and _groups(node) == 1


def _channels(graph: Any, constants: dict[str, NDArray[Any]]) -> dict[str, int]:
    """Channels of what convolutions give, of what keeps their number (ReLU, sum, pooling) and of what joins them."""
    counts: dict[str, int] = {}
    for node in graph.node:
        if node.op_type in ("Conv", "ConvTranspose"):
            shape = constants[node.input[1]].shape
            counts[node.output[0]] = shape[0] if node.op_type == "Conv" else shape[1] * _groups(node)
        elif node.op_type in ("Relu", "Add", "MaxPool", "AveragePool") and node.input[0] in counts:
            counts[node.output[0]] = counts[node.input[0]]
        elif node.op_type == "Concat" and _axis(node) == 1 and all(part in counts for part in node.input):
            counts[node.output[0]] = sum(counts[part] for part in node.input)
    return counts


def set_nodes(graph: Any, nodes: Sequence[Any]) -> None:
    """Replace the nodes of a graph and drop the constants that none reads any more."""
    kept = [copy.deepcopy(node) for node in nodes]
    del graph.node[:]
    graph.node.extend(kept)
    drop_unused(graph)


def activation_names(graph: Any) -> list[str]:
    """Tensors that get a pair: outputs of every ReLU, transposed convolution and average pooling."""
    return [node.output[0] for node in graph.node if node.op_type in ("Relu", "ConvTranspose", "AveragePool")]


def _watch(
    onnx_model: Any, names: Sequence[str], pictures: Sequence[NDArray[np.uint8]]
) -> Iterator[list[NDArray[np.float32]]]:
    """What the named tensors of a float32 graph hold, picture by picture."""
    from onnx import TensorProto, helper

    watched = copy.deepcopy(onnx_model)
    del watched.graph.output[:]
    watched.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names)
    session = cpu_session(watched)
    for picture in pictures:
        yield session.run(list(names), {INPUT_NAME: picture[None]})


@dataclass(frozen=True)
class Observed:
    """What the tensors of a float32 graph hold on real pictures.

    Args:
        samples: for each of `activation_names`, absolute values: a random sample, and the largest of every picture.
        means: for each tensor that a quantised convolution takes, the mean of every channel, float64 (C,).
    """

    samples: dict[str, NDArray[np.float32]]
    means: dict[str, NDArray[np.float64]]


def observe(onnx_model: Any, pictures: Sequence[NDArray[np.uint8]], seed: int = 0) -> Observed:
    """Run a float32 graph once over real pictures.

    Args:
        onnx_model: float32 graph.
        pictures: (H, W, 3) uint8 RGB each, of the network's size; at least one.
        seed: draws the sample.
    """
    activations = activation_names(onnx_model.graph)
    inputs = {node.input[0] for node in onnx_model.graph.node if _is_quantized(node)}
    names = [*activations, *sorted(inputs - set(activations))]
    rng = np.random.default_rng(seed)
    samples: dict[str, list[NDArray[np.float32]]] = {name: [] for name in activations}
    sums: dict[str, NDArray[np.float64]] = {}
    for values in _watch(onnx_model, names, pictures):
        for name, value in zip(names, values, strict=True):
            if name in samples:
                flat = np.abs(value).ravel()
                samples[name].append(np.append(flat[rng.integers(flat.size, size=KEPT_PER_PICTURE)], flat.max()))
            if name in inputs:
                sums[name] = sums.get(name, np.float64(0)) + value.mean(axis=(0, 2, 3), dtype=np.float64)
    return Observed(
        {name: np.concatenate(values) for name, values in samples.items()},
        {name: total / len(pictures) for name, total in sums.items()},
    )


def best_range(values: NDArray[np.float32]) -> float:
    """The range r whose symmetric int8 grid (r / 127 a step, clipped at r) has the least mean squared error.

    Args:
        values: absolute values, 1-d.
    """
    largest = float(values.max())
    if largest <= 0:
        return 1.0
    # for choosing only: values in fine bins, weighted by their count
    counts, edges = np.histogram(values, bins=4096, range=(0.0, largest))
    middles = (edges[:-1] + edges[1:]) / 2
    kept = counts > 0
    counts, middles = counts[kept], middles[kept]
    ranges = largest * np.geomspace(0.05, 1.0, 60)
    errors = []
    for limit in ranges:
        step = limit / LEVELS
        rounded = np.minimum(np.round(middles / step), LEVELS) * step
        errors.append(float(np.sum(counts * (middles - rounded) ** 2)))
    return float(ranges[int(np.argmin(errors))])


def activation_ranges(samples: Mapping[str, NDArray[np.float32]]) -> dict[str, float]:
    """`best_range` of every activation, and of the input the one that loses nothing: a step of one grey level."""
    return {name: best_range(values) for name, values in samples.items()} | {CENTRED: float(LEVELS)}


def quantize_weight(weight: NDArray[np.float32], axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Symmetric int8 of a weight, a scale for each output channel: weight ≈ values · scale.

    Args:
        weight: 4-d float32.
        axis: of the output channels.

    Returns:
        Values, int8 of −127…127, and scales, float32 (channels,).
    """
    others = tuple(a for a in range(weight.ndim) if a != axis)
    scale = np.maximum(np.abs(weight).max(axis=others) / LEVELS, np.float32(1e-9)).astype(np.float32)
    spread = scale.reshape([-1 if a == axis else 1 for a in range(weight.ndim)])
    return np.clip(np.round(weight / spread), -LEVELS, LEVELS).astype(np.int8), scale


def _is_quantized(node: Any) -> bool:
    return node.op_type in ("Conv", "ConvTranspose") and node.input[0] not in (FOLDED, SHARES)


def _groups(node: Any) -> int:
    """Into how many groups a convolution divides its channels: 1 unless it says so."""
    return next((int(attribute.i) for attribute in node.attribute if attribute.name == "group"), 1)


def _by_group(node: Any, taps: NDArray[np.float64]) -> NDArray[np.float64]:
    """A convolution's weight without its kernel's axes as (groups, outputs, inputs of a group).

    ONNX has (outputs, inputs of a group) for Conv, and (inputs, outputs of a group) for ConvTranspose.
    """
    groups = _groups(node)
    if node.op_type == "Conv":
        return taps.reshape(groups, -1, taps.shape[1])
    return taps.reshape(groups, -1, taps.shape[1]).transpose(0, 2, 1)


def correct_biases(onnx_model: Any, means: Mapping[str, NDArray[np.float64]]) -> Any:
    """A copy of a float32 graph whose biases take back what rounding its weights to int8 adds on average.

    bias[o] − Σ (round(w)[o, c, i, j] − w[o, c, i, j]) · mean of input channel c (Nagel et al., 2019, "bias
    correction", with means of real pictures). Without it a class that few pixels have can gain or lose several points.

    Args:
        onnx_model: what `quantize` is given after this.
        means: of that graph, see `Observed`.
    """
    from onnx import numpy_helper

    corrected = copy.deepcopy(onnx_model)
    graph = corrected.graph
    constants = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    for node in [node for node in graph.node if _is_quantized(node)]:
        weight, mean = constants[node.input[1]], means[node.input[0]]
        out = 0 if node.op_type == "Conv" else 1
        values, scale = quantize_weight(weight, out)
        spread = scale.reshape([-1 if axis == out else 1 for axis in range(4)])
        added = _by_group(node, (values * spread - weight).sum(axis=(2, 3), dtype=np.float64))
        if node.op_type == "ConvTranspose":  # each pixel gets one of stride × stride taps
            added /= np.prod([attribute.ints for attribute in node.attribute if attribute.name == "strides"])
        # each group of outputs listens to its own group of inputs
        shift = np.einsum("goi,gi->go", added, mean.reshape(len(added), -1)).ravel()
        old = constants[node.input[2]] if len(node.input) > 2 else np.zeros(len(shift), np.float32)
        name = f"{node.input[1]}.bias"
        graph.initializer.append(numpy_helper.from_array((old - shift).astype(np.float32), name))
        del node.input[2:]
        node.input.append(name)
    drop_unused(graph)
    return corrected


def quantize(onnx_model: Any, ranges: Mapping[str, float]) -> Any:
    """A copy of a float32 graph with pairs on activations and weights.

    Args:
        onnx_model: float32 graph with its head.
        ranges: tensor name → largest absolute value that int8 shall hold.

    Returns:
        onnx.ModelProto; convolution weights are stored as int8.
    """
    import onnx
    from onnx import helper, numpy_helper

    quantized = copy.deepcopy(onnx_model)
    graph = quantized.graph
    constants = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    nodes: list[Any] = []
    through: dict[str, str] = {}

    def pair(
        name: str, scale: float | NDArray[np.float32], axis: int | None = None, values: NDArray[np.int8] | None = None
    ) -> str:
        """Append Q and DQ of a tensor, or only DQ of stored values; returns the name of the result."""
        scales = np.asarray(scale, np.float32)
        graph.initializer.append(numpy_helper.from_array(scales, f"{name}.scale"))
        graph.initializer.append(numpy_helper.from_array(np.zeros(scales.shape, np.int8), f"{name}.zero"))
        axes = {} if axis is None else {"axis": axis}
        if values is None:
            nodes.append(helper.make_node("QuantizeLinear", [name, f"{name}.scale", f"{name}.zero"], [f"{name}.q"]))
        else:
            graph.initializer.append(numpy_helper.from_array(values, f"{name}.q"))
        stored = [f"{name}.q", f"{name}.scale", f"{name}.zero"]
        nodes.append(helper.make_node("DequantizeLinear", stored, [f"{name}.dq"], **axes))
        return f"{name}.dq"

    for node in graph.node:
        node.input[:] = [through.get(name, name) for name in node.input]
        if _is_quantized(node):
            axis = 0 if node.op_type == "Conv" else 1
            values, scale = quantize_weight(constants[node.input[1]], axis)
            node.input[1] = pair(node.input[1], scale, axis, values)
        nodes.append(node)
        if node.output[0] in ranges:
            through[node.output[0]] = pair(node.output[0], ranges[node.output[0]] / LEVELS)
    set_nodes(graph, nodes)
    onnx.checker.check_model(quantized)
    return quantized
