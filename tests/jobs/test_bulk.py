"""Many exports: one that fails, or crashes, takes no other along; what is done is not done again."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray

from seg_viewer.core.overlay import OverlayStyle
from seg_viewer.jobs.bulk import BulkEvent, Ending, run_bulk
from seg_viewer.jobs.export import ExportJob
from seg_viewer.jobs.options import RunOptions
from tests.clips import make_clip, video_times
from tests.waiting import wait_until

_BEFORE: set[int] = set()
both = pytest.mark.parametrize("workers", [1, 2])


@pytest.fixture
def options(model: Path) -> RunOptions:
    return RunOptions(str(model), style=OverlayStyle(0.5))


def _noise(index: int, width: int, height: int) -> NDArray[np.uint8]:
    return np.random.default_rng(index).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that takes long to encode; its first 10 s, a segment, end with picture 150."""
    return make_clip(
        tmp_path_factory.mktemp("long") / "long.mp4", frames=270, rate=15, width=320, height=180, picture=_noise,
        options={"preset": "ultrafast", "crf": "40"},
    )  # fmt: skip


@both
def test_one_that_fails_does_not_keep_the_others_from_being_run(
    tmp_path: Path, options: RunOptions, workers: int
) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    clips = [make_clip(tmp_path / f"{name}.mp4", frames=12) for name in "ab"]
    sources = [tmp_path / "gone.mp4", clips[0], tmp_path / "text.mp4", clips[1]]
    jobs = [ExportJob(source, tmp_path / f"{source.stem}_seg.mp4", options) for source in sources]
    events: list[BulkEvent] = []
    results = run_bulk(jobs, workers=workers, on_event=events.append)
    assert [result.ending for result in results] == [Ending.FAILED, Ending.DONE, Ending.FAILED, Ending.DONE]
    assert "gone.mp4: no such file" in results[0].problem and "text.mp4" in results[2].problem
    for clip in clips:
        assert video_times(tmp_path / f"{clip.stem}_seg.mp4") == video_times(clip)
    for number, result in enumerate(results):
        told = [event for event in events if event.number == number]
        assert told[0] == BulkEvent(number) and told[-1].result == result
        assert sum(event.result is not None for event in told) == 1


@both
def test_what_is_done_is_not_done_again(tmp_path: Path, options: RunOptions, workers: int) -> None:
    jobs = [
        ExportJob(make_clip(tmp_path / f"{name}.mp4", frames=8), tmp_path / f"{name}_seg.mp4", options)
        for name in "abc"
    ]
    run_bulk(jobs[:2])
    before = [job.first.stat().st_mtime_ns for job in jobs[:2]]
    results = run_bulk(jobs, workers=workers)
    assert [result.ending for result in results] == [Ending.SKIPPED, Ending.SKIPPED, Ending.DONE]
    assert [job.first.stat().st_mtime_ns for job in jobs[:2]] == before
    # other settings are another job, and what is there belongs to somebody
    (other,) = run_bulk([replace(jobs[0], crf=30)])
    assert other.ending is Ending.FAILED and "exists already" in other.problem
    again = run_bulk([replace(job, overwrite=True) for job in jobs], workers=workers)
    assert [result.ending for result in again] == [Ending.DONE] * 3


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no such signals")
@pytest.mark.parametrize(("name", "told"), [("SIGKILL", "SIGKILL"), ("SIGTERM", "somebody ended its process")])
def test_a_process_that_is_killed_costs_its_own_job_alone(
    tmp_path: Path, options: RunOptions, long_clip: Path, name: str, told: str
) -> None:
    jobs = [
        ExportJob(long_clip, tmp_path / "long_seg.mp4", options, preset="slow"),
        *(
            ExportJob(make_clip(tmp_path / f"{each}.mp4", frames=8), tmp_path / f"{each}_seg.mp4", options)
            for each in "abc"
        ),
    ]
    killed = threading.Event()

    def kill(event: BulkEvent) -> None:
        if event.number == 0 and event.progress is not None and not killed.is_set():
            killed.set()
            for child in psutil.Process().children():
                if _holds(child, "long.mp4"):
                    os.kill(child.pid, getattr(signal, name))

    results = run_bulk(jobs, workers=2, on_event=kill)
    assert killed.is_set()
    assert [result.ending for result in results] == [Ending.FAILED, *[Ending.DONE] * 3]
    assert told in results[0].problem and not jobs[0].first.exists()
    assert _no_children()
    (again,) = run_bulk([replace(jobs[0], preset="ultrafast")])
    assert again.ending is Ending.DONE and len(video_times(jobs[0].first)) == 270


@both
def test_cancelling_leaves_nothing_of_what_is_under_way(
    tmp_path: Path, options: RunOptions, long_clip: Path, workers: int
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    jobs = [ExportJob(long_clip, out / f"{number}.mp4", options, preset="slow") for number in range(4)]
    begun = threading.Event()

    def hear(event: BulkEvent) -> None:
        if event.progress is not None:
            begun.set()

    results = run_bulk(jobs, workers=workers, on_event=hear, cancelled=begun.is_set)
    assert results[-1].ending is Ending.STOPPED and results[-1].problem == "was not begun"
    assert {result.ending for result in results} <= {Ending.STOPPED, Ending.DONE}
    whole = [job.first.name for job, result in zip(jobs, results, strict=True) if result.ending is Ending.DONE]
    assert sorted(path.name for path in out.iterdir() if not path.name.endswith(".json")) == whole
    assert _no_children()


@both
def test_ctrl_c_keeps_what_can_be_gone_on_with(
    tmp_path: Path, options: RunOptions, long_clip: Path, workers: int
) -> None:
    jobs = [ExportJob(long_clip, tmp_path / f"{name}_seg.mp4", options, preset="slow") for name in "abc"]
    results: dict[int, str] = {}

    def hear(event: BulkEvent) -> None:
        if event.result is not None:
            results[event.number] = f"{event.result.ending}: {event.result.problem}"
        if event.progress is not None and event.progress.frames > 155 and event.number == 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match="of 3 are done; the same command with --resume"):
        run_bulk(jobs, workers=workers, on_event=hear)
    assert "the first 10 s are kept" in results[0] and results[2].startswith("stopped: ")
    assert _no_children()
    again = run_bulk([replace(jobs[0], resume=True)])
    assert again[0].result is not None and any("were done already" in line for line in again[0].result.warnings)
    assert len(video_times(jobs[0].first)) == 270


def _holds(process: psutil.Process, name: str) -> bool:
    try:
        return any(Path(file.path).name == name for file in process.open_files())
    except psutil.Error:
        return False


@pytest.fixture(autouse=True)
def _children_before() -> None:
    """Processes that tests before have left, which may still be on their way out."""
    _BEFORE.clear()
    _BEFORE.update(child.pid for child in psutil.Process().children())


def _no_children() -> bool:
    """None that exports; multiprocessing's own keeper of resources may stay."""
    left = [
        child
        for child in psutil.Process().children()
        if child.pid not in _BEFORE and "resource_tracker" not in " ".join(child.cmdline())
    ]
    wait_until(lambda: not any(child.is_running() for child in left), f"the end of {left}")
    return True
