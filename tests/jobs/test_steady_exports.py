"""Steady classes in what is written: off unless asked for, alike in all outputs, alike however the export was made."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import seg_viewer
from seg_viewer.cli.main import main
from seg_viewer.core.steady import CONFIRMED
from seg_viewer.jobs.export import ExportJob, run_export
from seg_viewer.jobs.options import RunOptions
from seg_viewer.jobs.piece import make_piece
from seg_viewer.jobs.spread import SpreadExport
from tests.clips import make_clip
from tests.jobs.breaking_off import break_off, packets, short_segments

__all__ = ["short_segments"]  # a fixture

CAR, PERSON = (80, 80, 240), (200, 55, 55)
"""Of the same luma: the picture stands still where one becomes the other."""
FLICKER = [3 if number % 3 == 1 else 2 for number in range(60)] + [3] * 30
CALM = [2] * (60 + CONFIRMED - 1) + [3] * (30 - CONFIRMED + 1)


def _picture(index: int, width: int, height: int) -> NDArray[np.uint8]:
    return np.full((height, width, 3), PERSON if FLICKER[index] == 3 else CAR, np.uint8)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("steady")
    return make_clip(folder / "in.mp4", frames=90, width=96, height=64, picture=_picture, options={"crf": "8"})


@pytest.fixture
def job(tmp_path: Path, clip: Path, model: Path) -> ExportJob:
    out = (tmp_path / "out.mp4", f"{tmp_path / 'masks'}/")
    return ExportJob(clip, out, RunOptions(str(model), steady=True, cache=False))


def _masks(folder: Path) -> list[int]:
    """The class of each, which is one all over."""
    ids = [np.array(Image.open(path)) for path in sorted(folder.glob("*.png"))]
    assert all((map_ == map_[0, 0]).all() for map_ in ids)
    return [int(map_[0, 0]) for map_ in ids]


def _ids(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.glob("*.png"))]


def test_all_outputs_get_the_same_classes_and_the_manifest_says_so(job: ExportJob, tmp_path: Path) -> None:
    result = run_export(job)
    assert _has_classes(tmp_path / "masks", CALM)
    assert result.manifest is not None
    assert json.loads(result.manifest.read_text(encoding="utf-8"))["options"]["steady"] is True


@pytest.mark.parametrize("steady", [None, False])
def test_unless_asked_for_they_are_the_models_own(job: ExportJob, tmp_path: Path, steady: bool | None) -> None:
    run_export(replace(job, options=replace(job.options, steady=steady)))
    assert _has_classes(tmp_path / "masks", FLICKER)


def _has_classes(folder: Path, classes: list[int]) -> bool:
    return _masks(folder) == classes


@pytest.mark.usefixtures("short_segments")
@pytest.mark.parametrize("frames", [26, 51, 63, 89])
def test_resumed_equals_unbroken(job: ExportJob, tmp_path: Path, frames: int) -> None:
    one = tmp_path / "one"
    one.mkdir()
    whole = run_export(replace(job, out=(one / "out.mp4", f"{one / 'masks'}/")))
    assert _masks(one / "masks") != FLICKER  # and no segment is as if it were the first frame of all
    break_off(job, frames)
    result = run_export(replace(job, resume=True))
    assert result.resumed == (frames - 1) // 25 * 25
    assert packets(result.path) == packets(whole.path)
    assert _ids(tmp_path / "masks") == _ids(one / "masks")


def test_made_in_pieces_equals_made_in_one_go(tmp_path: Path, model: Path) -> None:
    clip = make_clip(tmp_path / "in.mp4", frames=90, rate=5, width=96, height=64, picture=_picture)
    (tmp_path / "one").mkdir()
    job = ExportJob(clip, tmp_path / "out.mp4", RunOptions(str(model), steady=True, cache=False))
    whole = run_export(replace(job, out=tmp_path / "one" / "out.mp4"))
    export = SpreadExport(job, workers=2)
    assert len(export.pieces) > 1
    for number in reversed(range(len(export.pieces))):
        export.take(number, make_piece(export.pieces[number]))
    export.leave()
    assert packets(run_export(replace(job, resume=True)).path) == packets(whole.path)


def test_the_cache_serves_both(job: ExportJob, tmp_path: Path) -> None:
    job = replace(job, options=replace(job.options, cache=True))
    run_export(job)
    run_export(replace(job, options=replace(job.options, steady=False), overwrite=True))
    assert _has_classes(tmp_path / "masks", FLICKER)
    result = run_export(replace(job, overwrite=True))
    assert "90 class maps from the cache" in result.engine
    assert _has_classes(tmp_path / "masks", CALM)


@pytest.mark.parametrize(("option", "classes"), [("--steady", CALM), ("--no-steady", FLICKER)])
def test_the_command_line(
    clip: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str, classes: list[int]
) -> None:
    out = f"{tmp_path / 'masks'}/"
    monkeypatch.setattr("sys.argv", ["seg-viewer", "export", str(clip), "-o", out, "--model", str(model), option])
    assert not main()
    assert _has_classes(tmp_path / "masks", classes)


def test_python(clip: Path, model: Path, tmp_path: Path) -> None:
    seg_viewer.export(clip, f"{tmp_path / 'masks'}/", model=model, steady=True)
    assert _has_classes(tmp_path / "masks", CALM)
    for steady, classes in ((True, CALM), (False, FLICKER)):
        with seg_viewer.open(clip, model=model, steady=steady) as shots:
            assert [int(shot.classes[0, 0]) for shot in shots] == classes


def test_each_fifth_frame_of_few_is_the_models_own(tmp_path: Path, clip: Path, model: Path) -> None:
    """0.4 s lie between two: nothing is known of what stood still."""
    with seg_viewer.open(clip, model=model, steady=True, every=10) as shots:
        assert [int(shot.classes[0, 0]) for shot in shots] == FLICKER[::10]


def test_unrelated_pictures_are_the_models_own(tmp_path: Path, model: Path) -> None:
    """A folder of pictures that differ, and a single one."""
    chance, folder = np.random.default_rng(1), tmp_path / "pictures"
    folder.mkdir()
    for number in range(8):
        picture = chance.integers(0, 256, (64, 96, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{number}.png"), picture)
    for source in (folder, folder / "3.png"):
        made = [
            [shot.classes for shot in seg_viewer.open(source, model=model, steady=steady)] for steady in (False, True)
        ]
        assert len(made[0]) == len(made[1]) >= 1
        assert all((one == other).mean() > 0.99 for one, other in zip(*made, strict=True))
