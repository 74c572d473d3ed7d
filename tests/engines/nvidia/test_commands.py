"""The commands end to end, in processes of their own that find the stand-ins where the libraries would be."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.clips import make_clip
from tests.engines.nvidia.conftest import STANDIN

ROOT = Path(__file__).parents[3]
VIEW = """
import sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
import seg_viewer.gui.app as app
run = app.run_viewer

def first_shot():
    (window,) = [w for w in QApplication.topLevelWidgets() if hasattr(w, "player")]
    print("painted by", window.player.engine_report.line(), flush=True)
    QTimer.singleShot(0, QApplication.closeAllWindows)

app.run_viewer = lambda *given, **choices: run(*given, **choices, on_first_shot=first_shot)
from seg_viewer.cli.main import main
sys.argv = ["seg-viewer", *sys.argv[1:]]
main()
"""


def _run(folder: Path, *arguments: str, standin: bool = True) -> subprocess.CompletedProcess[str]:
    environ = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(ROOT), *([str(STANDIN)] if standin else [])]),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "QT_QPA_PLATFORM": "offscreen",
        "COLUMNS": "200",
    }
    return subprocess.run(
        [sys.executable, *arguments],
        env=environ,
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=200,
    )


def _plans(folder: Path) -> list[Path]:
    return sorted((folder / "cache" / "seg-viewer" / "tensorrt").glob("*.plan"))


def test_the_trainer_builds_and_the_viewer_runs_it(tmp_path: Path, model: Path) -> None:
    built = _run(tmp_path, "-m", "trainer.cli", "build-engine", str(model), "-o", "colors.plan")
    assert built.returncode == 0 and built.stderr == "", built.stderr
    assert "colors.plan" in built.stdout and "float16" in built.stdout and "100.00 %" in built.stdout
    (kept,) = _plans(tmp_path)
    assert (tmp_path / "colors.plan").read_bytes() == kept.read_bytes()
    told = json.loads((tmp_path / "colors.json").read_text(encoding="utf-8"))
    assert told["key"]["precision"] == "float16" and told["checks"]["agreement"] == 1.0
    assert {"p50", "p99"} == set(told["checks"]["latency_ms"])
    assert json.loads((tmp_path / "colors.layers.json").read_text(encoding="utf-8"))["Layers"]

    clip = make_clip(tmp_path / "clip.mp4", frames=12)
    out = tmp_path / "out.mp4"
    done = _run(
        tmp_path, "-m", "seg_viewer", "export", str(clip), "-o", str(out), "--model", str(model), "--engine", "tensorrt"
    )
    assert done.returncode == 0, done.stderr
    assert "12 frames" in done.stdout and "tensorrt 11.4.0.106 · GPU.0 (Stand-in GPU) · float16" in done.stdout
    assert _plans(tmp_path) == [kept]


def test_the_window_plays_through_tensorrt(tmp_path: Path, model: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", frames=12)
    done = _run(tmp_path, "-c", VIEW, "view", str(clip), "--model", str(model), "--engine", "tensorrt")
    assert done.returncode == 0, done.stderr
    assert "painted by tensorrt 11.4.0.106 · GPU.0 (Stand-in GPU) · float16" in done.stdout
    assert len(_plans(tmp_path)) == 1


def test_doctor_shows_the_engine_and_its_plan(tmp_path: Path, model: Path) -> None:
    done = _run(tmp_path, "-m", "seg_viewer", "doctor", "--model", str(model))
    assert done.returncode == 0, done.stderr
    assert "tensorrt 11.4.0.106 · GPU.0 (Stand-in GPU)" in done.stdout
    assert "GPU.0: Stand-in GPU, compute 9.0, driver CUDA 13.0" in done.stdout
    assert "served by TensorRT (installed)" in done.stdout
    assert "TensorRT plans: 3," in done.stdout and "colors float16 · TensorRT 11.4.0.106" in done.stdout


def test_a_plan_for_every_rtx_card_lies_beside_its_model(tmp_path: Path, model: Path) -> None:
    """No GPU is asked for; the stand-in builds."""
    own = tmp_path / "mine.onnx"
    shutil.copy(model, own)
    done = _run(tmp_path, "-m", "trainer.cli", "build-engine", str(own), "--for", "rtx", "--cards", "8.6, 8.9,8.6")
    assert done.returncode == 0, done.stderr
    assert "mine.rtx.plan: " in done.stdout and "for     compute 8.6, 8.9, TensorRT for RTX 1.7.1.116" in done.stdout
    assert own.with_suffix(".rtx.plan").exists() and own.with_suffix(".rtx.json").exists()
    again = _run(tmp_path, "-m", "trainer.cli", "build-engine", str(own), "--for", "rtx")
    assert again.returncode == 2 and "mine.rtx.plan: exists already" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["MODEL", "--for", "rtx", "--cards", "9.0"], 2, "compute capability 9.0: choose of 7.5, 8.0"),
        (["MODEL", "--for", "rtx", "--cards", ""], 2, "--cards is empty"),
        (["MODEL", "--for", "rtx", "--cards", " , "], 2, "--cards is empty"),
        ([".", "--for", "rtx"], 2, ".: is a folder; give an .onnx file"),
        (["", "--for", "rtx"], 2, ".: is a folder; give an .onnx file"),
        (["/", "--for", "rtx"], 2, "is a folder; give an .onnx file"),
        (["MODEL", "--cards", "8.9"], 2, "--cards goes with --for rtx"),
        (["MODEL", "--for", "rtx", "--device", "GPU.0"], 2, "choose some with --cards"),
        (["MODEL", "-o", "there.plan"], 2, "there.plan: exists already"),
        (["MODEL", "-o", "colors.engine"], 2, "choose a name that ends in .plan"),
        (["MODEL", "-o", "there.plan/colors.plan"], 1, "there.plan: folder cannot be made"),
        (["gone.onnx"], 1, "gone.onnx: no such model file"),
        (["text.onnx"], 1, "text.onnx: is not an ONNX model"),
        (["MODEL", "--device", "GPU.7"], 1, "no device GPU.7 here; there is GPU.0"),
        (["MODEL", "--level", "9"], 2, "0<=x<=5"),
    ],
)
def test_bad_input_is_one_line(tmp_path: Path, model: Path, arguments: list[str], code: int, message: str) -> None:
    (tmp_path / "there.plan").touch()
    (tmp_path / "text.onnx").write_text("no model")
    before = sorted(path.name for path in tmp_path.iterdir())
    filled = [str(model) if argument == "MODEL" else argument for argument in arguments]
    done = _run(tmp_path, "-m", "trainer.cli", "build-engine", *filled)
    assert done.returncode == code and message in done.stderr and "Traceback" not in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir() if path.name not in ("cache", "config")) == before
    assert _plans(tmp_path) == []


def test_without_tensorrt_both_programs_say_the_same(tmp_path: Path, model: Path) -> None:
    if _run(tmp_path, "-c", "import tensorrt", standin=False).returncode == 0:
        pytest.skip("TensorRT is installed here")
    built = _run(tmp_path, "-m", "trainer.cli", "build-engine", str(model), "-o", "colors.plan", standin=False)
    doctor = _run(tmp_path, "-m", "seg_viewer", "doctor", "--model", str(model), standin=False)
    assert built.returncode == 1 and doctor.returncode == 0
    (line,) = built.stderr.splitlines()
    assert line.startswith("seg-trainer: TensorRT is ") and "seg-viewer[tensorrt]" in line
    assert "[tensorrt]" in doctor.stdout and "TensorRT plans: none" in doctor.stdout
    assert not (tmp_path / "colors.plan").exists()


def test_the_trainer_runs_a_plan_file_and_wants_its_model_beside_it(tmp_path: Path, model: Path) -> None:
    folder = tmp_path / "made"
    folder.mkdir()
    shutil.copy(model, folder / "mine.onnx")
    assert (
        _run(tmp_path, "-m", "trainer.cli", "build-engine", str(folder / "mine.onnx"), "-o", "made/p.plan").returncode
        == 0
    )
    cv2.imwrite(str(tmp_path / "red.png"), np.full((40, 60, 3), (0, 0, 255), np.uint8))
    maps = []
    for given, out in (("made/p.plan", "by_plan"), ("made/mine.onnx", "by_onnx")):
        done = _run(tmp_path, "-m", "trainer.cli", "predict", given, "red.png", "-o", out)
        assert done.returncode == 0, done.stderr
        maps.append(cv2.imread(str(tmp_path / out / "masks" / "red.png"), cv2.IMREAD_UNCHANGED))
    assert (maps[0] == maps[1]).all()
    (folder / "mine.onnx").unlink()
    alone = _run(tmp_path, "-m", "trainer.cli", "predict", "made/p.plan", "red.png", "-o", "again")
    assert alone.returncode == 2 and "must lie beside it" in alone.stderr and not (tmp_path / "again").exists()
