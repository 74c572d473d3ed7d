"""Stopping a build from where it was asked for."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from seg_viewer.core.errors import EngineError
from seg_viewer.engines.load_bar import LoadBar
from seg_viewer.jobs.export import ExportCancelled, ExportJob, run_export
from seg_viewer.jobs.options import RunOptions
from seg_viewer.pipeline import Pipeline
from seg_viewer.sources import open_source
from tests.clips import make_clip


def test_an_export_is_cancelled_while_the_plan_is_built(machine: Any, model: Path, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", frames=4)
    told: list[str] = []
    options = RunOptions(str(model), "tensorrt")
    with pytest.raises(ExportCancelled, match="nothing was written"):
        run_export(
            ExportJob(clip, tmp_path / "out.mp4", options),
            on_loading=lambda what, share: told.append(what) or True,
            cancelled=lambda: len(told) > 2,
        )
    assert machine.calls("build") and not machine.calls("deserialize")
    assert sorted(path.name for path in tmp_path.glob("*.mp4")) == ["clip.mp4"]


def test_closing_the_pipeline_stops_the_build(machine: Any, model: Path, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", frames=4)
    building = threading.Event()
    machine.build_gate.clear()
    options = RunOptions(str(model), "tensorrt")
    segmenter = options.segmenter(options.read_spec(), progress=lambda what, share: building.set() or True)
    with Pipeline(open_source(clip), segmenter):
        assert building.wait(60)
        threading.Timer(0.2, machine.build_gate.set).start()
    assert not machine.calls("deserialize")
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("seg-")] == []


def test_a_lost_gpu_is_told_with_the_export(machine: Any, model: Path, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", frames=6)
    machine.faults["create_execution_context"] = "OutOfMemory"
    result = run_export(ExportJob(clip, tmp_path / "out.mp4", RunOptions(str(model), "tensorrt")))
    assert result.frames == 6 and result.engine.startswith("openvino")
    (warning,) = result.warnings
    assert "fell back to the processor" in warning and "OutOfMemory" in warning
    assert "the model stays colors" in warning and result.model == "colors (64×32)"


def test_a_failed_build_leaves_no_file(machine: Any, model: Path, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", frames=6)
    machine.faults["build"] = "no kernel"
    with pytest.raises(EngineError, match="no kernel"):
        run_export(ExportJob(clip, tmp_path / "out.mp4", RunOptions(str(model), "tensorrt")))
    assert sorted(path.name for path in tmp_path.glob("*.mp4")) == ["clip.mp4"]


def test_the_bar_draws_and_goes_away(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    bar = LoadBar()
    bar.stop()
    assert capsys.readouterr().err == ""
    assert bar("TensorRT: timing", 0.4) and bar("ready", 1.0)
    bar.stop()
    assert "TensorRT: timing" in capsys.readouterr().err
