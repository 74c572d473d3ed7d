"""The window at any size, its panel, its focus: nothing is cut, nothing moves, every button is pressed by its keys."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QCheckBox, QPushButton, QSplitter, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from seg_viewer.gui.main_window import MainWindow
from seg_viewer.gui.panel_fold import NARROW
from seg_viewer.gui.settings import WindowSettings, load_settings, open_store, save_settings
from seg_viewer.player.playback import PlayerState
from tests.servers.http_video import HttpVideo

from .conftest import WAIT_MS, pause_at, shown_index, wait_state
from .walk import faults, in_window, name_of, shown, tab_chain, unnamed

SIZES = [(480, 320), (600, 360), (720, 460), (899, 500), (1000, 640), (1280, 800), (1920, 1080)]
TEXT = "/a/rather/long/folder/of/videos/gone.mp4: no such file; choose another one, or make it first"

pytestmark = pytest.mark.looks_ahead


@pytest.fixture
def paused(qtbot: QtBot, open_window, clip: Path) -> MainWindow:
    window = open_window(clip)
    pause_at(qtbot, window, 5)
    return window


def _resize(qtbot: QtBot, window: MainWindow, size: tuple[int, int]) -> None:
    window.resize(*size)
    qtbot.waitUntil(lambda: (window.width(), window.height()) == size, timeout=WAIT_MS)
    QApplication.processEvents()


def _settles(qtbot: QtBot, window: MainWindow, size: tuple[int, int]) -> None:
    """Nothing is cut; a number that has just become longer is laid out in the next turn of the event loop."""

    def whole() -> None:
        assert faults(window) == [], size

    qtbot.waitUntil(whole, timeout=WAIT_MS)


# -- sizes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("recent", [0, 8])
@pytest.mark.parametrize("message", [False, True])
def test_the_start_page_fits_at_any_size(qtbot: QtBot, open_window, recent: int, message: bool) -> None:
    names = tuple(f"/home/somebody/Videos/a drive in the rain {number}.mp4" for number in range(recent))
    save_settings(open_store(), WindowSettings(recent=names))
    window = open_window()
    if message:
        window.messages.show_error(TEXT)
    for size in SIZES:
        _resize(qtbot, window, size)
        assert faults(window) == [], size
        page, button = window.start_page, window.start_page.open_button
        assert page.verticalScrollBar().maximum() == 0 or (message and size[1] < 460), size
        visible = in_window(page.viewport())
        assert visible.contains(in_window(button)), f"{size}: the first way in is in sight"
        if message:
            assert not in_window(window.messages).intersects(in_window(button)), size


@pytest.mark.parametrize("live", [False, True])
def test_the_window_fits_at_any_size(qtbot: QtBot, open_window, clip: Path, tmp_path: Path, live: bool) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(HttpVideo(tmp_path, size=(160, 96), rate=20)) if live else None
        window = open_window(f"{server.url()}#timeout=1" if server else clip)
        wait_state(qtbot, window, PlayerState.PLAYING)
        _fits_at_any_size(qtbot, window)


def _fits_at_any_size(qtbot: QtBot, window: MainWindow) -> None:
    for size in SIZES:
        _resize(qtbot, window, size)
        _settles(qtbot, window, size)
        for name in ("play", "full-screen"):
            assert window.controls.buttons[name].isVisible(), (size, name)
    assert window.controls.tools.folded == [], "there is room for all"


def test_messages_fit_beside_the_panel_in_the_smallest_window(qtbot: QtBot, paused: MainWindow) -> None:
    _resize(qtbot, paused, (480, 320))
    qtbot.keyClick(paused, "p")
    paused.messages.show_error(TEXT)
    paused.messages.show_info("Screenshot saved: /tmp/a.png", "Open folder", lambda: None)
    _settles(qtbot, paused, (480, 320))


def test_what_has_no_room_in_the_row_is_in_its_menu(qtbot: QtBot, paused: MainWindow) -> None:
    _resize(qtbot, paused, (480, 320))
    tools = paused.controls.tools
    assert "outline" in tools.folded and tools.more_button.isVisible()
    tools.more_menu.popup(QPoint(0, 0))
    QApplication.processEvents()
    assert paused.actions_by_id["outline"] in tools.more_menu.actions()
    place = tools.more_menu.actionGeometry(paused.actions_by_id["outline"]).center()
    QTest.mouseClick(tools.more_menu, Qt.MouseButton.LeftButton, pos=place)
    assert paused.look.style.outline
    _resize(qtbot, paused, (1000, 640))
    assert tools.folded == [] and not tools.more_button.isVisible()


def test_the_window_can_be_as_small_as_promised(paused: MainWindow) -> None:
    least = paused.minimumSizeHint()
    assert least.width() <= 480 and least.height() <= 320
    assert (paused.minimumWidth(), paused.minimumHeight()) == (480, 320)


# -- the panel ---------------------------------------------------------------------------------------------------------


def test_the_panel_folds_in_a_narrow_window_and_comes_back(qtbot: QtBot, paused: MainWindow) -> None:
    _resize(qtbot, paused, (NARROW, 640))
    assert paused.panel.isVisible()
    _resize(qtbot, paused, (NARROW - 1, 640))
    assert not paused.panel.isVisible() and not paused.actions_by_id["panel"].isChecked()
    _resize(qtbot, paused, (NARROW, 640))
    assert paused.panel.isVisible() and paused.actions_by_id["panel"].isChecked()
    assert load_settings(open_store()).panel, "that was no choice of a person"


def test_a_persons_own_choice_wins_in_both_and_is_remembered(
    qtbot: QtBot, open_window, paused: MainWindow, clip: Path
) -> None:
    _resize(qtbot, paused, (700, 480))
    qtbot.keyClick(paused, "p")
    assert paused.panel.isVisible(), "opened where it is narrow"
    _resize(qtbot, paused, (1000, 640))
    _resize(qtbot, paused, (700, 480))
    assert paused.panel.isVisible()
    _resize(qtbot, paused, (1000, 640))
    qtbot.keyClick(paused, "p")
    assert not paused.panel.isVisible()
    _resize(qtbot, paused, (700, 480))
    assert not paused.panel.isVisible(), "who hides it where there is room does not want it where there is none"
    paused.close()
    again = open_window(clip)
    wait_state(qtbot, again, PlayerState.PLAYING)
    assert not again.panel.isVisible()


@pytest.mark.parametrize("playlist", [False, True])
@pytest.mark.parametrize("width", [480, 560, 640, 720, 1000])
def test_picture_and_panel_never_overlap(qtbot: QtBot, paused: MainWindow, width: int, playlist: bool) -> None:
    paused.resize(width, 400)
    panel = paused.actions_by_id["panel"]
    if not panel.isChecked():
        qtbot.keyClick(paused, Qt.Key.Key_P)
    if playlist:
        qtbot.keyClick(paused, Qt.Key.Key_P, Qt.KeyboardModifier.ControlModifier)
    qtbot.wait(20)  # layouts settle
    places = [
        QRect(each.mapTo(paused, QPoint(0, 0)), each.size()) for each in (paused.view, paused.panel) if each.isVisible()
    ]
    for place in places:
        assert paused.rect().contains(place)
    assert len(places) == 1 or not places[0].intersects(places[1])
    assert panel.isChecked() is paused.panel.isVisible(), "the tick says what is"
    assert panel.isEnabled() is paused.panel_fold.fits
    if playlist:
        qtbot.keyClick(paused, Qt.Key.Key_P, Qt.KeyboardModifier.ControlModifier)
        qtbot.waitUntil(paused.panel.isVisible, timeout=WAIT_MS)


class _Painted(QObject):
    """Which of these widgets are painted."""

    def __init__(self, watched: list[QWidget]) -> None:
        super().__init__()
        self.found: set[QObject] = set()
        for widget in watched:
            widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Paint:
            self.found.add(watched)
        return False


def test_while_the_window_is_drawn_larger_a_picture_stands_for_the_panel(qtbot: QtBot, paused: MainWindow) -> None:
    panel, width, height = paused.panel, paused.width(), paused.height()
    qtbot.waitUntil(lambda: panel.is_still, timeout=WAIT_MS)  # it was opened a moment ago
    parts = [each for each in panel.area.findChildren(QWidget) if not each.visibleRegion().isEmpty()]
    painted = _Painted([panel, *parts])
    for step in range(1, 4):
        paused.resize(width + 8 * step, height + 4 * step)
        QApplication.sendPostedEvents(paused, QEvent.Type.UpdateRequest)  # no timer runs meanwhile
        if step < 3:
            assert len(painted.found) > len(parts) / 2, "one change alone shows all of it; then its picture is taken"
            painted.found.clear()
    assert painted.found == {panel}
    qtbot.waitUntil(lambda: panel.area.updatesEnabled() and len(painted.found) > len(parts) / 2, timeout=WAIT_MS)


@pytest.mark.parametrize("change", ["once", "folds and comes back", "grows"])
def test_the_panel_itself_is_there_after_every_change_of_size(qtbot: QtBot, paused: MainWindow, change: str) -> None:
    panel = paused.panel
    qtbot.waitUntil(lambda: panel.is_still, timeout=WAIT_MS)
    if change == "once":
        paused.resize(1500, 900)
        assert panel.area.updatesEnabled()
    elif change == "grows":
        paused.resize(1300, 800)
        paused.resize(1320, 800)
        assert not panel.area.updatesEnabled()
        splitter = panel.parentWidget()
        assert isinstance(splitter, QSplitter)
        splitter.setSizes([900, panel.width() + 40])
        assert panel.area.updatesEnabled(), "its picture has another width"
    else:
        for width in (NARROW + 30, NARROW + 10, NARROW - 10, NARROW + 60):
            paused.resize(width, 640)
    qtbot.waitUntil(panel.area.updatesEnabled, timeout=WAIT_MS)
    assert panel.isVisible()


def test_the_width_of_the_panel_is_dragged_and_remembered(qtbot: QtBot, open_window, paused: MainWindow, clip) -> None:
    splitter = paused.panel.parentWidget()
    handle = splitter.handle(1)
    before = paused.panel.width()
    middle = handle.rect().center()
    QTest.mousePress(handle, Qt.MouseButton.LeftButton, pos=middle)
    QTest.mouseMove(handle, middle - QPoint(60, 0))
    QTest.mouseRelease(handle, Qt.MouseButton.LeftButton, pos=middle)
    wanted = paused.panel.width()
    assert wanted == pytest.approx(before + 60, abs=3)
    qtbot.keyClick(paused, "p")
    qtbot.keyClick(paused, "p")
    assert paused.panel.width() == pytest.approx(wanted, abs=3)
    paused.close()
    again = open_window(clip)
    wait_state(qtbot, again, PlayerState.PLAYING)
    assert again.panel.width() == pytest.approx(wanted, abs=3)


def test_drawn_shut_the_panel_is_hidden(qtbot: QtBot, paused: MainWindow) -> None:
    handle = paused.panel.parentWidget().handle(1)
    middle = handle.rect().center()
    QTest.mousePress(handle, Qt.MouseButton.LeftButton, pos=middle)
    QTest.mouseMove(handle, middle + QPoint(paused.panel.width(), 0))
    QTest.mouseRelease(handle, Qt.MouseButton.LeftButton, pos=middle)
    assert not paused.panel.isVisible() and not paused.actions_by_id["panel"].isChecked()
    qtbot.keyClick(paused, "p")
    assert paused.panel.isVisible() and paused.panel.width() >= paused.panel.minimumWidth()


# -- messages ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("full_screen", [False, True])
def test_the_picture_keeps_its_place_whatever_is_said(qtbot: QtBot, paused: MainWindow, full_screen: bool) -> None:
    _resize(qtbot, paused, (720, 460))
    if full_screen:
        qtbot.keyClick(paused, "f")
        qtbot.waitUntil(lambda: paused.view.height() == paused.centralWidget().height(), timeout=WAIT_MS)
    qtbot.wait(500)  # what else follows the size of the window (the strips) has done so
    view, picture = in_window(paused.view), paused.view.picture_rect()
    controls: QRect | None = in_window(paused.controls)
    for say in (
        lambda: paused.messages.show_error(TEXT),
        lambda: paused.messages.show_warning("The sound was left out\nfor a reason of two lines"),
        lambda: paused.messages.show_info("Screenshot saved: /tmp/a.png", "Open folder", lambda: None),
        lambda: paused.loading_bar.show_loading(("building", 0.5)),
    ):
        say()
        QApplication.processEvents()
        assert in_window(paused.view) == view and paused.view.picture_rect() == picture
        assert in_window(paused.controls) == controls
        notices = paused.messages.window().findChild(object, "notices")
        assert notices.isVisible() and not in_window(notices).intersects(controls)
        assert faults(paused) == []
    paused.loading_bar.show_loading(None)
    while paused.messages.texts():
        qtbot.keyClick(paused, Qt.Key.Key_Escape)
        assert in_window(paused.view) == view and paused.view.picture_rect() == picture
    assert paused.isFullScreen() is full_screen, "Esc dismisses what is said first"
    assert not notices.isVisible()
    qtbot.keyClick(paused, Qt.Key.Key_Escape)
    assert not paused.isFullScreen()


def test_the_same_is_counted_and_the_same_cause_is_one_message(qtbot: QtBot, paused: MainWindow) -> None:
    bar = paused.messages
    windows: list[QWidget] = []

    class Watch(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() is QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow():
                windows.append(watched)
            return False

    watch = Watch()
    QApplication.instance().installEventFilter(watch)
    for _time in range(3):
        bar.show_error("/a.mp4: no such file")
    bar.show_error("/films/b2.mp4: no such file")
    bar.show_error("other.mp4: is no video")
    QApplication.processEvents()
    messages = [widget for widget in shown(bar.window()) if widget.objectName() == "message"]
    counts = [w.text() for w in shown(bar.window()) if w.objectName() == "count"]
    assert bar.texts("error") == ["/a.mp4: no such file", "/films/b2.mp4: no such file", "other.mp4: is no video"]
    assert len(messages) == 2 and counts == ["4×"]
    QApplication.instance().removeEventFilter(watch)
    assert windows == [] and paused.isActiveWindow(), "no part of a message is a window for a moment"
    bar.clear()
    for number in range(12):
        bar.show_error(f"/films/{number}.mp4: no such file")
    QApplication.processEvents()
    assert len(bar.texts("error")) == 12, "nothing is lost"
    assert sum(widget.objectName() == "message" for widget in shown(bar.window())) == 1


def test_what_a_button_is_about_stays_beside_it(qtbot: QtBot, paused: MainWindow) -> None:
    undone: list[int] = []
    for number in (1, 2, 2):
        paused.messages.show_info(f"Frame {number} sent", "Undo", lambda number=number: undone.append(number))
    QApplication.processEvents()
    buttons = [b for b in shown(paused, QPushButton) if b.text() == "Undo"]
    for button in buttons:
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert sorted(undone) == [1, 2], "each can be undone, the same only once"


def test_a_message_that_goes_takes_no_focus_along(qtbot: QtBot, paused: MainWindow) -> None:
    paused.messages.show_info("Saved", "Open folder", lambda: None)
    QApplication.processEvents()
    button = next(b for b in shown(paused, QPushButton) if b.text() == "Open folder")
    while not button.hasFocus():
        qtbot.keyClick(QApplication.focusWidget() or paused, Qt.Key.Key_Tab)
    qtbot.keyClick(button, Qt.Key.Key_Escape)
    assert paused.messages.texts() == [] and paused.view.hasFocus()
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Space)
    wait_state(qtbot, paused, PlayerState.PLAYING)


# -- keys of what has the focus ----------------------------------------------------------------------------------------

PRESSES = [Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter]


def _pressed_by(qtbot: QtBot, window: MainWindow, key: Qt.Key) -> tuple[int, list[str]]:
    """How many buttons Tab comes to, and those that the key did not press exactly once, or that did something else."""
    wrong, seen = [], 0
    for button in tab_chain(window):
        if not isinstance(button, QAbstractButton) or not button.isVisible():
            continue
        seen += 1
        presses: list[object] = []
        menu = button.menu() if isinstance(button, QToolButton) else None
        signal = menu.aboutToShow if menu is not None else button.clicked
        signal.connect(lambda *_args, presses=presses: presses.append(1))
        index, before = shown_index(window), window.player.state
        button.setFocus(Qt.FocusReason.TabFocusReason)
        if menu is not None:
            menu.aboutToShow.connect(lambda menu=menu: _close_soon(menu))
        action = button.defaultAction() if isinstance(button, QToolButton) else None
        harmless = action is None or action.objectName() in ("overlay", "outline", "loop")
        if not harmless:
            action.blockSignals(True)
        qtbot.keyClick(QApplication.focusWidget(), key)
        if not harmless:
            action.blockSignals(False)
        if not window.isActiveWindow():  # a menu had the focus; without a window manager nobody gives it back
            window.activateWindow()
            qtbot.waitUntil(window.isActiveWindow, timeout=WAIT_MS)
        if len(presses) != 1 or shown_index(window) != index or window.player.state is not before:
            wrong.append(f"{name_of(button)}: pressed {len(presses)} times")
    return seen, wrong


def _close_soon(menu: object) -> None:
    from PySide6.QtCore import QTimer

    QTimer.singleShot(0, menu.close)  # type: ignore[attr-defined]


@pytest.mark.parametrize("key", PRESSES)
def test_every_button_that_tab_comes_to_is_pressed_by_its_keys(qtbot: QtBot, paused: MainWindow, key: Qt.Key) -> None:
    seen, wrong = _pressed_by(qtbot, paused, key)
    assert wrong == [] and seen > 12


@pytest.mark.parametrize("key", PRESSES)
def test_a_button_of_a_message_is_pressed_by_its_keys(qtbot: QtBot, paused: MainWindow, key: Qt.Key) -> None:
    done: list[int] = []
    paused.messages.show_info("Saved", "Open folder", lambda: done.append(1))
    QApplication.processEvents()
    button = next(b for b in shown(paused, QPushButton) if b.text() == "Open folder")
    assert button in tab_chain(paused)
    button.setFocus()
    qtbot.keyClick(QApplication.focusWidget(), key)
    assert done == [1] and shows_paused(paused)


def shows_paused(window: MainWindow) -> bool:
    return window.player.state is PlayerState.PAUSED


@pytest.mark.parametrize("key", PRESSES)
def test_a_class_is_switched_by_its_keys(qtbot: QtBot, paused: MainWindow, key: Qt.Key) -> None:
    box = paused.legend.boxes["car"]
    assert box in tab_chain(paused)
    box.setFocus()
    qtbot.keyClick(QApplication.focusWidget(), key)
    assert not box.isChecked() and shows_paused(paused)


@pytest.mark.parametrize("key", PRESSES[:2])
@pytest.mark.parametrize("name", ["open_button", "address_button", "demo_button", "recent"])
def test_the_ways_in_are_pressed_by_their_keys(qtbot: QtBot, open_window, key: Qt.Key, name: str) -> None:
    save_settings(open_store(), WindowSettings(recent=("/gone/film.mp4",)))
    window = open_window()
    page = window.start_page
    button = page.recent_buttons[0] if name == "recent" else getattr(page, name)
    wanted: list[object] = []
    for signal in (page.open_wanted, page.address_wanted, page.demo_wanted, page.recent_wanted):
        signal.disconnect()
    button.clicked.connect(lambda *_: wanted.append(1))
    assert button in tab_chain(window)
    button.setFocus()
    qtbot.keyClick(QApplication.focusWidget(), key)
    assert wanted == [1]


def test_a_held_enter_presses_once(qtbot: QtBot, paused: MainWindow) -> None:
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QKeyEvent

    button, presses = paused.controls.buttons["outline"], []
    button.clicked.connect(lambda *_: presses.append(1))
    button.setFocus()
    for repeated in (False, True, True):
        event = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier, "\r", repeated)
        QApplication.sendEvent(button, event)
    assert presses == [1]


def test_everywhere_else_space_plays_and_arrows_seek(qtbot: QtBot, paused: MainWindow) -> None:
    for widget in tab_chain(paused):
        if not isinstance(widget, QAbstractButton):
            widget.setFocus()
            before = paused.player.state
            qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Space)
            qtbot.waitUntil(lambda before=before: paused.player.state is not before, timeout=WAIT_MS)


def test_the_arrows_move_the_slider_that_has_the_focus(qtbot: QtBot, paused: MainWindow) -> None:
    slider, index = paused.controls.opacity, shown_index(paused)
    assert slider in tab_chain(paused)
    slider.setFocus()
    before = slider.value()
    qtbot.keyClick(slider, Qt.Key.Key_Right)
    assert slider.value() == before + 5
    qtbot.keyClick(slider, Qt.Key.Key_Home)
    assert slider.value() == 0
    QApplication.processEvents()
    assert shown_index(paused) == index and paused.controls.seek_bar.position_s == pytest.approx(0.25, abs=0.06)


def test_tab_goes_from_left_to_right_in_the_controls(paused: MainWindow) -> None:
    row = [widget for widget in tab_chain(paused) if paused.controls.tools.isAncestorOf(widget)]
    places = [in_window(widget).left() for widget in row]
    assert len(places) > 8 and places == sorted(places)


def test_everything_that_can_be_used_has_a_name(qtbot: QtBot, open_window, paused: MainWindow) -> None:
    paused.messages.show_info("Saved", "Open folder", lambda: None)
    _resize(qtbot, paused, (480, 320))
    qtbot.keyClick(paused, "p")
    assert unnamed(paused) == []
    assert unnamed(open_window()) == []


def test_check_boxes_are_there_to_be_tested(paused: MainWindow) -> None:
    assert len([w for w in tab_chain(paused) if isinstance(w, QCheckBox)]) == 3


@pytest.mark.parametrize("id_", ["help", "settings", "find-class", "export", "export-queue", "address", "about"])
def test_the_window_is_closed_by_its_key_while_a_dialog_is_active(qtbot: QtBot, paused: MainWindow, id_: str) -> None:
    paused.actions_by_id[id_].trigger()
    qtbot.waitUntil(lambda: QApplication.activeWindow() not in (paused, None), timeout=WAIT_MS)
    dialog = QApplication.activeWindow()
    assert dialog is not None
    qtbot.keyClick(dialog, Qt.Key.Key_Q, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: not paused.isVisible(), timeout=WAIT_MS)
    assert [each for each in QApplication.topLevelWidgets() if each.isVisible()] == []
