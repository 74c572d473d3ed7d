"""What is broken off can be gone on with, and the result is the same as if it had not been."""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from seg_viewer.core.errors import ExportError, SourceError, UsageError
from seg_viewer.core.overlay import OverlayStyle
from seg_viewer.jobs import export_job
from seg_viewer.jobs.export import ExportCancelled, ExportJob, ExportProgress, run_export
from seg_viewer.jobs.export_job import Wanted
from seg_viewer.jobs.options import RunOptions
from seg_viewer.sources.between import Moment, Selection
from tests.clips import make_clip
from tests.house import ROOT
from tests.jobs.breaking_off import (
    after,
    break_off,
    gone_on,
    hidden,
    more_sinks,
    moving,
    noise,
    packets,
    parts,
    pictures,
    short_segments,
)
from tests.models import color_model
from tests.waiting import wait_until

__all__ = ["more_sinks", "short_segments"]  # fixtures

FRAMES = 115  # 4.6 s: four whole segments of a second, and some
_MS = Fraction(1, 1000)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With sound, and pictures that the encoder puts into another order."""
    folder = tmp_path_factory.mktemp("clip")
    return make_clip(folder / "in.mp4", frames=FRAMES, width=96, height=64, picture=moving, audio="aac")


@pytest.fixture
def job(tmp_path: Path, clip: Path, model: Path) -> ExportJob:
    return ExportJob(clip, tmp_path / "out.mp4", RunOptions(str(model), style=OverlayStyle(0.5)))


@pytest.fixture
def unbroken(job: ExportJob, tmp_path: Path, short_segments: None) -> Path:
    folder = tmp_path / "unbroken"
    folder.mkdir()
    return run_export(replace(job, out=folder / "out.mp4")).path


@pytest.mark.usefixtures("short_segments")
@pytest.mark.parametrize("frames", [26, 27, 50, 51, 76, 101, FRAMES])
def test_resumed_equals_unbroken_packet_for_packet(job: ExportJob, unbroken: Path, tmp_path: Path, frames: int) -> None:
    whole = (frames - 1) // 25
    told = break_off(job, frames)
    assert told == f"the first {whole} s are kept; the same command with --resume goes on with them"
    assert not job.first.exists() and len(parts(tmp_path)) == 1
    seen: list[ExportProgress] = []
    result = run_export(replace(job, resume=True), on_progress=seen.append)
    assert result.warnings == (f"{whole} s were done already; it went on from there",)
    assert (result.frames, result.resumed) == (FRAMES, whole * 25)
    assert seen[-1].frames == FRAMES
    assert seen[-1].rate == pytest.approx((FRAMES - whole * 25) / result.seconds)
    assert packets(result.path) == packets(unbroken)
    assert len(pictures(result.path)) == FRAMES
    assert hidden(tmp_path) == []


@pytest.mark.usefixtures("short_segments")
@pytest.mark.parametrize("frames", [1, 24, 25])
def test_where_no_segment_is_whole_nothing_is_kept(job: ExportJob, tmp_path: Path, frames: int) -> None:
    assert break_off(job, frames) == ""
    assert hidden(tmp_path) == [] and not job.first.exists()
    result = run_export(replace(job, resume=True))
    assert "nothing of an earlier run can be gone on with" in result.warnings[0] and result.frames == FRAMES


@pytest.mark.usefixtures("short_segments")
@pytest.mark.parametrize("seed", range(6))
def test_any_part_broken_off_anywhere_any_number_of_times(seed: int, clip: Path, model: Path, tmp_path: Path) -> None:
    chance = random.Random(seed)
    start = chance.choice([None, Moment(frame=chance.randrange(40)), Moment(time_s=chance.uniform(0, 1.6))])
    end = chance.choice([None, Moment(frame=chance.randrange(70, 130)), Moment(time_s=chance.uniform(2.7, 5))])
    job = ExportJob(
        clip, tmp_path / "out.mp4", RunOptions(str(model)), selection=Selection(start, end, chance.choice([1, 1, 2, 3]))
    )
    (tmp_path / "one").mkdir()
    expected = run_export(replace(job, out=tmp_path / "one" / "out.mp4"))
    job, left = replace(job, resume=True), expected.frames
    for _ in range(chance.randrange(1, 4)):
        break_off(job, chance.randint(1, left))
        (state,) = [*tmp_path.glob(".*.parts/state.json"), None][:1]
        places = json.loads(state.read_text(encoding="utf-8"))["places"].values() if state else ()
        taken = max((place["ordinal"] for place in places), default=-1)
        left = expected.frames - (taken // job.selection.every + 1)
    result = run_export(job)
    assert result.frames == expected.frames
    assert packets(result.path) == packets(expected.path)
    assert hidden(tmp_path) == []


@pytest.mark.usefixtures("short_segments")
def test_a_picture_that_stands_for_longer_than_a_segment(tmp_path: Path, model: Path) -> None:
    """Segments without a frame count as done."""
    pts = [*range(0, 1200, 40), 5000, 5040, 8000, *range(8040, 9200, 40)]
    clip = make_clip(tmp_path / "in.mkv", frames=len(pts), width=128, height=64, pts=pts, time_base=_MS, picture=moving)
    (tmp_path / "one").mkdir()
    job = ExportJob(clip, tmp_path / "out.mp4", RunOptions(str(model)))
    expected = run_export(replace(job, out=tmp_path / "one" / "out.mp4"))
    for stop in (31, 33, 34, 60):
        break_off(replace(job, out=tmp_path / f"{stop}.mp4"), stop)
        result = gone_on(replace(job, out=tmp_path / f"{stop}.mp4", resume=True))
        assert packets(result.path) == packets(expected.path)


# -- what cannot be gone on with --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("short_segments")
@pytest.mark.parametrize("change", ["crf", "style", "part", "size", "model", "source"])
def test_another_job_begins_anew_and_says_so(
    job: ExportJob, tmp_path: Path, model: Path, clip: Path, change: str
) -> None:
    source = tmp_path / "own.mp4"
    shutil.copy(clip, source)
    job = replace(job, source=source)
    break_off(job, 60)
    other = {
        "crf": replace(job, crf=30),
        "style": replace(job, options=replace(job.options, style=OverlayStyle(0.9))),
        "part": replace(job, selection=Selection(end=Moment(4.0))),
        "size": replace(job, size=Wanted(256)),
        "model": replace(job, options=RunOptions(str(color_model(tmp_path / "b.onnx", 96, 64)))),
        "source": job,
    }[change]
    if change == "source":
        make_clip(source, frames=FRAMES, width=128, height=64, picture=noise)
    result = run_export(replace(other, resume=True))
    assert any("2 s was removed (it was made of another source or with other settings)" in w for w in result.warnings)
    assert any("it begins at the start" in warning for warning in result.warnings)
    (tmp_path / "one").mkdir()
    expected = run_export(replace(other, out=tmp_path / "one" / "out.mp4"))
    assert packets(result.path) == packets(expected.path)
    assert hidden(tmp_path) == []


@pytest.mark.usefixtures("short_segments")
def test_without_resume_the_unfinished_one_goes_and_is_told(job: ExportJob, tmp_path: Path) -> None:
    break_off(job, 60)
    result = run_export(job)
    assert any("2 s was removed (--resume would have gone on with it)" in warning for warning in result.warnings)
    assert result.frames == FRAMES and hidden(tmp_path) == []


@pytest.mark.usefixtures("short_segments")
@pytest.mark.parametrize("damage", ["record", "state", "segment", "state is text", "places"])
def test_damaged_parts_are_made_again(job: ExportJob, unbroken: Path, tmp_path: Path, damage: str) -> None:
    break_off(job, 80)
    (folder,) = parts(tmp_path)
    if damage == "record":
        (folder / "0-00001.json").write_text('{"pts": [1')
    elif damage == "state":
        (folder / "state.json").unlink()
    elif damage == "segment":
        (folder / "0-00001.mkv").unlink()
    elif damage == "places":
        (folder / "state.json").write_text(
            (folder / "state.json").read_text(encoding="utf-8").replace('"ordinal"', '"other"')
        )
    else:
        (folder / "state.json").write_text("[]")
    assert packets(run_export(replace(job, resume=True)).path) == packets(unbroken)
    assert hidden(tmp_path) == []


@pytest.mark.usefixtures("short_segments")
def test_what_is_there_stays_until_the_end(job: ExportJob, unbroken: Path, tmp_path: Path) -> None:
    job.first.write_text("precious")
    break_off(replace(job, overwrite=True), 60)
    assert job.first.read_text(encoding="utf-8") == "precious"

    def still(_progress: ExportProgress) -> None:
        seen.append(job.first.read_bytes() == b"precious")

    seen: list[bool] = []
    run_export(replace(job, overwrite=True, resume=True), on_progress=still)
    assert all(seen[:-1]) and seen[-1] is False
    assert packets(job.first) == packets(unbroken)


@pytest.mark.usefixtures("short_segments")
def test_cancelling_keeps_nothing(job: ExportJob, tmp_path: Path) -> None:
    count = iter(range(1000))
    with pytest.raises(ExportCancelled, match="nothing was written"):
        run_export(job, cancelled=lambda: next(count) == 80)
    assert hidden(tmp_path) == [] and not job.first.exists()


@pytest.mark.usefixtures("short_segments")
@pytest.mark.parametrize("kind", [SourceError, ExportError, MemoryError])
def test_an_error_in_the_middle_keeps_what_is_whole(job: ExportJob, unbroken: Path, kind: type[Exception]) -> None:
    with pytest.raises(kind) as caught:
        run_export(job, cancelled=after(60, lambda: kind("in.mp4: it broke")))
    assert str(caught.value).startswith("in.mp4: it broke")
    if kind is not MemoryError:
        assert str(caught.value).endswith("; the first 2 s are kept; the same command with --resume goes on with them")
    assert packets(gone_on(replace(job, resume=True)).path) == packets(unbroken)


# -- several outputs --------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("short_segments", "more_sinks")
@pytest.mark.parametrize("ends", [(".mp4", ".jsonl", ".means"), (".means", ".mp4"), (".jsonl", ".means"), (".means",)])
@pytest.mark.parametrize("frames", [30, 76])
def test_sinks_that_keep_no_segments_see_every_frame(
    job: ExportJob, tmp_path: Path, ends: tuple[str, ...], frames: int
) -> None:
    (tmp_path / "one").mkdir()
    job = replace(job, selection=Selection(Moment(0.3), None, 2), size=Wanted(256))
    made, expected = (tuple(folder / f"out{end}" for end in ends) for folder in (tmp_path, tmp_path / "one"))
    run_export(replace(job, out=expected))
    job = replace(job, out=made)
    assert break_off(job, frames // 2) != ""
    assert not any(path.exists() for path in made)
    result = gone_on(replace(job, resume=True))
    assert result.files == made
    for path, other in zip(made, expected, strict=True):
        if path.suffix == ".mp4":
            assert packets(path) == packets(other)
        else:
            assert path.read_text(encoding="utf-8") == other.read_text(encoding="utf-8")
    assert hidden(tmp_path) == []


@pytest.mark.usefixtures("short_segments", "more_sinks")
def test_damaged_class_maps_are_told(job: ExportJob, tmp_path: Path) -> None:
    job = replace(job, out=(tmp_path / "out.mp4", tmp_path / "out.means"))
    break_off(job, 60)
    (folder,) = parts(tmp_path)
    kept = next(folder.glob("maps-00000.bin"))
    kept.write_bytes(kept.read_bytes()[:-40])
    with pytest.raises(ExportError, match="is damaged"):
        run_export(replace(job, resume=True))
    assert not (tmp_path / "out.mp4").exists()
    assert run_export(job).frames == FRAMES and hidden(tmp_path) == []


# -- other processes --------------------------------------------------------------------------------------------------


def _command(job: ExportJob, *more: str) -> list[str]:
    return [sys.executable, "-m", "seg_viewer", "export", str(job.source), "-o", str(job.first),
            "--model", str(job.options.model), "--opacity", "0.5", "--preset", job.preset, *more]  # fmt: skip


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """36 s: three segments and a half of the real length."""
    folder = tmp_path_factory.mktemp("long")
    fast = {"preset": "ultrafast", "crf": "30"}
    return make_clip(
        folder / "in.mp4", frames=180, rate=5, width=256, height=128, picture=noise, options=fast, audio="aac"
    )


@pytest.fixture
def long_job(tmp_path: Path, long_clip: Path, model: Path) -> ExportJob:
    return ExportJob(long_clip, tmp_path / "out.mp4", RunOptions(str(model), style=OverlayStyle(0.5)), preset="slow")


@pytest.fixture(scope="module")
def long_unbroken(tmp_path_factory: pytest.TempPathFactory, long_clip: Path, model: Path) -> Path:
    out = tmp_path_factory.mktemp("unbroken") / "out.mp4"
    options = RunOptions(str(model), style=OverlayStyle(0.5))
    return run_export(ExportJob(long_clip, out, options, preset="slow")).path


@pytest.fixture
def under_way(long_job: ExportJob, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """An export in a process of its own, of which at least one segment is whole."""
    with subprocess.Popen(_command(long_job), cwd=ROOT, stdout=-1, stderr=-1, encoding="utf-8") as process:
        try:
            wait_until(lambda: any(tmp_path.glob(".*.parts/0-00000.json")), "the first segment", 60)
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("moment", ["0-00000.json", "0-00001.mkv", "0-00001.json"])
def test_killed_and_gone_on_with_equals_unbroken(
    long_job: ExportJob, long_unbroken: Path, tmp_path: Path, moment: str
) -> None:
    with subprocess.Popen(_command(long_job), cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        wait_until(lambda: any(tmp_path.glob(f".*.parts/{moment}")), moment, 60)
        process.kill()
    assert process.returncode == -signal.SIGKILL and not long_job.first.exists()
    assert packets(gone_on(replace(long_job, resume=True)).path) == packets(long_unbroken)
    assert hidden(tmp_path) == []


@pytest.mark.parametrize(
    "number",
    [signal.SIGINT, signal.SIGTERM, pytest.param("SIGHUP", marks=pytest.mark.skipif(os.name == "nt", reason=""))],
)
def test_a_signal_keeps_whole_segments_and_says_so(
    under_way: subprocess.Popen[str], long_job: ExportJob, long_unbroken: Path, tmp_path: Path, number: int | str
) -> None:
    under_way.send_signal(getattr(signal, number) if isinstance(number, str) else number)
    _, errors = under_way.communicate(timeout=200)
    assert under_way.returncode == 130, errors
    last = errors.strip().splitlines()[-1]
    assert last.startswith("seg-viewer: stopped; the first ") and last.endswith(
        "0 s are kept; the same command with --resume goes on with them"
    )
    assert not long_job.first.exists() and len(parts(tmp_path)) == 1
    done = subprocess.run(
        _command(long_job, "--resume"), cwd=ROOT, capture_output=True, encoding="utf-8", timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "were done already; it went on from there" in done.stderr
    assert packets(long_job.first) == packets(long_unbroken)
    assert hidden(tmp_path) == []


def test_resume_is_refused_while_another_process_works(
    under_way: subprocess.Popen[str], long_job: ExportJob, tmp_path: Path
) -> None:
    under_way.send_signal(signal.SIGSTOP)
    (folder,) = parts(tmp_path)
    before = sorted(path.name for path in folder.iterdir())
    with pytest.raises(UsageError, match="is being written by another export right now"):
        run_export(replace(long_job, resume=True))
    assert sorted(path.name for path in folder.iterdir()) == before


# -- a full disk ------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 12 MiB; skips where none can be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    made = subprocess.run([mount, "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(folder)], capture_output=True)
    if made.returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.usefixtures("short_segments")
@pytest.mark.parametrize("room", [0.5, 1.5])
def test_a_full_disk_keeps_whole_segments_that_play(
    small_disk: Path, tmp_path: Path, model: Path, room: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is room for half of the result: a segment does not fit any more; for one and a half: the joined file."""
    clip = make_clip(tmp_path / "in.mp4", frames=75, width=256, height=128, picture=noise)
    monkeypatch.setattr(export_job, "_LEAST_FREE_BYTES", 0)  # it would be refused at once
    outputs = small_disk / "out.json", small_disk / "out.mp4"
    job = ExportJob(clip, outputs, RunOptions(str(model)), crf=12, preset="ultrafast")
    expected = run_export(replace(job, out=tmp_path / "out.mp4"))
    needed = expected.path.stat().st_size * room
    (small_disk / "filler").write_bytes(b"x" * round(shutil.disk_usage(small_disk).free - needed))
    with pytest.raises(ExportError) as caught:
        run_export(job)
    told = str(caught.value)
    assert len(told.splitlines()) == 1 and "the disk is full; free some space" in told
    assert any(told.startswith(f"{path}: ") for path in outputs) and ".parts" not in told
    assert "s are kept; the same command with --resume" in told
    assert not any(path.exists() for path in outputs)  # what has its name already would be in the way of --resume
    (folder,) = parts(small_disk)
    whole = sorted(folder.glob("1-*.mkv"))
    assert whole and all(len(pictures(path)) == 25 for path in whole)
    (small_disk / "filler").unlink()
    result = gone_on(replace(job, resume=True))
    assert packets(result.files[1]) == packets(expected.path) and hidden(small_disk) == []
    assert json.loads(outputs[0].read_text(encoding="utf-8"))["frames"] == 75


def test_a_file_that_may_not_grow_is_told(tmp_path: Path, long_job: ExportJob) -> None:
    """The same by another limit, where nobody may mount."""
    done = subprocess.run(
        _command(long_job, "--crf", "5"), cwd=ROOT, capture_output=True, encoding="utf-8", timeout=200, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (900_000, 900_000)),
    )  # fmt: skip
    last = done.stderr.strip().splitlines()[-1]
    assert done.returncode == 1 and "out.mp4" in last and "limit" in last, done.stderr
    assert not long_job.first.exists()


def test_a_manifest_that_cannot_be_written_costs_no_video(job: ExportJob, tmp_path: Path) -> None:
    (tmp_path / "out.mp4.manifest.json").mkdir()
    result = run_export(job)
    assert result.manifest is None and result.path.is_file() and len(pictures(result.path)) == FRAMES
    assert any(line.startswith("no manifest was written: ") for line in result.warnings)


def test_pictures_whose_size_changes_resume_alike(tmp_path: Path, model: Path, short_segments: None) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(35):
        size = (64, 128) if number < 17 else (80, 40)
        cv2.imwrite(str(folder / f"{number:03d}.png"), np.full((*size, 3), (number * 5, 90, 90), np.uint8))
    (tmp_path / "one").mkdir()
    job = ExportJob(folder, tmp_path / "out.mp4", RunOptions(str(model)))
    expected = run_export(replace(job, out=tmp_path / "one" / "out.mp4"))
    break_off(job, 25)
    assert packets(gone_on(replace(job, resume=True)).path) == packets(expected.path)
