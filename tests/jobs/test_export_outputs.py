"""Every output that is no video, in one pass; and what was broken off and gone on with is the same."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from seg_viewer.core.errors import UsageError
from seg_viewer.jobs.export import ExportJob, run_export
from seg_viewer.jobs.export_plan import plan_export
from seg_viewer.jobs.options import RunOptions
from tests.clips import make_clip
from tests.models import BLUE, GREEN, GREY, RED
from tests.sinks.shots import OUTPUTS

FRAMES = 50


def _scene(index: int, width: int, height: int) -> NDArray[np.uint8]:
    """Road below; one to three cars; a person now and then."""
    picture = np.full((height, width, 3), GREY, np.uint8)
    picture[3 * height // 4 :] = GREEN
    for car in range(1 + index // 7 % 3):
        picture[height // 2 : 3 * height // 4, 8 + 32 * car : 24 + 32 * car] = BLUE
    if index % 11 < 3:
        picture[height // 4 : 3 * height // 4, 108 : 116 + index % 11] = RED
    return picture


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """25 seconds, so that there are three segments of an export."""
    return make_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", frames=FRAMES, rate=2, picture=_scene,
                     options={"g": "5"})  # fmt: skip


def _job(clip: Path, folder: Path, model: Path, *, resume: bool = False) -> ExportJob:
    out = tuple(f"{folder}/{name}" for name in OUTPUTS)
    return ExportJob(clip, out, RunOptions(str(model)), resume=resume)


def _without_times(folder: Path) -> dict[str, object]:
    """What was written, how long stages took left out."""
    found: dict[str, object] = {}
    for path in sorted(file for file in folder.rglob("*") if file.is_file() and "manifest" not in file.name):
        name = str(path.relative_to(folder))
        if name == "t.csv":
            with path.open(newline="") as file:
                rows = list(csv.DictReader(file))
            found[name] = [{key: value for key, value in row.items() if not key.endswith("_ms")} for row in rows]
        elif name == "t.json":
            found[name] = json.loads(path.read_text(encoding="utf-8")) | {"stages_ms": None}
        elif name == "t.html":
            found[name] = re.sub(r"<h2>How long a frame took.*?</table>", "", path.read_text(encoding="utf-8"))
        elif name != "t.parquet":
            found[name] = path.read_bytes()
    return found


def test_all_in_one_pass(clip: Path, tmp_path: Path, model: Path) -> None:
    result = run_export(_job(clip, tmp_path, model))
    assert result.frames == FRAMES and [path.name for path in result.files] == [name.rstrip("/") for name in OUTPUTS]
    assert all(path.exists() for path in result.files) and not list(tmp_path.glob(".*"))
    with (tmp_path / "t.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["count_car"]) for row in rows] == [1 + index // 7 % 3 for index in range(FRAMES)]
    assert [int(row["count_person"]) for row in rows] == [int(index % 11 < 3) for index in range(FRAMES)]
    assert [float(row["time_s"]) for row in rows] == [index / 2 for index in range(FRAMES)]
    with Image.open(tmp_path / "masks" / "frame_000014.png") as mask:
        ids = np.array(mask)
    assert ids.shape == (64, 128) and (ids[52:] == 1).all() and (ids[36:44, 12:20] == 2).all() and ids[5, 5] == 0
    assert len(json.loads((tmp_path / "t.coco.json").read_text(encoding="utf-8"))["images"]) == FRAMES
    assert len(list((tmp_path / "t.yolo" / "labels").iterdir())) == FRAMES


@pytest.mark.parametrize("after", [15, 45])
def test_gone_on_with_is_the_same_as_unbroken(after: int, clip: Path, tmp_path: Path, model: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    whole.mkdir()
    broken.mkdir()
    run_export(_job(clip, whole, model))
    calls = 0

    def stop() -> bool:
        nonlocal calls
        calls += 1
        if calls > after:
            raise KeyboardInterrupt
        return False

    with pytest.raises(KeyboardInterrupt):
        run_export(_job(clip, broken, model), cancelled=stop)
    assert not [path.name for path in broken.iterdir() if not path.name.startswith(".")]
    result = run_export(_job(clip, broken, model, resume=after > 20))
    assert result.frames == FRAMES
    assert _without_times(broken) == _without_times(whole)
    assert not list(broken.glob(".*.part*"))


def test_a_folder_with_other_things_is_refused_before_the_first_frame(clip: Path, tmp_path: Path, model: Path) -> None:
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / "mine.txt").write_text("mine")
    job = ExportJob(clip, f"{tmp_path}/masks/", RunOptions(str(model)), overwrite=True)
    with pytest.raises(UsageError, match=r"also holds mine\.txt"):
        run_export(job)
    assert [path.name for path in (tmp_path / "masks").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    "choice",
    [{"codec": "ffv1"}, {"crf": 30}, {"preset": "fast"}, {"hardware": True}, {"stats": True}],
    ids=str,
)
def test_a_choice_for_video_that_no_output_takes_is_told(
    choice: dict[str, Any], clip: Path, tmp_path: Path, model: Path
) -> None:
    options = RunOptions(str(model))
    (name,) = choice
    for end in (".csv", ".ids.mkv", ".overlay.mov", ".json"):
        job = ExportJob(clip, tmp_path / f"none{end}", options, **choice)
        (told,) = (line for line in plan_export(job) if line.startswith("without effect"))
        assert told == f"without effect: {name}; none of the outputs is a video that takes it"
    both = tmp_path / "none.csv", tmp_path / "one.mkv"
    assert not ExportJob(clip, both, options, **choice).unheeded and not ExportJob(clip, both[0], options).unheeded


def test_what_had_no_effect_is_told_by_the_export_too(clip: Path, tmp_path: Path, model: Path) -> None:
    result = run_export(ExportJob(clip, tmp_path / "t.csv", RunOptions(str(model)), crf=30))
    assert [line for line in result.warnings if line.startswith("without effect: crf")]
