"""Ways to look at a picture, with real keys and a real mouse, read from what is painted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent, QImage, QNativeGestureEvent, QPainter, QPointingDevice, QWheelEvent
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from seg_viewer.core.labels import DRIVING
from seg_viewer.gui.actions import all_specs
from seg_viewer.gui.main_window import MainWindow
from seg_viewer.gui.view import layers, modes
from seg_viewer.gui.view.plates import plate, plate_of
from seg_viewer.gui.view.scene import Content, Layer, Scene, Split, ViewMode
from seg_viewer.gui.view.video_view import VideoView
from seg_viewer.player.playback import PlayerState
from tests.models import BLUE, GREEN, GREY, RED

from .conftest import WAIT_MS, is_near, mixed, pause_at, wait_state

RGB = tuple[int, ...]
CAR, ROAD, PERSON = (DRIVING.by_name(name).color for name in ("car", "road", "person"))
QUARTERS = {(0.25, 0.25): GREY, (0.75, 0.25): BLUE, (0.25, 0.75): GREEN, (0.75, 0.75): RED}
"""Colours of a picture by the middles of its quarters: background, car, road, person."""
SEEN = {GREY: GREY, BLUE: mixed(BLUE, CAR, 0.45), GREEN: mixed(GREEN, ROAD, 0.45), RED: mixed(RED, PERSON, 0.45)}
MASK = {GREY: (0, 0, 0), BLUE: CAR, GREEN: ROAD, RED: PERSON}


@pytest.fixture
def quarters(tmp_path: Path) -> Path:
    picture = np.zeros((384, 640, 3), np.uint8)
    for (x, y), color in QUARTERS.items():
        picture[192 * (y > 0.5) :, 320 * (x > 0.5) :] = color
    picture[192:, :320], picture[:192, 320:] = GREEN, BLUE
    return _save(tmp_path / "quarters.png", picture)


def _save(path: Path, rgb: np.ndarray) -> Path:
    cv2.imwrite(str(path), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    return path


@pytest.fixture
def window(qtbot: QtBot, open_window: Callable[..., MainWindow], quarters: Path) -> MainWindow:
    made = open_window(quarters)
    wait_state(qtbot, made, PlayerState.ENDED)

    def has_its_size() -> bool:  # the panel may still make room
        return made.view.shown.pixels.shape[1::-1] == made.view.picture_rect().size().toSize().toTuple()

    qtbot.waitUntil(has_its_size, timeout=WAIT_MS)
    return made


def grab(view: VideoView) -> QImage:
    return view.grab().toImage()


def color(view: VideoView, at: QPointF) -> RGB:
    """As it is on the screen."""
    image = grab(view)
    return image.pixelColor((at * image.devicePixelRatio()).toPoint()).getRgb()[:3]


def at(view: VideoView, x: float, y: float, half: QPointF | None = None) -> QPointF:
    """Where a place of the picture, 0…1, is in the view."""
    rect = view.picture_rect(half)
    return QPointF(rect.x() + x * rect.width(), rect.y() + y * rect.height())


def wheel(view: VideoView, point: QPointF, notches: int) -> None:
    for _ in range(abs(notches)):
        event = QWheelEvent(
            point, view.mapToGlobal(point), QPoint(), QPoint(0, 120 if notches > 0 else -120),
            Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(view, event)


def drag(qtbot: QtBot, view: VideoView, start: QPointF, by: QPointF) -> None:
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=start.toPoint())
    for share in (0.3, 0.7, 1.0):
        qtbot.mouseMove(view, (start + share * by).toPoint())
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=(start + by).toPoint())


def checked(window: MainWindow) -> set[str]:
    return {spec.id for spec in all_specs() if window.actions_by_id[spec.id].isChecked()}


# -- ways to look ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "mode", "colors"),
    [
        ("", "overlay", SEEN),
        ("t", "original", {each: each for each in SEEN}),
        ("x", "mask", MASK),
        ("xt", "original", {each: each for each in SEEN}),
        ("xtt", "mask", MASK),  # back to what it was
        ("xh", "original", {each: each for each in SEEN}),
        *((key + key, "overlay", SEEN) for key in "xwvcWV"),  # again: back
        ("xwx", "mask", MASK),
    ],
)
def test_a_mode_paints_what_it_says(
    qtbot: QtBot, window: MainWindow, keys: str, mode: str, colors: dict[RGB, RGB]
) -> None:
    for key in keys:
        qtbot.keyClick(window, key)
    for (x, y), there in QUARTERS.items():
        assert is_near(color(window.view, at(window.view, x, y)), colors[there]), (x, y)
    on = checked(window)
    assert {id_ for id_ in on if id_.startswith("mode-")} == {f"mode-{mode}"}
    assert ("overlay" in on) is (mode != "original")


def test_the_wipe_has_an_edge_that_mouse_and_keys_move(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.keyClick(window, "w")
    view = window.view
    left, right = at(view, 0.25, 0.7), at(view, 0.75, 0.7)
    assert is_near(color(view, left), GREEN) and is_near(color(view, right), SEEN[RED])
    edge = at(view, 0.5, 0.3)
    assert color(view, edge)[0] > 200  # a light line between two dark blues and greys
    drag(qtbot, view, edge, at(view, 0.9, 0.3) - edge)
    assert is_near(color(view, right), RED) and color(view, at(view, 0.9, 0.3))[0] > 200
    for _ in range(20):
        qtbot.keyClick(window, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.ShiftModifier)
    assert view.places.edge == 0
    assert is_near(color(view, left), SEEN[GREEN]) and is_near(color(view, right), SEEN[RED])
    assert window.player.state is PlayerState.ENDED and view.cursor().shape() is not Qt.CursorShape.ClosedHandCursor


def test_side_by_side_shows_the_whole_picture_twice(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.keyClick(window, "v")
    view = window.view
    qtbot.waitUntil(lambda: view.shown.pixels.shape[1] == round(view.picture_rect().width()), timeout=WAIT_MS)
    right = QPointF(view.width() * 0.75, view.height() / 2)
    for (x, y), there in QUARTERS.items():
        assert is_near(color(view, at(view, x, y)), there)
        assert is_near(color(view, at(view, x, y, right)), SEEN[there])
    wheel(view, at(view, 0.75, 0.75, right), 6)  # zooms both, at the place that is pointed at
    assert is_near(color(view, QPointF(view.width() * 0.3, view.height() * 0.6)), RED)
    assert view.zoom.scale is not None and len(view.places.halves()) == 2


def test_the_way_to_look_is_remembered_but_not_that_nothing_is_painted(
    qtbot: QtBot, window: MainWindow, open_window: Callable[..., MainWindow], quarters: Path
) -> None:
    for key in "wiu":
        qtbot.keyClick(window, key)
    window.close()
    again = open_window(quarters)
    assert {"mode-wipe", "hud"} <= checked(again) and "value" not in checked(again)
    qtbot.keyClick(again, "t")
    wait_state(qtbot, again, PlayerState.ENDED)
    again.close()
    assert "mode-overlay" in checked(open_window(quarters))


def test_another_layer_is_one_entry_and_another_way_to_look_too(
    qtbot: QtBot, open_window: Callable[..., MainWindow], quarters: Path
) -> None:
    def paint(painter: QPainter, scene: Scene) -> None:
        painter.fillRect(scene.logical(scene.half.seen), Qt.GlobalColor.yellow)

    layers.LAYERS.insert(1, Layer("flat", "", paint))
    modes.CONTENTS.append(Content("flat", "flat", ("flat",)))
    mode = ViewMode("flat", "Flat", "All yellow", ("original", "flat"), Split.WIPE)
    needy = ViewMode("needy", "Needy", "Two models", ("flat",), needs="second map")
    try:
        window = open_window(quarters)
        wait_state(qtbot, window, PlayerState.ENDED)
        window.view.set_mode(mode)
        assert is_near(color(window.view, at(window.view, 0.75, 0.75)), (255, 255, 0))
        assert is_near(color(window.view, at(window.view, 0.25, 0.75)), GREEN)
        window.view.set_mode(needy)  # there is one model only: the usual picture, not an empty one
        assert is_near(color(window.view, at(window.view, 0.75, 0.75)), SEEN[RED])
    finally:
        layers.LAYERS[:] = [layer for layer in layers.LAYERS if layer.id != "flat"]
        modes.CONTENTS[:] = [content for content in modes.CONTENTS if content.id != "flat"]


# -- zoom ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", list(QUARTERS))
def test_the_wheel_zooms_at_the_pointer(qtbot: QtBot, window: MainWindow, place: tuple[float, float]) -> None:
    view = window.view
    point = at(view, *place)
    wheel(view, point, 30)
    assert view.zoom.scale == 16.0
    under = at(view, *place)
    assert (under - point).manhattanLength() <= 3
    assert is_near(color(view, point), SEEN[QUARTERS[place]])
    assert is_near(color(view, QPointF(view.width() / 2, view.height() * 0.7)), SEEN[QUARTERS[place]])
    qtbot.keyClick(window, "0", Qt.KeyboardModifier.ControlModifier)
    assert view.zoom.scale is None
    for (x, y), there in QUARTERS.items():
        assert is_near(color(view, at(view, x, y)), SEEN[there])


@pytest.mark.parametrize(("size", "notches"), [((640, 384), 12), ((1900, 1000), 20)])
def test_zoomed_in_each_pixel_of_the_picture_is_a_block_of_exactly_its_colour(
    qtbot: QtBot, open_window: Callable[..., MainWindow], tmp_path: Path, size: tuple[int, int], notches: int
) -> None:
    """Also where the picture is larger than the view, and was made smaller for it before."""
    noise = np.random.default_rng(3).integers(0, 255, (size[1], size[0], 3), np.uint8)
    window = open_window(_save(tmp_path / "noise.png", noise))
    wait_state(qtbot, window, PlayerState.ENDED)
    view = window.view
    for key in "tu":
        qtbot.keyClick(window, key)
    wheel(view, at(view, 0.4, 0.6), notches)
    scale = view.zoom.scale
    assert scale is not None and scale >= 4
    qtbot.waitUntil(lambda: view.shown.pixels.shape[:2] == noise.shape[:2], timeout=WAIT_MS)
    image, rect = grab(view), view.picture_rect()
    for x, y in np.random.default_rng(4).integers((150, 80), (view.width() - 150, view.height() - 80), (40, 2)):
        inside = (x + 0.5 - rect.x()) / scale, (y + 0.5 - rect.y()) / scale
        if any(min(part % 1, 1 - part % 1) < 0.6 / scale for part in inside):
            continue  # on the border of two
        column, row = (int(part) for part in inside)
        assert image.pixelColor(int(x), int(y)).getRgb()[:3] == tuple(noise[row, column]), (row, column)


@pytest.mark.parametrize("size", [(640, 384), (200, 120), (1900, 1000)])
def test_one_to_one_is_the_very_picture(
    qtbot: QtBot, open_window: Callable[..., MainWindow], tmp_path: Path, size: tuple[int, int]
) -> None:
    noise = np.random.default_rng(5).integers(0, 255, (size[1], size[0], 3), np.uint8)
    window = open_window(_save(tmp_path / "noise.png", noise))
    wait_state(qtbot, window, PlayerState.ENDED)
    view = window.view
    for key in "tu":
        qtbot.keyClick(window, key)
    qtbot.keyClick(window, "1", Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: view.shown.pixels.shape[:2] == noise.shape[:2], timeout=WAIT_MS)
    image, rect = grab(view), view.picture_rect()
    assert (rect.width(), rect.height()) == size
    left, top = max(0, int(-rect.x())) + 20, max(0, int(-rect.y())) + 40
    for column, row in ((left, top), (left + 100, top + 50), (left + 150, top + 7)):
        seen = image.pixelColor(column + int(rect.x()), row + int(rect.y())).getRgb()[:3]
        assert seen == tuple(noise[row, column])


def test_keys_zoom_and_pan_and_a_drag_pans(qtbot: QtBot, window: MainWindow) -> None:
    view = window.view
    for _ in range(9):
        qtbot.keyClick(window, "+")
    middle = QPointF(view.width() / 2, view.height() / 2)
    assert view.zoom.scale == pytest.approx(8, rel=0.3)
    drag(qtbot, view, middle, QPointF(-200, -150))  # the picture goes up and left: more of its lower right is seen
    assert is_near(color(view, middle), SEEN[RED])
    for _ in range(8):
        qtbot.keyClick(window, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    assert is_near(color(view, middle), SEEN[GREEN])
    drag(qtbot, view, middle, QPointF(0, 3000))
    assert view.picture_rect().top() < view.height() / 2  # never out of sight
    for _ in range(30):
        qtbot.keyClick(window, "-")
    assert view.zoom.scale is None
    assert window.player.state is PlayerState.ENDED


def test_ego_zone_and_wipe_are_where_they_belong_while_zoomed(qtbot: QtBot, window: MainWindow) -> None:
    view = window.view
    for key in "zw":
        qtbot.keyClick(window, key)
    corner = window.ego_zone.points(view.picture_rect())[1]
    wheel(view, corner, 5)
    moved = window.ego_zone.points(view.picture_rect())[1]
    assert (moved - corner).manhattanLength() <= 4 and view.zoom.scale is not None
    qtbot.mouseMove(view, moved.toPoint())
    assert view.cursor().shape() is Qt.CursorShape.SizeAllCursor
    drag(qtbot, view, moved, QPointF(-70, 40))
    assert (window.ego_zone.points(view.picture_rect())[1] - moved - QPointF(-70, 40)).manhattanLength() <= 4
    edge = QPointF(view.places.edge_x() / view.devicePixelRatioF(), view.height() * 0.9)
    before = view.zoom
    drag(qtbot, view, edge, QPointF(-120, 0))
    assert abs(view.places.edge_x() / view.devicePixelRatioF() - edge.x() + 120) <= 2 and view.zoom == before


@pytest.mark.parametrize("how", ["two fingers apart", "a touchpad's pixels"])
def test_a_touchpad_zooms_at_the_pointer(window: MainWindow, how: str) -> None:
    view = window.view
    point = at(view, 0.75, 0.75)
    before = view.places.factor()
    if how == "two fingers apart":
        for _ in range(10):
            QApplication.sendEvent(
                view,
                QNativeGestureEvent(
                    Qt.NativeGestureType.ZoomNativeGesture, QPointingDevice.primaryPointingDevice(), 2,
                    point, point, view.mapToGlobal(point), 0.1, QPointF(),
                ),
            )  # fmt: skip
    else:
        for _ in range(20):
            event = QWheelEvent(
                point, view.mapToGlobal(point), QPoint(0, 9), QPoint(),
                Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.ScrollUpdate, False,
            )  # fmt: skip
            QApplication.sendEvent(view, event)
    assert view.places.factor() == pytest.approx(2 * before, rel=0.01)
    assert (at(view, 0.75, 0.75) - point).manhattanLength() <= 3
    assert is_near(color(view, point), SEEN[RED])


def test_another_picture_is_fitted_again(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    wheel(window.view, at(window.view, 0.5, 0.5), 4)
    window.open(_save(tmp_path / "other.png", np.full((64, 64, 3), BLUE, np.uint8)))
    qtbot.waitUntil(lambda: window.view.shown is not None and window.view.places.shape().width == 64, timeout=WAIT_MS)
    assert window.view.zoom.scale is None


# -- the mouse -------------------------------------------------------------------------------------------------------


@pytest.fixture
def playing(qtbot: QtBot, open_window: Callable[..., MainWindow], long_clip: Path) -> MainWindow:
    made = open_window(long_clip)
    wait_state(qtbot, made, PlayerState.PLAYING)
    qtbot.waitUntil(lambda: made.view.shown is not None, timeout=WAIT_MS)  # it plays before its first picture is taken
    return made


def test_a_click_plays_and_pauses(qtbot: QtBot, playing: MainWindow) -> None:
    middle = at(playing.view, 0.5, 0.5).toPoint()
    qtbot.mouseClick(playing.view, Qt.MouseButton.LeftButton, pos=middle)
    wait_state(qtbot, playing, PlayerState.PAUSED)
    qtbot.mouseClick(playing.view, Qt.MouseButton.LeftButton, pos=middle)
    wait_state(qtbot, playing, PlayerState.PLAYING)


@pytest.mark.parametrize("what", ["drag", "drag while zoomed", "right", "middle", "zone", "edge"])
def test_what_is_no_click_leaves_playing_alone(qtbot: QtBot, playing: MainWindow, what: str) -> None:
    view, clicks = playing.view, []
    view.clicked.connect(lambda: clicks.append(what))
    start = at(view, 0.3, 0.3)
    if what.startswith("drag"):
        wheel(view, start, 4 if "zoomed" in what else 0)
        drag(qtbot, view, start, QPointF(40, 20))
    elif what == "zone":
        qtbot.keyClick(playing, "z")
        corner = playing.ego_zone.points(view.picture_rect())[0].toPoint()
        qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=corner)
    elif what == "edge":
        qtbot.keyClick(playing, "w")
        qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=at(view, 0.5, 0.3).toPoint())
    else:
        button = Qt.MouseButton.RightButton if what == "right" else Qt.MouseButton.MiddleButton
        qtbot.mouseClick(view, button, pos=start.toPoint())
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=at(view, 0.7, 0.3).toPoint())  # this one does
    qtbot.waitUntil(lambda: bool(clicks), timeout=WAIT_MS)
    assert clicks == [what]
    wait_state(qtbot, playing, PlayerState.PAUSED)


def test_a_double_click_is_full_screen_and_never_pauses(qtbot: QtBot, playing: MainWindow) -> None:
    view, clicks = playing.view, []
    view.clicked.connect(lambda: clicks.append(1))
    middle = at(view, 0.5, 0.5).toPoint()
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=middle)  # as a window system sends it: a click, then the rest
    qtbot.mouseDClick(view, Qt.MouseButton.LeftButton, pos=middle)
    assert playing.isFullScreen()
    qtbot.wait(400)  # longer than a click is waited for
    assert clicks == [] and playing.player.state is PlayerState.PLAYING


def test_a_right_click_offers_what_the_view_can_do(qtbot: QtBot, window: MainWindow) -> None:
    view, point = window.view, at(window.view, 0.5, 0.5).toPoint()
    QApplication.sendEvent(view, QContextMenuEvent(QContextMenuEvent.Reason.Mouse, point, view.mapToGlobal(point)))
    qtbot.waitUntil(lambda: isinstance(QApplication.activePopupWidget(), QMenu), timeout=WAIT_MS)
    menu = QApplication.activePopupWidget()
    chosen = window.actions_by_id["mode-mask"]
    assert chosen in menu.actions() and window.actions_by_id["zoom-fit"] in menu.actions()
    qtbot.mouseClick(menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(chosen).center())
    assert "mode-mask" in checked(window) and not menu.isVisible()
    assert is_near(color(view, at(view, 0.75, 0.75)), PERSON)


# -- who does the work -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["", "w", "x", "o"])
def test_what_plays_comes_with_its_colours_at_the_size_of_the_screen(
    qtbot: QtBot, playing: MainWindow, key: str
) -> None:
    """The window's thread copies; it neither scales nor colours."""
    view = playing.view
    if key:
        qtbot.keyClick(playing, key)
    style = replace(playing.look.style, opacity=1.0) if key == "x" else playing.look.style
    rect = view.picture_rect()
    size = (round(rect.height()), round(rect.width()))

    def as_wished() -> bool:
        (mask,) = view.shown.masks
        parts = (view.shown.pixels, mask.ids, mask.bgra)
        return mask.style == style and all(part is not None and part.shape[:2] == size for part in parts)

    qtbot.waitUntil(as_wished, timeout=WAIT_MS)
    (mask,) = view.shown.masks
    assert view._images.mask(0, style).constBits()[:400] == mask.bgra.tobytes()[:400]


def test_many_changes_of_style_keep_few_images(window: MainWindow) -> None:
    for value in range(0, 100, 4):
        window.controls.opacity.setValue(value)
        grab(window.view)
    assert len(window.view._images._kept) <= 6
    assert is_near(color(window.view, at(window.view, 0.75, 0.75)), mixed(RED, PERSON, 0.96))


# -- words on the picture --------------------------------------------------------------------------------------------


def test_in_full_screen_the_value_keeps_clear_of_the_controls(qtbot: QtBot, window: MainWindow) -> None:
    view, full = window.view, window.actions_by_id["full-screen"]
    full.trigger()
    qtbot.waitUntil(lambda: view.height() == window.centralWidget().height(), timeout=WAIT_MS)
    qtbot.mouseMove(view, QPoint(100, 100))
    qtbot.mouseMove(view, at(view, 0.5, 0.3).toPoint())
    with_value = grab(view)
    qtbot.keyClick(window, "u")
    without = grab(view)
    differs = [
        y
        for y in range(view.height())
        if any(with_value.pixelColor(x, y) != without.pixelColor(x, y) for x in range(12, 60, 4))
    ]
    controls = window.controls
    assert controls.isVisible() and differs
    assert max(differs) < controls.y() <= view.height()


@pytest.fixture
def plates(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is written on the picture with the next paint."""
    written: list[str] = []

    def note(lines: tuple[str, ...], *more: object) -> QImage:
        written.extend(lines)
        return plate(lines, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(layers, "plate", note)

    def note_numbers(lines: tuple[str, ...], *more: object) -> QImage:
        written.extend(lines)
        return plate_of(lines, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(layers, "plate_of", note_numbers)
    return written


@pytest.mark.parametrize("zoomed", [0, 5])
@pytest.mark.parametrize("place", list(QUARTERS))
def test_the_value_under_the_pointer(
    qtbot: QtBot, window: MainWindow, plates: list[str], place: tuple[float, float], zoomed: int
) -> None:
    view = window.view
    wheel(view, at(view, *place), zoomed)
    qtbot.waitUntil(lambda: view.shown.pixels.shape[0] >= 384 or not zoomed, timeout=WAIT_MS)
    point = at(view, *place).toPoint()
    qtbot.mouseMove(view, point + QPoint(3, 3))
    qtbot.mouseMove(view, point)
    plates.clear()
    grab(view)
    (line,) = (text for text in plates if "RGB" in text)
    there = QUARTERS[place]
    name = {GREY: "background", BLUE: "car", GREEN: "road", RED: "person"}[there]
    assert line.startswith(f"{name} · 25.0 % of the picture · x ")
    assert line.endswith("RGB {} {} {}".format(*there))
    x, y = (int(part.split()[-1]) for part in line.split(" · ")[2].split(", "))
    assert abs(x - place[0] * 640) <= 2 and abs(y - place[1] * 384) <= 2
    qtbot.keyClick(window, "u")
    plates.clear()
    grab(view)
    assert not any("RGB" in text for text in plates)


def test_numbers_on_the_picture_are_of_what_is_painted(
    qtbot: QtBot, open_window: Callable[..., MainWindow], clip: Path, plates: list[str]
) -> None:
    window = open_window(clip)
    pause_at(qtbot, window, 5)
    before = grab(window.view)
    qtbot.keyClick(window, "i")
    plates.clear()
    assert grab(window.view) != before
    assert plates[0] == "0:00.250 / 0:02.000 · frame 5"
    assert "latency" in plates[1] and "dropped" in plates[1] and "CPU" in plates[2]
    assert "fps" not in plates[1]  # it stands still
    qtbot.keyClick(window, ".")
    qtbot.waitUntil(lambda: window.view.shown.shot.frame.index == 6, timeout=WAIT_MS)
    plates.clear()
    grab(window.view)
    assert plates[0] == "0:00.300 / 0:02.000 · frame 6"


def test_names_and_zoom_are_told_on_the_picture(qtbot: QtBot, window: MainWindow, plates: list[str]) -> None:
    grab(window.view)
    assert plates == []  # nothing is written that nobody asked for
    qtbot.keyClick(window, "w")
    qtbot.keyClick(window, "1", Qt.KeyboardModifier.ControlModifier)
    plates.clear()
    grab(window.view)
    assert plates == ["original", "overlay", "1:1"]


@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0])
@pytest.mark.parametrize("behind", [Qt.GlobalColor.black, Qt.GlobalColor.white, Qt.GlobalColor.gray])
def test_words_are_readable_on_any_picture_at_any_scale(qapp: QApplication, ratio: float, behind) -> None:
    image = plate(("0123456789 car · 25 %",), qapp.font(), ratio, 400)
    assert image.devicePixelRatio() == ratio
    once = plate(("0123456789 car · 25 %",), qapp.font(), 1.0, 400)
    assert abs(image.width() - ratio * once.width()) <= 0.12 * image.width()
    page = QImage(image.size(), QImage.Format.Format_RGB32)
    page.fill(behind)
    painter = QPainter(page)
    image.setDevicePixelRatio(1.0)
    painter.drawImage(0, 0, image)
    painter.end()
    image.setDevicePixelRatio(ratio)
    rows = page.height() // 2
    light = [page.pixelColor(x, y).lightnessF() for x in range(page.width()) for y in range(rows - 3, rows + 3)]
    assert max(light) - float(np.median(light)) > 0.45  # letters against their plate


# -- smooth borders --------------------------------------------------------------------------------------------------


def test_the_border_of_a_mask_is_smooth_and_the_value_is_the_networks_own(
    qtbot: QtBot, open_window: Callable[..., MainWindow], tmp_path: Path
) -> None:
    """The model sees 64×32 pixels: each is some 15 on the screen; a diagonal must not have steps as large."""
    rows, columns = np.mgrid[0:384, 0:640]
    picture = np.where((rows > 0.6 * columns)[..., None], np.uint8(BLUE), np.uint8(GREY))
    window = open_window(_save(tmp_path / "slope.png", picture.astype(np.uint8)))
    wait_state(qtbot, window, PlayerState.ENDED)
    view = window.view
    qtbot.keyClick(window, "x")
    image, rect = grab(view), view.picture_rect().toRect().adjusted(60, 60, -60, -60)
    edge = []  # the first row of each column that is painted
    for x in range(rect.left(), rect.right()):
        column = [y for y in range(rect.top(), rect.bottom()) if image.pixelColor(x, y).blue() > 128]
        if column and column[0] > rect.top():
            edge.append(column[0])
    assert len(edge) > 200
    steps = np.abs(np.diff(edge))
    assert steps.max() < 0.6 * view.picture_rect().height() / 32  # of a block
    classes = view.shown.shot.classes
    for row, column in np.random.default_rng(1).integers((3, 3), (29, 61), (30, 2)):
        point = at(view, (column + 0.5) / 64, (row + 0.5) / 32)
        painted = image.pixelColor(point.toPoint()).blue() > 128
        assert painted == (classes[row, column] == DRIVING.by_name("car").id)


@pytest.mark.parametrize("mode", ["overlay", "wipe", "side"])
def test_words_on_the_picture_keep_clear_of_messages(qtbot: QtBot, open_window, clip: Path, mode: str) -> None:
    window = open_window(clip)
    pause_at(qtbot, window, 5)
    view = window.view
    if mode != "overlay":
        qtbot.keyClick(window, {"wipe": Qt.Key.Key_W, "side": Qt.Key.Key_V}[mode])

    def highest_dark_row() -> int:
        """Of the plates: logical pixels from the top of the view."""
        bare = grab(view)
        qtbot.keyClick(window, Qt.Key.Key_I)
        plated = grab(view)
        qtbot.keyClick(window, Qt.Key.Key_I)
        columns = range(0, bare.width(), 3)
        return next(y for y in range(bare.height()) if any(bare.pixel(x, y) != plated.pixel(x, y) for x in columns))

    before = highest_dark_row()
    window.messages.show_warning("first")
    window.messages.show_warning("second")
    notices = window.centralWidget().notices
    qtbot.waitUntil(lambda: notices.covered > 0, timeout=WAIT_MS)
    qtbot.wait(50)  # the second one takes its place
    assert highest_dark_row() >= max(before, notices.covered)
    window.messages.clear()
    qtbot.waitUntil(lambda: notices.covered == 0, timeout=WAIT_MS)
    assert highest_dark_row() == before
