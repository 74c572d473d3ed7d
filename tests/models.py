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
_SHARPNESS = 0.05


def color_model(
    path: Path,
    width: int = 64,
    height: int = 32,
    *,
    labels: LabelSet = DRIVING,
    name: str = "colors",
    metadata: dict[str, str] | None = None,
    input_name: str = "frame",
    margin: bool = False,
) -> Path:
    """Class 1, 2, 3 where green, blue, red exceeds the mean of the other two by more than 60, else 0.

    With `margin`, it also says how sure it is: `color_margin`.
    """
    weights = np.array([[0, 0, 0], [-0.5, 1, -0.5], [-0.5, -0.5, 1], [1, -0.5, -0.5]], np.float32).reshape(4, 3, 1, 1)
    bias = np.array([60, 0, 0, 0], np.float32)
    nodes = [
        helper.make_node("Cast", [input_name], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["floats"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["planes", "weights", "bias"], ["logits"], kernel_shape=[1, 1]),
        helper.make_node("ArgMax", ["logits"], ["best"], axis=1, keepdims=0),
        helper.make_node("Cast", ["best"], ["classes"], to=TensorProto.INT32),
    ]
    outputs = [helper.make_tensor_value_info("classes", TensorProto.INT32, [1, height, width])]
    constants = {"weights": weights, "bias": bias}
    if margin:
        nodes += [
            helper.make_node("Mul", ["logits", "scale"], ["scaled"]),
            helper.make_node("Softmax", ["scaled"], ["shares"], axis=1),
            helper.make_node("Split", ["shares"], [*"abcd"], axis=1),
            *(helper.make_node(kind, [*pair], [f"{kind}_{pair}"]) for kind in ("Max", "Min") for pair in ("ab", "cd")),
            helper.make_node("Max", ["Max_ab", "Max_cd"], ["first"]),
            helper.make_node("Min", ["Max_ab", "Max_cd"], ["loser"]),
            helper.make_node("Max", ["loser", "Min_ab", "Min_cd"], ["second"]),
            helper.make_node("Sub", ["first", "second"], ["lead"]),
            helper.make_node("Mul", ["lead", "most"], ["stretched"]),
            helper.make_node("Add", ["stretched", "half"], ["raised"]),
            helper.make_node("Squeeze", ["raised", "axis"], ["flat"]),
            helper.make_node("Cast", ["flat"], ["margin"], to=TensorProto.UINT8),
        ]
        outputs.append(helper.make_tensor_value_info("margin", TensorProto.UINT8, [1, height, width]))
        constants |= {"scale": np.float32(_SHARPNESS), "most": np.float32(255), "half": np.float32(0.5)}
        constants["axis"] = np.array([1])
    graph = helper.make_graph(
        nodes,
        "colors",
        [helper.make_tensor_value_info(input_name, TensorProto.UINT8, [1, height, width, 3])],
        outputs,
        [numpy_helper.from_array(np.asarray(value), key) for key, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    spec = ModelSpec(path, name, labels, height, width, "float32", producer="tests")
    for key, value in (spec.metadata() | (metadata or {})).items():
        helper.set_model_props(model, {p.key: p.value for p in model.metadata_props} | {key: value})
    onnx.save(model, str(path))
    return path


def color_margin(rgb: np.ndarray) -> np.ndarray:
    """What `color_model` with a margin says of a picture (H, W, 3): its lead in probability, 0…255, shape (H, W)."""
    red, green, blue = (rgb[:, :, channel].astype(np.float64) for channel in range(3))
    logits = [np.full(red.shape, 60.0), green - (red + blue) / 2, blue - (red + green) / 2, red - (green + blue) / 2]
    shares = np.exp(_SHARPNESS * (np.stack(logits) - np.max(logits, axis=0)))
    first, second = np.sort(shares / shares.sum(axis=0), axis=0)[:-3:-1]
    return np.asarray(np.floor(255 * (first - second) + 0.5).astype(np.uint8))
