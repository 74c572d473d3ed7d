"""The graph that TensorRT gets computes what the file computes."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from seg_viewer.core.assets import find_model
from seg_viewer.core.errors import EngineError, UsageError
from seg_viewer.core.golden import golden_frames
from seg_viewer.core.model_file import read_model_file
from seg_viewer.engines import load_engine
from seg_viewer.engines.nvidia.graph import TensorRtGraph, prepare_graph, target_precision


def _run(graph: TensorRtGraph, pictures: list[np.ndarray]) -> list[np.ndarray]:
    import onnxruntime

    session = onnxruntime.InferenceSession(graph.data, providers=["CPUExecutionProvider"])
    return [session.run(["classes"], {"frame": picture[None]})[0][0] for picture in pictures]


def _readers_of_bytes(graph: TensorRtGraph) -> list[str]:
    """Kinds of the nodes that read a uint8 tensor."""
    model = onnx.shape_inference.infer_shapes(onnx.load_model_from_string(graph.data))
    values = [*model.graph.input, *model.graph.value_info]
    small = {value.name for value in values if value.type.tensor_type.elem_type == TensorProto.UINT8}
    return [node.op_type for node in model.graph.node if small & set(node.input)]


def test_int8_is_kept_and_only_the_order_at_the_input_changes() -> None:
    spec = read_model_file(find_model("driving-fast"))
    graph = prepare_graph(spec)
    assert graph.precision == "int8"
    before = onnx.load(str(spec.path)).graph
    after = onnx.load_model_from_string(graph.data).graph
    assert sorted(node.op_type for node in after.node) == sorted(node.op_type for node in before.node)
    convolutions = [node for node in before.node if node.op_type in ("Conv", "ConvTranspose")]
    assert len(graph.convolutions) == len(set(graph.convolutions)) == len(convolutions)
    assert _readers_of_bytes(graph) == ["Cast"]
    reference = load_engine(spec, "onnxruntime")
    frames = golden_frames(spec)
    for classes, frame in zip(_run(graph, frames), frames, strict=True):
        np.testing.assert_array_equal(classes, reference.segment(frame))


def test_float32_becomes_float16_and_answers_the_same(model: Path) -> None:
    spec = read_model_file(model)
    graph = prepare_graph(spec)
    assert graph.precision == "float16"
    held = {item.name: item.data_type for item in onnx.load_model_from_string(graph.data).graph.initializer}
    assert held["weights"] == TensorProto.FLOAT16
    assert _readers_of_bytes(graph) == ["Cast"]
    rng = np.random.default_rng(1)
    pictures = [rng.integers(0, 256, (32, 64, 3), np.uint8) for _ in range(4)]
    reference = load_engine(spec, "onnxruntime")
    for classes, picture in zip(_run(graph, pictures), pictures, strict=True):
        assert np.mean(classes == reference.segment(picture)) > 0.995


def test_float32_stays_where_it_is_asked_for(model: Path) -> None:
    graph = prepare_graph(read_model_file(model), "float32")
    assert graph.precision == "float32"
    kinds = {item.data_type for item in onnx.load_model_from_string(graph.data).graph.initializer}
    assert TensorProto.FLOAT16 not in kinds


def test_a_float16_file_stays_what_it_is(model: Path, tmp_path: Path) -> None:
    half = onnx.load_model_from_string(prepare_graph(read_model_file(model)).data)
    for item in half.metadata_props:
        if item.key.endswith("precision"):
            item.value = "float16"
    path = tmp_path / "half.onnx"
    onnx.save(half, str(path))
    spec = read_model_file(path)
    graph = prepare_graph(spec)
    assert graph.precision == "float16" and _readers_of_bytes(graph) == ["Cast"]
    assert onnx.load_model_from_string(graph.data).graph.node == half.graph.node
    with pytest.raises(UsageError, match="is float16 and stays so"):
        prepare_graph(spec, "float32")


def test_inputs_and_outputs_keep_their_types(model: Path) -> None:
    graph = onnx.load_model_from_string(prepare_graph(read_model_file(model)).data).graph
    assert graph.input[0].type.tensor_type.elem_type == TensorProto.UINT8
    assert graph.output[0].type.tensor_type.elem_type == TensorProto.INT32


def test_a_precision_that_cannot_be_had_is_refused(model: Path) -> None:
    shipped = read_model_file(find_model("driving-fast"))
    with pytest.raises(UsageError, match="is int8 and stays so"):
        target_precision(shipped, "float16")
    with pytest.raises(UsageError, match="choose one of auto, float32, float16"):
        target_precision(shipped, "fp8")


def test_without_the_converter_the_way_out_is_told(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime.transformers.float16", None)
    with pytest.raises(EngineError, match=r"precision float32, or .*seg-viewer\[onnxruntime\]"):
        prepare_graph(read_model_file(model))
