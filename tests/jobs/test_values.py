"""Jobs are plain values: they survive pickle, and run after it, in another process too."""

from __future__ import annotations

import multiprocessing
import pickle
from pathlib import Path
from typing import Any

import pytest

from seg_viewer.core.overlay import OverlayStyle
from seg_viewer.jobs.export import ExportJob, run_export
from seg_viewer.jobs.options import RunOptions
from seg_viewer.jobs.record import RecordJob, run_record
from seg_viewer.jobs.record_carla import RecordCarlaJob, make_plan
from seg_viewer.jobs.recording import RecordPlan, RecordWhat
from tests.clips import make_clip, video_times
from tests.servers.http_video import HttpVideo

STYLE = OverlayStyle(
    0.3, frozenset({"car"}), outline=True, hatched=True, palette="okabe-ito", colors={"road": (1, 2, 3)}
)


def _again(job: Any) -> Any:
    copy = pickle.loads(pickle.dumps(job))
    assert copy == job and copy is not job and hash(copy) == hash(job)
    return copy


def test_an_export_runs_in_another_process(tmp_path: Path, model: Path) -> None:
    clip = make_clip(tmp_path / "in.mp4")
    job = _again(ExportJob(clip, tmp_path / "out.mp4", RunOptions(str(model), style=STYLE), crf=30))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        result = pool.apply_async(run_export, (job,)).get(100)
    assert result.frames == 24 and _again(result).path == tmp_path / "out.mp4"
    assert video_times(tmp_path / "out.mp4") == video_times(clip)


def test_a_recording_runs_after_it(tmp_path: Path) -> None:
    (tmp_path / "segments").mkdir()
    with HttpVideo(tmp_path / "segments") as server:
        plan = RecordPlan(tmp_path / "a.mkv", RecordWhat.SOURCE, split_s=60.0)
        result = run_record(_again(RecordJob(server.url(), plan, RunOptions(style=STYLE), duration_s=1.0)))
    assert _again(result).files == (tmp_path / "a.mkv",) and result.frames > 3


def test_a_drive_through_carla(tmp_path: Path) -> None:
    _again(RecordCarlaJob("carla://localhost:2000", tmp_path, make_plan(20, ("Town01",)), every=3))


@pytest.mark.parametrize("field", ["source", "out", "options"])
def test_nobody_changes_one(field: str) -> None:
    with pytest.raises(AttributeError):
        setattr(ExportJob("demo", Path("out.mp4")), field, None)
