"""One new file and one line add a source and an engine, as docs/contributing.md says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from tests.clips import make_clip
from tests.models import BLUE, GREEN, RED
from tests.worked_examples import ROOT, copy_with, example, run

SOURCE, ENGINE = "Add a source", "Add an engine"


def _mean(path: Path, index: int) -> np.ndarray:
    """Mean colour of a frame of a video."""
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    return np.asarray(frames[index].to_ndarray(format="rgb24").mean(axis=(0, 1)))


@pytest.fixture
def with_stack(tmp_path: Path) -> Path:
    return copy_with(tmp_path / "copy", example(SOURCE))


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    """Five pictures: road, car, person, road, car, as the colour model sees them."""
    colors = np.array([GREEN, BLUE, RED, GREEN, BLUE], np.uint8)
    np.save(tmp_path / "stack.npy", np.broadcast_to(colors[:, None, None], (5, 48, 64, 3)))
    return tmp_path / "stack.npy"


def test_a_source_is_opened_played_and_exported(with_stack: Path, stack: Path, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    told = run(with_stack, "-m", "seg_viewer", "export", str(stack), "-o", str(out), "--model", str(model),
               "--opacity", "1")  # fmt: skip
    assert "5 frames" in told
    assert np.abs(_mean(out, 1) - (30, 110, 255)).max() < 12  # painted as a car
    assert np.abs(_mean(out, 2) - (255, 35, 45)).max() < 12  # and as a person
    program = (
        "import sys; from seg_viewer.sources import file_suffixes, open_source\n"
        "source = open_source(sys.argv[1]); frames = list(source); source.seek(0.08)\n"
        "print([f.index for f in frames], next(iter(source)).index, '.npy' in file_suffixes())\n"
        "print(len({f.id for f in frames}), source.info.fingerprint == frames[0].source)"
    )
    assert run(with_stack, "-c", program, str(stack)).splitlines() == ["[0, 1, 2, 3, 4] 2 True", "5 True"]


def test_a_source_that_is_none_is_refused_in_one_line(with_stack: Path, tmp_path: Path, model: Path) -> None:
    np.save(tmp_path / "grey.npy", np.zeros((4, 8, 8), np.uint8))
    (tmp_path / "text.npy").write_text("no array")
    for name, reason, code in (("grey", "save pictures as", 1), ("text", "cannot be read", 1), ("gone", "no such", 2)):
        told = run(
            with_stack, "-m", "seg_viewer", "export", str(tmp_path / f"{name}.npy"), "-o", "x.mp4", "--model",
            str(model), code=code,
        )  # fmt: skip
        assert len(told.splitlines()) == 1 and f"{name}.npy" in told and reason in told


def test_a_source_stands_in_the_help(with_stack: Path) -> None:
    assert "NAME.npy" in run(with_stack, "-m", "seg_viewer", "view", "--help")


def test_an_engine_is_listed_tried_and_run(tmp_path: Path, model: Path) -> None:
    copy = copy_with(tmp_path / "copy", example(ENGINE))
    clip = make_clip(tmp_path / "clip.mp4", frames=6)
    assert "constant" in run(copy, "-m", "seg_viewer", "export", "--help")
    doctor = run(copy, "-m", "seg_viewer", "doctor", "--model", str(model))
    assert "constant 1" in doctor and "✗" in doctor  # it works, and does not agree with the reference
    out = tmp_path / "out.mp4"
    told = run(copy, "-m", "seg_viewer", "export", str(clip), "-o", str(out), "--model", str(model), "--engine",
               "constant", "--opacity", "1")  # fmt: skip
    assert "6 frames" in told and "constant 1 · CPU · uint8" in told
    assert np.abs(_mean(out, 3) - (0, 190, 90)).max() < 12  # class 1: road


@pytest.mark.parametrize("title", [SOURCE, ENGINE])
def test_the_examples_pass_the_projects_own_checks(title: str, tmp_path: Path) -> None:
    added = example(title)
    copy = copy_with(tmp_path / "copy", added)
    settings = ["--config", str(ROOT / "pyproject.toml")]
    for command in (["check", *settings], ["format", "--check", *settings]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, added.file], cwd=copy, capture_output=True, encoding="utf-8",
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
