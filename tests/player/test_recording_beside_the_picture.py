"""A recording whose disk hangs does not hold up what the player shows."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from seg_viewer.core.overlay import Overlay
from seg_viewer.jobs.options import RunOptions
from seg_viewer.jobs.recording import Recording, RecordPlan
from seg_viewer.pipeline import BUSY_RECORDER
from seg_viewer.player.playback import PlayerState
from seg_viewer.player.player import Player
from seg_viewer.sinks.base import Sink
from tests.clips import video_times
from tests.servers.http_video import HttpVideo
from tests.waiting import wait_until

HANGS_S = 2.0


@pytest.fixture
def player(model: Path, tmp_path: Path) -> Iterator[Player]:
    with HttpVideo(tmp_path, size=(160, 96), rate=20) as server:
        player = Player(RunOptions(model=str(model)))
        player.open(server.url())
        try:
            _wait(player, lambda: player.state is PlayerState.PLAYING, "the first picture")
            yield player
        finally:
            assert player.close(10)


def _wait(player: Player, condition: Callable[[], object], what: str) -> None:
    """While pictures are taken, as a window does."""

    def holds() -> bool:
        assert player.error is None, player.error
        player.take()
        return bool(condition())

    wait_until(holds, what)


def _shown(player: Player, seconds: float) -> list[float]:
    """When a picture came, over some seconds."""
    times = []
    until_s = time.perf_counter() + seconds
    while time.perf_counter() < until_s:
        if player.take() is not None:
            times.append(time.perf_counter())
        time.sleep(0.002)
    return times


def _longest_gap(times: list[float]) -> float:
    return max(later - earlier for earlier, later in pairwise(times))


def test_a_disk_that_hangs_delays_no_picture_and_what_is_left_out_is_counted(
    player: Player, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, hanging = shutil.disk_usage, threading.Event()

    def hang(folder: Path) -> object:
        if not hanging.is_set():
            hanging.set()
            time.sleep(HANGS_S)
        return real(folder)

    monkeypatch.setattr(shutil, "disk_usage", hang)
    assert player.live_source is not None and player.spec is not None and player.ledger is not None
    usual = _longest_gap(_shown(player, HANGS_S))
    recording = Recording(RecordPlan(tmp_path / "a.mp4"), player.live_source, Overlay(player.spec.labels))
    player.set_recording(recording)
    times = _shown(player, HANGS_S + 1)
    assert hanging.is_set()
    assert _longest_gap(times) < max(0.5, 3 * usual)
    _wait(player, lambda: recording.frames > 10, "the recording to go on")
    player.set_recording(None)
    assert recording.stop() == [tmp_path / "a.mp4"] and recording.problem == ""
    assert len(video_times(tmp_path / "a.mp4")) == recording.frames
    assert player.ledger.snapshot().drops[BUSY_RECORDER] > 10


def test_a_sink_that_fails_is_told_and_the_picture_goes_on(player: Player) -> None:
    class Broken(Sink):  # type: ignore[type-arg]
        def write(self, item: object) -> None:
            raise OSError("no paper in the printer")

        def finish(self) -> None: ...

        def abandon(self) -> None: ...

    told: list[str] = []

    def problem() -> bool:
        text = player.take_problem()
        if text is not None:
            told.append(text)
        return bool(told)

    player.add_sink(Broken())
    _wait(player, problem, "the failure to be told")
    assert told == ["Broken: no paper in the printer"]
    assert len(_shown(player, 0.5)) > 3 and player.state is PlayerState.PLAYING
