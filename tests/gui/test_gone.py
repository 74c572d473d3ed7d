"""What was opened and closed is gone: no widget of it stays, and nothing that only Python's collector would find."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QDialog, QWidget
from pytestqt.qtbot import QtBot

from seg_viewer.gui.dialogs.export import ExportDialog
from seg_viewer.gui.main_window import MainWindow

from .conftest import WAIT_MS, make_clip, pause_at

AGAIN = 3


def _dialogs() -> list[QDialog]:
    return [each for each in QApplication.topLevelWidgets() if isinstance(each, QDialog) and each.isVisible()]


def _widgets() -> int:
    return len(QApplication.allWidgets())


def _export_dialogs() -> int:
    return sum(isinstance(each, ExportDialog) for each in QApplication.allWidgets())


def _open_and_close(qtbot: QtBot, window: MainWindow, action: str) -> None:
    window.actions_by_id[action].trigger()
    qtbot.waitUntil(lambda: len(_dialogs()) == 1, timeout=WAIT_MS)
    qtbot.wait(50)  # it is painted, and what it asks for beside the window is begun
    (dialog,) = _dialogs()
    dialog.close()
    qtbot.waitUntil(lambda: not _dialogs(), timeout=WAIT_MS)


@pytest.mark.parametrize("action", ["export", "export-queue", "settings", "find-class", "help", "about", "address"])
def test_no_widget_of_a_dialog_stays(
    qtbot: QtBot, open_window: Callable[..., MainWindow], clip: Path, tmp_path: Path, action: str
):
    own = tmp_path / clip.name
    own.symlink_to(clip)
    window = open_window(own)
    pause_at(qtbot, window, 5)
    _open_and_close(qtbot, window, action)  # what there is one of is made now
    qtbot.wait(50)
    before = _widgets()
    for _ in range(AGAIN):
        _open_and_close(qtbot, window, action)
    qtbot.waitUntil(lambda: _widgets() <= before, timeout=WAIT_MS)


def test_export_dialogs_of_other_videos_do_not_stay(
    qtbot: QtBot, open_window: Callable[..., MainWindow], tmp_path: Path
):
    clips = [make_clip(tmp_path / f"{name}.mp4") for name in "ab"]
    window = open_window(clips[0])
    pause_at(qtbot, window, 5)
    _open_and_close(qtbot, window, "export")
    left = list[weakref.ref[QWidget]]()
    for number in range(2 * AGAIN):
        count = window.player.opened_count
        window.sources.open(str(clips[(number + 1) % 2]))
        qtbot.waitUntil(lambda count=count: window.player.opened_count > count, timeout=WAIT_MS)  # type: ignore[misc]
        pause_at(qtbot, window, 5)
        _open_and_close(qtbot, window, "export")
        assert window.outputs.export_dialog is not None
        left.append(weakref.ref(window.outputs.export_dialog))
    qtbot.waitUntil(lambda: _export_dialogs() == 1, timeout=WAIT_MS)
    gc.collect()
    assert [reference() for reference in left[:-1]] == [None] * (2 * AGAIN - 1)
