"""Opacity, hidden classes, outlines, full screen, screenshots, what is remembered."""

from __future__ import annotations

import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QAbstractButton, QDialogButtonBox, QLabel, QSlider, QWidget
from pytestqt.qtbot import QtBot

import seg_viewer
from seg_viewer.core.labels import DRIVING
from seg_viewer.core.overlay import OverlayStyle
from seg_viewer.gui import main_window
from seg_viewer.gui.actions import all_specs
from seg_viewer.gui.dialogs.help import AboutDialog, HelpDialog
from seg_viewer.gui.settings import MAX_RECENT, WindowSettings, load_settings, open_store, save_settings
from seg_viewer.jobs.options import RunOptions
from seg_viewer.player.playback import PlayerState
from tests.models import BLUE

from .conftest import WAIT_MS, is_near, make_clip, mixed, painted, pause_at, shown_index, wait_state

CAR = DRIVING.by_name("car").color
CAR_FRAME = 5


@pytest.fixture
def paused(qtbot: QtBot, open_window, clip: Path):
    """A window that stands on a frame full of "car"."""
    window = open_window(clip)
    pause_at(qtbot, window, CAR_FRAME)
    return window


def test_a_hidden_class_is_not_painted(qtbot: QtBot, paused):
    assert is_near(painted(paused), mixed(BLUE, CAR, 0.45))
    box = paused.legend.boxes["car"]
    qtbot.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(8, box.height() // 2))
    assert not paused.legend.boxes["car"].isChecked()
    assert is_near(painted(paused), BLUE)
    qtbot.keyClick(paused, Qt.Key.Key_2, Qt.KeyboardModifier.AltModifier)
    assert is_near(painted(paused), mixed(BLUE, CAR, 0.45))
    assert shown_index(paused) == CAR_FRAME


def _share(window, name: str) -> str:
    labels = window.legend.findChildren(QLabel)
    return next(label.text() for label in labels if label.accessibleName() == f"Share of the picture: {name}")


def test_the_legend_tells_shares_and_has_no_box_for_the_background(qtbot: QtBot, paused):
    assert list(paused.legend.boxes) == ["road", "car", "person"]
    qtbot.waitUntil(lambda: _share(paused, "car") == "100.0 %", timeout=WAIT_MS)
    assert _share(paused, "background") == "0.0 %"


def test_opacity_recolours_the_paused_picture(qtbot: QtBot, paused):
    paused.controls.opacity.setValue(100)
    assert is_near(painted(paused), CAR, by=2)
    paused.controls.opacity.setValue(0)
    assert is_near(painted(paused), BLUE)
    qtbot.keyClick(paused, Qt.Key.Key_Up)
    assert paused.controls.opacity.value() == 5 and paused.controls.opacity_text.text() == "5 %"


def test_the_overlay_can_be_switched_off(qtbot: QtBot, paused):
    qtbot.keyClick(paused, "t")
    assert is_near(painted(paused), BLUE)
    qtbot.keyClick(paused, "h")
    assert is_near(painted(paused), mixed(BLUE, CAR, 0.45))


def test_outlines_change_what_is_painted(qtbot: QtBot, open_window, tmp_path: Path):
    half = np.full((96, 160, 3), BLUE, np.uint8)
    half[:, :80] = (90, 90, 90)
    cv2.imwrite(str(tmp_path / "half.png"), cv2.cvtColor(half, cv2.COLOR_RGB2BGR))
    window = open_window(tmp_path / "half.png")
    wait_state(qtbot, window, PlayerState.ENDED)
    before = window.view.grab().toImage()
    qtbot.keyClick(window, "o")
    assert window.view.grab().toImage() != before
    assert is_near(painted(window), CAR, by=90)


def test_a_resize_while_paused_brings_a_sharp_picture(qtbot: QtBot, open_window, tmp_path: Path):
    window = open_window(make_clip(tmp_path / "large.mp4", 3, size=(1600, 900)))
    wait_state(qtbot, window, PlayerState.ENDED)
    for size in ((1000, 640), (1400, 860)):
        window.resize(*size)

        def is_sharp() -> None:
            assert window.view.shown.pixels.shape[1] == round(window.view.picture_rect().width())

        qtbot.waitUntil(is_sharp, timeout=WAIT_MS)


def test_full_screen_hides_everything_but_the_picture(qtbot: QtBot, paused):
    qtbot.keyClick(paused, "f")
    assert paused.isFullScreen() and not paused.menuBar().isVisible() and not paused.panel.isVisible()
    qtbot.waitUntil(lambda: paused.view.height() == paused.centralWidget().height(), timeout=WAIT_MS)
    assert paused.controls.isVisible()
    paused.full_screen.hide_after_ms = 50
    qtbot.mouseMove(paused.view, QPoint(40, 40))
    qtbot.waitUntil(lambda: not paused.controls.isVisible(), timeout=WAIT_MS)
    qtbot.mouseMove(paused.view, QPoint(60, 60))
    qtbot.keyClick(paused, Qt.Key.Key_Escape)
    assert not paused.isFullScreen() and paused.menuBar().isVisible() and paused.panel.isVisible()
    qtbot.waitUntil(lambda: paused.view.height() < paused.centralWidget().height(), timeout=WAIT_MS)
    assert paused.controls.isVisible()


def test_closed_in_full_screen_it_opens_as_a_window(qtbot: QtBot, open_window, paused):
    paused.actions_by_id["full-screen"].trigger()
    assert paused.isFullScreen()
    paused.close()
    again = open_window()
    assert not again.isFullScreen() and again.menuBar().isVisible()


def test_a_screenshot_has_full_size_and_the_overlay(qtbot: QtBot, open_window, tmp_path: Path):
    folder = tmp_path / "Pictures" / "new"
    window = open_window(make_clip(tmp_path / "big.mp4", 8, size=(1280, 720)))
    window.memory.change(pictures_folder=str(folder))
    pause_at(qtbot, window, CAR_FRAME)
    for count in (1, 2):
        qtbot.keyClick(window, "s")
        qtbot.waitUntil(lambda count=count: len(list(folder.glob("*.png"))) == count, timeout=WAIT_MS)
        qtbot.waitUntil(lambda count=count: len(window.messages.texts("info")) == count, timeout=WAIT_MS)
    files = sorted(folder.iterdir())
    assert files[0].name == "big_00m00.250s.png" and str(files[0]) in window.messages.texts("info")[0]
    picture = cv2.cvtColor(cv2.imread(str(files[0])), cv2.COLOR_BGR2RGB)
    assert picture.shape == (720, 1280, 3)
    assert is_near(picture[360, 640], mixed(BLUE, CAR, 0.45))


def test_closing_at_once_keeps_the_screenshot(qtbot: QtBot, open_window, tmp_path: Path, monkeypatch):
    encode = cv2.imencode
    monkeypatch.setattr(cv2, "imencode", lambda *args: time.sleep(0.5) or encode(*args))  # as an 8K picture takes
    window = open_window(make_clip(tmp_path / "big.mp4", 8))
    window.memory.change(pictures_folder=str(tmp_path / "Pictures"))
    pause_at(qtbot, window, CAR_FRAME)
    qtbot.keyClick(window, "s")
    window.close()
    (file,) = (tmp_path / "Pictures").iterdir()
    assert cv2.imread(str(file)) is not None


def test_a_screenshot_that_cannot_be_written_is_told(qtbot: QtBot, paused, tmp_path: Path):
    (tmp_path / "file").touch()
    paused.memory.change(pictures_folder=str(tmp_path / "file" / "below"))
    qtbot.keyClick(paused, "s")
    qtbot.waitUntil(lambda: bool(paused.messages.texts("error")), timeout=WAIT_MS)
    assert "screenshot" in paused.messages.texts("error")[0]


def test_settings_come_back_as_they_were():
    settings = WindowSettings(
        geometry=b"\x01\x02",
        opacity=0.7,
        outline=True,
        hidden=frozenset({"road"}),
        panel=False,
        last_folder="/films",
        recent=("/films/a.mp4", "/films/b, c.mp4"),
    )
    save_settings(open_store(), settings)
    assert load_settings(open_store()) == settings


def test_settings_of_another_version_or_damaged_ones_are_forgotten():
    store = open_store()
    save_settings(store, WindowSettings(opacity=0.9))
    store.setValue("opacity", "much")
    assert load_settings(store).opacity == WindowSettings().opacity
    store.setValue("version", "999")
    assert load_settings(store) == WindowSettings()


def test_the_recent_list_is_short_and_without_repeats():
    settings = WindowSettings()
    for number in [*range(12), 5]:
        settings = settings.with_recent(str(number))
    assert len(settings.recent) == MAX_RECENT and settings.recent[:2] == ("5", "11")


def test_the_look_is_remembered(qtbot: QtBot, open_window, paused, clip: Path):
    paused.controls.opacity.setValue(80)
    paused.legend.boxes["person"].setChecked(False)
    paused.actions_by_id["outline"].setChecked(True)
    paused.close()
    again = open_window(clip)
    wait_state(qtbot, again, PlayerState.PLAYING)
    assert again.controls.opacity.value() == 80
    assert not again.legend.boxes["person"].isChecked() and again.legend.boxes["car"].isChecked()
    assert again.actions_by_id["outline"].isChecked()


def test_a_style_of_the_command_line_wins(qtbot: QtBot, open_window, clip: Path, model: Path):
    save_settings(open_store(), WindowSettings(opacity=0.8, hidden=frozenset({"car"})))
    window = open_window(clip, RunOptions(model=str(model), style=OverlayStyle(opacity=0.2)))
    wait_state(qtbot, window, PlayerState.PLAYING)
    assert window.controls.opacity.value() == 20 and window.legend.boxes["car"].isChecked()


def test_every_control_has_a_name_for_screen_readers(paused):
    controls: list[QWidget] = paused.controls.findChildren(QAbstractButton) + paused.controls.findChildren(QSlider)
    assert len(controls) > 8
    assert [w.objectName() for w in controls if not (w.accessibleName() or getattr(w, "text", str)())] == []


def test_no_key_does_two_things():
    keys = [key for spec in all_specs() for key in spec.keys]
    assert len(keys) == len(set(keys))


def test_help_lists_every_key(qtbot: QtBot, open_window):
    window = open_window()
    qtbot.keyClick(window, Qt.Key.Key_F1)
    dialog = window.findChild(HelpDialog)
    assert dialog.isVisible()
    texts = {label.text() for label in dialog.findChildren(QLabel)}
    assert {"Space", "Ctrl+E", "F", "S", "0 … 9", "Alt+1 … Alt+9"} <= texts
    dialog.close()


def test_help_fits_the_screen_and_scrolls_by_keys(qtbot: QtBot, open_window):
    window = open_window()
    qtbot.keyClick(window, Qt.Key.Key_F1)
    dialog = window.findChild(HelpDialog)
    qtbot.waitUntil(dialog.isActiveWindow, timeout=WAIT_MS)
    room = dialog.screen().availableGeometry()
    assert dialog.height() <= room.height() and dialog.width() <= room.width()
    assert dialog.area.horizontalScrollBar().maximum() == 0  # nothing is cut off at the side
    for height in (room.height() - 40, 300):
        dialog.resize(dialog.width(), height)
        close = dialog.findChild(QDialogButtonBox)
        assert dialog.rect().contains(close.geometry())
        bar = dialog.area.verticalScrollBar()
        qtbot.waitUntil(lambda bar=bar: bar.maximum() > 0, timeout=WAIT_MS)
        qtbot.keyClick(dialog.focusWidget(), Qt.Key.Key_PageDown)
        assert bar.value() > 0
        bar.setValue(0)
    qtbot.keyClick(dialog.focusWidget(), Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: window.findChild(HelpDialog) is None, timeout=WAIT_MS)


def test_about_tells_the_version(qtbot: QtBot, open_window):
    window = open_window()
    window.actions_by_id["about"].trigger()
    dialog = window.findChild(AboutDialog)
    assert any(seg_viewer.__version__ in label.text() for label in dialog.findChildren(QLabel))
    dialog.close()


def test_the_smallest_promised_size_holds_everything(paused):
    paused.resize(1000, 640)
    for button in (b for b in paused.controls.findChildren(QAbstractButton) if b.isVisible()):
        assert paused.controls.rect().contains(button.geometry()), button.objectName()
        assert button.width() >= button.minimumSizeHint().width()
    assert main_window.MainWindow.minimumSizeHint(paused).width() <= 1000


CAR_AS_BRIGHT, PERSON_AS_BRIGHT = (80, 80, 240), (200, 55, 55)
"""Of the same luma: a picture stands still where one becomes the other."""


@pytest.fixture
def flickering(tmp_path: Path) -> Path:
    """A car, which the model takes for a person in frames 10, 11 and 20."""
    colors = [PERSON_AS_BRIGHT if number in (10, 11, 20) else CAR_AS_BRIGHT for number in range(40)]
    return make_clip(tmp_path / "flickers.mp4", colors=colors)


def test_steady_classes_are_switched_by_their_key_and_remembered(qtbot: QtBot, open_window, flickering: Path):
    window = open_window(flickering)
    car, person = 2, 3

    def goes_to(index: int, class_id: int) -> None:
        def is_there() -> None:
            assert shown_index(window) == index and (window.view.shown.shot.classes == class_id).all()

        qtbot.waitUntil(is_there, timeout=WAIT_MS)

    pause_at(qtbot, window, 8)
    assert window.actions_by_id["steady"].isChecked()
    for index in (9, 10, 11, 12):
        qtbot.keyClick(window, ".")
        goes_to(index, car)
    for index in (11, 10):
        qtbot.keyClick(window, ",")
        goes_to(index, car)  # as it was shown
    qtbot.keyClick(window, Qt.Key.Key_Y, Qt.KeyboardModifier.ShiftModifier)
    goes_to(10, person)
    assert not window.actions_by_id["steady"].isChecked() and not window._export_options().steady
    for index, class_id in ((11, person), (12, car)):
        qtbot.keyClick(window, ".")
        goes_to(index, class_id)
    window.close()
    again = open_window(flickering)
    assert not again.actions_by_id["steady"].isChecked() and not again.player.steady
    assert not load_settings(open_store()).steady


@pytest.mark.parametrize("on", [True, False])
def test_steady_or_not_by_the_command_line_wins_and_is_not_kept(open_window, flickering: Path, model: Path, on: bool):
    save_settings(open_store(), WindowSettings(steady=not on))
    window = open_window(flickering, RunOptions(str(model), steady=on))
    assert window.actions_by_id["steady"].isChecked() is on and window.player.steady is on
    window.close()
    assert load_settings(open_store()).steady is not on
