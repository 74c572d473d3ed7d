"""Transposed convolutions of an int8 graph as 1×1 convolutions: the same numbers, in integers in every runtime.

OpenVINO 2026.4 runs most of the decoder's transposed convolutions in float32 on a processor with AVX2 and no more, and
ONNX Runtime all of them. They hold 4 % of the multiplications of `driving-fast`, and took 13 % of its time.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from trainer.export.quantize import set_nodes

_PIXELS = 4
"""Of the larger map, that a pixel of the smaller one becomes."""
_FORM = {"kernel_shape": [2, 2], "strides": [2, 2], "pads": [0] * 4, "dilations": [1, 1], "output_padding": [0, 0]}
"""Of the convolutions that are replaced, as far as they say it."""


def double_by_pixels(onnx_model: Any) -> Any:
    """A copy in which each 2×2 transposed convolution of stride 2 is a 1×1 convolution to four pixels each.

    Its taps do not overlap: out[o, 2y + i, 2x + j] = Σ in[c, y, x] · w[c, o, i, j], so that each (i, j) is a 1×1
    convolution of its own. DepthToSpace puts the four answers side by side, once they are int8. Weights, scales, biases
    and ranges stay as they are. A second pair of the same scale, which changes nothing, says to runtimes that look no
    further back (TensorRT) that what the decoder goes on with is int8.

    Args:
        onnx_model: as `quantize` gives it; convolutions of another form, and those that are not int8, stay.
    """
    import onnx
    from onnx import helper, numpy_helper

    doubled = copy.deepcopy(onnx_model)
    graph = doubled.graph
    constants = {item.name: item for item in graph.initializer}
    takers = {node.input[0]: node for node in graph.node if node.op_type in ("QuantizeLinear", "DequantizeLinear")}
    weights = {
        node.output[0]: node
        for node in graph.node
        if node.op_type == "DequantizeLinear" and node.input[0] in constants and len(constants[node.input[0]].dims) == 4
    }
    uses = Counter([name for node in graph.node for name in node.input] + [item.name for item in graph.output])
    nodes: list[Any] = []
    flat: dict[str, str] = {}  # what the decoder goes on with → the name of its convolution
    for node in graph.node:
        rounded, weight = takers.get(node.output[0]), weights.get(node.input[1]) if len(node.input) > 1 else None
        taken_once = uses[node.output[0]] == 1
        if weight and rounded and taken_once and _doubles(node, constants[weight.input[0]].dims):
            kernel = numpy_helper.to_array(constants[weight.input[0]])
            places = np.ascontiguousarray(kernel.transpose(2, 3, 1, 0).reshape(-1, len(kernel), 1, 1))
            constants[weight.input[0]].CopyFrom(numpy_helper.from_array(places, weight.input[0]))
            for name in (*weight.input[1:], *node.input[2:]):
                each = np.tile(numpy_helper.to_array(constants[name]), _PIXELS)
                constants[name].CopyFrom(numpy_helper.from_array(each, name))
            for attribute in weight.attribute:
                attribute.i = 0  # its one attribute: the axis of the scales
            rounded.input[0] = f"{node.output[0]}.flat"
            flat[takers[rounded.output[0]].output[0]] = node.name
            node = helper.make_node("Conv", node.input, [rounded.input[0]], name=node.name, kernel_shape=[1, 1])
        nodes.append(node)
        answer = node.output[0]
        if answer in flat:
            name, scale = flat[answer], list(node.input[1:])
            apart, whole, stored = (f"{name}.{part}" for part in ("pixels", "whole", "whole.q"))
            node.output[0] = apart
            nodes += [
                helper.make_node("DepthToSpace", [apart], [whole], name=f"{name}.space", blocksize=2),
                helper.make_node("QuantizeLinear", [whole, *scale], [stored]),
                helper.make_node("DequantizeLinear", [stored, *scale], [answer]),
            ]
    set_nodes(graph, nodes)
    del graph.value_info[:]
    onnx.checker.check_model(doubled)
    return doubled


def _doubles(node: Any, dims: Sequence[int]) -> bool:
    """Whether it is a 2×2 transposed convolution of stride 2, without groups; `dims` are those of its weight."""
    said = {each.name: list(each.ints) for each in node.attribute if each.name in _FORM}
    groups = next((each.i for each in node.attribute if each.name == "group"), 1)
    return (
        node.op_type == "ConvTranspose"
        and groups == 1
        and list(dims[2:]) == [2, 2]
        and "strides" in said
        and all(values == _FORM[name] for name, values in said.items())
    )
