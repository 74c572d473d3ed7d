"""Looking ahead: coarse to fine, only what is missing, and out of the way of everybody else."""

from __future__ import annotations

import gc
import weakref
from itertools import pairwise
from pathlib import Path

import pytest

from seg_viewer.core.class_table import COARSE, ClassTable
from seg_viewer.core.frame import Shot
from seg_viewer.core.overlay import class_shares
from seg_viewer.engines.base import EngineReport
from seg_viewer.jobs import analysis
from seg_viewer.jobs.analysis import Analysis, scattered
from seg_viewer.jobs.options import RunOptions
from tests.clips import make_clip
from tests.waiting import wait_until


class Looking:
    """An analysis of a clip, and what it did."""

    def __init__(self, clip: Path, model: Path, frames: int, *, may_work: bool = True) -> None:
        options = RunOptions(str(model))
        spec = options.read_spec()
        self.names = spec.labels.names
        self.table = ClassTable(self.names, frames / 25, 1 / 25)
        self.seen: list[int] = []
        self.may_work = may_work
        self.engines: set[str] = set()
        self.analysis = Analysis(str(clip), options, spec, self.table, self._take, lambda: self.may_work)

    def _take(self, shot: Shot, engine: EngineReport) -> None:
        shares = class_shares(shot.classes, shot.labels)
        self.table.add(shot.frame.id.pts, shot.frame.time_s, [shares[name] for name in self.names])
        self.seen.append(round(shot.frame.time_s * 25))
        self.engines.add(engine.name)

    def run(self) -> list[int]:
        self.analysis.start()
        self.analysis.join(60)
        assert not self.analysis.running
        return self.seen


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 frames: more than four for each coarse moment."""
    return make_clip(tmp_path_factory.mktemp("clips") / "long.mp4", frames=300, width=32, height=32)


def test_it_sees_every_frame_once_those_far_apart_first(long_clip: Path, model: Path) -> None:
    looking = Looking(long_clip, model, 300)
    seen = looking.run()
    assert sorted(seen) == list(range(300)) and looking.analysis.done and looking.analysis.problem == ""
    assert all(abs(a - b) > 300 / 4 - 3 for a, b in pairwise(seen[:4]))
    coarse = sorted(seen[:COARSE])
    assert max(b - a for a, b in pairwise(coarse)) <= 2 * 300 / COARSE
    assert seen[COARSE:] == sorted(seen[COARSE:])
    times, shares = looking.table._in_order()
    assert all(shares[index, index % 4] == 1.0 for index in range(300)) and len(times) == 300


def test_a_short_clip_is_seen_in_order(tmp_path: Path, model: Path) -> None:
    assert Looking(make_clip(tmp_path / "clip.mp4", frames=30), model, 30).run() == list(range(30))


def test_of_a_long_video_a_few_frames_each_second_are_enough(
    long_clip: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analysis, "EVERY_FRAME_UP_TO_S", 5.0)
    looking = Looking(long_clip, model, 300)
    seen = sorted(looking.run())
    assert looking.analysis.done and len(seen) < 150
    assert max(b - a for a, b in pairwise(seen)) <= 5


def test_it_looks_only_at_what_is_missing(long_clip: Path, model: Path) -> None:
    first = Looking(long_clip, model, 300)
    first.run()
    second = Looking(long_clip, model, 300)
    missing = {0, 150, 151, 152, 299}
    for pts, place in first.table._places.items():
        time_s = float(first.table._times[place])
        if round(time_s * 25) not in missing:
            second.table.add(pts, time_s, first.table._values[place])
    assert set(second.run()) == missing and second.analysis.done


def test_it_waits_until_it_may_and_ends_when_it_is_told(long_clip: Path, model: Path) -> None:
    looking = Looking(long_clip, model, 300, may_work=False)
    looking.analysis.start()
    looking.analysis.join(0.1)
    assert looking.seen == [] and looking.analysis.running
    looking.may_work = True
    wait_until(lambda: len(looking.seen) > 3, "the analysis to begin")
    looking.may_work = False
    looking.analysis.stop()
    looking.analysis.join(60)
    assert not looking.analysis.running and not looking.analysis.done and len(looking.seen) < 300


def test_a_source_that_is_gone_is_told_in_one_line(tmp_path: Path, model: Path) -> None:
    looking = Looking(tmp_path / "gone.mp4", model, 30)
    assert looking.run() == [] and "gone.mp4" in looking.analysis.problem and not looking.analysis.done


def test_a_length_that_is_declared_and_not_there_is_no_endless_work(tmp_path: Path, model: Path) -> None:
    looking = Looking(make_clip(tmp_path / "clip.mp4", frames=20), model, 60)
    assert looking.run() == list(range(20)) and looking.analysis.done


def test_scattered_numbers_are_all_there_and_far_apart() -> None:
    assert scattered(8) == [0, 4, 2, 6, 1, 5, 3, 7] and sorted(scattered(64)) == list(range(64))


@pytest.mark.parametrize("ends", ["before it began", "midway", "by itself"])
def test_whoever_it_worked_for_is_gone_without_a_collector(tmp_path: Path, model: Path, ends: str) -> None:
    """It knows whom it works for, and is known: a cycle that would keep a source with its pictures."""
    looking = Looking(make_clip(tmp_path / "clip.mp4", frames=200 if ends == "midway" else 8), model, 200)
    gc.collect()
    gc.disable()
    try:
        if ends != "before it began":
            looking.analysis.start()
            seen = looking.seen
            wait_until(lambda: len(seen) > 3, "the analysis to begin")
        if ends != "by itself":
            looking.analysis.stop()
        kept = weakref.ref(looking)
        del looking
        wait_until(lambda: kept() is None, "it to be let go of")
    finally:
        gc.enable()
