"""Every window of the program: what can be used has a name, says what it does, and nothing is cut."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtGui import QShortcut
from PySide6.QtWidgets import QAbstractButton, QApplication, QDialog, QMessageBox
from pytestqt.qtbot import QtBot

from seg_viewer.gui.dialogs.address import AddressDialog
from seg_viewer.gui.dialogs.cache_part import CachePart
from seg_viewer.gui.dialogs.confirm import confirm
from seg_viewer.gui.dialogs.export_stop import ask_stop
from seg_viewer.gui.dialogs.find_class import FindClassDialog
from seg_viewer.gui.dialogs.help import AboutDialog, HelpDialog
from seg_viewer.gui.dialogs.password import PasswordDialog
from seg_viewer.gui.dialogs.settings import SettingsDialog
from seg_viewer.gui.main_window import MainWindow

from .conftest import WAIT_MS, pause_at
from .modal_dialogs import ModalDialogs
from .walk import bare_words, faults, shown, unnamed


@pytest.fixture
def paused(qtbot: QtBot, open_window, clip: Path) -> MainWindow:
    window = open_window(clip)
    pause_at(qtbot, window, 5)
    return window


class _Cache:
    cap = 0

    def size_bytes(self) -> int:
        return 5_000_000

    def clear(self) -> None:
        """Nothing is kept."""


def _by_action(name: str, kind: type[QDialog]) -> Callable[[MainWindow], QDialog]:
    def show(window: MainWindow) -> QDialog:
        window.actions_by_id[name].trigger()
        return next(dialog for dialog in window.findChildren(kind) if dialog.isVisible())

    return show


def _export(window: MainWindow) -> QDialog:
    window.actions_by_id["export"].trigger()
    assert window.outputs.export_dialog is not None
    return window.outputs.export_dialog


def _queue(window: MainWindow) -> QDialog:
    window.actions_by_id["export-queue"].trigger()
    return window.outputs.queue_dialog


def _settings_with_cache(window: MainWindow) -> QDialog:
    part = CachePart(_Cache(), window.memory, window.background)
    dialog = SettingsDialog((), window.memory, (("Cache", part),), window)
    dialog.show()
    return dialog


def _password(window: MainWindow) -> QDialog:
    dialog = PasswordDialog("rtsp://10.0.0.1/cam", "the server asks for user and password (401)", window)
    dialog.show()
    return dialog


DIALOGS: dict[str, Callable[[MainWindow], QDialog]] = {
    "address": _by_action("address", AddressDialog),
    "settings": _by_action("settings", SettingsDialog),
    "help": _by_action("help", HelpDialog),
    "about": _by_action("about", AboutDialog),
    "export": _export,
    "queue": _queue,
    "cache": _settings_with_cache,
    "find": _by_action("find-class", FindClassDialog),
    "password": _password,
}


@pytest.mark.parametrize("name", DIALOGS)
def test_a_dialog_names_what_it_has_and_cuts_nothing(qtbot: QtBot, paused: MainWindow, name: str) -> None:
    dialog = DIALOGS[name](paused)
    qtbot.waitUntil(dialog.isVisible, timeout=WAIT_MS)
    assert shown(dialog, QAbstractButton), "it can be left by a button"
    assert unnamed(dialog) == []
    assert bare_words(dialog) == []

    def whole() -> None:
        assert faults(dialog) == []

    qtbot.waitUntil(whole, timeout=WAIT_MS)
    dialog.close()


def test_every_dialog_of_the_program_is_looked_at(paused: MainWindow) -> None:
    """A dialog that is added is added above, too."""
    package = Path(__import__("seg_viewer.gui", fromlist=["x"]).__file__).parent
    classes = [
        line.split("(")[0].removeprefix("class ")
        for file in package.rglob("*.py")
        for line in file.read_text(encoding="utf-8").splitlines()
        if line.startswith("class ") and line.endswith("(QDialog):")
    ]
    assert len(classes) == len(DIALOGS) - 1, f"of one class are two: {classes}"


QUESTIONS: dict[str, Callable[[MainWindow], bool]] = {
    "replace": lambda w: confirm(w, "File exists", "a.mp4 exists already. Replace it?", yes="Replace", no="Keep"),
    "stop one": lambda w: ask_stop(w, 1),
    "stop many": lambda w: ask_stop(w, 3),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_has_words_of_its_own(paused: MainWindow, dialogs: ModalDialogs, name: str) -> None:
    looked: list[str] = []

    def look(dialog: QDialog) -> None:
        assert isinstance(dialog, QMessageBox)
        looked.extend(button.text() for button in dialog.buttons())
        looked.extend(bare_words(dialog) + unnamed(dialog))
        dialog.close()

    dialogs.expect(look)
    assert QUESTIONS[name](paused) is False
    assert len(looked) == 2 and all(text not in ("OK", "&Yes", "&No", "Yes", "No") for text in looked)


def test_no_code_asks_with_buttons_of_qt() -> None:
    """Their words are no verbs, and in another language than the rest."""
    package = Path(__import__("seg_viewer.gui", fromlist=["x"]).__file__).parent
    asked = ("QMessageBox.question", "QMessageBox.warning", "QMessageBox.information", "QMessageBox.critical",
             "StandardButton.Yes", "StandardButton.Ok", "StandardButton.No", "QInputDialog")  # fmt: skip
    found = [
        (file.name, word)
        for file in package.rglob("*.py")
        for word in asked
        if word in file.read_text(encoding="utf-8")
    ]
    assert found == []


def test_every_menu_entry_has_a_tip_and_text(paused: MainWindow) -> None:
    for action in paused.actions_by_id.values():
        assert action.text() and action.toolTip() and action.statusTip(), action.objectName()
    QApplication.processEvents()


def test_no_key_is_wanted_by_two(open_window) -> None:
    """Qt gives a key that two of the window's shortcuts want to neither."""
    window = open_window()
    wanted = [keys.toString() for action in window.actions() for keys in action.shortcuts()]
    own = [one for one in window.findChildren(QShortcut) if one.parent().window() is window]  # not of dialogs
    wanted += [shortcut.key().toString() for shortcut in own]
    assert sorted(key for key in set(wanted) if wanted.count(key) > 1) == []
