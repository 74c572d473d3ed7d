"""How sure a model is: the output `margin`, made from the same scores as the classes."""

from __future__ import annotations

from typing import Any

import numpy as np

from seg_viewer.core.errors import ExportError
from seg_viewer.core.model_file import MARGIN_NAME, OUTPUT_NAME

PLANE = "logits_0"
"""First of the planes that a fused head compares, see `trainer.export.head.add_head`."""


def add_margin(onnx_model: Any) -> Any:
    """Append the output `margin`, uint8 (1, H, W): round(255 · (p₁ − p₂)), p being the softmax of a pixel's scores.

    With the largest score m and the others sᵢ, p₁ − p₂ = (1 − max eᵢ) / (1 + Σ eᵢ), eᵢ = exp(sᵢ − m). The others are
    what loses when the classes are compared one after the other; which of them is which does not matter. So it takes
    one exponential for each class but one, and element-wise nodes only: OpenVINO runs them as one kernel, beside the
    one that finds the classes (which shares no node with it, or both would come apart).

    Args:
        onnx_model: graph with the head of `trainer.export.head`, of any precision, fresh or from a file; changed in
            place. Its classes stay as they are.

    Returns:
        The same model.

    Raises:
        ExportError: the graph has a margin already, or ends in another way.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    graph = onnx_model.graph
    if MARGIN_NAME in [value.name for value in graph.output]:
        raise ExportError(f"the model has an output '{MARGIN_NAME}' already")
    nodes, planes, interleave, dtype = _planes(onnx_model)
    number = np.float16 if dtype == TensorProto.FLOAT16 else np.float32
    constants = {"sure_one": number(1), "sure_most": number(255), "sure_half": number(0.5)}
    graph.initializer.extend(numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items())

    def add(kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    best, losers = planes[0], []
    for index, plane in enumerate(planes[1:], 1):
        # the other way round than in the head: two nodes that are alike would be made one
        losers.append(add("Min", [best, plane], f"sure_loser_{index}"))
        best = add("Max", [best, plane], f"sure_best_{index}")
    shares = []
    for index, loser in enumerate(losers, 1):
        shares.append(add("Exp", [add("Sub", [loser, best], f"sure_less_{index}")], f"sure_share_{index}"))
    total, second = add("Add", [shares[0], "sure_one"], "sure_sum_1"), shares[0]
    for index, share in enumerate(shares[1:], 2):
        total = add("Add", [total, share], f"sure_sum_{index}")
        second = add("Max", [second, share], f"sure_second_{index}")
    lead = add("Mul", [add("Sub", ["sure_one", second], "sure_lead"), "sure_most"], "sure_lead_255")
    result = add("Add", [add("Div", [lead, total], "sure"), "sure_half"], "sure_raised")
    if interleave:
        result = add("DepthToSpace", [result], "sure_full", blocksize=2, mode="DCR")
    result = add("Squeeze", [result, "channel_axis"], "sure_flat")
    # the last node: TensorRT takes uint8 as an output of a cast and nowhere else
    add("Cast", [result], MARGIN_NAME, to=TensorProto.UINT8)
    graph.node.extend(nodes)
    classes = next(value for value in graph.output if value.name == OUTPUT_NAME)
    shape = [dim.dim_value for dim in classes.type.tensor_type.shape.dim]
    graph.output.append(helper.make_tensor_value_info(MARGIN_NAME, TensorProto.UINT8, shape))
    onnx.checker.check_model(onnx_model)
    return onnx_model


def _planes(onnx_model: Any) -> tuple[list[Any], list[str], bool, int]:
    """New nodes, the names of one plane of scores for each class, whether 2×2 of them interleave, and their type."""
    import onnx
    from onnx import helper, numpy_helper

    graph = onnx_model.graph
    inferred = onnx.shape_inference.infer_shapes(onnx_model).graph.value_info
    kinds = {value.name: value.type.tensor_type for value in inferred}
    split = next((node for node in graph.node if node.op_type == "Split" and PLANE in node.output), None)
    if split is not None:
        interleave = any(node.op_type == "DepthToSpace" and node.output[0] == "full_winner" for node in graph.node)
        return [], list(split.output), interleave, int(kinds[PLANE].elem_type)
    best = [node for node in graph.node if node.op_type == "ArgMax"]
    if len(best) != 1 or best[0].input[0] not in kinds:
        raise ExportError("the graph ends in no head of seg-trainer's: what the classes are compared by is not found")
    scores = best[0].input[0]
    classes = kinds[scores].shape.dim[1].dim_value
    names = [f"sure_scores_{index}" for index in range(classes)]
    if "channel_axis" not in [item.name for item in graph.initializer]:
        graph.initializer.append(numpy_helper.from_array(np.array([1], np.int64), "channel_axis"))
    node = helper.make_node("Split", [scores], names, name="sure_scores", axis=1, num_outputs=classes)
    return [node], names, False, int(kinds[scores].elem_type)
