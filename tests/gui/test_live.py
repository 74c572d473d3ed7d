"""Live sources in the window: badge, dimmed picture, recording, addresses without credentials."""

from __future__ import annotations

import re
import time
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import av
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QApplication, QDialogButtonBox
from pytestqt.qtbot import QtBot

from seg_viewer.core.ledger import Ledger
from seg_viewer.gui.dialogs.address import AddressDialog
from seg_viewer.gui.dialogs.password import PasswordDialog
from seg_viewer.gui.widgets.live_bar import LiveBar
from seg_viewer.gui.widgets.record_menu import WHAT_NAMES
from seg_viewer.jobs.recording import RecordWhat
from seg_viewer.player.playback import PlayerState
from seg_viewer.sources.camera import Camera, CameraChoice
from seg_viewer.sources.live import Backoff, LiveStatus
from seg_viewer.sources.losses import Loss
from seg_viewer.sources.v4l2 import CameraMode
from tests.cameras import DEVICE, ScriptedCapture, opener
from tests.models import BLUE, GREEN, GREY, RED
from tests.servers.beeps import over_http
from tests.servers.http_video import HttpVideo
from tests.servers.onvif_camera import OnvifCamera

from .conftest import WAIT_MS, wait_state, worker_threads

LEFT = Qt.MouseButton.LeftButton
_COUNTED = r"connection refused.*; tries again (now|in \d s)"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[HttpVideo]:
    with HttpVideo(tmp_path, size=(160, 96), rate=20) as running:
        yield running


@pytest.fixture
def live(qtbot: QtBot, open_window, server: HttpVideo):
    """A window that shows the server's stream."""
    window = open_window(server.url() + "#timeout=1")
    wait_state(qtbot, window, PlayerState.PLAYING)
    return window


def test_a_live_source_has_a_badge_and_no_time_line(qtbot: QtBot, live, server: HttpVideo):
    controls = live.controls
    assert controls.live_bar.badge.text() == "● LIVE" and controls.live_bar.isVisible()
    assert not controls.seek_bar.isVisible() and not controls.speed_button.isVisible()
    assert live.windowTitle().startswith(server.url())
    for name, on in (("record", True), ("screenshot", True), ("play", True), ("export", False), ("forward", False)):
        assert live.actions_by_id[name].isEnabled() is on, name
    qtbot.waitUntil(lambda: "ms since arrival" in controls.live_bar.latency.text(), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: "median" in live.stats.text("shown"), timeout=WAIT_MS)


def test_a_file_after_a_live_source_has_its_time_line_back(qtbot: QtBot, live, clip: Path):
    live.open(clip)
    qtbot.waitUntil(live.controls.seek_bar.isVisible, timeout=WAIT_MS)
    assert not live.controls.live_bar.isVisible() and not live.controls.buttons["record"].isVisible()
    assert live.controls.speed_button.isVisible() and not live.actions_by_id["record"].isEnabled()


def _brightness(window) -> int:
    """Of the picture above its middle, where the text is."""
    image, where = window.view.grab().toImage(), window.view.picture_rect()
    color = image.pixelColor((where.center() - QPointF(0, 0.4 * where.height())).toPoint() * image.devicePixelRatio())
    return color.red() + color.green() + color.blue()


def test_a_lost_stream_dims_the_picture_says_why_and_comes_back(qtbot: QtBot, live, server: HttpVideo):
    bar = live.controls.live_bar
    qtbot.waitUntil(lambda: _brightness(live) > 150, timeout=WAIT_MS)
    server.kill()
    qtbot.waitUntil(lambda: bar.badge.text() == "RECONNECTING", timeout=WAIT_MS)
    assert _brightness(live) < min(map(sum, (GREEN, BLUE, RED, GREY))) * 0.6
    qtbot.waitUntil(lambda: bool(re.search(_COUNTED, bar.status.text())), timeout=WAIT_MS)
    assert live.player.state is PlayerState.PLAYING and live.messages.texts("error") == []
    server.start()
    qtbot.waitUntil(lambda: bar.badge.text() == "● LIVE", timeout=2 * WAIT_MS)
    assert bar.status.text() == "came back once"
    qtbot.waitUntil(lambda: _brightness(live) > 150, timeout=WAIT_MS)


def test_what_the_network_lost_stands_beside_the_badge(qtbot: QtBot):
    bar = LiveBar()
    qtbot.addWidget(bar)
    bar.set_status(PlayerState.PLAYING, LiveStatus(reconnects=1, loss=Loss(came=247, missing=3, broken=1, damaged=5)))
    assert bar.status.text() == "came back once · 4 of 250 pictures missing"
    for part in ("3 did not come", "1 came, and gave no picture", "5 are shown, with damage", "cannot be known"):
        assert part in bar.status.toolTip()
    bar.set_status(PlayerState.PLAYING, LiveStatus(loss=Loss(came=250, damaged=5)))
    assert bar.status.text() == "5 of 250 pictures damaged"
    bar.set_status(PlayerState.PLAYING, LiveStatus(loss=Loss(came=250)))
    assert bar.status.text() == bar.status.toolTip() == ""


def test_a_stream_that_falls_silent_says_so_before_it_is_opened_again(
    qtbot: QtBot, open_window, server: HttpVideo, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("seg_viewer.sources.live._SILENT_S", 0.3)
    window = open_window(server.url() + "#timeout=2")
    wait_state(qtbot, window, PlayerState.PLAYING)
    server.stalled.set()
    bar = window.controls.live_bar
    qtbot.waitUntil(lambda: bar.badge.text() == "NO PICTURE", timeout=WAIT_MS)
    assert re.search(r"no picture for \d+ s, connects again in [12] s", bar.status.text())
    server.stalled.clear()
    qtbot.waitUntil(lambda: bar.badge.text() == "● LIVE", timeout=2 * WAIT_MS)


def test_another_size_after_a_reconnect_is_shown(qtbot: QtBot, live, server: HttpVideo):
    server.kill()
    server.size = (192, 64)
    server.start()
    qtbot.waitUntil(lambda: live.view.shown.shot.frame.picture.width == 192, timeout=2 * WAIT_MS)
    assert live.player.info.height == 64


def test_pause_freezes_and_play_returns_to_now(qtbot: QtBot, live):
    qtbot.keyClick(live, Qt.Key.Key_Space)
    wait_state(qtbot, live, PlayerState.PAUSED)
    qtbot.waitUntil(lambda: live.controls.live_bar.badge.text() == "PAUSED", timeout=WAIT_MS)

    def wait_dropped(count: int) -> None:
        goal = live.player.ledger.snapshot().drops.get("paused", 0) + count
        qtbot.waitUntil(lambda: live.player.ledger.snapshot().drops.get("paused", 0) >= goal, timeout=WAIT_MS)

    wait_dropped(2)  # what was under way has arrived
    stands = live.view.shown.shot.frame.index
    wait_dropped(4)
    assert live.view.shown.shot.frame.index == stands
    qtbot.keyClick(live, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: live.view.shown.shot.frame.index > stands + 3, timeout=WAIT_MS)


def test_a_source_that_is_not_there_yet_is_waited_for(qtbot: QtBot, open_window, server: HttpVideo):
    url = server.url()
    server.kill()
    window = open_window(url)
    qtbot.waitUntil(lambda: "connection refused" in window.view.notice, timeout=WAIT_MS)
    assert url in window.view.notice and "Esc" in window.view.notice and "Waiting" in window.view.notice
    assert window.player.state is PlayerState.LOADING and window.messages.texts("error") == []
    server.start()
    wait_state(qtbot, window, PlayerState.PLAYING)
    qtbot.waitUntil(lambda: window.view.notice == "", timeout=WAIT_MS)


def test_esc_ends_the_wait(qtbot: QtBot, open_window, live, server: HttpVideo):
    url = server.url()
    live.close()
    server.kill()
    window = open_window()
    (button,) = window.start_page.recent_buttons
    assert url in button.text()
    qtbot.mouseClick(button, LEFT)
    qtbot.waitUntil(lambda: "connection refused" in window.view.notice, timeout=WAIT_MS)
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    wait_state(qtbot, window, PlayerState.EMPTY)
    assert len(window.start_page.recent_buttons) == 1
    qtbot.waitUntil(lambda: not [name for name in worker_threads() if name == "seg-player"], timeout=WAIT_MS)


def test_while_a_file_plays_on_a_live_source_is_waited_for(qtbot: QtBot, open_window, clip: Path, server: HttpVideo):
    server.kill()
    window = open_window(clip)
    wait_state(qtbot, window, PlayerState.PLAYING)
    window.open(server.url())
    qtbot.waitUntil(lambda: "connection refused" in window.loading_bar.label.toolTip(), timeout=WAIT_MS)
    assert window.player.state is not PlayerState.ERROR and window.loading_bar.isVisible()
    server.start()
    qtbot.waitUntil(lambda: window.controls.live_bar.isVisible(), timeout=WAIT_MS)


def test_credentials_are_used_and_nowhere_to_be_seen(qtbot: QtBot, open_window, server: HttpVideo, tmp_path: Path):
    server.needs = "Basic " + b64encode(b"joe:hush-hush").decode()
    window = open_window()
    window.open(server.url().replace("//", "//joe:hush-hush@"))
    wait_state(qtbot, window, PlayerState.PLAYING)
    window.open("demo")
    wait_state(qtbot, window, PlayerState.PLAYING)
    recent = window.recent_menu.actions()[0]
    assert recent.text() == server.url()
    recent.trigger()  # known for as long as the program runs
    qtbot.waitUntil(lambda: window.controls.live_bar.badge.text() == "● LIVE", timeout=WAIT_MS)
    server.needs = "Basic other"
    window.open(server.url())
    wait_state(qtbot, window, PlayerState.ERROR)
    texts = [window.windowTitle(), *window.messages.texts(), *(a.toolTip() for a in window.recent_menu.actions())]
    window.close()
    stored = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "settings").rglob("*.ini"))
    assert "127.0.0.1" in stored
    assert "joe" not in stored + " ".join(texts) and "hush" not in stored + " ".join(texts)


def _count(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def _wait_recorded(qtbot: QtBot, window) -> None:
    """Until about 40 pictures have been recorded, as the window says."""
    qtbot.waitUntil(lambda: window.controls.live_bar.recording.text() == "● REC 0:02", timeout=WAIT_MS)


def _videos(home: Path) -> Path:
    """Where recordings go unless somebody says otherwise."""
    return home / "Videos" / "seg-viewer"


@pytest.mark.parametrize("what", list(RecordWhat))
def test_r_records_until_r(qtbot: QtBot, live, tmp_path: Path, what: RecordWhat):
    entry = next(a for a in live.record_menu.actions() if a.text() == WHAT_NAMES[what])
    entry.trigger()
    assert entry.isChecked()
    qtbot.keyClick(live, "r")
    assert live.recording.running and live.controls.live_bar.recording.isVisible()
    assert live.actions_by_id["record"].text() == "Stop &recording"
    _wait_recorded(qtbot, live)
    qtbot.keyClick(live, "r")
    qtbot.waitUntil(lambda: bool(live.messages.texts("info")), timeout=WAIT_MS)
    assert live.messages.texts("info")[0].startswith("Recording saved: ")
    files = sorted(path for path in _videos(tmp_path).iterdir() if path.suffix in (".mp4", ".mkv"))
    assert len(files) == (2 if what is RecordWhat.BOTH else 1)
    assert all(path.name.startswith("127_0_0_1") and _count(path) > 5 for path in files)
    assert not [path for path in _videos(tmp_path).iterdir() if ".part" in path.name]
    assert live.actions_by_id["record"].text() == "&Record" and not live.controls.live_bar.recording.isVisible()


def test_closing_the_window_finishes_the_recording(qtbot: QtBot, live, tmp_path: Path):
    qtbot.keyClick(live, "r")
    _wait_recorded(qtbot, live)
    live.close()
    (file,) = _videos(tmp_path).glob("*.mp4")
    assert _count(file) >= 3
    qtbot.waitUntil(lambda: not worker_threads(), timeout=WAIT_MS)


def test_opening_something_else_finishes_the_recording(qtbot: QtBot, live, clip: Path, tmp_path: Path):
    qtbot.keyClick(live, "r")
    _wait_recorded(qtbot, live)
    live.open(clip)
    qtbot.waitUntil(lambda: not live.recording.running, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: len(list(_videos(tmp_path).glob("*.mp4"))) == 1, timeout=WAIT_MS)


def test_a_folder_that_cannot_be_made_is_told(qtbot: QtBot, live, tmp_path: Path):
    (tmp_path / "file").touch()
    live.memory.change(recordings_folder=str(tmp_path / "file"))
    qtbot.keyClick(live, "r")
    (told,) = live.messages.texts("error")
    assert str(tmp_path / "file") in told and "choose another one" in told
    assert not live.recording.running


@pytest.fixture
def dialog(qtbot: QtBot, open_window, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("seg_viewer.gui.dialogs.address.list_cameras", lambda: [])
    monkeypatch.setattr("seg_viewer.gui.dialogs.address.list_screens", lambda: [(1, 800, 600)])
    window = open_window()
    window.actions_by_id["address"].trigger()
    shown = window.findChild(AddressDialog)
    qtbot.waitUntil(lambda: "screen:1" in shown.devices.item(0).text(), timeout=WAIT_MS)
    return shown


def test_the_address_dialog_lists_and_takes_what_is_here(qtbot: QtBot, dialog):
    qtbot.mouseClick(
        dialog.devices.viewport(), LEFT, pos=dialog.devices.visualItemRect(dialog.devices.item(0)).center()
    )
    assert dialog.source() == "screen:1"


def test_the_address_dialog_lists_formats_and_takes_one(qtbot: QtBot, open_window, monkeypatch: pytest.MonkeyPatch):
    modes = [CameraMode("MJPG", 1920, 1080, (30.0, 15.0)), CameraMode("H264", 1920, 1080, (30.0,))]
    monkeypatch.setattr("seg_viewer.gui.dialogs.address.list_cameras", lambda: [DEVICE])
    monkeypatch.setattr("seg_viewer.gui.dialogs.address.modes_of", lambda _device: modes)
    monkeypatch.setattr("seg_viewer.gui.dialogs.address.list_screens", lambda: [])
    window = open_window()
    window.actions_by_id["address"].trigger()
    dialog = window.findChild(AddressDialog)
    qtbot.waitUntil(lambda: dialog.devices.count() == 3, timeout=WAIT_MS)
    assert dialog.devices.item(1).text().strip() == "MJPG 1920×1080 at 30, 15 fps"
    for number, typed in ((2, ""), (1, f"camera:{DEVICE.index}?size=1920x1080&format=mjpeg&fps=30")):
        place = dialog.devices.visualItemRect(dialog.devices.item(number)).center()
        qtbot.mouseClick(dialog.devices.viewport(), LEFT, pos=place)
        assert dialog.address.text() == typed


def test_the_address_dialog_looks_for_network_cameras_when_asked_to(
    qtbot: QtBot, dialog, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("seg_viewer.sources.onvif.WAIT_S", 0.4)
    with OnvifCamera() as camera:
        monkeypatch.setattr("seg_viewer.sources.onvif.GROUP", camera.group)
        assert camera.heard == []
        qtbot.mouseClick(dialog.search, LEFT)
        qtbot.waitUntil(lambda: dialog.devices.count() == 3 and dialog.search.isEnabled(), timeout=WAIT_MS)
        camera.match = "nothing"
        qtbot.mouseClick(dialog.search, LEFT)
        qtbot.waitUntil(lambda: "no network camera answered" in dialog.problem.text(), timeout=WAIT_MS)
    place = dialog.devices.visualItemRect(dialog.devices.item(1)).center()
    qtbot.mouseClick(dialog.devices.viewport(), LEFT, pos=place)
    assert dialog.source() == "rtsp://127.0.0.1:554/main_1"
    assert "Front door" in dialog.devices.item(1).text() and "1920×1080" in dialog.devices.item(1).text()


def test_the_address_dialog_offers_udp_for_rtsp_only(dialog):
    dialog.address.setText("rtsp://joe:pw@cam/live")
    assert dialog.transport.isEnabled()
    dialog.transport.setCurrentIndex(1)
    assert dialog.source() == "rtsp://joe:pw@cam/live#transport=udp"
    dialog.address.setText("http://cam/live")
    assert not dialog.transport.isEnabled() and dialog.source() == "http://cam/live"


def test_the_address_dialog_says_what_is_wrong_and_stays_open(qtbot: QtBot, dialog):
    opened: list[str] = []
    dialog.chosen.connect(opened.append)
    dialog.address.setText("rtsp://joe:p/w@cam:99999/live")
    button = dialog.buttons.button(QDialogButtonBox.StandardButton.Open)
    qtbot.mouseClick(button, LEFT)
    assert (
        dialog.problem.isVisible() and "is no address" in dialog.problem.text() and "joe" not in dialog.problem.text()
    )
    assert opened == []
    dialog.address.setText("rtsp://cam/live")
    assert not dialog.problem.isVisible()


def test_the_address_dialog_opens_what_was_typed(qtbot: QtBot, dialog, server: HttpVideo):
    window = dialog.parent()
    dialog.address.setText(server.url())
    qtbot.mouseClick(dialog.buttons.button(QDialogButtonBox.StandardButton.Open), LEFT)
    wait_state(qtbot, window, PlayerState.PLAYING)
    assert window.player.live_status is not None


def test_a_camera_is_told_apart_from_what_was_asked_and_comes_back(qtbot: QtBot, open_window, monkeypatch):
    plugged_in = [True]
    captures = opener(ScriptedCapture(["ok"] * 40, modes={("MJPG", 160, 96): 30.0}), ScriptedCapture(paced(plugged_in)))

    def camera(choice: CameraChoice) -> Camera:
        return Camera(
            choice,
            open_capture=captures,
            devices=lambda: [DEVICE] if plugged_in[0] else [],
            backoff=Backoff(0.05, 0.05),
        )

    monkeypatch.setattr("seg_viewer.sources.camera.Camera", camera)
    plugged_in[0] = True
    window = open_window("camera:toy?exposure=20")
    wait_state(qtbot, window, PlayerState.PLAYING)
    assert window.windowTitle().startswith("camera:toy (Toy Cam)")
    assert "asked for 1280×720 at 30 fps" in window.stats.text("video")
    qtbot.waitUntil(lambda: bool(window.messages.texts("warning")), timeout=WAIT_MS)
    assert "did not take exposure=20; it stays at 156" in window.messages.texts("warning")[0]
    qtbot.waitUntil(lambda: window.controls.live_bar.status.text() == "came back once", timeout=WAIT_MS)


def paced(go_on: list[bool]) -> Iterator[str]:
    """Pictures at about the pace of a camera."""
    while go_on[0]:
        time.sleep(0.02)
        yield "ok"


def test_an_age_says_since_when(qtbot: QtBot):
    bar, ledger = LiveBar(), Ledger()
    qtbot.addWidget(bar)
    bar.set_times(ledger.snapshot())
    assert bar.latency.text() == ""
    ledger.record("shown", 0.016)
    bar.set_times(ledger.snapshot())
    assert bar.latency.text() == "16 ms since arrival" and "is not known" in bar.latency.toolTip()
    ledger.record("since_capture", 0.099)
    bar.set_times(ledger.snapshot())
    assert bar.latency.text() == "99 ms since capture" and "own clock" in bar.latency.toolTip()


def _password_dialogs() -> list[PasswordDialog]:
    return [w for w in QApplication.topLevelWidgets() if isinstance(w, PasswordDialog) and w.isVisible()]


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "while a file plays"])
def test_a_server_that_wants_a_password_is_asked_for_it(
    qtbot: QtBot, open_window, server: HttpVideo, clip: Path, beside: bool
):
    odd = "s3cr@t:p#w/ü"
    server.needs = "Basic " + b64encode(f"bob:{odd}".encode()).decode()
    window = open_window(clip if beside else None)
    if beside:
        wait_state(qtbot, window, PlayerState.PLAYING)
    window.open(server.url())
    qtbot.waitUntil(lambda: len(_password_dialogs()) == 1, timeout=WAIT_MS)
    (dialog,) = _password_dialogs()
    assert server.url() in dialog.reason.text() and "asks for user and password" in dialog.reason.text()
    open_button = dialog.buttons.button(QDialogButtonBox.StandardButton.Open)
    assert not open_button.isEnabled()
    qtbot.keyClicks(dialog.user, "bob")
    qtbot.keyClicks(dialog.password, "wrong")
    assert dialog.password.displayText() != "wrong"
    qtbot.mouseClick(open_button, LEFT)
    qtbot.waitUntil(lambda: any("does not accept" in d.reason.text() for d in _password_dialogs()), timeout=WAIT_MS)
    (dialog,) = _password_dialogs()
    dialog.password.setText(odd)
    qtbot.keyClicks(dialog.user, "bob")
    qtbot.keyClick(dialog.user, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: server.url() in [action.text() for action in window.recent_menu.actions()], timeout=WAIT_MS)
    wait_state(qtbot, window, PlayerState.PLAYING)
    assert "s3cr" not in window.windowTitle() and window.controls.live_bar.isVisible()
    window.close()
    again = open_window()  # nothing of it was stored: it is asked for again
    qtbot.mouseClick(again.start_page.recent_buttons[0], LEFT)
    qtbot.waitUntil(lambda: len(_password_dialogs()) == 1, timeout=WAIT_MS)
    qtbot.mouseClick(_password_dialogs()[0].buttons.button(QDialogButtonBox.StandardButton.Cancel), LEFT)
    qtbot.waitUntil(lambda: not _password_dialogs(), timeout=WAIT_MS)


def test_the_sound_of_a_stream_is_recorded_unless_the_settings_say_otherwise(qtbot: QtBot, open_window, tmp_path: Path):
    with over_http("flv", sound="pcm_alaw") as url:
        window = open_window(url)
        wait_state(qtbot, window, PlayerState.PLAYING)
        window.recording.set_what(RecordWhat.SOURCE)
        for number, wanted in enumerate((True, False)):
            window.memory.change(record_sound=wanted)
            qtbot.keyClick(window, "r")
            qtbot.waitUntil(lambda: window.recording.frames[:1] > (5,), timeout=WAIT_MS)
            qtbot.keyClick(window, "r")
            qtbot.waitUntil(lambda: len(window.messages.texts("info")) > number, timeout=WAIT_MS)  # noqa: B023
            told = window.messages.texts("info")[-1]
            assert ("sound: pcm_alaw as pcm_s16le" in told) is wanted and ("no sound" in told) is not wanted
            (file,) = _videos(tmp_path).glob("*.mkv" if wanted else "*.mp4")  # MP4 cannot hold that sound
            with av.open(str(file)) as container:
                assert bool(container.streams.audio) is wanted
        window.close()
