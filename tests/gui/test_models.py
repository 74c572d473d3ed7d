"""The menu "Model": what runs is marked, another one takes over where the video is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from seg_viewer.gui.main_window import MainWindow
from seg_viewer.jobs.options import RunOptions
from seg_viewer.player.playback import PlayerState
from seg_viewer.sources import awaited
from tests.models import color_model
from tests.servers.http_video import HttpVideo

from .conftest import WAIT_MS, make_clip, pause_at, shown_index, wait_state, worker_threads
from .modal_dialogs import ModalDialogs, types

pytestmark = pytest.mark.usefixtures("two_shipped")
FINE_MAP = (64, 96)


def _entries(window: MainWindow) -> dict[str, bool]:
    """What the menu lists above the line, and whether it is marked."""
    actions = window.menuBar().actions()[2].menu().actions()
    listed = actions[: next(i for i, action in enumerate(actions) if action.isSeparator())]
    return {action.text(): action.isChecked() for action in listed}


def _choose(window: MainWindow, start: str) -> None:
    next(a for a in window.menuBar().actions()[2].menu().actions() if a.text().startswith(start)).trigger()


def _wait_model(qtbot: QtBot, window: MainWindow, name: str) -> None:
    """Until a model runs and a shot of it is shown."""

    def is_there() -> bool:
        spec, shown = window.player.spec, window.view.shown
        return bool(spec and spec.name == name and shown and shown.shot.classes.shape == (spec.height, spec.width))

    qtbot.waitUntil(is_there, timeout=WAIT_MS)


@pytest.fixture
def window(open_window, clip: Path) -> MainWindow:
    return open_window(clip, RunOptions())


def test_what_ships_is_listed_and_what_runs_is_marked(qtbot: QtBot, window: MainWindow):
    wait_state(qtbot, window, PlayerState.PLAYING)
    assert _entries(window) == {"driving-fast (the default here)": True, "driving-fine": False}
    assert window.stats.text("model").startswith("driving-fast\n64×32")
    assert [menu.text() for menu in window.menuBar().actions()][2] == "&Model"


def test_the_place_and_the_pause_stay(qtbot: QtBot, window: MainWindow):
    pause_at(qtbot, window, 12)
    _choose(window, "driving-fine")
    _wait_model(qtbot, window, "driving-fine")
    wait_state(qtbot, window, PlayerState.PAUSED)
    assert shown_index(window) == 12 and window.view.shown.shot.classes.shape == FINE_MAP
    assert window.controls.position.text() == "0:00.6"
    assert window.stats.text("model").startswith("driving-fine\n96×64")
    assert _entries(window) == {"driving-fast (the default here)": False, "driving-fine": True}
    assert window.player.options.model == "driving-fine"  # an export takes it too
    qtbot.keyClick(window, ".")
    qtbot.waitUntil(lambda: shown_index(window) == 13, timeout=WAIT_MS)


def test_what_plays_goes_on_from_there(qtbot: QtBot, open_window, tmp_path: Path):
    window = open_window(make_clip(tmp_path / "long.mp4", 140), RunOptions())
    window.player.speed = 0.25
    pause_at(qtbot, window, 100)
    window.actions_by_id["play"].trigger()
    _choose(window, "driving-fine")
    _wait_model(qtbot, window, "driving-fine")
    assert 100 <= shown_index(window) < 140
    wait_state(qtbot, window, PlayerState.PLAYING)
    assert window.player.speed == 0.25


def test_the_end_stays_the_end(qtbot: QtBot, window: MainWindow):
    wait_state(qtbot, window, PlayerState.ENDED)
    _choose(window, "driving-fine")
    _wait_model(qtbot, window, "driving-fine")
    wait_state(qtbot, window, PlayerState.ENDED)
    assert shown_index(window) == 39


def test_a_file_of_ones_own(qtbot: QtBot, window: MainWindow, tmp_path: Path, dialogs: ModalDialogs):
    own = color_model(tmp_path / "mine.onnx", 32, 32, name="mine")
    pause_at(qtbot, window, 7)
    dialogs.expect(types(own))
    window.actions_by_id["open-model"].trigger()
    _wait_model(qtbot, window, "mine")
    qtbot.waitUntil(lambda: shown_index(window) == 7, timeout=WAIT_MS)
    assert _entries(window)["mine.onnx"] and sum(_entries(window).values()) == 1
    _choose(window, "driving-fast")
    _wait_model(qtbot, window, "driving-fast")
    assert list(_entries(window)) == ["driving-fast (the default here)", "driving-fine", "mine.onnx"]


def test_a_file_that_is_no_model_costs_a_message_not_the_video(qtbot: QtBot, window: MainWindow, tmp_path: Path):
    bad = tmp_path / "bad.onnx"
    bad.write_bytes(b"not a model")
    pause_at(qtbot, window, 3)
    before = window.view.shown
    window.model_menu.use(str(bad))
    qtbot.waitUntil(lambda: bool(window.messages.texts("error")), timeout=WAIT_MS)
    assert "bad.onnx: is not an ONNX model" in window.messages.texts("error")[0]
    assert window.view.shown.shot is before.shot and window.player.state is PlayerState.PAUSED
    assert _entries(window) == {"driving-fast (the default here)": True, "driving-fine": False}


def test_after_a_start_with_a_bad_model_another_one_plays_it(qtbot: QtBot, open_window, clip: Path, tmp_path: Path):
    bad = tmp_path / "bad.onnx"
    bad.write_bytes(b"not a model")
    window = open_window(clip, RunOptions(model=str(bad)))
    wait_state(qtbot, window, PlayerState.ERROR)
    _choose(window, "driving-fast")
    wait_state(qtbot, window, PlayerState.PLAYING)
    assert window.messages.texts() == [] and _entries(window)["driving-fast (the default here)"]


def test_chosen_with_nothing_open_it_runs_the_next_source(qtbot: QtBot, open_window, clip: Path):
    window = open_window(options=RunOptions())
    _choose(window, "driving-fine")
    qtbot.waitUntil(lambda: _entries(window)["driving-fine"], timeout=WAIT_MS)
    assert window.stack.currentWidget() is window.start_page
    window.open(clip)
    _wait_model(qtbot, window, "driving-fine")


def test_the_newest_wish_counts(qtbot: QtBot, window: MainWindow, tmp_path: Path):
    own = color_model(tmp_path / "mine.onnx", 32, 32, name="mine")
    pause_at(qtbot, window, 5)
    for name in ("driving-fine", str(own), "driving-fine", "driving-fast", str(own)):
        window.model_menu.use(name)
    _wait_model(qtbot, window, "mine")
    qtbot.waitUntil(lambda: worker_threads().count("seg-player") == 1, timeout=WAIT_MS)
    assert window.player.spec.name == "mine"


def test_without_the_second_model_the_menu_has_one(qtbot: QtBot, open_window, clip: Path, two_shipped: Path):
    (two_shipped / "driving-fine.onnx").unlink()
    window = open_window(clip, RunOptions(engine="onnxruntime"))
    wait_state(qtbot, window, PlayerState.PLAYING)
    assert _entries(window) == {"driving-fast (the default here)": True}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[HttpVideo]:
    with HttpVideo(tmp_path, size=(160, 96), rate=8) as running:
        yield running


def test_what_is_live_stays_connected(qtbot: QtBot, open_window, server: HttpVideo):
    window = open_window(server.url(), RunOptions())
    wait_state(qtbot, window, PlayerState.PLAYING)
    source, asked = window.player.live_source, server.connections
    _choose(window, "driving-fine")
    _wait_model(qtbot, window, "driving-fine")
    wait_state(qtbot, window, PlayerState.PLAYING)
    assert window.player.live_source is source and window.player.live_status.connected
    assert server.connections == asked


class Watcher:
    """What a person sees of a window while something goes on: each state it was in at least once."""

    def __init__(self, window: MainWindow) -> None:
        self.states: set[PlayerState] = set()
        self.notices: set[str] = set()
        self.wrong: list[str] = []
        self._window = window
        self._timer = QTimer(window, interval=5)
        self._timer.timeout.connect(self._look)
        self._timer.start()

    def _look(self) -> None:
        window, shown = self._window, self._window.view.shown
        self.states.add(window.player.state)
        self.notices.add(window.view.notice)
        if shown is None or window.stack.currentWidget() is not window.view:
            self.wrong.append("no picture")
        elif not window.stats.text("model").startswith("driving-fine" if _is_fine(window) else "driving-fast"):
            self.wrong.append(f"{shown.shot.classes.shape} under the name {window.stats.text('model')}")


def _is_fine(window: MainWindow) -> bool:
    return window.view.shown.shot.classes.shape == FINE_MAP


@pytest.mark.parametrize("state", [PlayerState.PLAYING, PlayerState.PAUSED, PlayerState.ENDED])
def test_the_picture_stays_until_the_new_model_answers(
    qtbot: QtBot, open_window, tmp_path: Path, state: PlayerState, monkeypatch: pytest.MonkeyPatch
):
    opened: list[str] = []
    really_open = awaited.open_source
    monkeypatch.setattr(
        awaited, "open_source", lambda source, **how: opened.append(source) or really_open(source, **how)
    )
    window = open_window(make_clip(tmp_path / "long.mp4", 20 if state is PlayerState.ENDED else 200), RunOptions())
    if state is PlayerState.PAUSED:
        pause_at(qtbot, window, 12)
    wait_state(qtbot, window, state)
    watcher = Watcher(window)
    for name in ("driving-fine", "driving-fast", "driving-fine"):
        _choose(window, name)
        _wait_model(qtbot, window, name)
    assert watcher.wrong == [] and watcher.states == {state} and watcher.notices == {""}
    assert opened == [window.player.source]  # once
    if state is not PlayerState.PLAYING:
        assert shown_index(window) == (12 if state is PlayerState.PAUSED else 19)


def test_a_model_that_cannot_run_leaves_the_one_that_does(qtbot: QtBot, window: MainWindow, tmp_path: Path):
    own = color_model(tmp_path / "mine.onnx", 32, 32, name="mine")
    pause_at(qtbot, window, 5)
    before = window.view.shown
    own.write_bytes(b"gone bad since the menu read it")
    window.model_menu.chosen.emit(str(own))
    qtbot.waitUntil(lambda: bool(window.messages.texts("error")), timeout=WAIT_MS)
    assert "mine.onnx" in window.messages.texts("error")[0]
    assert window.view.shown.shot is before.shot and window.player.state is PlayerState.PAUSED
    assert window.player.options.model is None and window.player.options.model is None
    assert _entries(window) == {"driving-fast (the default here)": True, "driving-fine": False}
