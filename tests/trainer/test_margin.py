"""The output that says how sure a model is: against softmax in numpy, on every head, and nothing else changes."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import click
import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from onnx import TensorProto, helper

from seg_viewer.core.assets import FAST_MODEL, FINE_MODEL, find_model
from seg_viewer.core.errors import ExportError, UsageError
from seg_viewer.core.golden import golden_frames
from seg_viewer.core.labels import DRIVING
from seg_viewer.core.model_file import INPUT_NAME, MARGIN_NAME, OUTPUT_NAME, read_model_file
from seg_viewer.engines import load_engine
from seg_viewer.engines.float16 import to_float16
from tests.models import color_model
from tests.processor import sums_int8_exactly
from trainer.architecture import Model
from trainer.export.graph import cpu_session
from trainer.export.margin import add_margin, extend_file
from trainer.labels.details import details_of, plain
from trainer.labels.named import read_label_map

PICTURE = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)


def _softmax_margin(scores: np.ndarray) -> np.ndarray:
    """255 · (p₁ − p₂) of scores (C, H, W), not rounded."""
    shares = np.exp(scores.astype(np.float64) - scores.max(axis=0))
    first, second = np.sort(shares / shares.sum(axis=0), axis=0)[:-3:-1]
    return np.asarray(255 * (first - second))


def _run(model: Any, picture: np.ndarray, *names: str) -> list[np.ndarray]:
    return list(cpu_session(model).run(list(names), {INPUT_NAME: picture[None]}))


def _scores(model: Any, picture: np.ndarray) -> np.ndarray:
    """What the classes of a graph are compared by, at full size (C, H, W)."""
    open_ = onnx.ModelProto()
    open_.CopyFrom(model)
    split = next((node for node in open_.graph.node if "logits_0" in node.output), None)
    names = list(split.output) if split else [n.input[0] for n in open_.graph.node if n.op_type == "ArgMax"]
    kinds = {value.name: value for value in onnx.shape_inference.infer_shapes(open_).graph.value_info}
    open_.graph.output.extend(kinds[name] for name in names)
    planes = np.concatenate([plane[0] for plane in _run(open_, picture, *names)]).astype(np.float32)
    if split is None or planes.shape[1:] == picture.shape[:2]:
        return planes
    classes, (height, width) = len(names), planes.shape[1:]  # 2×2 places of each class
    return planes.reshape(classes, 2, 2, height, width).transpose(0, 3, 1, 4, 2).reshape(classes, 2 * height, 2 * width)


def _head(kind: str) -> Any:
    from trainer.export.graph import trunk_to_onnx, whole_model
    from trainer.export.head import add_head
    from trainer.network.names import LOGITS
    from trainer.network.unet import build

    fused = "fused" in kind
    if "folded" in kind:
        details = details_of(DRIVING, read_label_map("streets"))
        return add_head(trunk_to_onnx(build(Model(widths=(8, 16)), len(details), 64, 96)), 2, fused, details.groups)
    subpixel = "subpixel" in kind
    network = build(Model(widths=(8, 16), subpixel=subpixel), 4, 64, 96)
    kernel, *_ = network.get_layer(LOGITS).get_weights()
    bias = np.random.default_rng(1).normal(size=kernel.shape[-1]).astype(np.float32) * 0.1
    network.get_layer(LOGITS).set_weights([4 * kernel, bias])
    return whole_model(network, plain(DRIVING, subpixel=subpixel), fused)


@pytest.mark.parametrize("kind", ["plain", "plain fused", "subpixel", "subpixel fused", "folded", "folded fused"])
def test_it_is_the_lead_in_probability_and_the_classes_stay(kind: str) -> None:
    before = _head(kind)
    after = add_margin(copy.deepcopy(before))
    (plainly,) = _run(before, PICTURE, OUTPUT_NAME)
    classes, margin = _run(after, PICTURE, OUTPUT_NAME, MARGIN_NAME)
    np.testing.assert_array_equal(classes, plainly)
    assert margin.dtype == np.uint8 and margin.shape == classes.shape == (1, 64, 96)
    expected = _softmax_margin(_scores(before, PICTURE))
    assert np.abs(margin[0] - expected).max() <= 0.51  # rounded
    assert margin.std() > 1, "a picture on which it says the same everywhere shows nothing"
    assert [value.name for value in after.graph.output] == [OUTPUT_NAME, MARGIN_NAME]


def test_it_goes_into_float16_before_and_after() -> None:
    before = _head("subpixel")
    (classes,) = _run(to_float16(before), PICTURE, OUTPUT_NAME)
    exact = _softmax_margin(_scores(before, PICTURE))
    for model in (add_margin(to_float16(before)), to_float16(add_margin(copy.deepcopy(before)))):
        same, margin = _run(model, PICTURE, OUTPUT_NAME, MARGIN_NAME)
        np.testing.assert_array_equal(same, classes)
        assert np.abs(margin[0] - exact).max() < 6


@pytest.mark.parametrize("name", [FAST_MODEL, FINE_MODEL])
def test_the_models_that_ship_say_how_sure_they_are(name: str) -> None:
    path = find_model(name)
    spec = read_model_file(path)
    assert spec.has_margin
    graph = onnx.load(str(path))
    picture = golden_frames(spec)[0]
    classes, margin = _run(graph, picture, OUTPUT_NAME, MARGIN_NAME)
    assert np.abs(margin[0] - _softmax_margin(_scores(graph, picture))).max() <= 0.51
    engine = load_engine(spec, "openvino")
    same = engine.segment(picture) == classes[0]
    assert engine.margin is not None
    # what is around the int8 sums may be bf16: near the border of two classes
    away = np.abs(engine.margin[same].astype(int) - margin[0][same]).mean()
    assert same.mean() > 0.99 and away < (2 if sums_int8_exactly() else 4)
    assert margin[0][~same].mean() < 64 if not same.all() else True
    engine.close()


def _invoke(*arguments: str | Path) -> click.testing.Result:
    from trainer.cli import main

    return CliRunner().invoke(main, ["add-margin", *map(str, arguments)])


def test_a_finished_file_gets_one_and_keeps_all_it_says(tmp_path: Path) -> None:
    source, output = color_model(tmp_path / "in.onnx"), tmp_path / "out.onnx"
    done = _invoke(source, "-o", output)
    assert done.exit_code == 0 and "says how sure it is" in done.output
    before, after = read_model_file(source), read_model_file(output)
    assert (before.has_margin, after.has_margin) == (False, True)
    assert after.provenance["margin"]["added_to_sha256"] == before.sha256
    for field in ("name", "labels", "width", "height", "precision", "metrics", "trained_on", "producer"):
        assert getattr(after, field) == getattr(before, field)
    picture = np.random.default_rng(2).integers(0, 256, (32, 64, 3), np.uint8)
    one, other = load_engine(before, "onnxruntime"), load_engine(after, "onnxruntime")
    np.testing.assert_array_equal(one.segment(picture), other.segment(picture))
    scores = _scores(onnx.load(str(source)), picture)
    assert other.margin is not None and np.abs(other.margin - _softmax_margin(scores)).max() <= 0.51
    for refused, word in ((_invoke(source, "-o", output), "--overwrite"), (_invoke(source, "-o", source), "input")):
        assert refused.exit_code != 0 and word in refused.output and refused.output.count("\n") == 1
    again = _invoke(output, "-o", tmp_path / "third.onnx")
    assert again.exit_code != 0 and "already" in again.output and not (tmp_path / "third.onnx").exists()
    assert "must end with .onnx" in _invoke(source, "-o", tmp_path / "x.bin").output


def test_a_head_of_another_make_is_refused(tmp_path: Path) -> None:
    path = color_model(tmp_path / "foreign.onnx")
    model = onnx.load(str(path))
    node = next(node for node in model.graph.node if node.op_type == "ArgMax")
    node.op_type = "TopK"
    model.graph.initializer.append(helper.make_tensor("one", TensorProto.INT64, [1], [1]))
    del node.attribute[:]
    node.input.append("one")
    node.output[:] = ["value", "best_of_axis"]
    node.attribute.append(helper.make_attribute("axis", 1))
    model.graph.initializer.append(helper.make_tensor("axes", TensorProto.INT64, [1], [1]))
    squeeze = helper.make_node("Squeeze", ["best_of_axis", "axes"], ["best"])
    model.graph.node.insert(len(model.graph.node) - 1, squeeze)
    onnx.save(model, str(path))
    with pytest.raises(ExportError, match="no head of seg-trainer's"):
        extend_file(path, tmp_path / "out.onnx")
    assert not (tmp_path / "out.onnx").exists()


def test_an_input_that_is_missing_is_told(tmp_path: Path) -> None:
    done = _invoke(tmp_path / "nothing.onnx", "-o", tmp_path / "out.onnx")
    assert done.exit_code != 0 and "no such model file" in done.output
    assert isinstance(done.exception, SystemExit | UsageError)
