"""What was opened last: picture, folder and day, and what is not there any more."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from seg_viewer.gui.settings import MAX_RECENT, WindowSettings, load_settings, open_store, save_settings
from seg_viewer.gui.tasks.recent_pictures import pictures_folder, read_picture
from seg_viewer.gui.widgets.recent_list import RecentItem, day_text
from seg_viewer.player.playback import PlayerState

from .conftest import GREEN, WAIT_MS, is_near, make_clip, wait_state


@pytest.fixture(autouse=True)
def own_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def _play(qtbot: QtBot, open_window, path: Path) -> None:
    window = open_window(path)
    qtbot.waitUntil(lambda: window.view.shown is not None, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: read_picture(str(path)) is not None, timeout=WAIT_MS)
    window.close()


def test_a_recent_one_shows_picture_name_folder_and_day(qtbot: QtBot, open_window, tmp_path: Path):
    path = make_clip(tmp_path / "green.mp4", 6, colors=(GREEN,))
    _play(qtbot, open_window, path)
    window = open_window()
    (button,) = window.start_page.recent_buttons
    qtbot.waitUntil(lambda: button.item.picture is not None, timeout=WAIT_MS)
    assert button.item.name == "green.mp4"
    assert button.item.where.startswith(f"{tmp_path}  ·  today, ")
    at = button.rect()
    color = button.grab().toImage().pixelColor(10 + 32, at.center().y()).getRgb()[:3]
    assert is_near(color, (0, 196, 45), 30), color  # the picture with its overlay
    first = window.recent_menu.actions()[0]
    assert first.text() == "green.mp4" and not first.icon().isNull()


def test_dark_beginnings_are_looked_past(qtbot: QtBot, open_window, tmp_path: Path):
    path = make_clip(tmp_path / "dark.mp4", 50, rate=20, colors=((0, 0, 0),) * 40 + ((0, 200, 0),) * 40)
    window = open_window(path)
    wait_state(qtbot, window, PlayerState.ENDED)

    def bright() -> bool:
        picture = read_picture(str(path))
        return picture is not None and picture.pixelColor(20, 20).green() > 90

    qtbot.waitUntil(bright, timeout=WAIT_MS)


def test_what_is_gone_is_grey_until_it_comes_back(qtbot: QtBot, open_window, tmp_path: Path):
    path = make_clip(tmp_path / "stick.mp4", 6)
    _play(qtbot, open_window, path)
    os.rename(path, tmp_path / "elsewhere")
    window = open_window()
    (button,) = window.start_page.recent_buttons
    qtbot.waitUntil(lambda: button.item.missing, timeout=WAIT_MS)
    assert "not there any more" in button.item.where and "not there" in button.accessibleName()
    assert "not there" in window.recent_menu.actions()[0].text()
    faded = button.grab().toImage()
    os.rename(tmp_path / "elsewhere", path)
    window.recent_menu.aboutToShow.emit()
    qtbot.waitUntil(lambda: not button.item.missing, timeout=WAIT_MS)
    assert button.grab().toImage() != faded
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "stick.mp4" in window.windowTitle(), timeout=WAIT_MS)


def test_pictures_are_kept_for_the_list_only_and_go_with_it(qtbot: QtBot, open_window, clip: Path, tmp_path: Path):
    pictures_folder().mkdir(parents=True)
    (pictures_folder() / "old.jpg").touch()
    _play(qtbot, open_window, clip)
    assert [path.name for path in pictures_folder().glob("*")] != ["old.jpg"]
    window = open_window()
    window.recent_menu.actions()[-1].trigger()
    qtbot.waitUntil(lambda: not list(pictures_folder().glob("*.jpg")), timeout=WAIT_MS)
    assert window.start_page.recent_buttons == [] and not window.recent_menu.isEnabled()
    window.memory.write()
    stored = load_settings(open_store())
    assert stored.recent == () and stored.recent_at == ()


def test_no_picture_of_what_is_live_or_the_demo_is_kept(qtbot: QtBot, open_window):
    window = open_window("demo")
    wait_state(qtbot, window, PlayerState.PLAYING)
    qtbot.waitUntil(lambda: window.view.shown is not None, timeout=WAIT_MS)
    window.sources.recents.opened("rtsp://u:p@HOST/x")
    window.sources.recents.watch(window.view.shown.shot)
    assert window.sources.recents._wanted is None and window.memory.settings.recent == ("rtsp://HOST/x",)
    assert RecentItem("rtsp://HOST/x").where == "live"


def test_days_go_with_their_sources_and_old_settings_have_none():
    settings = WindowSettings(recent=("a", "b"))
    settings = settings.with_recent("c", 7).with_recent("a", 9).without_recent("b")
    assert (settings.recent, settings.recent_at) == (("a", "c"), ("9", "7"))
    for number in range(MAX_RECENT + 3):
        settings = settings.with_recent(str(number), number)
    assert settings.recent_at == tuple(name for name in settings.recent)
    save_settings(open_store(), settings)
    assert load_settings(open_store()) == settings


@pytest.mark.parametrize(
    ("day", "text"),
    [
        (datetime(2026, 3, 5, 9, 5), "today, 9:05"),
        (datetime(2026, 3, 4, 23, 59), "yesterday, 23:59"),
        (datetime(2026, 3, 3, 1, 1), "3 Mar 2026"),
        (datetime(2026, 3, 6, 1, 1), "6 Mar 2026"),
    ],
)
def test_days_are_said_as_people_say_them(day: datetime, text: str):
    assert day_text(day, datetime(2026, 3, 5, 12, 0)) == text
