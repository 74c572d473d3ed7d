"""What the window remembers is on disk soon after a change, and stays there however the program ends."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings, Qt
from pytestqt.qtbot import QtBot

from seg_viewer.gui.memory import Memory
from seg_viewer.gui.settings import load_settings, open_store

from ..waiting import wait_until
from .conftest import WAIT_MS

_WINDOW = """
import sys
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication
from seg_viewer.gui.main_window import MainWindow
from seg_viewer.gui.settings import open_store
from seg_viewer.jobs.options import RunOptions
from seg_viewer.player.player import Player
QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, sys.argv[1])
app = QApplication([])
window = MainWindow(Player(RunOptions()), open_store())
window.show()
window.actions_by_id["outline"].trigger()
window.controls.opacity.setValue(80)
window.resize(811, 533)
app.exec()
"""


def test_a_killed_window_has_written_what_was_changed(tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    process = subprocess.Popen([sys.executable, "-c", _WINDOW, str(folder)])
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(folder))
    try:
        wait_until(lambda: load_settings(open_store()).opacity == 0.8, "the settings on disk", 60)
        assert process.poll() is None
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(60)
    settings = load_settings(open_store())
    assert settings.outline and settings.opacity == 0.8 and settings.geometry


def test_each_setting_is_written_while_the_window_is_open(qtbot: QtBot, open_window) -> None:
    window = open_window()
    qtbot.keyClick(window, Qt.Key.Key_O)
    window.actions_by_id["panel"].trigger()
    qtbot.waitUntil(lambda: load_settings(open_store()).outline, timeout=WAIT_MS)
    assert not load_settings(open_store()).panel


def test_two_windows_do_not_undo_each_others_changes(qtbot: QtBot) -> None:
    one, other = Memory(open_store()), Memory(open_store())
    one.change(opacity=0.9)
    one.write()
    other.change(outline=True)
    other.write()
    settings = load_settings(open_store())
    assert (settings.opacity, settings.outline) == (0.9, True)


@pytest.mark.parametrize("times", [1, 50])
def test_what_changes_all_the_time_is_asked_for_once(qtbot: QtBot, times: int) -> None:
    memory, asked = Memory(open_store()), []

    def value() -> bytes:
        asked.append(1)
        return b"here"

    for _ in range(times):
        memory.change_late("geometry", value)
    qtbot.waitUntil(lambda: load_settings(open_store()).geometry == b"here", timeout=WAIT_MS)
    assert len(asked) == 1
