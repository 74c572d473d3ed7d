"""A long video that was left in its middle offers to go on there."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from seg_viewer.player.places import Places
from seg_viewer.player.playback import PlayerState

from .conftest import GREEN, WAIT_MS, make_clip, shown_index, wait_state


@pytest.fixture(scope="module")
def hour(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """150 s, one picture a second."""
    return make_clip(tmp_path_factory.mktemp("long") / "hour.mp4", 150, size=(64, 48), rate=1, colors=(GREEN,))


@pytest.fixture(autouse=True)
def own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data" / "seg-viewer" / "places.json"


def _leave_at(qtbot: QtBot, open_window, source: Path, index: int):
    window = open_window(source)
    wait_state(qtbot, window, PlayerState.PLAYING)
    qtbot.waitUntil(lambda: window.sources.resume._known, timeout=WAIT_MS)
    window.player.pause()
    window.transport.seek(float(index))
    qtbot.waitUntil(lambda: shown_index(window) == index, timeout=WAIT_MS)
    window.close()


def _questions(window) -> list[str]:
    return [text for text in window.messages.texts("info") if text.startswith("Continue")]


def test_it_asks_while_playing_and_a_click_goes_there(qtbot: QtBot, open_window, hour: Path, own_places: Path):
    _leave_at(qtbot, open_window, hour, 63)
    assert own_places.is_file()
    window = open_window(hour)
    qtbot.waitUntil(lambda: _questions(window) == ["Continue at 1:03?"], timeout=WAIT_MS)
    wait_state(qtbot, window, PlayerState.PLAYING)  # nobody waits for the answer
    (button,) = [b for b in window.messages.findChildren(QPushButton) if b.text() == "Continue"]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert _questions(window) == []
    qtbot.waitUntil(lambda: shown_index(window) >= 63, timeout=WAIT_MS)


@pytest.mark.parametrize("index", [3, 149])
def test_neither_the_first_seconds_nor_the_end_are_asked_about(qtbot: QtBot, open_window, hour: Path, index: int):
    _leave_at(qtbot, open_window, hour, index)
    window = open_window(hour)
    qtbot.waitUntil(lambda: window.sources.resume._known, timeout=WAIT_MS)
    assert _questions(window) == []


def test_another_source_notes_where_the_first_one_was(qtbot: QtBot, open_window, hour: Path, clip: Path):
    window = open_window(hour)
    wait_state(qtbot, window, PlayerState.PLAYING)
    qtbot.waitUntil(lambda: window.sources.resume._known, timeout=WAIT_MS)
    window.transport.seek(80.0)
    qtbot.waitUntil(lambda: shown_index(window) >= 80, timeout=WAIT_MS)
    window.open(clip)
    qtbot.waitUntil(lambda: any(p.time_s >= 80 for p in Places().all().values()), timeout=WAIT_MS)
    window.open(hour)
    qtbot.waitUntil(lambda: bool(_questions(window)), timeout=WAIT_MS)


def test_the_place_is_written_while_it_plays(qtbot: QtBot, open_window, hour: Path):
    window = open_window(hour)
    wait_state(qtbot, window, PlayerState.PLAYING)
    window.transport.seek(70.0)
    qtbot.waitUntil(lambda: shown_index(window) >= 70 and window.sources.resume._known, timeout=WAIT_MS)
    window.sources.resume._noted_at_s -= 60  # as if a minute had passed
    qtbot.waitUntil(lambda: any(p.time_s >= 70 for p in Places().all().values()), timeout=WAIT_MS)


def test_a_short_clip_leaves_nothing(qtbot: QtBot, open_window, clip: Path, own_places: Path):
    window = open_window(clip)
    wait_state(qtbot, window, PlayerState.PLAYING)
    window.close()
    assert not own_places.exists()


def test_a_folder_that_cannot_be_written_stops_nothing(qtbot: QtBot, open_window, hour: Path, tmp_path: Path):
    (tmp_path / "data").write_text("in the way")
    _leave_at(qtbot, open_window, hour, 63)
    window = open_window(hour)
    wait_state(qtbot, window, PlayerState.PLAYING)
    assert window.messages.texts("error") == []
