"""Colours of classes in the window: by the legend, by palette, hatched; remembered, and used by all that is made."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QColorDialog, QLabel, QLineEdit
from pytestqt.qtbot import QtBot

from seg_viewer.core.labels import DRIVING
from seg_viewer.core.overlay import OverlayStyle
from seg_viewer.core.palette import PALETTES
from seg_viewer.gui.class_colors import OFFERED
from seg_viewer.gui.settings import WindowSettings, load_settings, open_store, save_settings, style_changes
from seg_viewer.gui.widgets.color_popup import ColorPopup
from seg_viewer.jobs.options import RunOptions
from seg_viewer.player.playback import PlayerState
from tests.models import BLUE, GREEN

from .conftest import WAIT_MS, is_near, mixed, painted, pause_at, shown_index, wait_state
from .export_helpers import first_color

CAR = DRIVING.by_name("car").color
CAR_FRAME = 5
OKABE_CAR = PALETTES["okabe-ito"].named["car"]


@pytest.fixture
def paused(qtbot: QtBot, open_window, clip: Path):
    """A window that stands on a frame full of "car"."""
    window = open_window(clip)
    pause_at(qtbot, window, CAR_FRAME)
    return window


def _open_popup(qtbot: QtBot, window, name: str = "car") -> ColorPopup:
    qtbot.mouseClick(window.legend.swatches[name], Qt.MouseButton.LeftButton)
    popup = QApplication.activePopupWidget()
    assert isinstance(popup, ColorPopup)
    return popup


def _pick(qtbot: QtBot, menu, name: str) -> None:
    menu.popup(QPoint(0, 0))
    qtbot.waitUntil(menu.isVisible, timeout=WAIT_MS)
    qtbot.mouseClick(menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(menu.choices[name]).center())
    menu.close()


def _shows(window, color: tuple[int, int, int]) -> bool:
    return is_near(painted(window), mixed(BLUE, color, 0.45)) and window.legend.swatches["car"].color == color


def test_a_press_of_the_swatch_gives_a_class_another_colour(qtbot: QtBot, paused):
    popup = _open_popup(qtbot, paused)
    assert not popup.reset_button.isEnabled()
    qtbot.mouseClick(popup.swatches["orange"], Qt.MouseButton.LeftButton)
    assert _shows(paused, OFFERED["orange"]) and not QApplication.activePopupWidget()
    assert paused.legend.swatches["road"].color == DRIVING.by_name("road").color
    popup = _open_popup(qtbot, paused)
    qtbot.mouseClick(popup.reset_button, Qt.MouseButton.LeftButton)
    assert _shows(paused, CAR)


def test_the_same_by_keyboard(qtbot: QtBot, paused):
    swatch = paused.legend.swatches["car"]
    assert swatch.accessibleName() == "Colour of car"
    swatch.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(swatch, Qt.Key.Key_Space)
    popup = QApplication.activePopupWidget()
    assert isinstance(popup, ColorPopup) and popup.swatches["orange"].hasFocus()
    qtbot.keyClick(popup.focusWidget(), Qt.Key.Key_Tab)
    qtbot.keyClick(popup.focusWidget(), Qt.Key.Key_Return)
    assert _shows(paused, OFFERED["sky blue"])
    assert paused.player.state is PlayerState.PAUSED and shown_index(paused) == CAR_FRAME
    qtbot.keyClick(swatch, Qt.Key.Key_Return)
    qtbot.keyClick(QApplication.activePopupWidget(), Qt.Key.Key_Escape)
    assert not QApplication.activePopupWidget() and _shows(paused, OFFERED["sky blue"])


def test_any_other_colour_is_seen_while_it_is_chosen(qtbot: QtBot, paused):
    popup = _open_popup(qtbot, paused)
    qtbot.mouseClick(popup.other_button, Qt.MouseButton.LeftButton)
    (dialog,) = paused.findChildren(QColorDialog)
    assert dialog.isVisible() and not dialog.isModal() and dialog.windowTitle() == "Colour of car"
    field = dialog.findChild(QLineEdit, "qt_colorname_lineedit") or dialog.findChildren(QLineEdit)[-1]
    for key, kept in (("#ff8020", True), ("#20ff80", False)):
        field.selectAll()
        qtbot.keyClicks(field, key)
        color = tuple(int(key[at : at + 2], 16) for at in (1, 3, 5))
        assert _shows(paused, color)
        if not kept:
            dialog.reject()
    assert _shows(paused, CAR)


def test_a_palette_colours_all_classes_and_own_colours_win(qtbot: QtBot, paused):
    menu = paused.class_colors.menu
    assert not paused.class_colors.forget.isEnabled()
    _pick(qtbot, menu, "okabe-ito")
    assert _shows(paused, OKABE_CAR)
    qtbot.mouseClick(_open_popup(qtbot, paused).swatches["red"], Qt.MouseButton.LeftButton)
    assert _shows(paused, OFFERED["red"])
    _pick(qtbot, menu, "classic")
    assert _shows(paused, OFFERED["red"]) and paused.legend.swatches["road"].color == DRIVING.by_name("road").color
    paused.class_colors.forget.trigger()
    assert _shows(paused, CAR) and not paused.class_colors.forget.isEnabled()


def _varies(window) -> bool:
    """Whether the picture, which is of one colour, is shown in more than one."""
    image = window.view.grab().toImage()
    middle = window.view.picture_rect().center().toPoint() * image.devicePixelRatio()
    column = [image.pixelColor(middle.x(), middle.y() + down).blue() for down in range(-60, 60)]
    return max(column) - min(column) > 20


def test_hatching_draws_stripes_in_picture_and_legend(qtbot: QtBot, paused):
    swatch = paused.legend.swatches["car"]
    plain = swatch.grab().toImage()
    assert not _varies(paused)
    qtbot.keyClick(paused, "O", Qt.KeyboardModifier.ShiftModifier)
    assert _varies(paused) and swatch.grab().toImage() != plain and paused.actions_by_id["hatch"].isChecked()
    qtbot.keyClick(paused, "O", Qt.KeyboardModifier.ShiftModifier)
    assert not _varies(paused) and swatch.grab().toImage() == plain


def test_colours_are_used_by_what_is_made_and_remembered(qtbot: QtBot, open_window, paused, clip: Path, tmp_path: Path):
    folder = tmp_path / "Pictures"
    paused.memory.change(pictures_folder=str(folder))
    _pick(qtbot, paused.class_colors.menu, "okabe-ito")
    qtbot.mouseClick(_open_popup(qtbot, paused, "road").swatches["reddish purple"], Qt.MouseButton.LeftButton)
    qtbot.keyClick(paused, "e", Qt.KeyboardModifier.ControlModifier)
    dialog = paused.outputs.export_dialog
    text = "As now: 45 % colour, Okabe–Ito palette, own colours for road"
    assert text in [label.text() for label in dialog.findChildren(QLabel)]
    out = tmp_path / "seen.mp4"
    dialog.output.setText(str(out))
    qtbot.mouseClick(dialog.export_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not dialog.running, timeout=2 * WAIT_MS)
    assert is_near(first_color(out), mixed(GREEN, OFFERED["reddish purple"], 0.45), 14)
    dialog.close()
    paused.activateWindow()
    qtbot.waitUntil(paused.isActiveWindow, timeout=WAIT_MS)
    qtbot.keyClick(paused, "s")
    qtbot.waitUntil(lambda: len(list(folder.glob("*.png"))) == 1, timeout=WAIT_MS)
    picture = cv2.imread(str(next(folder.glob("*.png"))))[:, :, ::-1]
    assert is_near(np.median(picture, axis=(0, 1)), mixed(BLUE, OKABE_CAR, 0.45))
    paused.actions_by_id["hatch"].trigger()
    paused.close()
    again = open_window(clip)
    wait_state(qtbot, again, PlayerState.PLAYING)
    assert again.look.style == paused.look.style and again.actions_by_id["hatch"].isChecked()
    assert again.legend.swatches["road"].color == OFFERED["reddish purple"]
    assert again.class_colors.menu.choices["okabe-ito"].isChecked()


def test_settings_keep_a_style_and_forget_what_is_none():
    settings = WindowSettings(
        hatched=True, palette="okabe-ito", colors=("car=#010203", "a=b, c=#ffffff"), theme="light"
    )
    save_settings(open_store(), settings)
    assert load_settings(open_store()) == settings
    assert settings.style.colors == {"car": (1, 2, 3), "a=b, c": (255, 255, 255)}
    changes = style_changes(OverlayStyle(), settings.style, WindowSettings())
    assert WindowSettings(**changes).style == settings.style
    store = open_store()
    for key, value in {
        "palette": "neon",
        "theme": "purple",
        "colors": ["car=blue", "=#ffffff", "road=#0a0b0c"],
    }.items():
        store.setValue(key, value)
    assert load_settings(store) == WindowSettings(hatched=True, colors=("road=#0a0b0c",))


def test_what_the_command_line_asks_for_is_for_this_time_only(qtbot: QtBot, open_window, clip: Path, model: Path):
    save_settings(open_store(), WindowSettings(hidden=frozenset({"car"}), opacity=0.3, colors=("car=#0a0b0c",)))
    asked = OverlayStyle(0.6, frozenset({"road"}), outline=True, palette="okabe-ito", colors={"person": (1, 2, 3)})
    window = open_window(clip, RunOptions(model=str(model), style=asked))
    wait_state(qtbot, window, PlayerState.PLAYING)
    assert window.look.style == asked
    window.legend.boxes["person"].click()  # by hand: this one stays
    assert window.look.style.hidden == {"road", "person"}
    window.close()
    kept = load_settings(open_store())
    assert kept.hidden == {"car", "person"} and kept.opacity == 0.3 and kept.colors == ("car=#0a0b0c",)
    assert not kept.outline and kept.palette == WindowSettings().palette
