"""Two models on one picture, and how sure one is: through the real menus and keys, read from what is painted."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from seg_viewer.core.confidence import heat_bgra
from seg_viewer.core.disagreement import DIFFERS_COLOR
from seg_viewer.core.labels import DRIVING, Label, LabelSet
from seg_viewer.gui.main_window import MainWindow
from seg_viewer.gui.settings import load_settings, open_store
from seg_viewer.jobs.options import RunOptions
from seg_viewer.player.playback import PlayerState
from tests.models import BLUE, GREEN, GREY, color_margin, color_model

from .conftest import WAIT_MS, is_near, make_clip, mixed, pause_at, shown_index, wait_state
from .modal_dialogs import ModalDialogs, types
from .test_view import RGB, at, color

CAR, ROAD, PERSON = (DRIVING.by_name(name).color for name in ("car", "road", "person"))


@pytest.fixture
def swapped(tmp_path: Path) -> Path:
    """A model that takes cars for persons and persons for cars, at another size."""
    path = color_model(tmp_path / "swapped.onnx", 96, 64, name="swapped")
    names = ("background", "road", "person", "car")
    labels = LabelSet(
        [Label(index, name, DRIVING.by_name(name).color, bool(index)) for index, name in enumerate(names)]
    )
    return color_model(path, 96, 64, name="swapped", labels=labels)


@pytest.fixture
def halves(tmp_path: Path) -> Path:
    """A picture: cars above, road below."""
    picture = np.zeros((384, 640, 3), np.uint8)
    picture[:192], picture[192:] = BLUE, GREEN
    path = tmp_path / "halves.png"
    cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    return path


def _menu(window: MainWindow, *path: str) -> list[QAction]:
    """Entries of a menu that is reached by titles, opened as a click does."""
    menu: QMenu | None = None
    actions = window.menuBar().actions()
    for title in path:
        action = next(one for one in actions if one.text().replace("&", "") == title)
        menu = action.menu()
        menu.aboutToShow.emit()
        actions = menu.actions()
    return actions


def _click(qtbot: QtBot, window: MainWindow, *path: str) -> None:
    """Open a menu by a click, go into its sub-menus and to an entry by keys, and press Enter on it."""
    *menus, start = path
    bar, menu = window.menuBar(), None
    for title in menus:
        owner = menu or bar
        action = next(one for one in owner.actions() if one.text().replace("&", "") == title)
        if menu is None:
            qtbot.mouseClick(bar, Qt.MouseButton.LeftButton, pos=bar.actionGeometry(action).center())
        else:
            menu.setActiveAction(action)
            qtbot.keyClick(menu, Qt.Key.Key_Right)
        menu = action.menu()
        qtbot.waitUntil(menu.isVisible, timeout=WAIT_MS)
    assert menu is not None
    for _ in menu.actions():
        if (active := menu.activeAction()) is not None and active.text().replace("&", "").startswith(start):
            break
        qtbot.keyClick(menu, Qt.Key.Key_Down)
    else:
        pytest.fail(f"{start} cannot be reached by keys")
    qtbot.keyClick(menu, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: QApplication.activePopupWidget() is None, timeout=WAIT_MS)


def _marked(window: MainWindow) -> list[str]:
    return [one.text().replace("&", "") for one in _menu(window, "Model", "Compare with") if one.isChecked()]


def _choose_file(qtbot: QtBot, dialogs: ModalDialogs, window: MainWindow, path: Path) -> None:
    dialogs.expect(types(path))
    _click(qtbot, window, "Model", "Compare with", "Other model file")
    _activate(qtbot, window)


def _activate(qtbot: QtBot, window: MainWindow) -> None:
    """As a window manager does once a dialog is gone."""
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=WAIT_MS)


def _wait_maps(qtbot: QtBot, window: MainWindow, count: int) -> None:
    qtbot.waitUntil(
        lambda: window.view.shown is not None and len(window.view.shown.shot.maps) == count, timeout=WAIT_MS
    )


@pytest.mark.usefixtures("two_shipped")
def test_what_ships_can_be_compared_with_and_given_up_again(qtbot: QtBot, open_window, clip: Path) -> None:
    window: MainWindow = open_window(clip, RunOptions())
    pause_at(qtbot, window, 12)
    entries = {one.text().replace("&", ""): one for one in _menu(window, "Model", "Compare with")}
    assert list(entries)[:3] == ["Nothing", "driving-fast", "driving-fine"]
    assert not entries["driving-fast"].isEnabled() and entries["driving-fine"].isEnabled()  # the first runs already
    assert _marked(window) == ["Nothing"]
    _click(qtbot, window, "Model", "Compare with", "driving-fine")
    _wait_maps(qtbot, window, 2)
    assert shown_index(window) == 12 and window.player.state is PlayerState.PAUSED
    assert _marked(window) == ["driving-fine"]
    assert window.view.mode.id == "wipe-models" and window.player.spec.name == "driving-fast"
    qtbot.waitUntil(lambda: window.stats.text("difference").startswith("0.0 %"), timeout=WAIT_MS)
    assert "driving-fine" in window.stats.text("difference")
    assert window.messages.texts() == []
    _click(qtbot, window, "Model", "Compare with", "Nothing")
    _wait_maps(qtbot, window, 1)
    assert _marked(window) == ["Nothing"] and window.view.mode.id == "overlay"
    assert shown_index(window) == 12


def test_each_side_of_the_wipe_is_a_models_own(
    qtbot: QtBot, open_window, halves: Path, swapped: Path, dialogs: ModalDialogs
) -> None:
    window: MainWindow = open_window(halves)
    wait_state(qtbot, window, PlayerState.ENDED)
    _choose_file(qtbot, dialogs, window, swapped)
    _wait_maps(qtbot, window, 2)
    view = window.view

    def seen(x: float, y: float) -> RGB:
        return color(view, at(view, x, y))

    assert is_near(seen(0.25, 0.25), mixed(BLUE, CAR, 0.45))
    assert is_near(seen(0.75, 0.25), mixed(BLUE, PERSON, 0.45))
    for x in (0.25, 0.75):
        assert is_near(seen(x, 0.75), mixed(GREEN, ROAD, 0.45))
    assert view.shown.shot.disagreement.share == 0.5
    qtbot.keyClick(window, Qt.Key.Key_G)
    assert window.actions_by_id["disagreement"].isChecked()
    for x in (0.25, 0.75):
        assert is_near(seen(x, 0.25), mixed(mixed(BLUE, CAR, 0.45), DIFFERS_COLOR, 0.85), 60)
        assert is_near(seen(x, 0.7), mixed(GREEN, ROAD, 0.45))
    qtbot.keyClick(window, Qt.Key.Key_G)
    qtbot.keyClick(window, Qt.Key.Key_V, Qt.KeyboardModifier.ShiftModifier)
    left, right = (QPointF(view.width() * share, view.height() / 2) for share in (0.25, 0.75))
    assert is_near(color(view, at(view, 0.5, 0.25, left)), mixed(BLUE, CAR, 0.45))
    assert is_near(color(view, at(view, 0.5, 0.25, right)), mixed(BLUE, PERSON, 0.45))
    assert view._scene(view.shown).models == ("colors", "swapped")
    qtbot.mouseMove(view, at(view, 0.5, 0.25, right).toPoint())  # the value under the pointer is that side's
    assert view._scene(view.shown).halves[1].content.map == 1


def test_a_file_that_is_no_model_costs_one_line(
    qtbot: QtBot, open_window, clip: Path, tmp_path: Path, dialogs: ModalDialogs
) -> None:
    window: MainWindow = open_window(clip)
    wait_state(qtbot, window, PlayerState.PLAYING)
    bad = tmp_path / "bad.onnx"
    bad.write_bytes(b"nothing")
    _choose_file(qtbot, dialogs, window, bad)
    qtbot.waitUntil(lambda: bool(window.messages.texts("error")), timeout=WAIT_MS)
    (text,) = window.messages.texts("error")
    assert "bad.onnx" in text and "\n" not in text
    assert window.view.mode.id == "overlay" and _marked(window) == ["Nothing"]
    assert window.player.error is None


def _blinking(path: Path, model: Path, every: int) -> Path:
    """A clip that is grey but for frames `every`, 2 · `every`, … and the one after each, which are blue."""
    colors = [BLUE if index % every in (0, 1) and index >= every else GREY for index in range(60)]
    return make_clip(path, 60, colors=colors)


def test_it_goes_on_to_the_next_disagreement(
    qtbot: QtBot, open_window, tmp_path: Path, model: Path, swapped: Path
) -> None:
    window: MainWindow = open_window(_blinking(tmp_path / "blinks.mp4", model, 20))
    pause_at(qtbot, window, 3)

    qtbot.keyClick(window, Qt.Key.Key_G, Qt.KeyboardModifier.ShiftModifier)
    assert "Compare with" in window.messages.texts("info")[-1] and shown_index(window) == 3
    window.comparing.begin(str(swapped))
    _wait_maps(qtbot, window, 2)
    for expected in (20, 40):
        qtbot.keyClick(window, Qt.Key.Key_G, Qt.KeyboardModifier.ShiftModifier)
        qtbot.waitUntil(lambda expected=expected: shown_index(window) == expected, timeout=WAIT_MS)
        qtbot.waitUntil(lambda: "differ on 100.0 %" in " ".join(window.messages.texts("info")), timeout=WAIT_MS)
        assert window.player.state is PlayerState.PAUSED
    qtbot.keyClick(window, Qt.Key.Key_G, Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: "to the end" in " ".join(window.messages.texts("info")), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: shown_index(window) == 59, timeout=WAIT_MS)


@pytest.mark.parametrize("presses", [2, 3, 5])
def test_quick_presses_each_go_one_disagreement_further(
    qtbot: QtBot, open_window, tmp_path: Path, model: Path, swapped: Path, presses: int
) -> None:
    window: MainWindow = open_window(_blinking(tmp_path / "blinks.mp4", model, 10))
    pause_at(qtbot, window, 3)
    window.comparing.begin(str(swapped))
    _wait_maps(qtbot, window, 2)
    for _ in range(presses):
        qtbot.keyClick(window, Qt.Key.Key_G, Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: "differ on 100.0 %" in " ".join(window.messages.texts("info")), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: shown_index(window) == 10 * presses, timeout=WAIT_MS)
    assert window.player.state is PlayerState.PAUSED


def test_esc_stops_a_search(qtbot: QtBot, open_window, long_clip: Path, model: Path, tmp_path: Path) -> None:
    window: MainWindow = open_window(long_clip)
    wait_state(qtbot, window, PlayerState.PLAYING)
    twin = color_model(tmp_path / "twin.onnx", name="twin")  # never differs
    window.comparing.begin(str(twin))
    _wait_maps(qtbot, window, 2)
    qtbot.keyClick(window, Qt.Key.Key_G, Qt.KeyboardModifier.ShiftModifier)
    before = shown_index(window)
    qtbot.waitUntil(lambda: shown_index(window) > before + 2, timeout=WAIT_MS)  # pictures on the way are shown
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert window.player.search is not None and window.player.search.outcome is not None
    wait_state(qtbot, window, PlayerState.PAUSED)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    wait_state(qtbot, window, PlayerState.PLAYING)


def test_the_share_above_which_it_stops_is_chosen_and_remembered(qtbot: QtBot, open_window, clip: Path) -> None:
    window: MainWindow = open_window(clip)
    wait_state(qtbot, window, PlayerState.PLAYING)
    above = ("Model", "Compare with", "Next disagreement above")
    assert [one.text() for one in _menu(window, *above) if one.isChecked()] == ["5 % of the picture"]
    _click(qtbot, window, *above, "20 %")
    assert [one.text() for one in _menu(window, *above) if one.isChecked()] == ["20 % of the picture"]
    qtbot.waitUntil(lambda: load_settings(open_store()).differ_above == 0.2, timeout=WAIT_MS)


def test_whoever_saves_a_picture_of_two_models_is_told_that_it_shows_one(
    qtbot: QtBot, open_window, halves: Path, swapped: Path, tmp_path: Path
) -> None:
    window: MainWindow = open_window(halves)
    wait_state(qtbot, window, PlayerState.ENDED)
    window.comparing.begin(str(swapped))
    _wait_maps(qtbot, window, 2)
    assert window._export_options().model == window.player.options.model  # a plain RunOptions of the first one
    assert type(window._export_options()) is RunOptions
    window.memory.change(pictures_folder=str(tmp_path / "Pictures"))
    qtbot.keyClick(window, Qt.Key.Key_S)
    qtbot.waitUntil(
        lambda: any("colors, the first of the two models" in text for text in window.messages.texts("info")),
        timeout=WAIT_MS,
    )
    qtbot.waitUntil(lambda: bool(list(tmp_path.glob("Pictures/*.png"))), timeout=WAIT_MS)


# -- how sure ----------------------------------------------------------------------------------------------------------


def test_a_model_that_says_how_sure_it_is_can_be_seen_to(
    qtbot: QtBot, open_window, halves: Path, tmp_path: Path
) -> None:
    sure = color_model(tmp_path / "sure.onnx", name="sure", margin=True)
    window: MainWindow = open_window(halves, RunOptions(str(sure), "onnxruntime"))
    wait_state(qtbot, window, PlayerState.ENDED)
    qtbot.keyClick(window, Qt.Key.Key_C)
    view = window.view
    assert view.mode.id == "confidence" and window.actions_by_id["mode-confidence"].isChecked()
    for y, picture in ((0.25, BLUE), (0.75, GREEN)):
        margin = color_margin(np.array([[picture]], np.uint8))
        *bgr, alpha = (int(value) for value in heat_bgra(margin)[0, 0])
        expected = [heat + (1 - alpha / 255) * below for heat, below in zip(reversed(bgr), picture, strict=True)]
        assert is_near(color(view, at(view, 0.3, y)), expected, 12)
    assert window.messages.texts() == []
    qtbot.keyClick(window, Qt.Key.Key_T)  # without colours, and with them again
    assert is_near(color(view, at(view, 0.3, 0.25)), BLUE)


def test_a_model_that_does_not_is_told_and_shown_as_usual(qtbot: QtBot, open_window, halves: Path) -> None:
    window: MainWindow = open_window(halves)
    wait_state(qtbot, window, PlayerState.ENDED)
    qtbot.keyClick(window, Qt.Key.Key_C)
    assert window.messages.texts("info") and "does not say how sure" in window.messages.texts("info")[0]
    assert is_near(color(window.view, at(window.view, 0.3, 0.25)), mixed(BLUE, CAR, 0.45))


def test_light_is_unsure_and_dark_is_sure_for_every_margin() -> None:
    heat = heat_bgra(np.arange(256, dtype=np.uint8)[None])[0].astype(float)
    light = heat[:, :3] @ (0.114, 0.587, 0.299)
    assert (np.diff(light) <= 0.5).all() and light[0] > 200 and light[-1] < 20
    assert (heat[:, :3].max(axis=1) <= heat[:, 3]).all()  # premultiplied
    assert np.diff(heat[:, 3]).max() <= 1
