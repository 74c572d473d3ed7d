"""A source that cannot be opened or takes long, a model that changes: what was there stays until there is more."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from seg_viewer import sources
from seg_viewer.gui.main_window import MainWindow
from seg_viewer.player.playback import PlayerState
from seg_viewer.sources import Source, SourceKind
from tests.clips import make_clip as make_other_clip
from tests.models import color_model

from .conftest import WAIT_MS, make_clip, pause_at, shown_index, wait_state


def _missing(folder: Path) -> Path:
    return folder / "missing.mp4"


def _text(folder: Path) -> Path:
    (folder / "text.mp4").write_text("this is no video\n" * 20)
    return folder / "text.mp4"


def _empty(folder: Path) -> Path:
    (folder / "empty.mp4").touch()
    return folder / "empty.mp4"


def _cut(folder: Path) -> Path:
    path = make_clip(folder / "cut.mp4", 10)
    path.write_bytes(path.read_bytes()[:600])
    return path


def _no_pictures(folder: Path) -> Path:
    (folder / "nothing").mkdir()
    return folder / "nothing"


def _camera(_folder: Path) -> str:
    return "camera:no such one"


BAD: list[Callable[[Path], Path | str]] = [_missing, _text, _empty, _cut, _no_pictures, _camera]


@pytest.mark.parametrize("make", BAD)
def test_a_failed_open_leaves_what_plays(
    qtbot: QtBot, open_window, clip: Path, tmp_path: Path, make: Callable[[Path], Path | str]
) -> None:
    window = open_window(clip)
    pause_at(qtbot, window, 12)
    picture = window.view.shown
    bad = make(tmp_path)
    window.open(bad)
    qtbot.waitUntil(lambda: bool(window.messages.texts("error")), timeout=WAIT_MS)
    (line,) = window.messages.texts("error")
    assert str(bad).rpartition("/")[2] in line
    assert window.view.shown.shot is picture.shot and window.stack.currentWidget() is window.view
    assert window.player.source == str(clip) and window.windowTitle().startswith("colors.mp4")
    assert window.player.state is PlayerState.PAUSED
    for key, index in ((".", 13), (",", 12), (Qt.Key.Key_Home, 0)):
        qtbot.keyClick(window, key)
        qtbot.waitUntil(lambda index=index: shown_index(window) == index, timeout=WAIT_MS)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    wait_state(qtbot, window, PlayerState.PLAYING)


def test_a_recent_file_that_is_gone_leaves_the_list_while_another_plays(
    qtbot: QtBot, open_window, clip: Path, tmp_path: Path
) -> None:
    path = make_clip(tmp_path / "short.mp4", 4)
    window = open_window(path)
    wait_state(qtbot, window, PlayerState.ENDED)
    window.open(clip)
    qtbot.waitUntil(lambda: window.windowTitle().startswith("colors.mp4"), timeout=WAIT_MS)
    path.unlink()
    names = [action.text() for action in window.recent_menu.actions()]
    window.recent_menu.actions()[names.index("short.mp4")].trigger()
    qtbot.waitUntil(lambda: bool(window.messages.texts("error")), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: "short.mp4" not in [a.text() for a in window.recent_menu.actions()], timeout=WAIT_MS)
    assert window.player.source == str(clip)


class SlowOpening:
    """A gate before every video file but the first."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open = threading.Event()
        self.reached = threading.Event()
        self._count = 0
        self._real = sources.source_kinds()["video file"]
        kind = SourceKind("video file", self._real.matches, self._wait, suffixes=self._real.suffixes)
        monkeypatch.setattr(sources, "source_kinds", lambda: {kind.name: kind})

    def _wait(self, text: str) -> Source:
        self._count += 1
        if self._count > 1:
            self.reached.set()
            assert self.open.wait(60)
        return self._real.open(text)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> SlowOpening:
    return SlowOpening(monkeypatch)


def _begin_slow_opening(qtbot: QtBot, window: MainWindow, slow: SlowOpening, other: Path) -> None:
    wait_state(qtbot, window, PlayerState.PLAYING)
    window.open(other)
    assert slow.reached.wait(WAIT_MS / 1000)
    qtbot.waitUntil(lambda: window.loading_bar.isVisible(), timeout=WAIT_MS)
    assert window.loading_bar.label.text() == "Opening other.mp4 …"


def test_what_plays_plays_on_until_the_next_picture_is_there(
    qtbot: QtBot, open_window, tmp_path: Path, slow: SlowOpening
) -> None:
    window = open_window(make_clip(tmp_path / "long.mp4", 200))
    _begin_slow_opening(qtbot, window, slow, make_other_clip(tmp_path / "other.mp4", frames=100))
    index = shown_index(window)
    qtbot.waitUntil(lambda: shown_index(window) > index + 3, timeout=WAIT_MS)
    assert window.windowTitle().startswith("long.mp4") and window.actions_by_id["play"].text() == "Pause"
    seen: set[tuple[bool, bool]] = set()

    def look() -> bool:
        is_other = window.windowTitle().startswith("other.mp4")
        seen.add((window.view.shown is not None, window.stack.currentWidget() is window.view))
        return is_other

    slow.open.set()
    qtbot.waitUntil(look, timeout=WAIT_MS)
    assert seen == {(True, True)}
    assert window.view.shown.shot.frame.picture.width == 128
    qtbot.waitUntil(lambda: not window.loading_bar.isVisible(), timeout=WAIT_MS)
    assert window.controls.length.text() == "0:04.0"


def test_escape_gives_the_opening_up(qtbot: QtBot, open_window, tmp_path: Path, slow: SlowOpening) -> None:
    window = open_window(make_clip(tmp_path / "long.mp4", 200))
    _begin_slow_opening(qtbot, window, slow, make_other_clip(tmp_path / "other.mp4"))
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert not window.loading_bar.isVisible()
    slow.open.set()
    index = shown_index(window)
    qtbot.waitUntil(lambda: shown_index(window) > index + 3, timeout=WAIT_MS)
    assert window.windowTitle().startswith("long.mp4") and window.messages.texts() == []


def test_escape_gives_a_first_opening_up(qtbot: QtBot, open_window, tmp_path: Path, slow: SlowOpening) -> None:
    slow._count = 1
    window = open_window(make_clip(tmp_path / "long.mp4", 200))
    assert slow.reached.wait(WAIT_MS / 1000)
    qtbot.waitUntil(lambda: window.view.notice == "Opening long.mp4 …", timeout=WAIT_MS)
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert window.stack.currentWidget() is window.start_page and window.player.state is PlayerState.EMPTY
    slow.open.set()


@pytest.mark.parametrize("suffix", ["mp4", "ts", "mkv"])
@pytest.mark.parametrize("at_end", [False, True])
def test_another_model_takes_over_though_the_file_is_gone(
    qtbot: QtBot, open_window, tmp_path: Path, suffix: str, at_end: bool
) -> None:
    path = make_other_clip(tmp_path / f"gone.{suffix}", frames=40, rate=20, options={"g": "10"})
    other = color_model(tmp_path / "other.onnx", 32, 32, name="other")
    window = open_window(path)
    if at_end:
        wait_state(qtbot, window, PlayerState.ENDED)
    else:
        pause_at(qtbot, window, 12)
    path.unlink()
    window.model_menu.use(str(other))
    qtbot.waitUntil(lambda: window.player.spec.name == "other", timeout=WAIT_MS)
    assert window.stack.currentWidget() is window.view and window.view.shown is not None
    place = shown_index(window)
    for keys, index in (([","] * 5, place - 5), ([Qt.Key.Key_Home], 0), (["."], 1), ([Qt.Key.Key_End], 39)):
        for key in keys:
            qtbot.keyClick(window, key)
        qtbot.waitUntil(lambda index=index: shown_index(window) == index, timeout=WAIT_MS)
    assert window.messages.texts("error") == []
