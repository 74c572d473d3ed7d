"""What the panel is given while it plays and while it does not."""

from __future__ import annotations

import pytest

from seg_viewer.core.counted import counted
from seg_viewer.core.ledger import LedgerSnapshot, StageTimes
from seg_viewer.player.numbers import meaningful, rate_of
from seg_viewer.player.playback import PlayerState
from seg_viewer.sources import SourceInfo

TIMES = StageTimes(5, 0.1, 0.02, 0.03, 0.03)
SNAPSHOT = LedgerSnapshot(
    {"latency": TIMES, "shown": TIMES}, {"source": 19.9, "engine": 16.2, "display": 0.0}, {"source": 5}, {}
)
FILE = SourceInfo("clip", 64, 32, rate=16.0, frame_count=100)
CAMERA = SourceInfo("camera", 64, 32, rate=30.0, live=True)
PICTURE = SourceInfo("picture", 64, 32, rate=10.0, frame_count=1)


@pytest.mark.parametrize(
    ("info", "state", "rates", "stages"),
    [
        (FILE, PlayerState.PLAYING, {"source": 16.0, "engine": 16.2}, {"latency"}),
        (FILE, PlayerState.PAUSED, {"source": 16.0}, {"latency"}),
        (FILE, PlayerState.ENDED, {"source": 16.0}, {"latency"}),
        (PICTURE, PlayerState.ENDED, {}, {"latency"}),
        (CAMERA, PlayerState.PLAYING, {"source": 19.9, "engine": 16.2}, {"latency", "shown"}),
        (CAMERA, PlayerState.PAUSED, {}, {"latency", "shown"}),
    ],
)
def test_only_what_means_something(info: SourceInfo, state: PlayerState, rates: dict, stages: set[str]) -> None:
    seen = meaningful(SNAPSHOT, info, state)
    assert seen.rates == rates and set(seen.stages) == stages


def test_a_single_picture_has_no_rate() -> None:
    assert rate_of(PICTURE) is None and rate_of(FILE) == 16.0


def test_one_is_singular() -> None:
    assert [counted(n, "frame") for n in (0, 1, 2)] == ["0 frames", "1 frame", "2 frames"]
    assert counted(2, "class", "classes") == "2 classes" and counted(1, "class", "classes") == "1 class"
