"""Which model runs where nobody names one."""

from __future__ import annotations

from pathlib import Path

import pytest

from seg_viewer.core.errors import ModelFileError, UsageError
from seg_viewer.engines import installed_engines
from seg_viewer.jobs.options import RunOptions, default_model, default_text

ALL = ("openvino", "onnxruntime", "tensorrt")
BOTH = ("driving-fast", "driving-fine")


@pytest.mark.parametrize(
    ("engine", "device", "installed", "name", "why"),
    [
        ("auto", None, ALL, "driving-fine", "(TensorRT)"),
        ("auto", None, (*ALL, "tensorrt-rtx"), "driving-fine", "(TensorRT for RTX)"),
        ("auto", None, ("openvino", "onnxruntime"), "driving-fast", "a processor"),
        ("auto", "CPU", ALL, "driving-fast", "a processor"),
        ("auto", "GPU", ALL, "driving-fine", "--device GPU"),
        ("auto", "cuda", ALL, "driving-fine", "--device cuda"),
        ("auto", None, ("tensorrt",), "driving-fine", "(TensorRT)"),
        ("auto", None, (), "driving-fast", "a processor"),
        ("openvino", None, ALL, "driving-fast", "a processor"),
        ("openvino", "GPU.1", ALL, "driving-fine", "--device GPU.1"),
        ("openvino", "NPU", ALL, "driving-fast", "a processor"),
        ("onnxruntime", None, ALL, "driving-fast", "a processor"),
        ("onnxruntime", "TENSORRT", ALL, "driving-fine", "--device TENSORRT"),
        ("tensorrt", None, ALL, "driving-fine", "--engine tensorrt"),
        ("tensorrt", "GPU.0", ALL, "driving-fine", "--engine tensorrt"),
    ],
)
def test_a_gpu_takes_the_finer_one(
    engine: str, device: str | None, installed: tuple[str, ...], name: str, why: str
) -> None:
    choice = default_model(engine, device, BOTH, installed)
    assert choice.name == name and why in choice.why


@pytest.mark.parametrize("engine", ["auto", "tensorrt"])
@pytest.mark.parametrize("name", BOTH)
def test_where_one_ships_it_is_the_default(engine: str, name: str) -> None:
    assert default_model(engine, None, [name], ALL).name == name


def test_where_none_ships_that_is_said() -> None:
    with pytest.raises(ModelFileError, match="no model came with this installation"):
        default_model("auto", None, [], ALL)


def test_what_help_says() -> None:
    assert default_text(BOTH) == "driving-fast; on a GPU driving-fine"
    assert default_text(["driving-fast"]) == "driving-fast"
    assert default_text([]) == "none ships"


def test_names_and_files(two_shipped: Path, model: Path) -> None:
    assert RunOptions().read_spec().name == "driving-fast"
    assert RunOptions(engine="tensorrt").read_spec().width == 96
    assert RunOptions("driving-fast", "tensorrt").read_spec().width == 64  # what is named wins
    assert RunOptions(str(model)).read_spec().name == "colors"
    with pytest.raises(UsageError, match=r"'fine': .* driving-fast, driving-fine; or give the path"):
        RunOptions("fine").read_spec()
    (two_shipped / "driving-fine.onnx").unlink()
    assert RunOptions(engine="tensorrt").read_spec().name == "driving-fast"


def test_what_is_installed_is_known_without_importing_it() -> None:
    assert {"openvino", "onnxruntime"} <= set(installed_engines())
