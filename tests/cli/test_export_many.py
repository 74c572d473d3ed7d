"""`seg-viewer export` with several sources, as it is typed."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from numpy.typing import NDArray

from seg_viewer.cli.bulk_view import BulkView
from seg_viewer.cli.export import export
from seg_viewer.core.signals import END_SIGNALS
from seg_viewer.jobs.bulk import BulkEvent, BulkResult, Ending
from seg_viewer.jobs.export import ExportProgress
from tests.clips import make_clip, video_times

ROOT = Path(__file__).parents[2]
_WAIT_S = 120.0


def _run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "seg_viewer", "export", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=_WAIT_S,
    )


@pytest.fixture
def clips(tmp_path: Path) -> list[Path]:
    return [make_clip(tmp_path / f"{name}.mp4", frames=8) for name in "ab"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_bad_one_among_them(tmp_path: Path, model: Path, clips: list[Path], jobs: int) -> None:
    command = (clips[0], tmp_path / "gone.mp4", clips[1], "-o", f"{tmp_path}/out/", "--model", model, "--jobs", jobs)
    ran = _run(*command)
    assert ran.returncode == 1
    table = ran.stdout.splitlines()
    assert [line.split()[0] for line in table] == ["a.mp4", "gone.mp4", "b.mp4", "3"]
    assert "8 frames" in table[0] and table[0].endswith("out/a_seg.mp4")
    assert "failed: " in table[1] and "no such file" in table[1]
    assert table[3].startswith("3 files: 2 done, 1 failed; 16 frames")
    said = ran.stderr.splitlines()
    assert said[-1] == "seg-viewer: 1 of 3 failed; the same command tries them again and skips what is done"
    assert len(said) == 4 and "\x1b" not in ran.stderr + ran.stdout  # no bars where there is no terminal
    for clip in clips:
        assert video_times(tmp_path / "out" / f"{clip.stem}_seg.mp4") == video_times(clip)
    again = _run(*command)
    assert again.returncode == 1 and "2 done already, 1 failed" in again.stdout


@pytest.mark.parametrize("number", END_SIGNALS)
@pytest.mark.parametrize("jobs", [1, 2])
def test_all_stop_when_asked_to_end(tmp_path: Path, model: Path, number: signal.Signals, jobs: int) -> None:
    clip = make_clip(
        tmp_path / "in.mp4", frames=150, width=640, height=360, picture=_noise,
        options={"preset": "ultrafast", "crf": "40"},
    )  # fmt: skip
    other = tmp_path / "other.mp4"
    other.write_bytes(clip.read_bytes())
    out = tmp_path / "out"
    out.mkdir()
    process = subprocess.Popen(
        [
            sys.executable, "-m", "seg_viewer", "export", str(clip), str(other), "-o", str(out),
            "--model", str(model), "--preset", "slow", "--jobs", str(jobs),
        ],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", start_new_session=True,
    )  # fmt: skip
    _wait(process, lambda: len(list(out.iterdir())) >= jobs, "files that are being written")
    process.send_signal(number)
    table, errors = process.communicate(timeout=_WAIT_S)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors and "0 of 2 are done; the same command with --resume" in errors
    assert "in.mp4" in table and "stopped: nothing was left behind" in table and "2 stopped" in table
    assert list(out.iterdir()) == []


def _noise(index: int, width: int, height: int) -> NDArray[np.uint8]:
    return np.random.default_rng(index).integers(0, 256, (height, width, 3), dtype=np.uint8)


def _wait(process: subprocess.Popen[str], holds: Callable[[], bool], what: str) -> None:
    until_s = time.monotonic() + _WAIT_S
    while not holds():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < until_s, f"no {what} within {_WAIT_S:g} s"
        time.sleep(0.02)


def _call(*arguments: object) -> Result:
    return CliRunner().invoke(export, [str(each) for each in arguments])


def test_a_dry_run_tells_of_all_and_makes_nothing(tmp_path: Path, model: Path, clips: list[Path]) -> None:
    before = sorted(tmp_path.iterdir())
    told = _call(*clips, "-o", f"{tmp_path}/out/", "--model", model, "--dry-run")
    # the folder is not there yet, and is not made only to be told about
    assert sorted(tmp_path.iterdir()) == before
    assert told.exit_code == 0, told.output
    assert "a_seg.mp4" in told.output and "b_seg.mp4" in told.output


def test_one_source_says_what_it_always_said(tmp_path: Path, model: Path, clips: list[Path]) -> None:
    ran = _run(clips[0], "-o", tmp_path / "x.mp4", "--model", model)
    assert ran.returncode == 0, ran.stderr
    assert re.fullmatch(r".*x\.mp4: 8 frames in [\d.]+ s \([\d.]+ frames/s\), sound: none, model .*\n", ran.stdout)
    again = _run(clips[0], "-o", tmp_path / "x.mp4", "--model", model)
    assert again.returncode == 2 and "exists already" in again.stderr


def test_a_terminal_has_a_bar_for_each_that_runs_and_one_in_total(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    view = BulkView(["[red]one.mp4", "two.mp4", "three.mp4"])
    for number in (0, 1):
        view.hear(BulkEvent(number))
        view.hear(BulkEvent(number, ExportProgress(50 + number, 200, 25.0, 6.0)))
    view.hear(BulkEvent(2))
    view.hear(BulkEvent(2, result=BulkResult(2, Ending.FAILED, problem="three.mp4: is no video")))
    drawn = [str(task.description) + " " + str(task.fields["count"]) for task in view._bar.tasks]
    view.stop()
    view.table()
    assert drawn == ["in total 1/3 files", "[red]one.mp4 50/200", "two.mp4 51/200"]
    out, errors = capsys.readouterr()
    assert "failed: three.mp4: is no video" in errors and "[red]one.mp4" in errors
    assert out.splitlines()[-1].startswith("3 files: 1 failed")
