"""Quick presses are never lost: each counts from where the one before leads to, playing or paused."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from seg_viewer.gui.main_window import MainWindow
from seg_viewer.jobs.options import RunOptions
from seg_viewer.player.playback import PlayerState
from tests.clips import make_clip
from tests.transport_stream import begun_at

from .conftest import WAIT_MS, pause_at, shown_index, wait_state

RATE = 5
LEFT, RIGHT = Qt.Key.Key_Left, Qt.Key.Key_Right


@pytest.fixture(scope="session")
def two_minutes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """600 frames at 5 a second; key frames every 250."""
    path = tmp_path_factory.mktemp("clips") / "two_minutes.mp4"
    return make_clip(path, frames=600, rate=RATE, options={"g": "250", "sc_threshold": "0", "bf": "2"})


def _press(qtbot: QtBot, window: MainWindow, *keys: Qt.Key | str) -> None:
    for key in keys:
        qtbot.keyClick(window, key)


def _wait_index(qtbot: QtBot, window: MainWindow, index: int) -> None:
    qtbot.waitUntil(lambda: shown_index(window) == index, timeout=WAIT_MS)


@pytest.mark.parametrize(
    ("start", "keys", "expected"),
    [
        (30, [RIGHT] * 10, 280),  # 50 s, across a key frame
        (280, [LEFT] * 10, 30),
        (245, ["."] * 10, 255),
        (255, [","] * 10, 245),
        (252, [",", ".", ",", ",", "."] * 3, 249),
        (100, [RIGHT, ".", ".", RIGHT, ",", LEFT], 126),
        (100, [".", LEFT, ",", ",", RIGHT, RIGHT], 124),
        (20, [LEFT] * 3 + [RIGHT], 25),  # from the start, where it was clamped
        (4, [","] * 10 + ["."] * 3, 3),
        (595, ["."] * 10 + [","] * 3, 596),
        (580, [RIGHT] * 3 + [LEFT], 575),
        (300, [Qt.Key.Key_Home, RIGHT, RIGHT], 50),
        (300, [Qt.Key.Key_End, LEFT, LEFT], 550),
    ],
)
def test_quick_presses_while_paused_add_up(
    qtbot: QtBot, open_window, two_minutes: Path, start: int, keys: list[Qt.Key | str], expected: int
) -> None:
    window = open_window(two_minutes)
    pause_at(qtbot, window, start, RATE)
    _press(qtbot, window, *keys)
    _wait_index(qtbot, window, expected)
    qtbot.wait(150)
    assert shown_index(window) == expected and window.player.state in (PlayerState.PAUSED, PlayerState.ENDED)


@pytest.mark.parametrize(("key", "sign"), [(RIGHT, 1), (LEFT, -1)])
def test_quick_presses_while_playing_add_up(qtbot: QtBot, open_window, two_minutes: Path, key: Qt.Key, sign: int):
    window = open_window(two_minutes)
    pause_at(qtbot, window, 270, RATE)
    window.transport.set_speed(0.25)  # a frame lasts 0.8 s
    qtbot.keyClick(window, Qt.Key.Key_Space)
    wait_state(qtbot, window, PlayerState.PLAYING)
    _press(qtbot, window, *[key] * 10)
    least = 270 + sign * 250
    qtbot.waitUntil(lambda: abs(shown_index(window) - least) < 60, timeout=WAIT_MS)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    assert least <= shown_index(window) < least + 25  # it plays on meanwhile, on a busy machine for seconds


def test_quick_steps_while_playing_count_from_the_frame_that_is_shown(qtbot: QtBot, open_window, two_minutes: Path):
    window = open_window(two_minutes)
    pause_at(qtbot, window, 300, RATE)
    window.transport.set_speed(0.25)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    wait_state(qtbot, window, PlayerState.PLAYING)
    start = shown_index(window)
    _press(qtbot, window, *[","] * 10)
    wait_state(qtbot, window, PlayerState.PAUSED)
    qtbot.waitUntil(lambda: shown_index(window) in (start - 10, start - 9), timeout=WAIT_MS)  # one more may come in


VARIABLE = [0, 40, 300, 310, 360, 1200, 1230, 1500, 1533, 1570, 1600, 2400, 2410, 2500, 2900, 3000, 3050, 3100]
"""Times in milliseconds."""


def _clip(folder: Path, kind: str) -> tuple[Path, int]:
    if kind == "variable rate":
        path = make_clip(
            folder / "variable.mkv", frames=len(VARIABLE), pts=VARIABLE, time_base=Fraction(1, 1000), options={"g": "6"}
        )
        return path, len(VARIABLE)
    piece = make_clip(folder / "a.ts", frames=30, options={"g": "12", "bf": "2"})
    (folder / "jump.ts").write_bytes(piece.read_bytes() + begun_at(piece.read_bytes(), 90_000_000))
    return folder / "jump.ts", 60


@pytest.mark.parametrize("kind", ["variable rate", "clock that jumps"])
def test_steps_meet_every_frame_once_each_way(
    qtbot: QtBot, open_window, tmp_path: Path, model: Path, kind: str
) -> None:
    path, count = _clip(tmp_path, kind)
    window = open_window(path, RunOptions(model=str(model)))
    wait_state(qtbot, window, PlayerState.ENDED)
    last = window.view.shown.shot.frame.id.pts
    there: list[int] = []
    for key, seen in ((",", there), (".", [])):
        for _ in range(count - 1):
            before = window.view.shown.shot
            qtbot.keyClick(window, key)
            qtbot.waitUntil(lambda before=before: window.view.shown.shot is not before, timeout=WAIT_MS)
            seen.append(window.view.shown.shot.frame.id.pts)
    assert there == sorted(there, reverse=True) and len(set(there)) == count - 1
    assert seen == [*reversed(there[:-1]), last]


def test_the_time_is_that_of_the_picture_and_the_handle_runs_ahead(qtbot: QtBot, open_window, two_minutes: Path):
    window = open_window(two_minutes)
    pause_at(qtbot, window, 50, RATE)
    bar = window.controls.seek_bar
    _press(qtbot, window, *[RIGHT] * 4)
    assert window.controls.position.text() == "0:10.0" and bar.position_s == pytest.approx(30.0)
    told = set()

    def look() -> bool:
        time_s = window.view.shown.shot.frame.time_s
        told.add((window.controls.position.text(), f"0:{time_s:04.1f}"))
        return shown_index(window) == 150

    qtbot.waitUntil(look, timeout=WAIT_MS)
    assert all(label == picture for label, picture in told)
    assert bar.position_s == pytest.approx(30.0)
