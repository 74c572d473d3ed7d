"""What is known of a video over its time: by playing, by looking ahead, from the last time; and jumps to a class."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from seg_viewer.core.ledger import Ledger
from seg_viewer.jobs.options import RunOptions
from seg_viewer.pipeline import Pipeline
from seg_viewer.player.playback import PlayerState
from seg_viewer.player.player import Player
from seg_viewer.player.timeline import Courtesy, Timeline
from seg_viewer.sources import SourceInfo, open_source
from tests.clips import make_clip
from tests.models import BLUE, GREEN, GREY, RED, color_model
from tests.waiting import wait_until

FRAMES = 60
PERSONS = (*range(10, 14), *range(40, 43))
"""Frames with a person; 25 a second."""


def street(index: int, width: int, height: int) -> np.ndarray:
    """Road on the left; a person, 1/16 of the picture, in some frames."""
    picture = np.full((height, width, 3), GREY, np.uint8)
    picture[:, : width // 2] = GREEN
    if index in PERSONS:
        picture[: height // 4, -width // 4 :] = RED
    return picture


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clips") / "street.mp4", frames=FRAMES, picture=street,
                     options={"crf": "4", "g": "10"})  # fmt: skip


@pytest.fixture
def player(model: Path) -> Iterator[Player]:
    made = Player(RunOptions(str(model)))
    yield made
    assert made.close(20)


def _timeline(player: Player) -> Timeline:
    def there() -> bool:
        player.take()
        return player.timeline is not None

    wait_until(there, "the timeline")
    assert player.timeline is not None
    return player.timeline


def _look_through(player: Player, timeline: Timeline) -> None:
    def done() -> bool:
        player.take()
        return timeline.is_done

    wait_until(done, "all of it to be looked at")


def test_looking_ahead_knows_all_while_the_first_frame_is_still_shown(player: Player, clip: Path) -> None:
    player.looks_ahead = True
    player.open(str(clip))
    timeline = _timeline(player)
    player.pause()
    _look_through(player, timeline)
    assert len(timeline.table) == FRAMES and timeline.table.known_share() == 1.0 and timeline.problem == ""
    assert timeline.table.at(11 / 25)[:4].tolist() == pytest.approx([7 / 16, 0.5, 0, 1 / 16], abs=0.03)
    assert timeline.step("person", 0.01, 0.0, forward=True).time_s == pytest.approx(10 / 25)
    assert timeline.step("person", 0.01, 10 / 25, forward=True).time_s == pytest.approx(40 / 25)
    assert timeline.step("person", 0.01, 39 / 25, forward=False).time_s == pytest.approx(10 / 25)
    assert timeline.step("person", 0.01, 41 / 25, forward=False).time_s == pytest.approx(40 / 25)
    for forward, from_s, where in ((True, 41 / 25, "further on"), (False, 10 / 25, "before this")):
        assert timeline.step("person", 0.01, from_s, forward=forward).text == f"No person > 1 % {where}"
    assert timeline.step("person", 0.2, 0.0, forward=True).text == "No person > 20 % further on"


def test_without_looking_ahead_playing_is_what_is_known_and_the_next_time_all_of_it(
    clip: Path, tmp_path: Path, model: Path
) -> None:
    player = Player(RunOptions(str(model)))
    player.open(str(clip))
    timeline = _timeline(player)
    far = timeline.step("person", 0.01, 1.0, forward=True)
    assert far.time_s is None and "yet" in far.text and "% of the video has been looked at" in far.text

    def played() -> bool:
        player.take()
        return player.state is PlayerState.ENDED

    wait_until(played, "the clip to end")
    seen = len(timeline.table)
    assert seen > FRAMES / 2 and not timeline.is_done
    assert player.close(60)
    again = Player(RunOptions(str(model)))
    again.open(str(clip))
    known = len(_timeline(again).table)
    report = again.engine_report
    assert again.close(20)
    assert known >= seen and report is not None


def test_another_model_has_a_timeline_of_its_own(player: Player, clip: Path, tmp_path: Path) -> None:
    player.open(str(clip))
    first = _timeline(player)
    player.use_model(str(color_model(tmp_path / "other.onnx", 32, 32, name="other")))

    def changed() -> bool:
        player.take()
        return player.timeline is not None and player.timeline is not first

    wait_until(changed, "the timeline of the other model")
    assert not first.looks and player.timeline is not None and player.timeline.model != first.model


def test_a_new_source_and_the_end_leave_no_thread_behind(player: Player, clip: Path, tmp_path: Path) -> None:
    player.looks_ahead = True
    player.open(str(clip))
    first = _timeline(player)
    player.open(str(make_clip(tmp_path / "other.mp4", frames=30)))
    wait_until(lambda: not first.looks, "the analysis of the first clip to end")
    second = _timeline(player)
    assert second is not first and player.close(20) and not second.looks


@pytest.mark.parametrize(
    ("fields", "has"),
    [({}, True), ({"live": True}, False), ({"path": None}, False), ({"duration_s": None}, False),
     ({"can_seek": False}, False), ({"frame_count": 1}, False)],
)  # fmt: skip
def test_which_sources_have_a_timeline(fields: dict[str, object], has: bool) -> None:
    usual = {"duration_s": 4.0, "can_seek": True, "path": Path("x"), "frame_count": 100}
    assert Timeline.is_for(SourceInfo("x", 4, 4, **(usual | fields))) is has  # type: ignore[arg-type]


def test_truth_is_compared_where_there_is_one(tmp_path: Path, player: Player) -> None:
    for name in ("CameraRGB", "CameraMask"):
        (tmp_path / "drive" / name).mkdir(parents=True)
    for index in range(6):
        picture = np.full((32, 64, 3), BLUE[::-1], np.uint8)
        tags = np.zeros((32, 64, 3), np.uint8)
        tags[:, : 64 - 8 * index, 2] = 10  # vehicles, in CARLA up to 0.9.13
        tags[:, 64 - 8 * index :, 2] = 7  # road
        cv2.imwrite(str(tmp_path / "drive" / "CameraRGB" / f"{index}.png"), picture)
        cv2.imwrite(str(tmp_path / "drive" / "CameraMask" / f"{index}.png"), tags)
    player.looks_ahead = True
    player.open(str(tmp_path / "drive"))
    timeline = _timeline(player)
    _look_through(player, timeline)
    assert timeline.table.has_values("errors") and not timeline.table.has_values("disagreement")
    wrong = [timeline.table.at(index / 10)[-1] for index in range(6)]
    assert wrong == pytest.approx([index / 8 for index in range(6)], abs=0.02)


def test_what_drops_frames_makes_the_analysis_rest_longer_each_time() -> None:
    now, ledger = [0.0], Ledger()
    pipeline = SimpleNamespace(has_reserve=True, paused=False, at_end=False)
    courtesy = Courtesy(ledger, lambda: now[0])

    def rests(seconds: float) -> bool:
        """Whether it rests for that long from now on, and no longer."""
        begin_s = now[0]
        now[0] = begin_s + 0.95 * seconds
        early = courtesy.may_work(pipeline)  # type: ignore[arg-type]
        now[0] = begin_s + 1.05 * seconds
        return not early and courtesy.may_work(pipeline)  # type: ignore[arg-type]

    assert not courtesy.may_work(pipeline) and rests(1)  # type: ignore[arg-type]
    for seconds in (1, 2, 4, 8, 16, 30, 30):
        ledger.drop("late")
        assert not courtesy.may_work(pipeline)  # type: ignore[arg-type]
        assert rests(seconds)
    ledger.drop("late")
    for name in ("paused", "at_end"):
        assert not courtesy.may_work(pipeline)  # type: ignore[arg-type]
        setattr(pipeline, name, True)
        assert courtesy.may_work(pipeline)  # type: ignore[arg-type]
        setattr(pipeline, name, False)
    now[0] += 31
    pipeline.has_reserve = False
    assert not courtesy.may_work(pipeline)  # type: ignore[arg-type]
    pipeline.has_reserve = True
    for _ in range(6):
        now[0] += 11
        assert courtesy.may_work(pipeline)  # type: ignore[arg-type]
    ledger.drop("late")
    assert not courtesy.may_work(pipeline) and rests(1)  # type: ignore[arg-type]


def test_a_pipeline_has_a_reserve_when_shots_wait_and_at_the_end(clip: Path, model: Path) -> None:
    options = RunOptions(str(model))
    with Pipeline(open_source(clip), options.segmenter(options.read_spec()), keep_open=True) as pipeline:
        wait_until(lambda: pipeline.has_reserve, "shots to wait")
        for _ in range(FRAMES):
            next(pipeline)
        wait_until(lambda: pipeline.at_end, "the end")
        assert pipeline.has_reserve
