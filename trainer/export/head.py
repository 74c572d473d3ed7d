"""The end of the graph: from logits, at full or half resolution, to class ids at full resolution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from seg_viewer.core.model_file import OUTPUT_NAME
from trainer.labels.subpixel import by_class, doubling_kernels
from trainer.network.names import LOGITS

FOLDED = "folded"
SHARES = "shares"
LEAST_SHARE = 1e-6
"""Of a pixel's largest class, what a folded class has at least in the int8 graph."""


def add_head(
    onnx_model: Any, stride: int, fused: bool, groups: Sequence[Sequence[int]] = (), subpixel: bool = False
) -> Any:
    """Append the way from logits to the output `classes`, int32 (int32, because TensorRT has no uint8 arg-max).

    Args:
        onnx_model: graph whose last node is the convolution that makes "logits" (1, C, H/s, W/s); changed in place.
        stride: s, 1 or 2.
        fused: False: bilinear doubling where needed, then arg-max. True: the same answer, made for int8: classes are
            compared one by one, and doubling, which is linear, goes into the last convolution. That one then gives
            four sub-pixel logits for each class; they are compared at half resolution and the winners interleaved.
            Under OpenVINO this replaces an interpolation and an arg-max in floating point by a larger int8
            convolution. At the border zero padding scales all classes alike, so the winner stays (but for the bias,
            in the outermost row of pixels). Folded classes are doubled after folding, by a convolution in float32.
        groups: channels of the logits that make each class, see `trainer.labels.details.Details`; none: each makes one.
        subpixel: the logits are those of `trainer.labels.subpixel`: nothing is left to be doubled.

    Returns:
        The same model.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    graph = onnx_model.graph
    _, classes, height, width = (d.dim_value for d in graph.output[0].type.tensor_type.shape.dim)
    graph.initializer.append(numpy_helper.from_array(np.array([1], np.int64), "channel_axis"))
    scores, nodes = LOGITS, []
    folds = any(tuple(group) != (index,) for index, group in enumerate(groups))
    if folds:
        fold = _fold_at_once(graph, groups, classes) if fused else _fold(groups, classes)
        scores, nodes, classes = FOLDED, fold, len(groups)
    if subpixel:
        classes //= 4
    if fused:
        if subpixel:
            _order_by_class(graph, classes)
        elif stride == 2 and folds:
            scores = _double(graph, nodes, classes)
        elif stride == 2:
            _widen_last(graph)
        nodes += _compare(graph, scores, classes, interleave=stride == 2)
    else:
        nodes += _arg_max(graph, scores, stride, subpixel)
    graph.node.extend(nodes)
    del graph.output[:], graph.value_info[:]
    shape = [1, stride * height, stride * width]
    graph.output.append(helper.make_tensor_value_info(OUTPUT_NAME, TensorProto.INT32, shape))
    drop_unused(graph)
    onnx.checker.check_model(onnx_model)
    return onnx_model


def _arg_max(graph: Any, scores: str, stride: int, subpixel: bool) -> list[Any]:
    """Nodes that bring logits to full resolution, bilinearly unless they are sub-pixel ones, and take the largest."""
    from onnx import TensorProto, helper, numpy_helper

    nodes = []
    if subpixel:
        nodes.append(helper.make_node("DepthToSpace", [scores], ["full_logits"], blocksize=2))
        scores = "full_logits"
    elif stride == 2:
        graph.initializer.append(numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "twice"))
        way = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
        nodes.append(helper.make_node("Resize", [scores, "", "twice"], ["full_logits"], **way))
        scores = "full_logits"
    return [
        *nodes,
        helper.make_node("ArgMax", [scores], ["winner"], axis=1, keepdims=0),
        helper.make_node("Cast", ["winner"], [OUTPUT_NAME], to=TensorProto.INT32),
    ]


def drop_unused(graph: Any) -> None:
    """Remove initializers that no node reads."""
    used = {name for node in graph.node for name in node.input}
    kept = [item for item in graph.initializer if item.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)


def _widen_last(graph: Any) -> None:
    """Turn the 1×1 convolution (C, I, 1, 1) into a 3×3 one (4 C, I, 3, 3) that doubles; channels class by class."""
    from onnx import helper, numpy_helper

    last = graph.node[-1]
    constants = {item.name: item for item in graph.initializer}
    weight = numpy_helper.to_array(constants[last.input[1]])
    wide = np.einsum("ci,pyx->cpiyx", weight[:, :, 0, 0], doubling_kernels())
    wide = wide.reshape(4 * weight.shape[0], weight.shape[1], 3, 3).astype(np.float32)
    constants[last.input[1]].CopyFrom(numpy_helper.from_array(wide, last.input[1]))
    for name in last.input[2:]:  # the converter leaves a bias of zeros out
        bias = np.repeat(numpy_helper.to_array(constants[name]), 4)
        constants[name].CopyFrom(numpy_helper.from_array(bias, name))
    del last.attribute[:]
    last.attribute.extend(
        helper.make_attribute(name, value)
        for name, value in (("kernel_shape", [3, 3]), ("pads", [1, 1, 1, 1]), ("strides", [1, 1]))
    )


def _order_by_class(graph: Any, classes: int) -> None:
    """Channels of the last convolution from place by place, 4 · C, to class by class, as `_compare` takes them."""
    from onnx import numpy_helper

    constants = {item.name: item for item in graph.initializer}
    order = by_class(classes)
    for name in graph.node[-1].input[1:]:
        constants[name].CopyFrom(numpy_helper.from_array(numpy_helper.to_array(constants[name])[order], name))


def _fold(groups: Sequence[Sequence[int]], own: int) -> list[Any]:
    """Nodes from "logits" to "folded": log Σ exp over each group, its largest taken out first so that float16 holds."""
    from onnx import helper

    planes = [f"own_{index}" for index in range(own)]
    nodes = [helper.make_node("Split", [LOGITS], planes, axis=1, num_outputs=own)]
    outputs = []
    for index, group in enumerate(groups):
        parts = [planes[k] for k in group]
        if len(parts) == 1:
            outputs.append(parts[0])
            continue
        name = f"group_{index}"
        outputs.append(name)
        nodes.append(helper.make_node("Max", parts, [f"{name}_most"]))
        for place, part in enumerate(parts):
            nodes.append(helper.make_node("Sub", [part, f"{name}_most"], [f"{name}_less{place}"]))
            nodes.append(helper.make_node("Exp", [f"{name}_less{place}"], [f"{name}_exp{place}"]))
        nodes.append(helper.make_node("Sum", [f"{name}_exp{place}" for place in range(len(parts))], [f"{name}_sum"]))
        nodes.append(helper.make_node("Log", [f"{name}_sum"], [f"{name}_log"]))
        nodes.append(helper.make_node("Add", [f"{name}_log", f"{name}_most"], [name]))
    nodes.append(helper.make_node("Concat", outputs, [FOLDED], axis=1))
    return nodes


def _fold_at_once(graph: Any, groups: Sequence[Sequence[int]], own: int) -> list[Any]:
    """As `_fold` with few kernels: the largest of all classes is taken out of each pixel, and a convolution adds up.

    That largest stays out: it is the same for all classes of a pixel, so neither comparing nor doubling, which is
    linear, needs it. A class whose share of a pixel is below `LEAST_SHARE` counts as if it had that much, because the
    logarithm of a share that float16 cannot hold would be infinite.
    """
    from onnx import helper, numpy_helper

    weight = np.zeros((len(groups), own, 1, 1), np.float32)
    for index, group in enumerate(groups):
        weight[index, list(group)] = 1.0
    graph.initializer.append(numpy_helper.from_array(weight, "adding_up"))
    graph.initializer.append(numpy_helper.from_array(np.array(LEAST_SHARE, np.float32), "least_share"))
    return [
        helper.make_node("ReduceMax", [LOGITS, "channel_axis"], ["most"], keepdims=1),
        helper.make_node("Sub", [LOGITS, "most"], ["less"]),
        helper.make_node("Exp", ["less"], [SHARES]),
        helper.make_node("Conv", [SHARES, "adding_up"], ["sums"], kernel_shape=[1, 1]),
        helper.make_node("Max", ["sums", "least_share"], ["kept_sums"]),
        helper.make_node("Log", ["kept_sums"], [FOLDED]),
    ]


def _double(graph: Any, nodes: list[Any], classes: int) -> str:
    """Append the doubling of "folded" (1, C, h, w) to four sub-pixel planes for each class; returns their name."""
    from onnx import helper, numpy_helper

    weight = np.zeros((4 * classes, classes, 3, 3), np.float32)
    for index in range(classes):
        weight[4 * index : 4 * index + 4, index] = doubling_kernels()
    graph.initializer.append(numpy_helper.from_array(weight, "doubling"))
    nodes.append(helper.make_node("Conv", [FOLDED, "doubling"], ["doubled"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]))
    return "doubled"


def _compare(graph: Any, scores: str, classes: int, interleave: bool) -> list[Any]:
    """Nodes that find the first largest class by comparing, which runs as one fused kernel, then interleave."""
    from onnx import TensorProto, helper, numpy_helper

    planes = [f"logits_{index}" for index in range(classes)]
    graph.initializer.extend(
        numpy_helper.from_array(np.array(index, np.float32), f"id_{index}") for index in range(classes)
    )
    nodes = [helper.make_node("Split", [scores], planes, axis=1, num_outputs=classes)]
    best, winner = planes[0], "id_0"
    for index in range(1, classes):
        nodes.append(helper.make_node("Greater", [planes[index], best], [f"beats_{index}"]))
        nodes.append(helper.make_node("Where", [f"beats_{index}", f"id_{index}", winner], [f"winner_{index}"]))
        winner = f"winner_{index}"
        if index < classes - 1:
            nodes.append(helper.make_node("Max", [planes[index], best], [f"best_{index}"]))
            best = f"best_{index}"
    if interleave:
        nodes.append(helper.make_node("DepthToSpace", [winner], ["full_winner"], blocksize=2, mode="DCR"))
        winner = "full_winner"
    return [
        *nodes,
        helper.make_node("Squeeze", [winner, "channel_axis"], ["flat_winner"]),
        helper.make_node("Cast", ["flat_winner"], [OUTPUT_NAME], to=TensorProto.INT32),
    ]
