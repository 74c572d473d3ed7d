"""The small picture above the time line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from seg_viewer.gui.main_window import MainWindow
from seg_viewer.player.playback import PlayerState
from tests.gui.conftest import COLORS, WAIT_MS, is_near, make_clip, pause_at, wait_state
from tests.models import BLUE


@pytest.fixture
def slow_clip(tmp_path: Path) -> Path:
    """40 pictures at 2 a second: each place on the time line has one of its own."""
    return make_clip(tmp_path / "slow.mp4", 40, rate=2)


@pytest.fixture
def window(qtbot: QtBot, open_window: Callable[..., MainWindow], slow_clip: Path) -> MainWindow:
    window = open_window(slow_clip)
    pause_at(qtbot, window, 0, rate=2)
    window.controls.set_opacity(0.0)
    return window


def hover(qtbot: QtBot, window: MainWindow, time_s: float) -> None:
    bar = window.controls.seek_bar
    qtbot.mouseMove(bar, QPoint(round(bar.x_of(time_s)), bar.height() // 2))


def middle(window: MainWindow) -> tuple[int, int, int]:
    """Colour of the picture in the pop-up, as it is on the screen."""
    popup = window.hover.popup
    image = popup.grab().toImage()
    color = image.pixelColor(QPoint(image.width() // 2, image.height() // 3))
    return color.red(), color.green(), color.blue()


def shows(window: MainWindow, index: int) -> bool:
    """Whether it shows a frame, as the only one that is on the screen at that time."""
    popup = window.hover.popup
    if not popup.isVisible() or popup.image is None or popup.note:
        return False
    return is_near(middle(window), COLORS[index % 4], 9)


def test_it_shows_the_picture_and_the_time_where_the_pointer_is(qtbot: QtBot, window: MainWindow):
    for index in (9, 30, 17):
        hover(qtbot, window, index / 2 + 0.2)
        popup = window.hover.popup
        assert popup.isVisible(), "the time is there at once"
        assert popup.text
        qtbot.waitUntil(lambda index=index: shows(window, index), timeout=WAIT_MS)


def test_it_has_the_colours_of_the_classes_and_loses_them_with_the_overlay(qtbot: QtBot, window: MainWindow):
    window.controls.set_opacity(1.0)
    hover(qtbot, window, 4.64)  # frame 9: blue, which the model takes for a car
    thumbnails = window.hover.thumbnails

    def is_painted() -> bool:
        found = thumbnails.best(4.64)
        if found is None or found.classes is None or found.labels is None:
            return False
        label = next(each for each in found.labels if each.id == int(found.classes[0, 0]))
        return label.name == "car" and is_near(middle(window), label.color, 9)

    qtbot.waitUntil(is_painted, timeout=WAIT_MS)
    qtbot.keyClick(window, Qt.Key.Key_T)
    qtbot.waitUntil(lambda: is_near(middle(window), BLUE, 9), timeout=WAIT_MS)
    assert not is_painted()


def test_it_stays_inside_the_window_and_takes_nothing(qtbot: QtBot, window: MainWindow):
    focused = QApplication.focusWidget()
    for time_s in (0.0, 10.0, 20.0):
        hover(qtbot, window, time_s)
        popup = window.hover.popup
        assert window.rect().contains(QRect(popup.mapTo(window, QPoint(0, 0)), popup.size()))
        bar = window.controls.seek_bar
        assert popup.mapTo(window, popup.rect().bottomLeft()).y() < bar.mapTo(window, QPoint(0, 0)).y()
    assert QApplication.focusWidget() is focused
    qtbot.mouseClick(bar, Qt.MouseButton.LeftButton, pos=QPoint(round(bar.x_of(15.0)), bar.height() // 2))
    qtbot.waitUntil(lambda: window.view.shown is not None and window.view.shown.shot.frame.index == 30, timeout=WAIT_MS)


def test_it_goes_when_the_pointer_leaves(qtbot: QtBot, window: MainWindow):
    hover(qtbot, window, 5.0)
    assert window.hover.popup.isVisible()
    QApplication.sendEvent(window.controls.seek_bar, leave())
    assert not window.hover.popup.isVisible()
    qtbot.wait(50)
    assert not window.hover.popup.isVisible(), "also when the picture comes later"


def leave():  # type: ignore[no-untyped-def]
    from PySide6.QtCore import QEvent

    return QEvent(QEvent.Type.Leave)


def test_what_plays_goes_on_meanwhile(qtbot: QtBot, open_window: Callable[..., MainWindow], slow_clip: Path):
    window = open_window(slow_clip)
    wait_state(qtbot, window, PlayerState.PLAYING)
    hover(qtbot, window, 15.2)
    qtbot.waitUntil(lambda: shows(window, 30), timeout=WAIT_MS)
    assert window.player.state is PlayerState.PLAYING
    assert window.view.shown is not None and window.view.shown.shot.frame.index < 30
