"""Light and dark, contrast, icons, ticks in menus, focus rings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from itertools import product

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QAction, QColor, QIcon, QImage, QPixmap
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QLineEdit,
    QMenu,
    QPushButton,
    QSlider,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot

from seg_viewer.core.assets import asset_path
from seg_viewer.gui import theme
from seg_viewer.gui.colors import FOCUS_ON, TEXT_ON, Colors
from seg_viewer.gui.style_sheet import STYLE_SHEET
from seg_viewer.gui.theme import DARK, LIGHT, Theme, app_theme
from seg_viewer.gui.widgets.icon_label import IconLabel
from seg_viewer.gui.widgets.swatch import Swatch
from tests.colour_vision import linear

from .conftest import WAIT_MS, pause_at

BOTH = pytest.mark.parametrize("name", ["dark", "light"])
THEMES = {"dark": DARK, "light": LIGHT}


@pytest.fixture(autouse=True)
def chosen(qapp: QApplication) -> Iterator[Theme]:
    """The application's theme; as it was, afterwards."""
    now = app_theme()
    assert now is not None
    yield now
    now.set_wanted("auto")
    qapp.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Unknown)


def _contrast(one: str, other: str) -> float:
    """1…21 (WCAG 2.2, "contrast ratio" and "relative luminance")."""
    low, high = sorted(
        float(linear(QColor(color).toTuple()[:3]) @ (0.2126, 0.7152, 0.0722)) for color in (one, other)
    )  # fmt: skip
    return (high + 0.05) / (low + 0.05)


def _pairs(of: tuple[tuple[str, tuple[str, ...]], ...]) -> list[tuple[str, str]]:
    return [(ink, surface) for ink, surfaces in of for surface in surfaces]


@BOTH
@pytest.mark.parametrize(("ink", "surface"), _pairs(TEXT_ON))
def test_text_can_be_read_on_every_surface_that_it_stands_on(name: str, ink: str, surface: str):
    now = THEMES[name]
    assert _contrast(getattr(now, ink), getattr(now, surface)) >= 4.5


@BOTH
@pytest.mark.parametrize(("ring", "surface"), _pairs(FOCUS_ON))
def test_a_focus_ring_stands_out(name: str, ring: str, surface: str):
    now = THEMES[name]
    assert _contrast(getattr(now, ring), getattr(now, surface)) >= 3


def _rules() -> list[tuple[str, dict[str, str]]]:
    found = []
    for selector, body in re.findall(r"([^{}]+)\{([^}]*)\}", STYLE_SHEET):
        keys = dict(part.split(":", 1) for part in body.split(";") if ":" in part)
        found.append((selector.strip(), {key.strip(): value.strip() for key, value in keys.items()}))
    return found


def test_the_style_sheet_has_no_other_colours_and_no_other_pairs():
    """Each text colour is one that was computed above, on each surface that its rule names."""
    names = set(re.findall(r"\$(\w+)", STYLE_SHEET))
    assert names <= {field.name for field in fields(Colors)}
    assert not re.search(r"#[0-9a-fA-F]{3,8}\b\s*[;}]|\b(white|black|gr[ae]y|rgb)\b", STYLE_SHEET)
    pairs = set(_pairs(TEXT_ON))
    inks = {ink for ink, _surface in pairs}
    checked = 0
    for selector, keys in _rules():
        ink = keys.get("color", "$text").removeprefix("$")
        surface = keys.get("background", "").removeprefix("$")
        if ":disabled" in selector:
            assert ink == "faint" or "color" not in keys, selector
            continue
        has_text = not re.search(r"::(groove|handle|sub-page|chunk|indicator|separator|add|icon)|QScrollBar", selector)
        if "color" in keys:
            assert ink in inks, selector
        if has_text and surface in {field.name for field in fields(Colors)}:
            checked += 1
            assert (ink, surface) in pairs, f"{selector}: {ink} on {surface}"
    assert checked > 15


# -- what the system says, and what somebody chose --------------------------------------------------------------------


def _middle(widget: QWidget, at: QPoint | None = None) -> QColor:
    return widget.grab().toImage().pixelColor(at or QPoint(widget.width() // 2, widget.height() - 4))


def test_the_window_follows_the_system_while_it_runs(qtbot: QtBot, qapp: QApplication, open_window, clip):
    window = open_window(clip)
    pause_at(qtbot, window, 3)  # nothing is painted there
    hints = qapp.styleHints()
    buttons = window.controls.findChildren(QToolButton)
    button = next(each for each in buttons if each.defaultAction() is window.actions_by_id["step"])

    def surfaces() -> list[str]:
        beside_its_text = QPoint(3, window.panel.height() - 4)
        return [_middle(window.panel, beside_its_text).name(), _middle(window.controls).name()]

    def beside_the_picture() -> str:
        return window.view.grab().toImage().pixelColor(2, 2).name()

    assert surfaces() == [DARK.panel] * 2
    dark_icon = button.grab().toImage()
    hints.colorSchemeChanged.emit(Qt.ColorScheme.Light)
    assert surfaces() == [LIGHT.panel] * 2 and theme.colors() is LIGHT and LIGHT.accent == theme.ACCENT
    assert beside_the_picture() == "#0a0c0f"
    assert button.grab().toImage() != dark_icon
    hints.colorSchemeChanged.emit(Qt.ColorScheme.Dark)
    assert surfaces() == [DARK.panel] * 2 and button.grab().toImage() == dark_icon


def test_what_is_on_the_screen_already_changes_too(open_window, chosen: Theme):
    """Signs of messages, as of any icon: nothing keeps the ink of the theme that it was made in."""
    window = open_window()

    def signs() -> list[QImage]:
        return [sign.grab().toImage() for sign in window.messages.findChildren(IconLabel)]

    for before, after in (("dark", "light"), ("light", "dark")):
        window.memory.change(theme=before)
        window.messages.show_warning("a warning")
        old = signs()
        window.memory.change(theme=after)
        changed = signs()
        assert len(old) == 1 and changed != old
        window.messages.clear()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        window.messages.show_warning("a warning")
        assert signs() == changed
        window.messages.clear()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def test_a_choice_in_the_menu_wins_over_the_system_and_is_remembered(qtbot: QtBot, qapp, open_window, chosen: Theme):
    window = open_window()
    menu = window.theme_choice.menu
    assert [name for name, action in menu.choices.items() if action.isChecked()] == ["auto"]
    _pick(qtbot, menu, menu.choices["light"])
    assert theme.colors() is LIGHT and _middle(window.start_page).name() == LIGHT.background
    qapp.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Dark)
    assert theme.colors() is LIGHT
    window.close()
    chosen.set_wanted("auto")
    again = open_window()
    assert theme.colors() is LIGHT and again.theme_choice.menu.choices["light"].isChecked()
    again.memory.change(theme="dark")  # as a settings page does
    assert theme.colors() is DARK and again.theme_choice.menu.choices["dark"].isChecked()
    with pytest.raises(KeyError):
        chosen.set_wanted("purple")


def _pick(qtbot: QtBot, menu: QMenu, action: QAction) -> None:
    """Click an entry."""
    menu.popup(QPoint(0, 0))
    qtbot.waitUntil(menu.isVisible, timeout=WAIT_MS)
    qtbot.mouseClick(menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(action).center())
    menu.close()


# -- icons -------------------------------------------------------------------------------------------------------------

ICONS = sorted(
    path.stem
    for path in asset_path("icons").glob("*.svg")
    if path.stem not in ("seg-viewer", "check", "chevron", "chevron-up")
)


def _ink(icon: QIcon, mode: QIcon.Mode, surface: str) -> float:
    """Contrast to a surface of the icon's most opaque pixels."""
    image = icon.pixmap(QSize(32, 32), 1.0, mode).toImage().convertToFormat(QImage.Format.Format_RGBA8888)
    pixels = np.asarray(image.constBits(), np.uint8).reshape(32, 32, 4)
    solid = pixels[pixels[:, :, 3] > 200][:, :3]
    assert len(solid) > 5
    return float(np.median([_contrast(QColor(*map(int, color)).name(), surface) for color in solid]))


@BOTH
@pytest.mark.parametrize("icon", ICONS)
def test_an_icon_is_seen_and_looks_switched_off_when_it_is(chosen: Theme, name: str, icon: str):
    chosen.set_wanted(name)
    panel = THEMES[name].panel
    on, off = (_ink(theme.icon(icon), mode, panel) for mode in (QIcon.Mode.Normal, QIcon.Mode.Disabled))
    assert on >= 3 and off <= 0.6 * on, (on, off)


def test_an_icon_has_the_size_that_is_asked_for_on_any_screen():
    for side, scale in ((14, 1.0), (20, 1.5), (26, 2.0)):
        made = theme.icon("camera").pixmap(QSize(side, side), scale)
        assert made.size() == QSize(round(side * scale), round(side * scale)) and made.devicePixelRatio() == scale


def test_a_copy_of_an_icon_outlives_it():
    copy = QIcon(theme.icon("play"))
    copy.addPixmap(QPixmap(3, 3), QIcon.Mode.Selected)  # takes it apart from the first
    assert not copy.pixmap(16, 16).isNull() and theme.icon("no such icon").isNull()


@BOTH
def test_a_disabled_button_looks_so(qtbot: QtBot, chosen: Theme, open_window, name: str):
    window = open_window()
    window.memory.change(theme=name)
    menu = _menus(window)["File"]
    menu.ensurePolished()
    action = window.actions_by_id["screenshot"]
    assert not action.isEnabled()
    off = _row(menu, action)
    action.setEnabled(True)
    on = _row(menu, action)
    assert _spread(on) > 1.5 * _spread(off)


# -- ticks -------------------------------------------------------------------------------------------------------------


def _menus(window) -> dict[str, QMenu]:
    found = {}
    for entry in window.menuBar().actions():
        found[entry.text().replace("&", "")] = entry.menu()
    for inner in window.findChildren(QMenu):
        found.setdefault(inner.title().replace("&", "") or f"menu {len(found)}", inner)
    return found


def _row(menu: QMenu, action: QAction) -> np.ndarray:
    """The left end of an entry, where icon or tick is, shape (H, W, 3)."""
    alone = QMenu(menu)  # a long menu scrolls
    alone.addAction(action)
    alone.ensurePolished()
    alone.adjustSize()
    place = alone.actionGeometry(action)
    image = alone.grab(QRect(place.topLeft(), QSize(26, place.height()))).toImage()
    alone.deleteLater()
    image = image.convertToFormat(QImage.Format.Format_RGBX8888)
    return np.asarray(image.constBits(), np.uint8).reshape(image.height(), image.width(), 4)[:, :, :3].astype(int)


def _spread(pixels: np.ndarray) -> float:
    return float(pixels.max() - pixels.min())


@BOTH
def test_every_menu_shows_what_is_on(qtbot: QtBot, open_window, clip, name: str):
    window = open_window(clip)
    pause_at(qtbot, window, 5)
    window.memory.change(theme=name)
    checked = set()
    for title, menu in _menus(window).items():
        for action in menu.actions():
            if not (action.isCheckable() and action.isVisible()):
                continue
            action.setActionGroup(None)  # so that it can be switched off
            action.blockSignals(True)  # it is about what the menu looks like
            looks = {}
            for on in (True, False):
                action.setChecked(on)
                looks[on] = _row(menu, action)
            enough = 100 if action.isEnabled() else 50  # fainter, as its text
            assert np.abs(looks[True] - looks[False]).max() > enough, f"{title}: {action.text()}"
            assert _spread(looks[False]) < 40, f"{title}: something stands where the tick of {action.text()} would"
            checked.add(title)
    assert {"View", "Playback", "Model", "Speed", "Record what", "Class colours", "Theme"} <= checked


# -- focus -------------------------------------------------------------------------------------------------------------


def _button(kind: str) -> QPushButton:
    button = QPushButton("Press")
    button.setObjectName(kind)
    return button


def _slider() -> QSlider:
    slider = QSlider(Qt.Orientation.Horizontal)
    slider.setValue(50)
    return slider


WIDGETS: dict[str, Callable[[], QWidget]] = {
    "button": lambda: _button(""),
    "main button": lambda: _button("primary"),
    "recent": lambda: _button("recent"),
    "tool button": QToolButton,
    "check box": lambda: QCheckBox("road"),
    "field": QLineEdit,
    "choice": QComboBox,
    "slider": _slider,
    "colour": lambda: Swatch((0, 190, 90)),
}


@pytest.mark.parametrize(("name", "kind"), list(product(THEMES, WIDGETS)))
def test_the_focus_can_be_seen(qtbot: QtBot, chosen: Theme, name: str, kind: str):
    chosen.set_wanted(name)
    window, widget, other = QWidget(), WIDGETS[kind](), QPushButton("other")
    widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    column = QVBoxLayout(window)
    column.addWidget(other)
    column.addWidget(widget)
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=WAIT_MS)
    other.setFocus()
    size, without = widget.size(), widget.grab().toImage()
    qtbot.keyClick(other, Qt.Key.Key_Tab)
    assert widget.hasFocus() and widget.size() == size
    with_ring = widget.grab().toImage()
    ring = QColor(THEMES[name].fill_focus if kind == "main button" else THEMES[name].accent)
    count = sum(
        with_ring.pixelColor(x, y) == ring and without.pixelColor(x, y) != ring
        for x in range(with_ring.width())
        for y in range(with_ring.height())
    )
    assert count > 20


@pytest.mark.parametrize("points", [9, 12, 20])
@pytest.mark.parametrize("kind", [QLineEdit, QComboBox, QSpinBox])
def test_a_field_shows_the_dots_of_a_capital(qtbot: QtBot, kind: type[QWidget], points: int):
    """As many pixels of ink as in a field with room to spare."""
    ink = []
    for room in (0, 40):
        field = kind()
        qtbot.addWidget(field)
        field.setStyleSheet(f"font-size: {points}pt")
        field.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # no cursor
        if isinstance(field, QLineEdit):
            field.setText("ÖÄÅgj")
        elif isinstance(field, QComboBox):
            field.setEditable(True)
            field.addItem("ÖÄÅgj")
        elif isinstance(field, QSpinBox):
            field.setSuffix("ÖÄÅgj")
        field.ensurePolished()
        field.resize(240, field.sizeHint().height() + room)
        field.show()
        picture = (
            field.grab(QRect(0, 2, 200, field.height() - 4)).toImage().convertToFormat(QImage.Format.Format_RGB888)
        )
        rows = np.frombuffer(picture.constBits(), np.uint8).reshape(picture.height(), picture.bytesPerLine())
        pixels = rows[:, : 3 * picture.width()].reshape(picture.height(), -1, 3).astype(int)
        ink.append(int((np.abs(pixels - pixels[0, -1]).max(axis=2) > 24)[:, 20:150].sum()))
    assert ink[0] == ink[1] > 50
