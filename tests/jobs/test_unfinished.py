"""What was broken off is found, and only that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from seg_viewer.core.part_folder import PartFolder, folders_left_behind
from seg_viewer.jobs.export import run_export
from seg_viewer.jobs.export_job import ExportJob
from seg_viewer.jobs.options import RunOptions
from seg_viewer.jobs.unfinished import unfinished_s
from seg_viewer.sources.between import Moment, Selection
from tests.clips import make_clip
from tests.models import color_model


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> ExportJob:
    """Broken off after 21 of 24 seconds, with a table beside the video."""
    folder = tmp_path_factory.mktemp("begun")
    clip = make_clip(folder / "film.mp4", frames=48, rate=2)
    out = (str(folder / "out.mp4"), str(folder / "out.csv"))
    job = ExportJob(str(clip), out, RunOptions(str(color_model(folder / "m.onnx"))))
    calls = 0

    def cancelled() -> bool:
        nonlocal calls
        calls += 1
        if calls > 42:
            raise KeyboardInterrupt
        return False

    with pytest.raises(KeyboardInterrupt):
        run_export(job, cancelled=cancelled)
    return job


def _snapshot(job: ExportJob) -> dict[str, bytes]:
    (folder,) = folders_left_behind(job.first)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_it_says_how_much_is_done_and_leaves_all_as_it_is(begun: ExportJob) -> None:
    before = _snapshot(begun)
    assert unfinished_s(begun) == 20
    assert _snapshot(begun) == before
    assert unfinished_s(begun) == 20, "it is not locked by looking"


@pytest.mark.parametrize(
    "change",
    [
        lambda job: replace(job, crf=30),
        lambda job: replace(job, selection=Selection(end=Moment(frame=40))),
        lambda job: replace(job, out=job.out[0]),
        lambda job: replace(job, out=str(job.first.with_name("other.mp4"))),
    ],
    ids=["quality", "range", "outputs", "name"],
)
def test_what_another_job_left_is_not_this_ones(begun: ExportJob, change: Callable[[ExportJob], ExportJob]) -> None:
    assert unfinished_s(change(begun)) == 0


def test_what_somebody_works_on_is_left_alone(begun: ExportJob) -> None:
    (path,) = folders_left_behind(begun.first)
    folder = PartFolder.adopt(path)
    assert folder is not None
    try:
        assert unfinished_s(begun) == 0
    finally:
        folder.leave()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"key": 3}'])
def test_a_damaged_record_is_nothing(begun: ExportJob, text: str) -> None:
    (folder,) = folders_left_behind(begun.first)
    state = folder / "state.json"
    before = state.read_bytes()
    state.write_text(text)
    try:
        assert unfinished_s(begun) == 0
    finally:
        state.write_bytes(before)
    assert unfinished_s(begun) == 20


def test_where_nothing_lies_nothing_is_opened(tmp_path: Path) -> None:
    assert unfinished_s(ExportJob("no such file.mp4", str(tmp_path / "out.mp4"))) == 0
