"""Windows without a screen, settings and caches of their own, clips whose frames are told apart by colour."""

from __future__ import annotations

import os

os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ["LC_ALL"] = os.environ["LANGUAGE"] = "C.UTF-8"  # windows speak English, whatever the machine does

import gc
import threading
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PySide6.QtCore import QPoint, QSettings
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from seg_viewer.gui.main_window import MainWindow
from seg_viewer.gui.settings import WindowSettings, open_store, save_settings
from seg_viewer.gui.theme import apply_theme
from seg_viewer.gui.words import t
from seg_viewer.jobs.options import RunOptions
from seg_viewer.player.playback import PlayerState
from seg_viewer.player.player import Player
from tests.gui.modal_dialogs import ModalDialogs
from tests.models import BLUE, GREEN, GREY, RED, color_model

COLORS = (GREEN, BLUE, RED, GREY)
"""Of frames 0, 1, 2, 3, 0, …: the model takes them for road, car, person, background."""

WAIT_MS = 90_000
"""For what takes a second; it costs nothing where all is well, and machines stand still now and then."""


@pytest.fixture(scope="session")
def qapp(qapp: QApplication) -> QApplication:
    apply_theme(qapp)
    return qapp


@pytest.fixture(scope="module", autouse=True)
def collecting_here() -> Iterator[None]:
    """Cycles are collected on the window's thread, as in the program (`gui/collector.py`): between two tests."""
    gc.disable()
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
    gc.enable()


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Settings, and folders for videos and pictures, that nothing else uses.

    Windows look ahead, beside what a test is about, only where it has the mark `looks_ahead`.
    """
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(tmp_path / "settings"))
    if request.node.get_closest_marker("looks_ahead") is None:
        save_settings(open_store(), WindowSettings(timeline=False), ("timeline",))
    config = tmp_path / "config"
    config.mkdir()
    dirs = [f'XDG_{kind}_DIR="{tmp_path / name}"' for kind, name in (("VIDEOS", "Videos"), ("PICTURES", "Pictures"))]
    (config / "user-dirs.dirs").write_text("\n".join([*dirs, ""]), encoding="utf-8")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(config))


@pytest.fixture(autouse=True)
def dialogs(qapp: QApplication) -> Iterator[ModalDialogs]:
    """Answers the modal dialogs that a test expects; one that it does not is closed, and fails it."""
    watcher = ModalDialogs()
    yield watcher
    watcher.stop()
    watcher.check()


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return color_model(tmp_path_factory.mktemp("model") / "colors.onnx")


_ENCODED = 60
"""Times all colours, of a long clip: whole groups of ten pictures, whatever their number."""


def make_clip(
    path: Path,
    frames: int = 40,
    *,
    size: tuple[int, int] = (160, 96),
    rate: int = 20,
    colors: Sequence[tuple[int, int, int]] = COLORS,
    sample_aspect: Fraction | None = None,
) -> Path:
    """An H.264 clip whose frame i is all `colors[i % len(colors)]`; every tenth frame is a key frame.

    A long one holds its first packets again and again: they begin with a key frame, and the colours with the first one.
    """
    once = min(frames, _ENCODED * len(colors))
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"crf": "8", "preset": "ultrafast", "g": "10"})
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        if sample_aspect:
            stream.sample_aspect_ratio = sample_aspect
        packets = []
        for index in range(once):
            picture = np.full((size[1], size[0], 3), colors[index % len(colors)], np.uint8)
            packets += stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24"))
        packets += stream.encode()
        for index in range(frames):
            packet = packets[index % once]
            again = av.Packet(bytes(packet))
            again.stream, again.time_base, again.is_keyframe = stream, packet.time_base, packet.is_keyframe
            again.pts = again.dts = packet.pts + int((index - index % once) / rate / packet.time_base)
            container.mux(again)
    return path


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 frames, 2 seconds."""
    return make_clip(tmp_path_factory.mktemp("clips") / "colors.mp4")


@pytest.fixture(scope="session")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its export takes longer than any test looks at it."""
    return make_clip(tmp_path_factory.mktemp("long") / "long.mp4", 6000, size=(320, 192))


@pytest.fixture
def open_window(qtbot: QtBot, model: Path) -> Iterator[Callable[..., MainWindow]]:
    """Makes a shown window, as `run_viewer` does; closed, and its threads counted, at the end of the test."""
    windows: list[MainWindow] = []

    def make(source: str | Path | None = None, options: RunOptions | None = None) -> MainWindow:
        player = Player(options or RunOptions(model=str(model)))
        if source is not None:
            player.open(str(source))
        window = MainWindow(player, open_store())
        windows.append(window)
        window.resize(1000, 640)
        window.show()
        window.activateWindow()
        qtbot.waitUntil(window.isActiveWindow, timeout=WAIT_MS)
        return window

    yield make
    for window in windows:
        window.close_without_asking()  # what a test began may be under way still
        window.deleteLater()
    wait_ended(qtbot)
    gc.collect()


def wait_ended(qtbot: QtBot) -> None:
    """Until what ran for a window that was closed has ended.

    The program itself waits for what must be kept, and for the rest less than a second: `MainWindow.ended_in_time`. On
    a busy machine that is not enough, so no test asks for it.
    """
    qtbot.waitUntil(lambda: not worker_threads(), timeout=WAIT_MS)


def worker_threads() -> list[str]:
    """Names of the threads of ours that live."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("seg-")]


PLAY_TEXTS = {PlayerState.PLAYING: "Pause", PlayerState.PAUSED: "Play", PlayerState.ENDED: "Play again"}


def shows_state(window: MainWindow, state: PlayerState) -> bool:
    """Whether a person sees that the player is in a state."""
    play = window.actions_by_id["play"]
    if state in PLAY_TEXTS:
        return play.isEnabled() and play.text() == t(PLAY_TEXTS[state])
    if state is PlayerState.ERROR:
        return not play.isEnabled() and bool(window.messages.texts("error"))
    return not play.isEnabled()


def wait_state(qtbot: QtBot, window: MainWindow, state: PlayerState) -> None:
    """Until the player is in a state and the window shows it; what plays has a picture on the screen, too."""
    qtbot.waitUntil(lambda: window.player.state is state and shows_state(window, state), timeout=WAIT_MS)
    if state is PlayerState.PLAYING:
        qtbot.waitUntil(lambda: window.view.shown is not None, timeout=WAIT_MS)


def shown_index(window: MainWindow) -> int:
    """Number of the frame on the screen, -1 without one."""
    return window.view.shown.shot.frame.index if window.view.shown else -1


def pause_at(qtbot: QtBot, window: MainWindow, index: int, rate: int = 20) -> None:
    """Pause and go to a frame."""
    wait_state(qtbot, window, PlayerState.PLAYING)
    window.actions_by_id["play"].trigger()
    window.transport.seek(index / rate)
    # perhaps it is at the frame already, by playing: what follows needs the seek to be over
    qtbot.waitUntil(lambda: not window.player.is_moving and shown_index(window) == index, timeout=WAIT_MS)


def painted(window: MainWindow) -> tuple[int, int, int]:
    """Colour in the middle of the picture as it is on the screen."""
    image = window.view.grab().toImage()
    middle: QPoint = window.view.picture_rect().center().toPoint() * image.devicePixelRatio()
    color: QColor = image.pixelColor(middle)
    return color.red(), color.green(), color.blue()


def mixed(picture: tuple[int, int, int], over: tuple[int, int, int], opacity: float) -> tuple[int, ...]:
    return tuple(round(p + opacity * (o - p)) for p, o in zip(picture, over, strict=True))


def is_near(one: Sequence[int], other: Sequence[int], by: int = 9) -> bool:
    """Colours agree, but for what video coding does to them."""
    return all(abs(int(a) - int(b)) <= by for a, b in zip(one, other, strict=True))
