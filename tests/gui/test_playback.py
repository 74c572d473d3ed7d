"""Play, pause, step, seek, speed, loop; masks stay with their frames."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from statistics import median

import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from seg_viewer.core.frame import ByteArray
from seg_viewer.core.labels import DRIVING
from seg_viewer.gui.widgets.seek_bar import SeekBar, clock_text
from seg_viewer.media.av_picture import AvPicture
from seg_viewer.player.playback import PlayerState
from seg_viewer.player.showing import size_to_show
from seg_viewer.sources import Source, awaited
from tests.models import GREEN, RED

from .conftest import (
    COLORS,
    WAIT_MS,
    is_near,
    make_clip,
    mixed,
    painted,
    pause_at,
    shown_index,
    wait_state,
    worker_threads,
)

LEFT = Qt.MouseButton.LeftButton


def test_space_pauses_and_goes_on(qtbot: QtBot, open_window, clip: Path):
    window = open_window(clip)
    wait_state(qtbot, window, PlayerState.PLAYING)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    wait_state(qtbot, window, PlayerState.PAUSED)
    assert window.actions_by_id["play"].text() == "Play"
    index = shown_index(window)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    wait_state(qtbot, window, PlayerState.PLAYING)
    assert window.actions_by_id["play"].text() == "Pause"
    qtbot.waitUntil(lambda: shown_index(window) > index, timeout=WAIT_MS)


def test_every_frame_is_painted_under_its_own_mask(qtbot: QtBot, open_window, tmp_path: Path):
    clip = make_clip(tmp_path / "long.mp4", 80)
    window = open_window(clip)
    seen: dict[int, tuple[int, int, int]] = {}

    def look() -> bool:
        if window.view.shown:
            index = shown_index(window)
            seen[index] = painted(window)
        return window.player.state is PlayerState.ENDED

    qtbot.waitUntil(look, timeout=WAIT_MS)
    assert len(seen) > 20
    for index, color in seen.items():
        label = DRIVING[(index + 1) % 4]
        picture = COLORS[index % 4]
        assert is_near(color, mixed(picture, label.color, 0.45) if label.painted else picture), index


def test_steps_show_the_next_and_the_previous_frame(qtbot: QtBot, open_window, clip: Path):
    window = open_window(clip)
    pause_at(qtbot, window, 12)
    for index, key in ((13, "."), (14, "."), (13, ","), (12, ","), (11, ",")):
        qtbot.keyClick(window, key)
        qtbot.waitUntil(lambda index=index: shown_index(window) == index, timeout=WAIT_MS)
    assert window.player.state is PlayerState.PAUSED
    assert is_near(painted(window), COLORS[3])  # frame 11


def test_a_click_on_the_time_line_jumps_there(qtbot: QtBot, open_window, clip: Path):
    window = open_window(clip)
    pause_at(qtbot, window, 2)
    bar = window.controls.seek_bar
    qtbot.mouseClick(bar, LEFT, pos=QPoint(round(bar.x_of(1.525)), bar.height() // 2))
    qtbot.waitUntil(lambda: shown_index(window) == 30, timeout=WAIT_MS)
    assert window.controls.position.text() == "0:01.5"


def test_a_drag_scrubs_and_ends_where_it_was_let_go(qtbot: QtBot, open_window, clip: Path):
    window = open_window(clip)
    pause_at(qtbot, window, 0)
    bar = window.controls.seek_bar
    middle = bar.height() // 2
    qtbot.mousePress(bar, LEFT, pos=QPoint(round(bar.x_of(0.2)), middle))
    for step in range(1, 9):
        qtbot.mouseMove(bar, QPoint(round(bar.x_of(0.2 + 0.15 * step)), middle))
    qtbot.mouseRelease(bar, LEFT, pos=QPoint(round(bar.x_of(1.425)), middle))
    qtbot.waitUntil(lambda: shown_index(window) == 28, timeout=WAIT_MS)


@pytest.mark.parametrize(("key", "expected"), [(Qt.Key.Key_Home, 0), (Qt.Key.Key_End, 39), (Qt.Key.Key_Right, 39)])
def test_keys_jump(qtbot: QtBot, open_window, clip: Path, key: Qt.Key, expected: int):
    window = open_window(clip)
    pause_at(qtbot, window, 7)
    qtbot.keyClick(window, key)
    qtbot.waitUntil(lambda: shown_index(window) == expected, timeout=WAIT_MS)


def test_left_jumps_five_seconds_back(qtbot: QtBot, open_window, tmp_path: Path):
    window = open_window(make_clip(tmp_path / "long.mp4", 140))
    pause_at(qtbot, window, 120)
    qtbot.keyClick(window, Qt.Key.Key_Left)
    qtbot.waitUntil(lambda: shown_index(window) == 20, timeout=WAIT_MS)


def test_at_the_end_it_stops_and_play_starts_over(qtbot: QtBot, open_window, clip: Path):
    window = open_window(clip)
    wait_state(qtbot, window, PlayerState.ENDED)
    assert shown_index(window) == 39
    assert window.controls.seek_bar.position_s == pytest.approx(2.0)
    assert window.actions_by_id["play"].text() == "Play again"
    qtbot.keyClick(window, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: shown_index(window) < 20, timeout=WAIT_MS)
    wait_state(qtbot, window, PlayerState.PLAYING)


def test_it_has_not_ended_before_the_last_frame_is_shown(qtbot: QtBot, open_window, tmp_path: Path, monkeypatch):
    convert, held_up, may_go = AvPicture.scaled_bgra, threading.Event(), threading.Event()

    def slow(picture: AvPicture, width: int, height: int) -> ByteArray:
        if is_near(picture.rgb()[0, 0], RED):
            held_up.set()
            may_go.wait(WAIT_MS / 1000)
        return convert(picture, width, height)

    monkeypatch.setattr(AvPicture, "scaled_bgra", slow)
    window = open_window(make_clip(tmp_path / "short.mp4", 6, colors=[GREEN] * 5 + [RED]))
    qtbot.waitUntil(lambda: shown_index(window) >= 0 and held_up.is_set(), timeout=WAIT_MS)
    qtbot.wait(300)
    early = window.player.state, window.actions_by_id["play"].text()
    may_go.set()
    assert early == (PlayerState.PLAYING, "Pause")
    wait_state(qtbot, window, PlayerState.ENDED)
    assert shown_index(window) == 5


def test_a_resize_at_the_end_does_not_take_the_end_back(qtbot: QtBot, open_window, clip: Path):
    window = open_window(clip)
    wait_state(qtbot, window, PlayerState.ENDED)
    window.player.listen(lambda: None, lambda: None)  # nobody takes it yet
    window.player.rescale(window.view.shown)
    qtbot.waitUntil(lambda: "seg-rescale" not in worker_threads(), timeout=WAIT_MS)
    assert window.player.state is PlayerState.ENDED
    assert window.player.take().shot is window.view.shown.shot


def test_loop_starts_over_by_itself(qtbot: QtBot, open_window, tmp_path: Path):
    window = open_window(make_clip(tmp_path / "short.mp4", 10))
    wait_state(qtbot, window, PlayerState.PLAYING)
    window.actions_by_id["loop"].trigger()
    qtbot.waitUntil(lambda: shown_index(window) >= 8, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: shown_index(window) < 4, timeout=WAIT_MS)
    assert window.player.state is PlayerState.PLAYING


def test_speed_keys_go_through_the_steps_and_stop_at_the_ends(qtbot: QtBot, open_window, clip: Path):
    window = open_window(clip)
    wait_state(qtbot, window, PlayerState.PLAYING)
    names = []
    for _ in range(3):
        qtbot.keyClick(window, "]")
        names.append(window.controls.speed_button.text())
    for _ in range(5):
        qtbot.keyClick(window, "[")
    assert names == ["2×", "4×", "4×"]
    assert window.player.speed == 0.25 and window.controls.speed_button.text() == "¼×"


def test_faster_takes_less_time(qtbot: QtBot, open_window, tmp_path: Path):
    window = open_window(make_clip(tmp_path / "long.mp4", 160))  # 8 s
    wait_state(qtbot, window, PlayerState.PLAYING)
    window.controls.speed_chosen.emit(4.0)
    shown: list[tuple[float, float]] = []
    window.presenter.shot_shown.connect(lambda shot: shown.append((time.monotonic(), shot.frame.time_s)))
    qtbot.waitUntil(lambda: window.player.state is PlayerState.ENDED, timeout=WAIT_MS)
    speeds = [(media - before) / (at - was) for (was, before), (at, media) in zip(shown, shown[8:], strict=False)]
    assert median(speeds) > 2  # 4, but for the pictures that a busy machine shows late


def _opens_with(monkeypatch: pytest.MonkeyPatch, **fields: object) -> None:
    """Sources that say something else of themselves."""
    really_open = awaited.open_source

    def open_source(text: str, **how: bool) -> Source:
        source = really_open(text, **how)
        source.info = replace(source.info, **fields)
        return source

    monkeypatch.setattr(awaited, "open_source", open_source)


def test_without_a_length_the_time_line_learns_it(qtbot: QtBot, open_window, clip: Path, monkeypatch):
    _opens_with(monkeypatch, duration_s=None, frame_count=None)
    window = open_window(clip)
    wait_state(qtbot, window, PlayerState.PLAYING)
    assert window.controls.length.text() == "–:––" and not window.controls.seek_bar.isEnabled()
    wait_state(qtbot, window, PlayerState.ENDED)
    qtbot.waitUntil(window.controls.seek_bar.isEnabled, timeout=WAIT_MS)
    assert window.controls.length.text() == "0:02.0"


def test_what_cannot_seek_has_no_time_line(qtbot: QtBot, open_window, clip: Path, monkeypatch):
    _opens_with(monkeypatch, can_seek=False)
    window = open_window(clip)
    wait_state(qtbot, window, PlayerState.PLAYING)
    assert not window.controls.seek_bar.isEnabled() and not window.actions_by_id["forward"].isEnabled()


def test_the_picture_keeps_its_shape(qtbot: QtBot, open_window, tmp_path: Path):
    window = open_window(make_clip(tmp_path / "wide.mp4", 4, sample_aspect=Fraction(2)))
    wait_state(qtbot, window, PlayerState.ENDED)
    rect = window.view.picture_rect()
    assert rect.width() / rect.height() == pytest.approx(2 * 160 / 96, rel=0.01)


def test_numbers_are_shown(qtbot: QtBot, open_window, clip: Path):
    window = open_window(clip)
    qtbot.waitUntil(lambda: window.stats.text("display").split()[0] not in ("–", "0.0"), timeout=WAIT_MS)
    assert window.stats.text("source").endswith("fps")
    assert "ms" in window.stats.text("latency") and "median" in window.stats.text("inference")
    counts = window.player.ledger.snapshot().counts
    assert 0 < counts["display"] <= counts["engine"]


@pytest.mark.parametrize(
    ("picture", "view", "size"),
    [((1920, 1080), (960, 1000), (960, 540)), ((480, 360), (960, 720), (960, 720)), ((8, 4000), (100, 100), (1, 100))],
)
def test_size_to_show(picture: tuple[int, int], view: tuple[int, int], size: tuple[int, int]):
    assert size_to_show(*picture, Fraction(1), view) == size


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "–:––"), (0, "0:00"), (4.26, "0:04"), (59.96, "1:00"), (754, "12:34"), (3723, "1:02:03")],
)
def test_clock_text(seconds: float | None, text: str):
    assert clock_text(seconds) == text


def test_clock_text_with_tenths():
    assert clock_text(59.96, tenths=True) == "1:00.0"
    assert clock_text(4.26, tenths=True) == "0:04.3"


def test_a_time_line_without_length_does_not_react(qtbot: QtBot):
    bar = SeekBar()
    qtbot.addWidget(bar)
    bar.resize(200, 24)
    with qtbot.assertNotEmitted(bar.sought):
        qtbot.mouseClick(bar, LEFT, pos=QPoint(100, 12))
