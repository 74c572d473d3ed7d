"""The benchmark of inference alone: its figures are there and of what it says; how fast is no test's business."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from benchmarks.bare_inference import FLOAT, main
from tests.models import color_model

NAMES = {"OpenVINO, throughput", "OpenVINO, latency", FLOAT}


def _run(*arguments: str) -> object:
    return CliRunner().invoke(main, [*arguments, "--frames", "7", "--rounds", "3"], catch_exceptions=False)


def test_every_figure_is_there(model: Path, tmp_path: Path) -> None:
    done = _run(str(model), str(model), "--json", str(tmp_path / "figures.json"))
    assert done.exit_code == 0, done.output
    figures = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    assert set(figures["rates"]) == NAMES and all(len(rates) == 3 for rates in figures["rates"].values())
    for name, ratios in figures["times_float32"].items():
        assert ratios == [
            rate / slow for rate, slow in zip(figures["rates"][name], figures["rates"][FLOAT], strict=True)
        ]
    assert figures["times_float32"][FLOAT] == [1.0] * 3
    assert set(figures["same_class_as_float32"].values()) == {1.0}  # one and the same graph
    for mode in ("throughput", "latency"):
        assert sum(figures["convolutions"][mode].values()) == len(figures["layers"][mode]) == 1
    for word in (*NAMES, "colors (64×32), float32", "2 threads each", "convolutions, latency: 1×"):
        assert word in done.output


def test_without_a_float32_graph_the_model_is_its_own(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    done = CliRunner().invoke(main, ["driving-fast", "--frames", "1", "--rounds", "1", "--json", str(figures)])
    told = json.loads(figures.read_text(encoding="utf-8"))
    assert done.exit_code == 0 and told["float32"] == "its own graph without quantisation"
    assert sum(told["convolutions"]["latency"].values()) > 20
    assert 0.98 < told["same_class_as_float32"]["OpenVINO, latency"] < 1


def test_another_size_is_no_comparison(model: Path, tmp_path: Path) -> None:
    other = color_model(tmp_path / "other.onnx", 32, 32)
    done = CliRunner().invoke(main, [str(model), str(other)])
    assert done.exit_code == 1 and "other.onnx: takes [1, 32, 32, 3]" in str(done.exception)


def test_a_missing_file_is_one_line(model: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(main, [str(model), str(tmp_path / "gone.onnx")])
    assert done.exit_code == 1 and "gone.onnx: no such model file" in str(done.exception)
