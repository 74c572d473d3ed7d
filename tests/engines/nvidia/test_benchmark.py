"""The GPU benchmark, as far as it goes without a GPU."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from benchmarks.gpu import main, read_trtexec
from tests.clips import make_clip

TRTEXEC = """
[08/31/2025-21:07:11] [I] Throughput: 128.4 qps
[08/31/2025-21:07:11] [I] Latency: min = 9.1 ms, max = 9.9 ms, mean = 9.5 ms, median = 9.4 ms, percentile(99%) = 9.8 ms
[08/31/2025-21:07:11] [I] H2D Latency: min = 3.3 ms, max = 3.4 ms, median = 3.3 ms, percentile(99%) = 3.4 ms
[08/31/2025-21:07:11] [I] GPU Compute Time: min = 7.1 ms, max = 8.9 ms, mean = 7.5 ms, median = 7.25 ms, \
percentile(90%) = 7.9 ms, percentile(95%) = 8.0 ms, percentile(99%) = 8.5 ms
[08/31/2025-21:07:11] [I] Total GPU Compute Time: 3.05803 s
"""


def test_trtexecs_summary_is_read() -> None:
    assert read_trtexec(TRTEXEC) == {"p50_ms": 7.25, "p99_ms": 8.5, "frames_per_s": 128.4}
    assert read_trtexec("&&&& FAILED TensorRT.trtexec") is None


def test_every_figure_is_there(machine: Any, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin" / "trtexec"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{TRTEXEC}END\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    clip = make_clip(tmp_path / "clip.mp4", frames=30)
    figures = tmp_path / "figures.json"
    arguments = [str(clip), "--model", str(model), "--frames", "50", "--json", str(figures)]
    done = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    told = json.loads(figures.read_text(encoding="utf-8"))
    for name in ("engine alone, on the GPU's clock", "copies alone, up and down", "one frame, copies included"):
        assert 0 < told[name]["p50_ms"] <= told[name]["p99_ms"]
    assert told["two in flight"]["frames_per_s"] > 0 and told["pipeline, overlay drawn"]["frames_per_s"] > 0
    assert told["trtexec, engine alone"] == {"p50_ms": 7.25, "p99_ms": 8.5, "frames_per_s": 128.4}
    assert machine.memory == {}
    for name in told:
        assert name in done.output


def test_without_tensorrt_it_says_so_in_one_line(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from seg_viewer.core.errors import EngineError

    def missing(*_args: object, **_choices: object) -> None:
        raise EngineError("TensorRT is not installed")

    monkeypatch.setattr("benchmarks.gpu.make_plan", missing)
    done = CliRunner().invoke(main, ["--model", str(model)])
    assert done.exit_code == 1 and str(done.exception) == "benchmarks.gpu: TensorRT is not installed"
