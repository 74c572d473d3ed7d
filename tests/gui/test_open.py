"""Ways to open something, and what is said when that fails."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from seg_viewer.jobs.options import RunOptions
from seg_viewer.player.playback import PlayerState

from .conftest import WAIT_MS, make_clip, shown_index, wait_state
from .modal_dialogs import ModalDialogs, presses, types, types_all

LEFT = Qt.MouseButton.LeftButton


def test_an_empty_window_invites_and_cannot_play(open_window):
    window = open_window()
    assert window.stack.currentWidget() is window.start_page
    assert window.start_page.open_button.isVisible() and window.start_page.demo_button.isVisible()
    assert not window.actions_by_id["play"].isEnabled()
    assert not window.controls.isVisible() and not window.panel.isVisible()
    assert window.windowTitle() == "seg-viewer"


def test_a_source_of_the_command_line_plays_and_names_the_window(qtbot: QtBot, open_window, clip: Path):
    window = open_window(clip)
    wait_state(qtbot, window, PlayerState.PLAYING)
    assert window.windowTitle().startswith("colors.mp4")
    assert window.stack.currentWidget() is window.view
    assert window.controls.length.text() == "0:02.0"
    qtbot.waitUntil(lambda: "openvino" in window.stats.text("runs_on"), timeout=WAIT_MS)
    assert "64×32" in window.stats.text("model")


def test_the_menu_opens_what_the_dialog_returns(qtbot: QtBot, open_window, clip: Path, dialogs: ModalDialogs):
    window = open_window()
    dialogs.expect(types(clip))
    window.actions_by_id["open"].trigger()
    wait_state(qtbot, window, PlayerState.PLAYING)


def test_several_chosen_in_the_dialog_are_a_playlist(qtbot: QtBot, open_window, tmp_path: Path, dialogs: ModalDialogs):
    paths = [make_clip(tmp_path / f"{name}.mp4", 4) for name in "ab"]
    window = open_window()
    dialogs.expect(types_all(paths))
    window.actions_by_id["open"].trigger()
    qtbot.waitUntil(lambda: window.windowTitle() == "2/2  b.mp4 — seg-viewer", timeout=WAIT_MS)


@pytest.mark.parametrize("action", ["open", "open-folder", "open-model"])
def test_a_dialog_given_up_opens_nothing(open_window, dialogs: ModalDialogs, action: str):
    window = open_window()
    dialogs.expect(presses(Qt.Key.Key_Escape))
    window.actions_by_id[action].trigger()
    assert window.player.state is PlayerState.EMPTY and window.messages.texts() == []


def test_a_folder_of_pictures_opens(qtbot: QtBot, open_window, tmp_path: Path, dialogs: ModalDialogs):
    for index in range(6):
        cv2.imwrite(str(tmp_path / f"{index}.png"), np.full((48, 64, 3), (0, 0, 200), np.uint8))
    window = open_window()
    dialogs.expect(types(tmp_path))
    window.actions_by_id["open-folder"].trigger()
    wait_state(qtbot, window, PlayerState.ENDED)
    assert shown_index(window) == 5


def test_what_was_opened_is_offered_again(qtbot: QtBot, open_window, clip: Path):
    first = open_window(clip)
    wait_state(qtbot, first, PlayerState.PLAYING)
    first.close()
    second = open_window()
    (button,) = second.start_page.recent_buttons
    assert "colors.mp4" in button.text()
    qtbot.mouseClick(button, LEFT)
    wait_state(qtbot, second, PlayerState.PLAYING)


def test_the_recent_menu_opens_and_forgets(qtbot: QtBot, open_window, clip: Path):
    window = open_window(clip)
    wait_state(qtbot, window, PlayerState.PLAYING)
    first = window.recent_menu.actions()[0]
    assert first.text() == "colors.mp4" and first.toolTip() == str(clip)
    window.player.pause()
    wait_state(qtbot, window, PlayerState.PAUSED)
    first.trigger()
    wait_state(qtbot, window, PlayerState.PLAYING)
    window.recent_menu.actions()[-1].trigger()
    assert not window.recent_menu.isEnabled() and window.start_page.recent_buttons == []


def test_a_recent_file_that_is_gone_leaves_the_list(qtbot: QtBot, open_window, tmp_path: Path):
    path = make_clip(tmp_path / "short.mp4", 4)
    first = open_window(path)
    wait_state(qtbot, first, PlayerState.ENDED)
    first.close()
    path.unlink()
    second = open_window()
    qtbot.mouseClick(second.start_page.recent_buttons[0], LEFT)
    wait_state(qtbot, second, PlayerState.ERROR)
    assert second.start_page.recent_buttons == []


def _text_file(folder: Path) -> Path:
    path = folder / "text.mp4"
    path.write_text("this is no video\n" * 20)
    return path


def _empty_file(folder: Path) -> Path:
    path = folder / "empty.mp4"
    path.touch()
    return path


def _cut_file(folder: Path) -> Path:
    path = make_clip(folder / "cut.mp4", 10)
    path.write_bytes(path.read_bytes()[:600])
    return path


def _empty_folder(folder: Path) -> Path:
    path = folder / "nothing"
    path.mkdir()
    return path


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (_text_file, "not a video"),
        (_empty_file, "is empty"),
        (_cut_file, "cut"),
        (_empty_folder, "no pictures"),
        (lambda folder: folder / "missing.mp4", "no such file"),
    ],
)
def test_bad_input_is_one_line_in_the_window(qtbot: QtBot, open_window, tmp_path: Path, make, says: str):
    path = make(tmp_path)
    window = open_window(path)
    wait_state(qtbot, window, PlayerState.ERROR)
    (text,) = window.messages.texts("error")
    assert says in text and path.name in text and "\n" not in text
    assert window.messages.isVisible()
    assert window.stack.currentWidget() is window.start_page
    assert not window.actions_by_id["play"].isEnabled()


def test_a_file_that_is_no_model_is_told(qtbot: QtBot, open_window, clip: Path, tmp_path: Path):
    bad = tmp_path / "bad.onnx"
    bad.write_bytes(b"not a model")
    window = open_window(clip, RunOptions(model=str(bad)))
    wait_state(qtbot, window, PlayerState.ERROR)
    assert "bad.onnx" in window.messages.texts("error")[0]


def test_an_unknown_device_is_told(qtbot: QtBot, open_window, clip: Path, model: Path):
    window = open_window(clip, RunOptions(model=str(model), engine="openvino", device="NOSUCH"))
    wait_state(qtbot, window, PlayerState.ERROR)
    assert "NOSUCH" in window.messages.texts("error")[0]


def test_after_an_error_the_next_file_plays_and_the_message_is_gone(qtbot: QtBot, open_window, clip: Path, tmp_path):
    window = open_window(_text_file(tmp_path))
    wait_state(qtbot, window, PlayerState.ERROR)
    window.open(clip)
    wait_state(qtbot, window, PlayerState.PLAYING)
    assert window.messages.texts() == []


def test_another_file_replaces_the_one_that_plays(qtbot: QtBot, open_window, clip: Path, tmp_path: Path):
    window = open_window(clip)
    wait_state(qtbot, window, PlayerState.PLAYING)
    window.open(make_clip(tmp_path / "small.mp4", 6, size=(64, 64)))
    wait_state(qtbot, window, PlayerState.ENDED)
    assert window.windowTitle().startswith("small.mp4")
    assert window.view.shown.shot.frame.picture.width == 64


def test_a_long_path_does_not_widen_the_window(qtbot: QtBot, open_window, tmp_path: Path):
    window = open_window(tmp_path / ("x" * 200 + ".mp4"))
    wait_state(qtbot, window, PlayerState.ERROR)
    assert window.width() == 1000


def test_escape_dismisses_a_message(qtbot: QtBot, open_window, tmp_path: Path):
    window = open_window(tmp_path / "missing.mp4")
    wait_state(qtbot, window, PlayerState.ERROR)
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert window.messages.texts() == [] and not window.messages.isVisible()
