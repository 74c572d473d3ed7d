"""J-K-L, digits, speed, the focused seek bar, and a part that is played again and again: by their keys."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from seg_viewer.gui.main_window import MainWindow
from seg_viewer.gui.settings import load_settings, open_store
from seg_viewer.gui.widgets import message_bar
from seg_viewer.player.playback import PlayerState
from seg_viewer.sources.folder import DEFAULT_RATE

from .conftest import WAIT_MS, make_clip, pause_at, shown_index, wait_state

SHIFT, ALT = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.AltModifier


@pytest.fixture(scope="session")
def ten_seconds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clips") / "ten.mp4", 200)


def _wait_index(qtbot: QtBot, window: MainWindow, index: int) -> None:
    qtbot.waitUntil(lambda: shown_index(window) == index, timeout=WAIT_MS)


def test_k_plays_and_pauses_l_plays_faster_and_j_slower(qtbot: QtBot, open_window, ten_seconds: Path) -> None:
    window = open_window(ten_seconds)
    wait_state(qtbot, window, PlayerState.PLAYING)
    qtbot.keyClick(window, "k")
    wait_state(qtbot, window, PlayerState.PAUSED)
    qtbot.keyClick(window, "l")
    wait_state(qtbot, window, PlayerState.PLAYING)
    speeds = []
    for key in "llljj":
        qtbot.keyClick(window, key)
        speeds.append(window.player.speed)
    assert speeds == [2.0, 4.0, 4.0, 2.0, 1.0] and window.player.state is PlayerState.PLAYING
    assert window.controls.speed_button.text() == "1×"


def test_j_winds_back_faster_each_time_and_k_stops_it(qtbot: QtBot, open_window, ten_seconds: Path) -> None:
    window = open_window(ten_seconds)
    pause_at(qtbot, window, 190)
    qtbot.keyClick(window, "j")
    assert window.controls.speed_button.text() == "−1×"
    qtbot.keyClick(window, "j")
    assert window.controls.speed_button.text() == "−2×"
    seen = [190]

    def look() -> bool:
        if shown_index(window) != seen[-1]:
            seen.append(shown_index(window))
        return seen[-1] < 150

    qtbot.waitUntil(look, timeout=WAIT_MS)
    assert len(seen) > 1 and all(later < earlier for earlier, later in pairwise(seen))
    qtbot.keyClick(window, "k")
    assert window.controls.speed_button.text() == "1×"
    qtbot.waitUntil(lambda: window.player.wished_s == window.player.position_s, timeout=WAIT_MS)
    still = shown_index(window)
    qtbot.wait(300)
    assert shown_index(window) == still and window.player.state is PlayerState.PAUSED


def test_winding_back_ends_at_the_start_and_l_plays_from_there(qtbot: QtBot, open_window, ten_seconds: Path) -> None:
    window = open_window(ten_seconds)
    pause_at(qtbot, window, 10)
    qtbot.keyClick(window, "j")
    _wait_index(qtbot, window, 0)
    qtbot.waitUntil(lambda: window.controls.speed_button.text() == "1×", timeout=WAIT_MS)
    qtbot.keyClick(window, "l")
    wait_state(qtbot, window, PlayerState.PLAYING)
    assert window.player.speed == 1.0


@pytest.mark.parametrize("digit", range(10))
def test_digits_jump_to_tenths(qtbot: QtBot, open_window, ten_seconds: Path, digit: int) -> None:
    window = open_window(ten_seconds)
    pause_at(qtbot, window, 7)
    qtbot.keyClick(window, str(digit))
    _wait_index(qtbot, window, 20 * digit)
    assert not window.look.style.hidden


def test_alt_and_a_digit_switches_a_class(qtbot: QtBot, open_window, clip: Path) -> None:
    window = open_window(clip)
    pause_at(qtbot, window, 7)
    qtbot.keyClick(window, Qt.Key.Key_1, ALT)
    qtbot.waitUntil(lambda: len(window.look.style.hidden) == 1, timeout=WAIT_MS)
    assert shown_index(window) == 7


def test_a_focused_seek_bar_is_moved_by_its_keys(qtbot: QtBot, open_window, ten_seconds: Path) -> None:
    window = open_window(ten_seconds)
    pause_at(qtbot, window, 100)
    bar = window.controls.seek_bar
    for _ in range(60):  # by Tab, wherever that begins
        qtbot.keyClick(QApplication.focusWidget() or window, Qt.Key.Key_Tab)
        if bar.hasFocus():
            break
    assert bar.hasFocus()
    for key, index in (
        (Qt.Key.Key_PageUp, 120), (Qt.Key.Key_PageDown, 100), (Qt.Key.Key_Left, 0), (Qt.Key.Key_Right, 100),
        (Qt.Key.Key_Home, 0), (Qt.Key.Key_End, 199),
    ):  # fmt: skip
        qtbot.keyClick(bar, key)
        _wait_index(qtbot, window, index)


def test_the_seek_bar_tells_what_is_under_the_pointer(qtbot: QtBot, open_window, ten_seconds: Path) -> None:
    window = open_window(ten_seconds)
    pause_at(qtbot, window, 0)
    bar = window.controls.seek_bar
    with qtbot.waitSignal(bar.hovered, timeout=WAIT_MS) as told:
        qtbot.mouseMove(bar, QPoint(round(bar.x_of(4.0)), 10))
    time_s, place = told.args
    assert time_s == pytest.approx(4.0, abs=0.05) and bar.mapFromGlobal(place).y() == 0
    with qtbot.waitSignal(bar.left, timeout=WAIT_MS):
        QApplication.sendEvent(bar, QEvent(QEvent.Type.Leave))


def test_a_part_is_played_again_and_again_until_it_is_cleared(qtbot: QtBot, open_window, ten_seconds: Path) -> None:
    window = open_window(ten_seconds)
    pause_at(qtbot, window, 40)
    qtbot.keyClick(window, "a")
    assert window.controls.seek_bar.marks_s == (pytest.approx(2.0), None) and window.player.part is None
    pause_and_seek(qtbot, window, 52)
    qtbot.keyClick(window, "b")
    assert window.player.part == (pytest.approx(2.0), pytest.approx(2.6))
    qtbot.keyClick(window, "k")
    seen: list[int] = []

    def look() -> bool:
        if not seen or shown_index(window) != seen[-1]:
            seen.append(shown_index(window))
        return sum(later < earlier for earlier, later in pairwise(seen)) >= 3

    qtbot.waitUntil(look, timeout=WAIT_MS)
    assert min(seen[1:]) >= 40 and max(seen) <= 52
    qtbot.keyClick(window, "a", SHIFT)
    assert window.controls.seek_bar.marks_s == (None, None)
    qtbot.waitUntil(lambda: shown_index(window) > 52, timeout=WAIT_MS)


def test_marks_that_are_set_while_a_jump_is_under_way_do_not_undo_it(qtbot: QtBot, open_window, ten_seconds: Path):
    window = open_window(ten_seconds)
    pause_at(qtbot, window, 40)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_A, Qt.Key.Key_B, Qt.Key.Key_Left, Qt.Key.Key_B, Qt.Key.Key_Right):
        qtbot.keyClick(window, key)
    _wait_index(qtbot, window, 140)
    qtbot.waitUntil(lambda: window.controls.seek_bar.position_s == pytest.approx(7.0), timeout=WAIT_MS)


def test_marks_are_set_where_a_jump_that_is_under_way_leads_to(qtbot: QtBot, open_window, ten_seconds: Path) -> None:
    window = open_window(ten_seconds)
    pause_at(qtbot, window, 40)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_A, Qt.Key.Key_Period, Qt.Key.Key_Period, Qt.Key.Key_B):
        qtbot.keyClick(window, key)
    assert window.controls.seek_bar.marks_s == (pytest.approx(7.0), pytest.approx(7.1))
    _wait_index(qtbot, window, 142)


def pause_and_seek(qtbot: QtBot, window: MainWindow, index: int) -> None:
    window.transport.seek(index / 20)
    _wait_index(qtbot, window, index)


def test_the_end_of_a_part_may_be_that_of_the_video(qtbot: QtBot, open_window, clip: Path) -> None:
    window = open_window(clip)
    pause_at(qtbot, window, 34)
    qtbot.keyClick(window, "a")
    qtbot.keyClick(window, Qt.Key.Key_End)
    _wait_index(qtbot, window, 39)
    qtbot.keyClick(window, "b")
    qtbot.keyClick(window, Qt.Key.Key_Space)
    for _ in range(2):
        qtbot.waitUntil(lambda: 34 <= shown_index(window) < 37, timeout=WAIT_MS)
        qtbot.waitUntil(lambda: shown_index(window) == 39, timeout=WAIT_MS)


@pytest.mark.parametrize("start", [34, None])
def test_a_part_that_is_marked_after_the_end_waits_to_be_played(
    qtbot: QtBot, open_window, clip: Path, start: int | None
) -> None:
    """As in mpv: what stands goes on standing, and plays from where the part begins."""
    window = open_window(clip)
    if start is not None:
        pause_at(qtbot, window, start)
        qtbot.keyClick(window, "a")
        qtbot.keyClick(window, Qt.Key.Key_Space)
    wait_state(qtbot, window, PlayerState.ENDED)
    shown: list[int] = []
    window.presenter.shot_shown.connect(lambda shot: shown.append(shot.frame.index))
    qtbot.keyClick(window, "b")
    assert window.controls.seek_bar.marks_s == (pytest.approx((start or 0) / 20), pytest.approx(2.0))
    wait_state(qtbot, window, PlayerState.PAUSED)
    assert set(shown) <= {39} and shown_index(window) == 39
    qtbot.keyClick(window, Qt.Key.Key_Space)
    first = start or 0
    for _ in range(2):
        qtbot.waitUntil(lambda: first <= shown_index(window) < first + 3, timeout=WAIT_MS)
        qtbot.waitUntil(lambda: shown_index(window) == 39, timeout=WAIT_MS)


def test_what_is_asked_of_a_part_goes_when_it_is_answered(
    qtbot: QtBot, open_window, ten_seconds: Path, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B at the same place, later, before; A again; no part; a jump, after which it is still true; another video."""
    monkeypatch.setattr(message_bar, "_INFO_MS", 600_000)  # it does not go by itself
    window = open_window(ten_seconds)
    pause_at(qtbot, window, 120)
    right, left, none = Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.KeyboardModifier.NoModifier

    def asked() -> list[str]:
        return [text for text in window.messages.texts("info") if text.startswith("Repeats from")]

    at_6, at_7 = (f"Repeats from 0:0{s}.0: press B where it ends" for s in (6, 7))
    for keys, expected, marks in (
        ("a", [at_6], (6.0, None)),
        ("b", [], (0.0, 6.0)),
        ("aa", [at_6], (6.0, None)),
        ([".", "b"], [], (6.0, 6.05)),
        ([",", "a", ",", "b"], [], (0.0, 5.95)),
        ([".", "a"], [at_6], (6.0, None)),
        ([*["."] * 20, "a"], [at_7], (7.0, None)),
        ([left, right], [at_7], (7.0, None)),
        ("A", [], (None, None)),
        ("a", [at_7], (7.0, None)),
    ):
        for key in keys:
            qtbot.keyClick(window, key.lower() if isinstance(key, str) else key, SHIFT if key == "A" else none)
        assert asked() == expected, keys
        assert [each if each is None else round(each, 6) for each in window.transport.marks_s] == [*marks], keys
        assert window.controls.seek_bar.marks_s == window.transport.marks_s
    window.open(clip)
    qtbot.waitUntil(lambda: window.windowTitle().startswith("colors.mp4"), timeout=WAIT_MS)
    assert asked() == []


def test_the_part_is_offered_to_the_export_and_gone_with_the_source(
    qtbot: QtBot, open_window, ten_seconds: Path, clip: Path
) -> None:
    window = open_window(ten_seconds)
    pause_at(qtbot, window, 40)
    qtbot.keyClick(window, "a")
    pause_and_seek(qtbot, window, 52)
    qtbot.keyClick(window, "b")
    window.actions_by_id["export"].trigger()
    form = window.outputs.export_dialog.form
    assert (form.start.text(), form.end.text()) == ("0:02", "0:02.601")
    form.end.setText("5")
    window.actions_by_id["export"].trigger()
    assert form.end.text() == "5"
    window.outputs.export_dialog.close()
    window.open(clip)
    qtbot.waitUntil(lambda: window.windowTitle().startswith("colors.mp4"), timeout=WAIT_MS)
    assert window.controls.seek_bar.marks_s == (None, None) and window.player.part is None


def test_shift_l_repeats_the_whole(qtbot: QtBot, open_window, clip: Path) -> None:
    window = open_window(clip)
    wait_state(qtbot, window, PlayerState.PLAYING)
    qtbot.keyClick(window, "l", SHIFT)
    assert window.player.loop and window.actions_by_id["loop"].isChecked()


def test_every_frame_or_the_clock_is_a_choice_that_is_kept(qtbot: QtBot, open_window, clip: Path) -> None:
    window = open_window(clip)
    wait_state(qtbot, window, PlayerState.PLAYING)
    menu = window.policy_menu
    menu.aboutToShow.emit()
    assert menu.real_time.isChecked() and "left out so far" in menu.real_time.text()
    menu.in_full.trigger()
    assert window.player.in_full
    seen: set[int] = set()
    window.transport.seek(0.0)
    window.presenter.shot_shown.connect(lambda shot: seen.add(shot.frame.index))
    wait_state(qtbot, window, PlayerState.ENDED)
    assert seen == set(range(40))
    window.memory.write()
    assert load_settings(open_store()).in_full


def test_a_single_picture_has_no_rate_and_a_paused_clip_none_either(
    qtbot: QtBot, open_window, clip: Path, tmp_path: Path
) -> None:
    cv2.imwrite(str(tmp_path / "one.png"), np.full((48, 64, 3), (0, 0, 200), np.uint8))
    window = open_window(tmp_path / "one.png")
    wait_state(qtbot, window, PlayerState.ENDED)
    qtbot.waitUntil(lambda: window.stats.text("frame") == "0", timeout=WAIT_MS)
    assert DEFAULT_RATE == 10.0 and "fps" not in window.stats.text("video")
    assert [window.stats.text(key) for key in ("source", "engine", "display")] == ["–"] * 3
    window.open(clip)
    qtbot.waitUntil(lambda: window.windowTitle().startswith("colors.mp4"), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: "20.0 fps" in window.stats.text("source"), timeout=WAIT_MS)
    if window.player.state is PlayerState.PLAYING:
        qtbot.keyClick(window, "k")
    qtbot.waitUntil(lambda: window.stats.text("display") == "–", timeout=WAIT_MS)
    assert "20.0 fps" in window.stats.text("source")
