"""The same network with a smaller input: the same answers where size does not matter, or one line that says no."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from seg_viewer.core.errors import ModelFileError
from seg_viewer.core.model_file import read_model_file
from seg_viewer.engines import load_engine
from seg_viewer.engines.smaller import smaller_network, smaller_size
from tests.models import BLUE, GREEN, RED, color_model


@pytest.mark.parametrize("margin", [False, True])
def test_it_gives_the_same_answers_at_half_the_pixels(tmp_path: Path, margin: bool) -> None:
    spec = read_model_file(color_model(tmp_path / "colors.onnx", 128, 96, margin=margin))
    small = smaller_network(spec, tmp_path / "cache")
    assert (small.width, small.height) == (96, 64)
    assert (small.name, small.labels, small.has_margin) == (spec.name, spec.labels, margin)
    assert small.sha256 != spec.sha256 and small.metrics == {} and small.measures is None
    picture = np.zeros((64, 96, 3), np.uint8)
    picture[:20], picture[20:40], picture[40:] = GREEN, BLUE, RED
    engine = load_engine(small, "onnxruntime")
    try:
        classes = engine.segment(picture)
    finally:
        engine.close()
    assert [set(np.unique(classes[rows])) for rows in (slice(20), slice(20, 40), slice(40, None))] == [{1}, {2}, {3}]


def test_it_is_made_once_and_made_again_for_another_model_of_that_name(tmp_path: Path) -> None:
    first = read_model_file(color_model(tmp_path / "colors.onnx", 128, 96))
    small = smaller_network(first, tmp_path / "cache")
    at = small.path.stat().st_mtime_ns
    assert smaller_network(first, tmp_path / "cache") == small and small.path.stat().st_mtime_ns == at
    small.path.write_bytes(b"cut short")
    assert smaller_network(first, tmp_path / "cache").sha256 == small.sha256
    other = read_model_file(color_model(tmp_path / "colors.onnx", 128, 96, margin=True))
    assert smaller_network(other, tmp_path / "cache").has_margin
    assert not list((tmp_path / "cache").glob("*.part"))


def test_only_a_few_are_kept(tmp_path: Path) -> None:
    for number in range(10):
        spec = read_model_file(color_model(tmp_path / "colors.onnx", 128, 96, name=f"number {number}"))
        smaller_network(spec, tmp_path / "cache")
    assert len(list((tmp_path / "cache").iterdir())) == 8


def test_a_small_model_has_no_smaller_one(tmp_path: Path) -> None:
    spec = read_model_file(color_model(tmp_path / "colors.onnx", 32, 32))
    assert smaller_size(spec) is None
    with pytest.raises(ModelFileError, match=r"colors\.onnx: its input, 32×32, is too small for a smaller one"):
        smaller_network(spec, tmp_path)


def test_a_network_of_one_size_says_so(tmp_path: Path) -> None:
    """Its last node stretches to so many pixels, whatever comes in."""
    path = color_model(tmp_path / "fixed.onnx", 128, 96)
    model = onnx.load(str(path))
    model.graph.output[0].name = "classes"
    model.graph.node[-1].output[0] = "any"
    model.graph.initializer.append(numpy_helper.from_array(np.array([1, 96, 128]), "shape"))
    model.graph.node.append(helper.make_node("Reshape", ["any", "shape"], ["classes"]))
    assert model.graph.output[0].type.tensor_type.elem_type == TensorProto.INT32
    onnx.save(model, str(path))
    with pytest.raises(ModelFileError, match=r"fixed\.onnx: only runs at 128×96"):
        smaller_network(read_model_file(path), tmp_path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file", encoding="utf-8")
    spec = read_model_file(color_model(tmp_path / "colors.onnx", 128, 96))
    with pytest.raises(ModelFileError, match=r"cache.*cannot be written"):
        smaller_network(spec, tmp_path / "cache")
