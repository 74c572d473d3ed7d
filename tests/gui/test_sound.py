"""Volume, mute and sound tracks with real keys and clicks; heard by a stand-in for the loudspeaker."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSlider
from pytestqt.qtbot import QtBot

from seg_viewer.gui.main_window import MainWindow
from seg_viewer.gui.settings import load_settings, open_store
from seg_viewer.player import sound as sound_module
from seg_viewer.player.playback import PlayerState
from seg_viewer.player.sound_device import AudioDevice, PortAudioDevice
from tests.clips import make_clip as make_sound_clip
from tests.gui.conftest import WAIT_MS, make_clip, wait_state
from tests.player.loudspeaker import Loudspeaker
from tests.player.test_sound import two_tracks

LEFT = Qt.MouseButton.LeftButton
SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def loudspeaker(monkeypatch: pytest.MonkeyPatch) -> Loudspeaker:
    """What a machine plays sound on; none of the real one's is touched."""
    loudspeaker = Loudspeaker()

    def open_device(again: bool = False) -> AudioDevice:
        if again:
            loudspeaker._initialize()
        return PortAudioDevice(loudspeaker)

    monkeypatch.setattr(sound_module, "open_device", open_device)
    return loudspeaker


@pytest.fixture(scope="session")
def loud_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_sound_clip(tmp_path_factory.mktemp("loud") / "loud.mp4", frames=50, audio="aac")


@pytest.fixture
def loud_window(qtbot: QtBot, open_window: Callable[..., MainWindow], loud_clip: Path, loudspeaker: Loudspeaker):
    window = open_window(loud_clip)
    wait_state(qtbot, window, PlayerState.PLAYING)
    qtbot.waitUntil(lambda: loudspeaker.stream is not None, timeout=WAIT_MS)
    return window


def heard(loudspeaker: Loudspeaker) -> bool:
    loudspeaker.heard.clear()
    loudspeaker.play()
    return any(block.any() for _s, block in loudspeaker.heard)


def test_a_file_with_sound_is_heard_while_it_plays(qtbot: QtBot, loud_window: MainWindow, loudspeaker: Loudspeaker):
    loud_window.actions_by_id["loop"].trigger()
    qtbot.waitUntil(lambda: heard(loudspeaker), timeout=WAIT_MS)
    qtbot.keyClick(loud_window, Qt.Key.Key_Space)
    wait_state(qtbot, loud_window, PlayerState.PAUSED)
    qtbot.waitUntil(lambda: not heard(loudspeaker), timeout=WAIT_MS)
    qtbot.keyClick(loud_window, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: heard(loudspeaker), timeout=WAIT_MS)


def test_mute_by_key_and_by_button(qtbot: QtBot, loud_window: MainWindow, loudspeaker: Loudspeaker):
    volume = loud_window.controls.volume
    assert volume.isVisible()
    assert volume.button.accessibleName() == "Mute"
    qtbot.keyClick(loud_window, Qt.Key.Key_M)
    assert loud_window.actions_by_id["mute"].isChecked()
    assert volume.button.accessibleName() == "Sound on"
    qtbot.waitUntil(lambda: loudspeaker.stream is None, timeout=WAIT_MS)
    qtbot.mouseClick(volume.button, LEFT)
    assert not loud_window.actions_by_id["mute"].isChecked()
    qtbot.waitUntil(lambda: loudspeaker.stream is not None, timeout=WAIT_MS)


def test_volume_by_keys_and_slider_is_remembered(
    qtbot: QtBot, loud_window: MainWindow, open_window: Callable[..., MainWindow], loud_clip: Path
):
    slider = loud_window.controls.volume.slider
    for _ in range(3):
        qtbot.keyClick(loud_window, Qt.Key.Key_Down, SHIFT)
    assert slider.value() == 85
    assert loud_window.sound.sound.volume == pytest.approx(0.85)
    qtbot.keyClick(loud_window, Qt.Key.Key_Up, SHIFT)
    assert slider.value() == 90
    qtbot.mouseClick(slider, LEFT, pos=slider.rect().center())
    assert slider.value() < 90
    slider.triggerAction(QSlider.SliderAction.SliderSingleStepSub)
    qtbot.keyClick(loud_window, Qt.Key.Key_M)
    volume = loud_window.sound.sound.volume
    assert round(100 * volume) == slider.value()
    qtbot.waitUntil(lambda: load_settings(open_store()).muted, timeout=WAIT_MS)
    assert load_settings(open_store()).volume == pytest.approx(volume)
    again = open_window(loud_clip)
    assert again.controls.volume.slider.value() == round(100 * volume)
    assert again.sound.sound.muted
    assert again.actions_by_id["mute"].isChecked()


def test_raising_the_volume_ends_mute(qtbot: QtBot, loud_window: MainWindow):
    qtbot.keyClick(loud_window, Qt.Key.Key_Down, SHIFT)
    qtbot.keyClick(loud_window, Qt.Key.Key_M)
    qtbot.keyClick(loud_window, Qt.Key.Key_Up, SHIFT)
    assert not loud_window.sound.sound.muted


def test_sources_without_sound_have_no_volume(
    qtbot: QtBot, loud_window: MainWindow, clip: Path, loudspeaker: Loudspeaker
):
    loud_window.open(clip)
    qtbot.waitUntil(lambda: not loud_window.controls.volume.isVisible(), timeout=WAIT_MS)
    actions = loud_window.actions_by_id
    qtbot.waitUntil(lambda: not actions["mute"].isEnabled(), timeout=WAIT_MS)
    assert not actions["louder"].isEnabled()
    qtbot.waitUntil(lambda: loudspeaker.stream is None, timeout=WAIT_MS)


def test_another_track_is_chosen_in_the_menu(
    qtbot: QtBot, tmp_path: Path, open_window: Callable[..., MainWindow], loudspeaker: Loudspeaker
):
    window = open_window(two_tracks(tmp_path / "two.mkv"))
    qtbot.waitUntil(lambda: len(window.sound_menu.actions()) == 2, timeout=WAIT_MS)
    assert window.sound_menu.menuAction().isEnabled()
    first, second = window.sound_menu.actions()
    assert (first.text(), second.text()) == ("1: flac mono, deu", "2: flac mono, eng")
    assert second.isChecked()
    first.trigger()
    sound = window.sound.sound
    qtbot.waitUntil(lambda: sound.track == sound.tracks[0].index, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: window.sound_menu.actions()[0].isChecked(), timeout=WAIT_MS)


def test_a_lost_device_is_told_once_and_looked_for_by_a_click(
    qtbot: QtBot, loud_window: MainWindow, loudspeaker: Loudspeaker
):
    loudspeaker.channels = 0
    loudspeaker.unplug()
    button = loud_window.controls.volume.button
    qtbot.waitUntil(lambda: button.accessibleName() == "No sound, try again", timeout=WAIT_MS)
    assert "Click to try again" in button.toolTip()
    assert [text for text in loud_window.messages.texts("warning") if "No more sound" in text]
    assert loud_window.player.error is None
    loudspeaker.channels = 2
    qtbot.mouseClick(button, LEFT)
    qtbot.waitUntil(lambda: button.accessibleName() == "Mute", timeout=WAIT_MS)
    assert loudspeaker.stream is not None


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch, loudspeaker: Loudspeaker) -> Loudspeaker:
    loudspeaker.channels = 0
    return loudspeaker


def test_a_machine_without_sound_says_so_only_where_one_looks(
    qtbot: QtBot, open_window: Callable[..., MainWindow], loud_clip: Path, silent: Loudspeaker
):
    window = open_window(loud_clip)
    wait_state(qtbot, window, PlayerState.PLAYING)
    qtbot.waitUntil(lambda: "no sound device" in window.controls.volume.button.toolTip(), timeout=WAIT_MS)
    assert not window.controls.volume.slider.isEnabled()
    assert window.messages.texts("warning") == []


@pytest.mark.parametrize("width", [720, 1280])
def test_the_controls_fit(qtbot: QtBot, loud_window: MainWindow, width: int):
    loud_window.resize(width, 460)
    qtbot.waitUntil(lambda: loud_window.width() == width, timeout=WAIT_MS)
    controls = loud_window.controls
    assert controls.minimumSizeHint().width() <= width
    volume = controls.volume
    assert volume.geometry().right() < controls.buttons["overlay"].geometry().left()
    assert controls.buttons["full-screen"].geometry().right() <= controls.width()


def test_a_silent_file_is_no_reason_for_a_device(
    qtbot: QtBot, tmp_path: Path, open_window: Callable[..., MainWindow], loudspeaker: Loudspeaker
):
    window = open_window(make_clip(tmp_path / "silent.mp4"))
    wait_state(qtbot, window, PlayerState.PLAYING)
    assert loudspeaker.stream is None
    assert not window.controls.volume.isVisible()
