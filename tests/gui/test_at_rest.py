"""A window that nobody touches comes to rest: what is laid out asks for no layout again, for ever."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from seg_viewer.gui.main_window import MainWindow
from seg_viewer.player.playback import PlayerState

from .conftest import WAIT_MS, make_clip, pause_at, wait_state

_ASKS = (QEvent.Type.LayoutRequest, QEvent.Type.Resize, QEvent.Type.Move, QEvent.Type.StyleChange)
_LOOK_MS = 200
_MOST = 150
"""Of one kind while it is looked at; a storm has thousands, a changing number a few."""
LONG = "/a/folder/with a long name/that goes on and on: the disk is full; free some space or choose another folder"


class _Requests(QObject):
    """Counts what widgets are asked to do anew."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[tuple[str, str]] = Counter()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _ASKS:
            self.counts[type(watched).__name__, event.type().name] += 1
        return False


def _start(_qtbot: QtBot, _window: MainWindow, _clip: Path) -> None:
    """Nothing was opened."""


def _standing(qtbot: QtBot, window: MainWindow, clip: Path) -> None:
    window.sources.open(str(clip))
    pause_at(qtbot, window, 5)


def _playing(qtbot: QtBot, window: MainWindow, clip: Path) -> None:
    window.actions_by_id["loop"].trigger()
    window.sources.open(str(clip))
    wait_state(qtbot, window, PlayerState.PLAYING)


def _failed(qtbot: QtBot, window: MainWindow, clip: Path) -> None:
    window.sources.open(str(clip.parent / "gone.mp4"))
    wait_state(qtbot, window, PlayerState.ERROR)


def _exporting(qtbot: QtBot, window: MainWindow, clip: Path) -> None:
    _standing(qtbot, window, clip)
    long_clip = make_clip(clip.parent / "long.mp4", 6000, size=(64, 48))
    queue = window.outputs.export_queue
    window.outputs.queue_dialog.add_files([str(long_clip)])
    qtbot.waitUntil(lambda: bool(queue.items) and queue.items[-1].progress is not None, timeout=WAIT_MS)


def _loading(_qtbot: QtBot, window: MainWindow, _clip: Path) -> None:
    window.presenter.stop()  # it would hide again what is not so
    window.loading_bar.show_loading(("Compiling the model for this machine", 0.3))
    window.loading_bar.show_opening("rtsp://192.0.2.1/a/camera")


STATES = (_start, _standing, _playing, _failed, _exporting, _loading)
SIZES = ((480, 320), (720, 460), (1000, 640))


@pytest.mark.parametrize("messages", [0, 1, 7])
@pytest.mark.parametrize("reach", STATES, ids=lambda reach: reach.__name__.strip("_"))
def test_a_window_comes_to_rest(
    qtbot: QtBot, open_window: Callable[..., MainWindow], clip: Path, tmp_path: Path, reach, messages: int
):
    own = tmp_path / clip.name
    own.symlink_to(clip)
    window = open_window()
    reach(qtbot, window, own)
    for number in range(messages):
        window.messages.show_error(f"{number}: {LONG}")
    storms = {}
    for size in SIZES:
        window.resize(*size)
        qtbot.wait(50)
        requests = _Requests()
        QApplication.instance().installEventFilter(requests)
        qtbot.wait(_LOOK_MS)
        QApplication.instance().removeEventFilter(requests)
        storms |= {(size, *what): count for what, count in requests.counts.items() if count > _MOST}
    assert storms == {}
    window.outputs.export_queue.stop_all()
    qtbot.waitUntil(lambda: not window.outputs.export_queue.unfinished, timeout=WAIT_MS)
