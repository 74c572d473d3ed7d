"""int8: what rounding weights adds on average is taken back, and concatenations are taken apart, for every kind."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from seg_viewer.core.model_file import INPUT_NAME
from tests.processor import sums_int8_exactly
from trainer.export.doubling import double_by_pixels
from trainer.export.quantize import activation_ranges, correct_biases, observe, quantize, quantize_weight, split_joins

SIZE = 16
KINDS = {
    "1x1": ("Conv", (4, 6, 1, 1), {}),
    "3x3": ("Conv", (4, 6, 3, 3), {}),
    "strided": ("Conv", (4, 6, 3, 3), {"strides": [2, 2]}),
    "dilated": ("Conv", (4, 6, 3, 3), {"dilations": [2, 2]}),
    "grouped": ("Conv", (9, 2, 3, 3), {"group": 3}),
    "depthwise": ("Conv", (6, 1, 3, 3), {"group": 6}),
    "depthwise, twice": ("Conv", (12, 1, 3, 3), {"group": 6}),
    "transposed": ("ConvTranspose", (6, 4, 2, 2), {"strides": [2, 2]}),
    "transposed, overlapping": ("ConvTranspose", (6, 4, 4, 4), {"strides": [2, 2]}),
    "transposed, unstrided": ("ConvTranspose", (6, 4, 1, 1), {}),
    "transposed, grouped": ("ConvTranspose", (6, 2, 2, 2), {"strides": [2, 2], "group": 3}),
}
"""Name → operator, shape of its weight, attributes; the input has six channels."""


def _graph(kind: str, bias: bool) -> Any:
    """Picture → 1×1 convolution to six channels, ReLU, the convolution of that kind."""
    operator, shape, attributes = KINDS[kind]
    rng = np.random.default_rng(3)
    outputs = shape[0] if operator == "Conv" else shape[1] * attributes.get("group", 1)
    constants = {"w": rng.normal(size=(6, 3, 1, 1)), "t": rng.normal(size=shape), "b": rng.normal(size=outputs)}
    nodes = [
        helper.make_node("Cast", [INPUT_NAME], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["float"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["planes", "w"], ["first"], name="first"),
        helper.make_node("Relu", ["first"], ["kept"]),
        helper.make_node(operator, ["kept", "t", *["b"] * bias], ["second"], name="second", **attributes),
    ]
    return _model(nodes, ["first", "second"], constants)


def _model(nodes: list[Any], outputs: list[str], constants: dict[str, NDArray[np.float64]]) -> Any:
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info(INPUT_NAME, TensorProto.UINT8, [1, SIZE, SIZE, 3])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, None, None, None]) for name in outputs],
        [numpy_helper.from_array(value.astype(np.float32), name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def _rounded(model: Any, only: str, axis: int) -> Any:
    """A copy with one weight as int8 holds it, in float."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for item in copy.graph.initializer:
        if item.name == only:
            values, scale = quantize_weight(numpy_helper.to_array(item), axis)
            spread = scale.reshape([-1 if a == axis else 1 for a in range(4)])
            item.CopyFrom(numpy_helper.from_array(values.astype(np.float32) * spread, only))
    return copy


def _run(model: Any, pictures: list[NDArray[np.uint8]], output: str) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.concatenate([session.run([output], {INPUT_NAME: picture[None]})[0] for picture in pictures])


def _means(model: Any, pictures: list[NDArray[np.uint8]], output: str) -> NDArray[np.float64]:
    inner = _run(model, pictures, output)[:, :, 2:-2, 2:-2]  # at a border a transposed convolution has fewer taps
    return np.mean(inner, axis=(0, 2, 3), dtype=np.float64)


@pytest.fixture(scope="module")
def pictures() -> list[NDArray[np.uint8]]:
    """Even ones, each of another colour: there a mean is the same wherever a kernel's taps lie."""
    rng = np.random.default_rng(4)
    return [np.full((SIZE, SIZE, 3), rng.integers(0, 256, 3), np.uint8) for _ in range(3)]


@pytest.mark.parametrize("bias", [False, True], ids=["without bias", "with bias"])
@pytest.mark.parametrize("kind", KINDS)
def test_rounded_weights_keep_the_mean_of_every_channel(
    kind: str, bias: bool, pictures: list[NDArray[np.uint8]]
) -> None:
    model = _graph(kind, bias)
    corrected = correct_biases(model, observe(model, pictures).means)
    onnx.checker.check_model(corrected)
    before = {item.name: numpy_helper.to_array(item) for item in model.graph.initializer}
    after = {item.name: numpy_helper.to_array(item) for item in corrected.graph.initializer}
    assert "b" not in after and np.array_equal(before["w"], after["w"]) and np.array_equal(before["t"], after["t"])
    axis = 0 if KINDS[kind][0] == "Conv" else 1
    for weight, output, rounded_axis in (("w", "first", 0), ("t", "second", axis)):
        truth = _means(model, pictures, output)
        # the other layer as it was, so that only this one's rounding is seen
        alone = onnx.ModelProto()
        alone.CopyFrom(corrected)
        if output == "second":
            first = next(node for node in alone.graph.node if node.name == "first")
            del first.input[2:]
        plain = np.abs(_means(_rounded(model, weight, rounded_axis), pictures, output) - truth).max()
        kept = np.abs(_means(_rounded(alone, weight, rounded_axis), pictures, output) - truth).max()
        assert plain > 0.02 and kept < plain / 100, (output, plain, kept)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_convolution_becomes_int8(kind: str, pictures: list[NDArray[np.uint8]]) -> None:
    model = _graph(kind, bias=True)
    seen = observe(model, pictures)
    int8 = quantize(correct_biases(model, seen.means), activation_ranges(seen.samples))
    exact, rounded = _run(model, pictures, "second"), _run(int8, pictures, "second")
    assert np.abs(exact - rounded).max() < 0.03 * np.abs(exact).max()
    stored = [item for item in int8.graph.initializer if item.data_type == TensorProto.INT8 and len(item.dims) == 4]
    assert len(stored) == 2


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_doubling_by_pixels_gives_the_same_numbers(kind: str, bias: bool) -> None:
    """For what does not overlap; all other kinds stay as they are."""
    rng = np.random.default_rng(6)
    pictures = [rng.integers(0, 256, (SIZE, SIZE, 3), np.uint8) for _ in range(3)]
    model = _graph(kind, bias)
    int8 = quantize(model, activation_ranges(observe(model, pictures).samples))
    _end_with_relu(int8, int8.graph.node[-1].output[0])
    before = onnx.ModelProto()
    before.CopyFrom(int8)
    doubled = double_by_pixels(int8)
    assert int8 == before
    names = [node.op_type for node in doubled.graph.node]
    if kind == "transposed":
        assert "ConvTranspose" not in names and names.count("DepthToSpace") == 1
        assert {node.name for node in before.graph.node if node.name} < {node.name for node in doubled.graph.node}
        stored = [item for item in doubled.graph.initializer if item.data_type == TensorProto.INT8]
        assert sum(numpy_helper.to_array(item).size for item in stored if len(item.dims) == 4) == 6 * 3 + 6 * 4 * 4
    else:
        assert names == [node.op_type for node in before.graph.node]
    one, other = _run(before, pictures, "taken"), _run(doubled, pictures, "taken")
    step = np.unique(np.diff(np.unique(one)).round(6))[0]  # of the int8 grid
    assert one.shape == other.shape and np.abs(one - other).max() <= step * 1.001
    assert np.mean(np.abs(one - other) > step / 2) < 0.002  # halves that float32 rounds the other way


def _end_with_relu(model: Any, name: str) -> None:
    """As a decoder goes on."""
    model.graph.node.append(helper.make_node("Relu", [name], ["taken"], name="last"))
    del model.graph.output[:]
    model.graph.output.append(helper.make_tensor_value_info("taken", TensorProto.FLOAT, [1, None, None, None]))


@pytest.mark.parametrize("how", ["float32", "its own answer is wanted too", "two take it"])
def test_what_cannot_be_doubled_by_pixels_stays(how: str, pictures: list[NDArray[np.uint8]]) -> None:
    model = _graph("transposed", bias=True)
    if how != "float32":
        model = quantize(model, activation_ranges(observe(model, pictures).samples))
    output = "second" if how == "float32" else model.graph.node[-1].output[0]
    _end_with_relu(model, output)
    if how == "its own answer is wanted too":
        model.graph.output.append(helper.make_tensor_value_info("second", TensorProto.FLOAT, [1, None, None, None]))
    if how == "two take it":
        model.graph.node.append(helper.make_node("Relu", ["second"], ["unrounded"], name="another"))
        model.graph.output.append(helper.make_tensor_value_info("unrounded", TensorProto.FLOAT, [1, None, None, None]))
    assert double_by_pixels(model) == model


@pytest.mark.parametrize("taken_by", ["3x3", "grouped", "transposed", "pooling", "both"])
def test_a_concatenation_stays_for_what_cannot_be_a_sum_over_its_parts(taken_by: str) -> None:
    rng = np.random.default_rng(5)
    constants = {
        "a": rng.normal(size=(2, 3, 1, 1)),
        "b": rng.normal(size=(4, 3, 1, 1)),
        "plain": rng.normal(size=(5, 6, 3, 3)),
        "grouped": rng.normal(size=(6, 2, 3, 3)),
        "transposed": rng.normal(size=(6, 2, 2, 2)),
    }
    way = {
        "3x3": helper.make_node("Conv", ["joined", "plain"], ["out"], name="c", pads=[1, 1, 1, 1]),
        "grouped": helper.make_node("Conv", ["joined", "grouped"], ["out"], name="g", group=3),
        "transposed": helper.make_node("ConvTranspose", ["joined", "transposed"], ["out"], name="t", strides=[2, 2]),
        "pooling": helper.make_node("MaxPool", ["joined"], ["out"], kernel_shape=[2, 2]),
        "both": helper.make_node("MaxPool", ["joined"], ["pooled"], kernel_shape=[2, 2]),
    }
    nodes = [
        helper.make_node("Cast", [INPUT_NAME], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["float"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["planes", "a"], ["one"], name="one"),
        helper.make_node("Conv", ["planes", "b"], ["other"], name="other"),
        helper.make_node("Concat", ["one", "other"], ["joined"], axis=1),
        way[taken_by],
    ]
    nodes += [way["3x3"]] if taken_by == "both" else []
    model = _model(nodes, ["out"], constants)
    split = split_joins(model)
    assert ("Concat" in [node.op_type for node in split.graph.node]) == (taken_by != "3x3")
    # an odd sum of parts would show: random pictures, not even ones
    noise = [rng.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)]
    np.testing.assert_allclose(_run(split, noise, "out"), _run(model, noise, "out"), rtol=1e-4, atol=1e-2)


def test_a_network_of_every_kind_of_convolution_is_exported_and_agrees_with_keras() -> None:
    """Of Keras' own layers: grouped, depthwise, separable, strided, transposed, one concatenation within another."""
    from trainer.network.backend import start_backend

    start_backend()
    import keras
    from keras import layers

    from seg_viewer.core.labels import DRIVING
    from trainer.export.graph import run_onnx, run_openvino, whole_model
    from trainer.labels.details import plain
    from trainer.network.keras_file import keras_class_map
    from trainer.network.unet import picture_input

    keras.utils.set_random_seed(0)
    frame, x = picture_input((48, 32))
    x = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu")(x)
    y = layers.DepthwiseConv2D(3, padding="same", activation="relu")(x)
    y = layers.SeparableConv2D(8, 3, padding="same", activation="relu")(y)
    y = layers.Conv2D(8, 3, padding="same", groups=4, activation="relu")(y)
    joined = layers.Concatenate()([x, y])
    z = layers.DepthwiseConv2D(3, strides=2, padding="same", activation="relu")(joined)
    z = layers.Conv2DTranspose(6, 2, strides=2, padding="same")(z)
    z = layers.Conv2D(8, 3, padding="same", activation="relu")(layers.Concatenate()([z, joined]))
    z = layers.Conv2DTranspose(8, 2, strides=2, padding="same")(z)
    network = keras.Model(frame, layers.Conv2D(4, 1, name="logits")(z))
    rng = np.random.default_rng(0)
    for layer in network.layers:
        layer.set_weights([w if w.ndim > 1 else rng.normal(0, 0.3, w.shape) for w in layer.get_weights()])
    frames = [rng.integers(0, 256, (32, 48, 3), np.uint8) for _ in range(6)]
    answers = [keras_class_map(network, frame) for frame in frames]
    fused = split_joins(whole_model(network, plain(DRIVING), fused=True))
    seen = observe(fused, frames)
    int8 = quantize(correct_biases(fused, seen.means), activation_ranges(seen.samples))
    in_openvino = 0.97 if sums_int8_exactly() else 0.8
    exact = whole_model(network, plain(DRIVING), fused=False)
    for graph, leasts in ((exact, (0.9999, 0.9999)), (int8, (0.97, in_openvino))):
        for predict, least in zip((run_onnx(graph), run_openvino(graph)), leasts, strict=True):
            same = np.mean([predict(frame) == answer for frame, answer in zip(frames, answers, strict=True)])
            assert same > least
