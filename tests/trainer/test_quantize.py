"""What rounding weights to int8 adds on average is taken back."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from seg_viewer.core.model_file import INPUT_NAME
from trainer.export.quantize import correct_biases, observe, quantize_weight

SIZE = 16


def _graph() -> Any:
    """Picture → 1×1 convolution without a bias, ReLU, doubling 2×2 transposed convolution with one."""
    rng = np.random.default_rng(3)
    constants = {
        "w": rng.normal(size=(6, 3, 1, 1)),
        "t": rng.normal(size=(6, 4, 2, 2)),
        "b": rng.normal(size=4),
    }
    nodes = [
        helper.make_node("Cast", [INPUT_NAME], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["float"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["planes", "w"], ["first"], name="first"),
        helper.make_node("Relu", ["first"], ["kept"]),
        helper.make_node("ConvTranspose", ["kept", "t", "b"], ["second"], name="second", strides=[2, 2]),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info(INPUT_NAME, TensorProto.UINT8, [1, SIZE, SIZE, 3])],
        [
            helper.make_tensor_value_info("first", TensorProto.FLOAT, [1, 6, SIZE, SIZE]),
            helper.make_tensor_value_info("second", TensorProto.FLOAT, [1, 4, 2 * SIZE, 2 * SIZE]),
        ],
        [numpy_helper.from_array(value.astype(np.float32), name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def _rounded(model: Any, only: str) -> Any:
    """A copy with one weight as int8 holds it, in float."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    axis = {"w": 0, "t": 1}[only]
    for item in copy.graph.initializer:
        if item.name == only:
            values, scale = quantize_weight(numpy_helper.to_array(item), axis)
            spread = scale.reshape([-1 if a == axis else 1 for a in range(4)])
            item.CopyFrom(numpy_helper.from_array(values.astype(np.float32) * spread, only))
    return copy


def _means(model: Any, pictures: list[NDArray[np.uint8]], output: str) -> NDArray[np.float64]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    answers = [session.run([output], {INPUT_NAME: picture[None]})[0] for picture in pictures]
    return np.mean(answers, axis=(0, 1, 3, 4), dtype=np.float64)


def test_rounded_weights_keep_the_mean_of_every_channel() -> None:
    rng = np.random.default_rng(4)
    pictures = [rng.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8) for _ in range(3)]
    model = _graph()
    corrected = correct_biases(model, observe(model, pictures).means)
    onnx.checker.check_model(corrected)
    before = {item.name: numpy_helper.to_array(item) for item in model.graph.initializer}
    after = {item.name: numpy_helper.to_array(item) for item in corrected.graph.initializer}
    assert "b" not in after and np.array_equal(before["w"], after["w"])
    for weight, output in (("w", "first"), ("t", "second")):
        truth = _means(model, pictures, output)
        # the other layer as it was, so that only this one's rounding is seen
        alone = onnx.ModelProto()
        alone.CopyFrom(corrected)
        if output == "second":
            first = next(node for node in alone.graph.node if node.name == "first")
            del first.input[2:]
        plain = np.abs(_means(_rounded(model, weight), pictures, output) - truth).max()
        kept = np.abs(_means(_rounded(alone, weight), pictures, output) - truth).max()
        assert plain > 0.02 and kept < plain / 100, (output, plain, kept)
