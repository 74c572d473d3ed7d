"""The ego zone: off by default, drawn by mouse and keys, kept for each camera; flashes, tells, logs, saves clips."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from shutil import which

import av
import pytest
from PySide6.QtCore import ClassInfo, QObject, QPoint, QPointF, Qt, Slot
from PySide6.QtDBus import QDBusConnection
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from seg_viewer.core.zone import MOST_CORNERS, NOTHING_INSIDE, Zone
from seg_viewer.gui.notifying import Notifier
from seg_viewer.player.playback import PlayerState
from tests.models import BLUE, GREY
from tests.servers.http_video import HttpVideo
from tests.sinks.test_zone_log import rows_of

from .conftest import WAIT_MS, make_clip, pause_at, wait_ended, wait_state


def test_it_is_off_until_it_is_wanted(qtbot: QtBot, open_window, clip: Path):
    window = open_window(clip)
    wait_state(qtbot, window, PlayerState.ENDED)
    assert not window.ego_zone.on and window.messages.texts("info") == []
    assert "no safety function" in window.actions_by_id["zone"].toolTip()
    qtbot.keyClick(window, "z", Qt.KeyboardModifier.ShiftModifier)
    assert window.messages.texts("info") == ["switch the ego zone on first (Z), then change it"]


def test_a_car_that_enters_is_told_with_its_time(qtbot: QtBot, open_window, tmp_path: Path):
    window = open_window()
    qtbot.keyClick(window, "z")
    window.open(make_clip(tmp_path / "comes.mp4", 20, colors=[GREY] * 10 + [BLUE] * 10))
    qtbot.waitUntil(lambda: bool(window.messages.texts("info")), timeout=WAIT_MS)
    wait_state(qtbot, window, PlayerState.ENDED)
    (line,) = window.messages.texts("info")
    assert "in the ego zone" in line and line.endswith(": car 100.0 %")  # nothing of what is not there
    assert list(tmp_path.glob("*zone*")) == []  # a file can be looked at again


def drag(qtbot: QtBot, window, start: QPoint, target: QPoint, *, release: bool = True) -> None:
    qtbot.mousePress(window.view, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(window.view, target)
    if release:
        qtbot.mouseRelease(window.view, Qt.MouseButton.LeftButton, pos=target)


def points(window) -> list[QPoint]:
    return [point.toPoint() for point in window.ego_zone.points(window.view.picture_rect())]


def middle(window, edge: int) -> QPoint:
    corners = points(window)
    return (corners[edge - 1] + corners[edge]) / 2


@pytest.fixture
def zoned(qtbot: QtBot, open_window, clip: Path):
    """A window that stands, with its zone."""
    window = open_window(clip)
    pause_at(qtbot, window, 5)
    qtbot.keyClick(window, "z")
    return window


def test_corners_are_dragged_and_kept(qtbot: QtBot, zoned, clip: Path):
    window = zoned
    target = points(window)[0] + QPoint(-60, -40)
    drag(qtbot, window, points(window)[0], target)
    assert (points(window)[0] - target).manhattanLength() <= 2
    before = window.view.grab().toImage()
    qtbot.keyClick(window, "z")
    assert window.view.grab().toImage() != before  # drawn while it is on
    (kept,) = window.memory.settings.zones
    assert kept == f"{clip.parent}={window.ego_zone.shape.zone}"


def test_corners_are_added_and_removed_by_mouse(qtbot: QtBot, zoned):
    window = zoned
    was = points(window)
    target = middle(window, 2) + QPoint(50, -10)
    drag(qtbot, window, middle(window, 2), target)
    assert len(points(window)) == 5 and (points(window)[2] - target).manhattanLength() <= 2
    qtbot.mouseDClick(window.view, Qt.MouseButton.LeftButton, pos=points(window)[2])
    assert all((a - b).manhattanLength() <= 1 for a, b in zip(points(window), was, strict=True))
    qtbot.mouseDClick(window.view, Qt.MouseButton.LeftButton, pos=points(window)[0])
    assert len(points(window)) == 3 and not window.isFullScreen()
    qtbot.mouseDClick(window.view, Qt.MouseButton.LeftButton, pos=points(window)[0])
    assert len(points(window)) == 3 and window.messages.texts("info") == ["a zone has at least 3 corners"]


def test_esc_undoes_a_drag_under_way(qtbot: QtBot, zoned):
    window = zoned
    was = points(window)
    for start in (was[1], middle(window, 3)):
        drag(qtbot, window, start, start + QPoint(40, 20), release=False)
        assert points(window) != was
        qtbot.keyClick(window.view, Qt.Key.Key_Escape)
        assert points(window) == was
        qtbot.mouseMove(window.view, start + QPoint(80, 40))
        qtbot.mouseRelease(window.view, Qt.MouseButton.LeftButton, pos=start + QPoint(80, 40))
        assert points(window) == was and window.memory.settings.zones == ()


def test_it_is_changed_by_keys_and_esc_undoes_all_of_it(qtbot: QtBot, zoned):
    window, view, was = zoned, zoned.view, zoned.ego_zone.shape.zone
    position = window.player.position_s
    plain = view.grab().toImage()
    qtbot.keyClick(window, "z", Qt.KeyboardModifier.ShiftModifier)
    assert view.grab().toImage() != plain  # says which keys there are
    for key in (Qt.Key.Key_Tab, Qt.Key.Key_Right, Qt.Key.Key_Up):
        qtbot.keyClick(view, key)
    (x, y), corner = was.corners[1], window.ego_zone.shape.zone.corners[1]
    assert corner == pytest.approx((x + 0.02, y - 0.02)) and window.player.position_s == position
    qtbot.keyClick(view, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert window.ego_zone.shape.zone.corners[1][0] == pytest.approx(x + 0.016)
    qtbot.keyClick(view, Qt.Key.Key_Insert)
    assert len(window.ego_zone.shape.zone.corners) == 5
    qtbot.keyClick(view, Qt.Key.Key_Escape)
    assert window.ego_zone.shape.zone == was and not window.ego_zone.shape.editing
    assert window.memory.settings.zones == ()
    # again, and kept
    qtbot.keyClick(window, "z", Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClick(view, Qt.Key.Key_Backtab, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClick(view, Qt.Key.Key_Delete)
    qtbot.keyClick(view, Qt.Key.Key_Return)
    assert window.ego_zone.shape.zone == was.without(3) and len(window.memory.settings.zones) == 1
    qtbot.keyClick(view, Qt.Key.Key_Right)  # the window's again
    assert window.ego_zone.shape.zone == was.without(3)
    qtbot.keyClick(window, "z", Qt.KeyboardModifier.ShiftModifier)
    for _ in range(MOST_CORNERS):
        qtbot.keyClick(view, Qt.Key.Key_Insert)
    assert window.messages.texts("info") == [f"a zone has at most {MOST_CORNERS} corners"]
    qtbot.keyClick(view, Qt.Key.Key_Backspace)
    assert window.ego_zone.shape.zone == Zone() and window.memory.settings.zones == ()


def test_no_hand_makes_a_zone_with_nothing_inside(qtbot: QtBot, zoned):
    """A corner that is dragged stays where something was inside; where it is a key, a line says why."""
    window, view, shape = zoned, zoned.view, zoned.ego_zone.shape
    qtbot.mouseDClick(view, Qt.MouseButton.LeftButton, pos=points(window)[3])
    _first, second, third = points(window)
    drag(qtbot, window, third, second)
    (kept,) = window.memory.settings.zones
    assert Zone.read(kept.rpartition("=")[2]) == Zone.read(str(shape.zone)) and shape.zone.mask(1280, 720).any()
    before = Zone(((0.5, 0.5), (0.52, 0.5), (0.52, 0.52)))
    shape.show_zone(before)
    qtbot.keyClick(window, "z", Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClick(view, Qt.Key.Key_Right)  # the first corner onto the second
    assert shape.zone == before and window.messages.texts("info") == [NOTHING_INSIDE]
    shape.show_zone(Zone(((0.2, 0.2), (0.4, 0.4), (0.6, 0.6), (0.6, 0.2))))
    qtbot.keyClick(view, Qt.Key.Key_Backtab)
    qtbot.keyClick(view, Qt.Key.Key_Delete)  # the one that is off the line
    assert len(shape.zone.corners) == 4


def test_a_zone_with_nothing_inside_in_the_settings_is_the_usual_one(qtbot: QtBot, zoned, clip: Path):
    window = zoned
    window.memory.change(zones=(f"{clip.parent}=0.1,0.1 0.2,0.2 0.3,0.3",))
    window.open(clip)
    wait_state(qtbot, window, PlayerState.ENDED)
    assert window.ego_zone.shape.zone == Zone()


def test_each_camera_has_its_own_and_gets_it_back(qtbot: QtBot, zoned, clip: Path, tmp_path: Path):
    window = zoned
    elsewhere = tmp_path / "other"
    elsewhere.mkdir()
    drag(qtbot, window, points(window)[0], points(window)[0] + QPoint(-50, -30))
    own = window.ego_zone.shape.zone
    window.open(make_clip(elsewhere / "b.mp4", 4))
    qtbot.waitUntil(lambda: window.ego_zone.shape.zone == Zone(), timeout=WAIT_MS)
    window.open(clip)
    qtbot.waitUntil(lambda: window.ego_zone.shape.zone != Zone(), timeout=WAIT_MS)
    assert str(window.ego_zone.shape.zone) == str(own)


@pytest.fixture
def coming(tmp_path: Path) -> Path:
    """Something comes, goes, and comes again."""
    colors = [GREY] * 5 + [BLUE] * 20 + [GREY] * 20 + [BLUE] * 10
    return make_clip(tmp_path / "comes.mp4", len(colors), colors=colors)


def test_what_enters_and_leaves_is_logged(qtbot: QtBot, open_window, coming: Path, tmp_path: Path):
    window = open_window()
    window.memory.change(recordings_folder=str(tmp_path / "videos"), zone_log=True, in_full=True)
    window.player.in_full = True
    qtbot.keyClick(window, "z")
    window.open(coming)
    wait_state(qtbot, window, PlayerState.ENDED)
    qtbot.keyClick(window, "z")
    logged = "Log of the ego zone: "
    qtbot.waitUntil(lambda: any(logged in text for text in window.messages.texts("info")), timeout=WAIT_MS)
    (path,) = (tmp_path / "videos" / "zone").glob("comes_zone_*.csv")
    rows = rows_of(path)
    assert [row["event"] for row in rows] in (["enter", "leave", "enter", "end"], ["enter", "leave"])  # shots shown
    assert {row["class"] for row in rows} == {"car"} and rows[1]["duration_s"] > 0.3


def test_the_log_that_was_asked_for_is_there_also_without_events(qtbot: QtBot, open_window, clip: Path, tmp_path: Path):
    window = open_window()
    window.ego_zone.events_to = tmp_path / "log.jsonl"
    qtbot.keyClick(window, "z")
    window.open(make_clip(tmp_path / "nothing.mp4", 4, colors=[GREY] * 4))
    wait_state(qtbot, window, PlayerState.ENDED)
    window.close()
    wait_ended(qtbot)
    assert rows_of(tmp_path / "log.jsonl") == []


def test_a_log_that_cannot_be_written_is_told_once_and_playing_goes_on(
    qtbot: QtBot, open_window, coming: Path, tmp_path: Path
):
    (tmp_path / "videos").write_text("no folder", encoding="utf-8")
    window = open_window()
    window.memory.change(recordings_folder=str(tmp_path / "videos"), zone_log=True)
    qtbot.keyClick(window, "z")
    window.open(coming)
    qtbot.waitUntil(lambda: bool(window.messages.texts("error")), timeout=WAIT_MS)
    wait_state(qtbot, window, PlayerState.ENDED)
    (line,) = window.messages.texts("error")
    assert "zone" in line and "choose another one" in line and "\n" not in line


@pytest.fixture
def server(tmp_path: Path) -> Iterator[HttpVideo]:
    with HttpVideo(tmp_path, size=(160, 96), rate=8, each=8) as running:  # a car for a second, then none
        yield running


def test_a_live_clip_is_saved_only_where_it_is_wanted(qtbot: QtBot, open_window, server: HttpVideo, tmp_path: Path):
    window = open_window(server.url())
    folder = tmp_path / "clips" / "zone"
    window.memory.change(recordings_folder=str(tmp_path / "clips"))
    wait_state(qtbot, window, PlayerState.PLAYING)
    qtbot.keyClick(window, "z")
    offered = "no clip is saved"
    qtbot.waitUntil(lambda: any(offered in text for text in window.messages.texts("info")), timeout=WAIT_MS)
    assert not folder.exists()
    (button,) = [b for b in window.messages.findChildren(QPushButton) if b.text() == "Save clips from now on"]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert window.memory.settings.zone_clips
    folder.mkdir(parents=True)
    old = folder / "cam_zone_2020-01-01_00-00-00.mkv"
    with old.open("wb") as file:
        file.truncate(300_000_000)  # it holds nothing: the disk has room
    os.utime(old, (1, 1))
    window.memory.change(zone_clips_mb="200")
    window.ego_zone.clip_s = 0.4
    qtbot.waitUntil(lambda: any("Clip saved" in text for text in window.messages.texts("info")), timeout=WAIT_MS)
    qtbot.keyClick(window, "z")
    gone = "older clips of the ego zone removed: 1; all together may hold 200 MB"
    qtbot.waitUntil(lambda: gone in window.messages.texts("info"), timeout=WAIT_MS)
    clips = sorted(folder.glob("*_zone_*.mkv"))
    assert clips and old not in clips
    with av.open(str(clips[0])) as container:
        assert sum(1 for _ in container.decode(video=0)) > 3


@ClassInfo({"D-Bus Interface": "org.freedesktop.portal.Notification"})
class _Portal(QObject):
    """What a desktop has on its bus, with the arguments of its own interface (s, a{sv})."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str]]] = []

    @Slot(str, "QVariantMap")
    def AddNotification(self, id_: str, what: dict[str, str]) -> None:
        self.seen.append((id_, what))


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[QDBusConnection]:
    """A bus of its own."""
    if which("dbus-daemon") is None:
        pytest.skip("no D-Bus here")
    with subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", "--print-address"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8",
    ) as daemon:  # fmt: skip
        assert daemon.stdout is not None
        yield QDBusConnection.connectToBus(daemon.stdout.readline().strip(), "seg-viewer-test")
        QDBusConnection.disconnectFromBus("seg-viewer-test")
        daemon.terminate()


def test_the_desktop_tells_what_enters_where_that_is_wanted(
    qtbot: QtBot, open_window, bus: QDBusConnection, coming: Path
):
    portal = _Portal()
    assert bus.registerService("org.freedesktop.portal.Desktop")
    everything = QDBusConnection.RegisterOption.ExportAllSlots
    assert bus.registerObject("/org/freedesktop/portal/desktop", portal, everything)
    window = open_window()
    window.ego_zone.notifier = Notifier(window, bus)
    qtbot.keyClick(window, "z")
    window.memory.change(zone_notify=True)
    window.open(coming)
    qtbot.waitUntil(lambda: bool(portal.seen), timeout=WAIT_MS)
    id_, what = portal.seen[0]
    assert id_ == "ego-zone" and "no safety function" in what["title"] and "car 100.0 %" in what["body"]


def test_a_desktop_without_notifications_is_told_once(qtbot: QtBot, bus: QDBusConnection):
    notifier = Notifier(bus=bus)  # nobody is on that bus, and offscreen there is no tray
    told: list[str] = []
    notifier.missing.connect(told.append)
    for _ in range(3):
        notifier.notify("ego-zone", "title", "text")
    qtbot.waitUntil(lambda: bool(told), timeout=WAIT_MS)
    qtbot.wait(50)
    assert told == ["this desktop shows no notifications; what enters the ego zone is told here"]


def test_zone_and_picture_agree_while_it_is_dragged(qtbot: QtBot, zoned):
    """Dragged far outside, a corner stays on the picture's edge."""
    window = zoned
    drag(qtbot, window, points(window)[2], QPoint(4000, 4000))
    rect = window.view.picture_rect()
    assert (QPointF(points(window)[2]) - rect.bottomRight()).manhattanLength() <= 2
