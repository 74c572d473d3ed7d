"""A recording whose disk hangs does not hold up what the player shows."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
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

HANGS_FOR = 60
"""Pictures that are shown while the disk hangs: three seconds of them."""


@pytest.fixture
def player(model: Path, tmp_path: Path) -> Iterator[Player]:
    with HttpVideo(tmp_path, size=(160, 96), rate=20) as server:
        player = Player(RunOptions(model=str(model)))
        player.open(server.url())
        try:
            _wait(player, lambda: player.state is PlayerState.PLAYING, "the first picture")
            yield player
        finally:
            assert player.close(60)


def _wait(player: Player, condition: Callable[[], object], what: str) -> None:
    """While pictures are taken, as a window does."""

    def holds() -> bool:
        assert player.error is None, player.error
        player.take()
        return bool(condition())

    wait_until(holds, what)


def _show(player: Player, count: int) -> None:
    """Until so many pictures were taken."""
    shown = [0]

    def enough() -> bool:
        assert player.error is None, player.error
        shown[0] += player.take() is not None
        return shown[0] >= count

    wait_until(enough, f"{count} pictures")


def test_a_disk_that_hangs_delays_no_picture_and_what_is_left_out_is_counted(
    player: Player, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, hanging, goes_on = shutil.disk_usage, threading.Event(), threading.Event()

    def hang(folder: Path) -> object:
        hanging.set()
        assert goes_on.wait(80)
        return real(folder)

    monkeypatch.setattr(shutil, "disk_usage", hang)
    assert player.live_source is not None and player.spec is not None and player.ledger is not None
    recording = Recording(RecordPlan(tmp_path / "a.mp4"), player.live_source, Overlay(player.spec.labels))
    player.set_recording(recording)
    _wait(player, hanging.is_set, "the disk to hang")
    _show(player, HANGS_FOR)  # not one would come while the player waited for the disk
    goes_on.set()
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
    _show(player, 4)
    assert player.state is PlayerState.PLAYING
