"""Strips of the classes below the seek bar, and N and Shift+N: real keys and clicks, painted pixels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication, QToolTip, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from seg_viewer.core.class_table import KNOWN, NEAR, UNKNOWN
from seg_viewer.gui.dialogs.cache_part import CachePart
from seg_viewer.gui.dialogs.find_class import FindClassDialog
from seg_viewer.gui.main_window import MainWindow
from seg_viewer.gui.settings import WindowSettings, load_settings, open_store, save_settings
from seg_viewer.gui.widgets.class_strips import ClassStrips, Track
from seg_viewer.gui.widgets.seek_bar import SeekBar
from seg_viewer.jobs.export_job import ExportJob
from seg_viewer.player.playback import PlayerState
from tests.models import BLUE, GREEN, RED

from .conftest import WAIT_MS, make_clip, pause_at, shown_index, wait_state
from .modal_dialogs import ModalDialogs, clicks

SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
COLORS = (*[GREEN] * 10, *[RED] * 12, *[GREEN] * 18, *[RED] * 8, *[BLUE] * 12)
"""A person from frame 10 to 21 and from 40 to 47; 20 a second, 3 s in all."""

pytestmark = pytest.mark.looks_ahead


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("people") / "people.mp4", len(COLORS), colors=COLORS)


@pytest.fixture
def window(qtbot: QtBot, open_window: Callable[..., MainWindow], people: Path) -> MainWindow:
    """Paused at frame 0; all of the clip has been looked at, and is drawn."""
    window = open_window(people)
    pause_at(qtbot, window, 0)
    _wait_drawn(qtbot, window)
    return window


def _wait_drawn(qtbot: QtBot, window: MainWindow) -> None:
    def drawn() -> bool:
        timeline = window.player.timeline
        return timeline is not None and timeline.is_done and strips(window).isVisible() and all(
            track.states.all() for track in strips(window).tracks) and bool(strips(window).tracks)  # fmt: skip

    qtbot.waitUntil(drawn, timeout=2 * WAIT_MS)  # it works only when nobody else wants to


def strips(window: MainWindow) -> ClassStrips:
    return window.class_line.strips


def color_at(window: MainWindow, track: int, time_s: float, from_below: int = 1) -> QColor:
    """A pixel of a strip as it is on the screen."""
    widget = strips(window)
    image = widget.grab().toImage()
    ratio = image.devicePixelRatio()
    bottom = (track + 1) * widget.height() // len(widget.tracks) - 2
    return image.pixelColor(int(widget.x_of(time_s) * ratio), int((bottom - from_below) * ratio))


def test_n_jumps_to_each_person_and_says_when_there_is_no_other(qtbot: QtBot, window: MainWindow) -> None:
    for key, modifier, index in (("n", None, 10), ("n", None, 40), ("n", SHIFT, 10)):
        qtbot.keyClick(window, key, *([] if modifier is None else [modifier]))
        qtbot.waitUntil(lambda index=index: shown_index(window) == index, timeout=WAIT_MS)
    qtbot.keyClick(window, "n", SHIFT)
    assert window.messages.texts("info") == ["No person > 1 % before this"] and shown_index(window) == 10
    window.transport.seek(45 / 20)
    qtbot.keyClick(window, "n")
    assert "No person > 1 % further on" in window.messages.texts("info")


def test_at_the_end_strips_handle_and_marks_stand_together(qtbot: QtBot, window: MainWindow) -> None:
    last, bar = len(COLORS) - 1, window.controls.seek_bar
    window.transport.seek((last - 4) / 20)
    qtbot.waitUntil(lambda: shown_index(window) == last - 4, timeout=WAIT_MS)
    qtbot.keyClick(window, "a")
    qtbot.keyClick(window, "k")
    wait_state(qtbot, window, PlayerState.ENDED)

    def together() -> bool:
        return strips(window)._position_s == bar.position_s == window.player.length_s == pytest.approx(3.0)

    qtbot.waitUntil(together, timeout=WAIT_MS)
    assert "not looked at" not in window.class_line._describe(bar.time_at(bar.width()))
    qtbot.keyClick(window, "b")
    assert bar.marks_s == (pytest.approx((last - 4) / 20), pytest.approx(3.0))
    qtbot.keyClick(window, "a", SHIFT)
    qtbot.waitUntil(together, timeout=WAIT_MS)
    qtbot.keyClick(window, ",")
    qtbot.waitUntil(lambda: shown_index(window) == last - 1, timeout=WAIT_MS)
    assert strips(window)._position_s == bar.position_s == pytest.approx((last - 1) / 20)
    qtbot.keyClick(window, ".")
    qtbot.waitUntil(together, timeout=WAIT_MS)
    for key in ("a", "b"):  # at one place, as anywhere
        qtbot.keyClick(window, key)
    assert bar.marks_s == (0.0, pytest.approx(3.0))


def test_from_the_last_frame_n_leads_away_from_it(
    qtbot: QtBot, open_window: Callable[..., MainWindow], tmp_path: Path
) -> None:
    colors = (*[GREEN] * 10, *[RED] * 12, *[GREEN] * 17, RED)
    window = open_window(make_clip(tmp_path / "last.mp4", len(colors), colors=colors))
    wait_state(qtbot, window, PlayerState.ENDED)
    _wait_drawn(qtbot, window)
    qtbot.keyClick(window, "n")
    assert "No person > 1 % further on" in window.messages.texts("info")
    qtbot.keyClick(window, "n", SHIFT)
    qtbot.waitUntil(lambda: shown_index(window) == 10, timeout=WAIT_MS)


def test_quick_presses_add_up(qtbot: QtBot, window: MainWindow) -> None:
    for _ in range(2):
        qtbot.keyClick(window, "n")
    qtbot.waitUntil(lambda: shown_index(window) == 40, timeout=WAIT_MS)


def test_without_the_strips_only_what_was_played_is_known_and_that_is_said(
    qtbot: QtBot, open_window: Callable[..., MainWindow], people: Path
) -> None:
    save_settings(open_store(), WindowSettings(timeline=False))
    window = open_window(people)
    assert not window.actions_by_id["timeline"].isChecked()
    pause_at(qtbot, window, 0)
    assert strips(window).isHidden() and not window.player.looks_ahead
    qtbot.keyClick(window, "n")
    (text,) = window.messages.texts("info")
    assert text.startswith("No person > 1 % further on yet: ") and text.endswith("% of the video has been looked at")


def strips_alone(qtbot: QtBot) -> tuple[QWidget, ClassStrips]:
    """Below a seek bar of 10 s, in a window 300 wide."""
    host = QWidget()
    qtbot.addWidget(host)
    bar = SeekBar()
    bar.set_length(10.0)
    widget = ClassStrips(bar, lambda _time_s: "")
    column = QVBoxLayout(host)
    column.addWidget(bar)
    column.addWidget(widget)
    host.resize(300, 700)
    host.show()
    return host, widget


def test_while_the_window_is_resized_strips_are_stretched_and_drawn_anew_when_it_rests(qtbot: QtBot) -> None:
    host, widget = strips_alone(qtbot)
    count = widget.columns
    states = np.full(count, KNOWN, np.uint8)
    widget.show_tracks([Track("road", (0, 190, 90), np.linspace(0.0, 1.0, count), states)])
    wanted: list[int] = []
    widget.width_changed.connect(lambda: wanted.append(widget.columns))
    for width in (301, 330, 390, 480):
        host.resize(width, 700)
        image = widget.grab().toImage()
        assert image.pixelColor(round(widget.x_of(9.9)), 4) == QColor(0, 190, 90)
    assert wanted == []
    qtbot.waitUntil(lambda: wanted == [widget.columns] and widget.columns > count, timeout=WAIT_MS)


def _pixels(widget: QWidget) -> bytes:
    image = widget.grab().toImage()
    return bytes(image.constBits())


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_strips_that_are_drawn_on_look_like_strips_that_are_drawn_anew(qtbot: QtBot, data: st.DataObject) -> None:
    host, widget = strips_alone(qtbot)
    widget.setFixedHeight(40)
    QApplication.processEvents()
    count = widget.columns
    values, states = np.full(count, np.nan), np.full(count, UNKNOWN, np.uint8)
    tracks: list[Track] = []
    for _ in range(data.draw(st.integers(1, 4))):
        begin = data.draw(st.integers(0, count - 1))
        end = data.draw(st.integers(begin, count))
        values, states = values.copy(), states.copy()
        states[begin:end] = data.draw(st.sampled_from([KNOWN, NEAR, UNKNOWN]))
        values[begin:end] = data.draw(st.sampled_from([0.0, 0.001, 0.25, 1.0]))
        color = data.draw(st.sampled_from([(0, 190, 90), (230, 40, 30)]))
        tracks = [Track("road", (0, 190, 90), values, states), Track("person", color, values[::-1], states[::-1])]
        widget.show_tracks(tracks)
        widget.grab()
    drawn_on = _pixels(widget)
    widget.show_tracks([])
    widget.show_tracks(tracks)
    assert _pixels(widget) == drawn_on
    host.close()


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(times=st.lists(st.floats(0.0, 10.0), min_size=1, max_size=12), length_s=st.sampled_from([10.0, 3600.0]))
def test_the_mark_and_the_handle_are_where_the_time_is_and_nowhere_else(
    qtbot: QtBot, times: list[float], length_s: float
) -> None:
    host, widget = strips_alone(qtbot)
    bar = host.findChild(SeekBar)
    assert isinstance(bar, SeekBar)
    bar.set_length(length_s)
    columns = np.linspace(0.0, 1.0, widget.columns)
    widget.show_tracks([Track("road", (0, 190, 90), columns, np.full(widget.columns, KNOWN, np.uint8))])
    qtbot.waitExposed(host)
    for time_s in times:
        for part in (bar, widget):
            part.set_position(time_s)
        QApplication.processEvents()
    seen = host.screen().grabWindow(host.winId()).toImage()  # what is in the window, not painted for this
    for part in (bar, widget):
        part.update()
    QApplication.processEvents()
    anew = host.screen().grabWindow(host.winId()).toImage()
    one, other = (
        np.frombuffer(image.convertToFormat(QImage.Format.Format_RGB32).constBits(), np.uint8).astype(int)
        for image in (seen, anew)
    )
    assert np.abs(one - other).max() <= 40  # less than a tenth of a pixel is not painted anew
    host.close()


@pytest.mark.parametrize("theirs", [UNKNOWN, NEAR])
def test_what_is_guessed_and_what_is_unknown_look_otherwise_than_what_is_known(qtbot: QtBot, theirs: int) -> None:
    host, widget = strips_alone(qtbot)
    count = widget.columns
    states = np.where(np.arange(count) < count // 2, KNOWN, theirs).astype(np.uint8)
    values = np.where(states > UNKNOWN, 0.5, np.nan)
    widget.show_tracks([Track("road", (0, 190, 90), values, states)])
    host.resize(301, 700)  # the layout takes the height of the strip
    image = widget.grab().toImage()
    seen = [{image.pixelColor(round(widget.x_of(time_s)) + x, y).name() for x in range(8) for y in range(2, 9)}
            for time_s in (2.0, 8.0)]  # fmt: skip
    assert seen[0] == {QColor(0, 190, 90).name()} and not seen[0] & seen[1]
    assert len(seen[1]) == (2 if theirs == UNKNOWN else 1)  # hatched


def test_each_class_has_a_strip_in_its_colour(qtbot: QtBot, window: MainWindow) -> None:
    colors = {label.name: label.color for label in window.look.overlay.labels if label.painted}  # type: ignore[union-attr]
    assert [track.name for track in strips(window).tracks] == list(colors) == ["road", "car", "person"]
    for number, (name, time_s) in enumerate((("road", 0.3), ("car", 2.8), ("person", 0.8))):
        assert color_at(window, number, time_s).getRgb()[:3] == colors[name]
        other = color_at(window, number, {"road": 0.8, "car": 0.3, "person": 1.5}[name])
        assert other.getRgb()[:3] != colors[name]
    window.legend.toggle(2)
    qtbot.waitUntil(lambda: len(strips(window).tracks) == 2, timeout=WAIT_MS)


def test_a_click_jumps_and_the_pointer_is_told_time_and_per_cent(qtbot: QtBot, window: MainWindow) -> None:
    widget = strips(window)
    bar = window.controls.seek_bar
    assert widget.mapToGlobal(QPoint(round(widget.x_of(1.0)), 0)).x() == pytest.approx(
        bar.mapToGlobal(QPoint(round(bar.x_of(1.0)), 0)).x(), abs=1
    )
    place = QPoint(round(widget.x_of(0.8)), 4)
    qtbot.mouseMove(widget, place)
    qtbot.waitUntil(lambda: "person 100.0 %" in QToolTip.text(), timeout=WAIT_MS)
    assert QToolTip.text().startswith("0:00.8") and "road 0.0 %" in QToolTip.text()
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton, pos=place)
    qtbot.waitUntil(lambda: abs(shown_index(window) - 16) <= 1, timeout=WAIT_MS)


def test_y_hides_and_shows_them_and_that_is_remembered(
    qtbot: QtBot, window: MainWindow, open_window: Callable[..., MainWindow]
) -> None:
    assert window.player.looks_ahead
    qtbot.keyClick(window, "y")
    assert strips(window).isHidden() and not window.player.looks_ahead
    window.memory.write()
    assert not load_settings(open_store()).timeline
    qtbot.keyClick(window, "y")
    assert strips(window).isVisible() and window.player.looks_ahead
    window.memory.write()
    assert load_settings(open_store()).timeline


def test_another_class_and_share_are_chosen_and_jumped_to(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.keyClick(window, "f", CTRL)
    dialog = next(each for each in QApplication.topLevelWidgets() if isinstance(each, FindClassDialog))
    assert (dialog.names.currentText(), dialog.least.value()) == ("person", 1.0)
    qtbot.waitUntil(dialog.isActiveWindow, timeout=WAIT_MS)  # else the keys are the window's
    dialog.names.setFocus()
    qtbot.keyClicks(dialog.names, "car")
    dialog.least.selectAll()
    qtbot.keyClicks(dialog.least, "50")
    qtbot.mouseClick(dialog.next, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: shown_index(window) == 48, timeout=WAIT_MS)
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    window.memory.write()
    stored = load_settings(open_store())
    assert (stored.find_class, stored.find_least) == ("car", 0.5)
    window.transport.seek(0.0)
    qtbot.keyClick(window, "n")
    qtbot.waitUntil(lambda: shown_index(window) == 48, timeout=WAIT_MS)


def test_a_class_that_the_model_does_not_have_is_said(qtbot: QtBot, window: MainWindow) -> None:
    window.memory.change(find_class="tram")
    qtbot.keyClick(window, "n")
    (text,) = window.messages.texts("info")
    assert text == "This model has no class 'tram'; look for background, road, car, person (Ctrl+F)"


def test_in_the_smallest_window_they_are_low_and_the_picture_stays(qtbot: QtBot, window: MainWindow) -> None:
    high = strips(window).height()
    window.resize(window.minimumSize())
    qtbot.waitUntil(lambda: strips(window).height() < high, timeout=WAIT_MS)
    assert strips(window).height() <= 24 and window.view.height() > 160


def test_an_export_has_the_processor_for_itself(
    qtbot: QtBot, window: MainWindow, long_clip: Path, tmp_path: Path
) -> None:
    queue = window.outputs.export_queue
    queue.add([ExportJob(str(long_clip), str(tmp_path / "out.mp4"), window.player.options)])
    qtbot.waitUntil(lambda: not window.player.looks_ahead, timeout=WAIT_MS)
    queue.stop_all()
    qtbot.waitUntil(lambda: window.player.looks_ahead, timeout=WAIT_MS)


def test_a_single_picture_has_none(qtbot: QtBot, open_window: Callable[..., MainWindow], tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "one.png"), np.full((32, 64, 3), 90, np.uint8))
    window = open_window(tmp_path / "one.png")
    wait_state(qtbot, window, PlayerState.ENDED)
    qtbot.wait(400)
    assert strips(window).isHidden()
    qtbot.keyClick(window, "n")
    assert window.messages.texts("info") == [
        "There is nothing to jump to: only videos at hand have a timeline of classes"
    ]


def test_the_cache_is_shown_and_cleared_by_its_button(qtbot: QtBot, window: MainWindow, dialogs: ModalDialogs) -> None:
    window.player.cache.flush()
    box = CachePart(window.player.cache, window.memory, window.background)
    qtbot.addWidget(box)
    box.show()
    qtbot.waitUntil(box.clear.isEnabled, timeout=WAIT_MS)
    assert window.player.cache.size_bytes() > 0
    dialogs.expect(clicks("Clear cache"))
    qtbot.mouseClick(box.clear, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.player.cache.size_bytes() == 0, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: box.taken.text().endswith(": 0.0 MB") and not box.clear.isEnabled(), timeout=WAIT_MS)
    box.hide()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=WAIT_MS)
    qtbot.keyClick(window, "n")  # what was kept is gone; what is known stays
    qtbot.waitUntil(lambda: shown_index(window) == 10, timeout=WAIT_MS)
