"""The programs of docs/examples run as they stand there."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.clips import make_clip
from tests.house import ROOT

EXAMPLES = ROOT / "docs" / "examples"


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """50 frames, 2 s: the second half of each four shows a person."""
    return make_clip(tmp_path / "in.mp4", frames=50, audio="aac")


def _run(folder: Path, name: str, *arguments: object) -> str:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *map(str, arguments)], cwd=folder, capture_output=True,
        encoding="utf-8", timeout=200, check=False, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_all_of_them_are_tested() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    names = [path.name for path in EXAMPLES.iterdir() if path.suffix == ".py"]
    assert len(names) >= 3 and all(f'"{name}"' in text for name in names)
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    assert all(f"examples/{name}" in page for name in names)


def test_count_people(tmp_path: Path, clip: Path, model: Path) -> None:
    assert "written with colors on openvino" in _run(tmp_path, "count_people.py", clip, "people.csv", model).lower()
    with (tmp_path / "people.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["frame"]) for row in rows] == [0, 12, 24, 36, 48]
    assert all((row["groups"], row["share"]) == ("0", "0.0000") for row in rows)  # 12 = 0 modulo 4: background
    (tmp_path / "people").mkdir()
    cv2.imwrite(str(tmp_path / "people" / "0.png"), np.full((64, 128, 3), (0, 0, 200), np.uint8))
    _run(tmp_path, "count_people.py", "people", "all.csv", model)
    assert (tmp_path / "all.csv").read_text(encoding="utf-8").splitlines()[1] == "0,0.000,1,1.0000"


def test_paint_frames(tmp_path: Path, clip: Path, model: Path) -> None:
    told = _run(tmp_path, "paint_frames.py", clip, "painted", model)
    names = sorted(path.name for path in (tmp_path / "painted").iterdir())
    assert names == ["000000.png", "000025.png"] and len(told.splitlines()) == 2
    road = cv2.imread(str(tmp_path / "painted" / "000025.png"))[..., ::-1]
    expected = np.array((0, 200, 0)) + 0.6 * (np.array((0, 190, 90)) - (0, 200, 0))
    assert np.abs(road.mean(axis=(0, 1)) - expected).max() < 14


def test_export_with_progress(tmp_path: Path, clip: Path, model: Path) -> None:
    told = _run(tmp_path, "export_with_progress.py", clip, "out.mp4", model)
    assert "out.mp4: 50 frames" in told and "sound: aac" in told
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert len(list(container.decode(video=0))) == 50
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "export_with_progress.py"), "gone.mp4"], cwd=tmp_path, capture_output=True,
        encoding="utf-8", timeout=200, check=False, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "gone.mp4" in done.stderr
