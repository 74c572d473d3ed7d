"""A model that obeys the contract and whose answer is known: it tells classes by colour."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from seg_viewer.core.labels import DRIVING, LabelSet
from seg_viewer.core.model_file import ModelSpec

GREEN, BLUE, RED, GREY = (0, 200, 0), (0, 0, 200), (200, 0, 0), (90, 90, 90)
"""Colours that the model takes for road, car, person and background."""


def color_model(
    path: Path,
    width: int = 64,
    height: int = 32,
    *,
    labels: LabelSet = DRIVING,
    name: str = "colors",
    metadata: dict[str, str] | None = None,
    input_name: str = "frame",
) -> Path:
    """Class 1, 2, 3 where green, blue, red exceeds the mean of the other two by more than 60, else 0."""
    weights = np.array([[0, 0, 0], [-0.5, 1, -0.5], [-0.5, -0.5, 1], [1, -0.5, -0.5]], np.float32).reshape(4, 3, 1, 1)
    bias = np.array([60, 0, 0, 0], np.float32)
    nodes = [
        helper.make_node("Cast", [input_name], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["floats"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["planes", "weights", "bias"], ["logits"], kernel_shape=[1, 1]),
        helper.make_node("ArgMax", ["logits"], ["best"], axis=1, keepdims=0),
        helper.make_node("Cast", ["best"], ["classes"], to=TensorProto.INT32),
    ]
    graph = helper.make_graph(
        nodes,
        "colors",
        [helper.make_tensor_value_info(input_name, TensorProto.UINT8, [1, height, width, 3])],
        [helper.make_tensor_value_info("classes", TensorProto.INT32, [1, height, width])],
        [numpy_helper.from_array(weights, "weights"), numpy_helper.from_array(bias, "bias")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    spec = ModelSpec(path, name, labels, height, width, "float32", producer="tests")
    for key, value in (spec.metadata() | (metadata or {})).items():
        helper.set_model_props(model, {p.key: p.value for p in model.metadata_props} | {key: value})
    onnx.save(model, str(path))
    return path
