"""The ego zone: off by default, draggable, flashes and saves a clip when something enters."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from seg_viewer.player.playback import PlayerState
from tests.models import BLUE, GREY
from tests.servers.http_video import HttpVideo

from .conftest import WAIT_MS, make_clip, pause_at, wait_state


def test_it_is_off_until_it_is_wanted(qtbot: QtBot, open_window, clip: Path):
    window = open_window(clip)
    wait_state(qtbot, window, PlayerState.ENDED)
    assert not window.ego_zone.on and window.messages.texts("info") == []
    assert "no safety function" in window.actions_by_id["zone"].toolTip()


def test_a_car_that_enters_is_told_with_its_time(qtbot: QtBot, open_window, tmp_path: Path):
    window = open_window()
    qtbot.keyClick(window, "z")
    window.open(make_clip(tmp_path / "comes.mp4", 20, colors=[GREY] * 10 + [BLUE] * 10))
    qtbot.waitUntil(lambda: bool(window.messages.texts("info")), timeout=WAIT_MS)
    wait_state(qtbot, window, PlayerState.ENDED)
    (line,) = window.messages.texts("info")
    assert "in the ego zone" in line and line.endswith(": car 100.0 %")  # nothing of what is not there
    assert list(tmp_path.glob("*zone*")) == []  # a file can be looked at again


def test_corners_are_dragged(qtbot: QtBot, open_window, clip: Path):
    window = open_window(clip)
    pause_at(qtbot, window, 5)
    qtbot.keyClick(window, "z")
    rect = window.view.picture_rect()
    corner = window.ego_zone.points(rect)[0].toPoint()
    target = corner + QPoint(-60, -40)
    qtbot.mousePress(window.view, Qt.MouseButton.LeftButton, pos=corner)
    qtbot.mouseMove(window.view, target)
    qtbot.mouseRelease(window.view, Qt.MouseButton.LeftButton, pos=target)
    moved = window.ego_zone.points(rect)[0].toPoint()
    assert (moved - target).manhattanLength() <= 2
    before = window.view.grab().toImage()
    qtbot.keyClick(window, "z")
    assert window.view.grab().toImage() != before  # drawn while it is on


@pytest.fixture
def server(tmp_path: Path) -> Iterator[HttpVideo]:
    with HttpVideo(tmp_path, size=(160, 96), rate=8, each=4) as running:  # a car for half a second
        yield running


def test_a_live_clip_is_saved_only_where_it_is_wanted(qtbot: QtBot, open_window, server: HttpVideo, tmp_path: Path):
    window = open_window(server.url())
    window.memory.change(recordings_folder=str(tmp_path / "clips"))
    wait_state(qtbot, window, PlayerState.PLAYING)
    qtbot.keyClick(window, "z")
    offered = "no clip is saved"
    qtbot.waitUntil(lambda: any(offered in text for text in window.messages.texts("info")), timeout=WAIT_MS)
    assert not (tmp_path / "clips").exists()
    (button,) = [b for b in window.messages.findChildren(QPushButton) if b.text() == "Save clips from now on"]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert window.memory.settings.zone_clips
    window.ego_zone.clip_s = 0.4
    qtbot.waitUntil(lambda: any("Clip saved" in text for text in window.messages.texts("info")), timeout=WAIT_MS)
    qtbot.keyClick(window, "z")
    clips = sorted((tmp_path / "clips").glob("*_zone_*.mkv"))
    with av.open(str(clips[0])) as container:
        assert sum(1 for _ in container.decode(video=0)) > 3
