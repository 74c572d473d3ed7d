"""The settings page: made of data, applied at once, remembered, shown as it is when changed elsewhere."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLineEdit
from pytestqt.qtbot import QtBot

from seg_viewer.gui.dialogs.cache_part import CachePart, cap_text
from seg_viewer.gui.dialogs.settings import Choice, Folder, Setting, SettingsDialog, Switch
from seg_viewer.gui.main_window import MainWindow
from seg_viewer.gui.memory import Memory
from seg_viewer.gui.preferences import SETTINGS
from seg_viewer.gui.settings import WindowSettings, load_settings, open_store, save_settings
from seg_viewer.gui.tasks.background import Background
from seg_viewer.jobs.options import RunOptions
from seg_viewer.media.hardware import SOFTWARE, check_file
from seg_viewer.player.playback import PlayerState

from .conftest import WAIT_MS, wait_state
from .modal_dialogs import ModalDialogs, clicks

CTRL = Qt.KeyboardModifier.ControlModifier


def _page(window: MainWindow, qtbot: QtBot) -> SettingsDialog:
    qtbot.keyClick(window, Qt.Key.Key_Comma, CTRL)
    (page,) = [dialog for dialog in window.findChildren(SettingsDialog) if dialog.isVisible()]
    page.activateWindow()
    qtbot.waitUntil(page.isActiveWindow, timeout=WAIT_MS)
    return page


def test_every_setting_is_a_field_that_is_remembered() -> None:
    names = {field.name for field in fields(WindowSettings)}
    assert {setting.key for setting in SETTINGS} <= names
    assert len({setting.key for setting in SETTINGS}) == len(SETTINGS)


def test_the_key_opens_one_page_and_escape_closes_it(qtbot: QtBot, open_window) -> None:
    window = open_window()
    page = _page(window, qtbot)
    window.activateWindow()
    assert _page(window, qtbot) is page
    qtbot.keyClick(page, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not window.findChildren(SettingsDialog), timeout=WAIT_MS)


def test_each_kind_is_changed_by_hand_and_follows_what_is_changed_elsewhere(
    qtbot: QtBot, tmp_path: Path, dialogs: ModalDialogs
) -> None:
    """Over all kinds, with fields that have nothing to do with what they stand for here."""
    memory = Memory(open_store())
    usual = tmp_path / "usual"
    settings = (
        Setting("outline", "Outlines", Switch(), "A"),
        Setting("model", "Model", Choice(lambda: {"": "Auto", "one": "One"}), "A", "What runs"),
        Setting("last_folder", "Folder", Folder(lambda: usual), "B"),
    )
    page = SettingsDialog(settings, memory)
    qtbot.addWidget(page)
    page.show()
    switch, choice, folder = (page.fields[key] for key in ("outline", "model", "last_folder"))
    assert folder.path.text() == str(usual) and not folder.usual.isEnabled()

    QTest.mouseClick(switch.box, Qt.MouseButton.LeftButton, pos=QPoint(8, switch.box.height() // 2))
    qtbot.keyClick(choice.box, Qt.Key.Key_Down)
    wanted = tmp_path / "mine"
    wanted.mkdir()

    def take(dialog: object) -> None:
        assert isinstance(dialog, QFileDialog)
        name = dialog.findChild(QLineEdit, "fileNameEdit")
        name.setText(str(wanted))
        QTest.keyClick(name, Qt.Key.Key_Return)

    dialogs.expect(take)
    QTest.mouseClick(folder.choose, Qt.MouseButton.LeftButton)
    assert (memory.settings.outline, memory.settings.model, memory.settings.last_folder) == (True, "one", str(wanted))
    qtbot.waitUntil(lambda: load_settings(open_store()) == memory.settings, timeout=WAIT_MS)

    memory.change(outline=False, model="gone", last_folder="")
    assert not switch.box.isChecked() and choice.box.currentText() == "gone" and folder.path.text() == str(usual)


def test_the_default_model_runs_at_once_and_at_the_next_start(
    qtbot: QtBot, open_window, clip: Path, two_shipped: Path
) -> None:
    window = open_window(clip, RunOptions())
    wait_state(qtbot, window, PlayerState.PLAYING)
    assert window.stats.text("model").startswith("driving-fast")
    box = _page(window, qtbot).fields["model"].box
    box.setFocus()
    for _press in range(box.findData("driving-fine")):
        qtbot.keyClick(box, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: window.stats.text("model").startswith("driving-fine"), timeout=WAIT_MS)
    window.close()
    again = open_window(clip, RunOptions())
    qtbot.waitUntil(lambda: again.stats.text("model").startswith("driving-fine"), timeout=WAIT_MS)


def test_a_model_of_the_command_line_wins(qtbot: QtBot, open_window, clip: Path, two_shipped: Path) -> None:
    save_settings(open_store(), WindowSettings(model="driving-fine"))
    window = open_window(clip, RunOptions(model="driving-fast"))
    wait_state(qtbot, window, PlayerState.PLAYING)
    qtbot.waitUntil(lambda: window.stats.text("model").startswith("driving-fast"), timeout=WAIT_MS)


def test_a_remembered_model_that_is_gone_costs_a_message(
    qtbot: QtBot, open_window, clip: Path, two_shipped: Path
) -> None:
    save_settings(open_store(), WindowSettings(model="driving-gone"))
    window = open_window(clip, RunOptions())
    wait_state(qtbot, window, PlayerState.PLAYING)
    qtbot.waitUntil(lambda: bool(window.messages.texts("error")), timeout=WAIT_MS)
    assert "driving-gone" in window.messages.texts("error")[0]


class _Cache:
    """What the page asks; held to the protocol by mypy where it is used."""

    def __init__(self) -> None:
        self.size = 5_000_000
        self.cap = 0

    def choose_cap(self, cap: int) -> None:
        self.cap = cap

    def size_bytes(self) -> int:
        return self.size

    def clear(self) -> None:
        self.size = 0


@pytest.mark.parametrize(("answer", "left"), [("Keep", 5_000_000), ("Clear cache", 0)])
def test_the_cache_is_shown_and_cleared_only_by_a_yes(
    qtbot: QtBot, dialogs: ModalDialogs, answer: str, left: int
) -> None:
    memory, background, cache = Memory(open_store()), Background(), _Cache()
    page = SettingsDialog((), memory, (("Cache", CachePart(cache, memory, background)),))
    qtbot.addWidget(page)
    page.show()
    (part,) = page.findChildren(CachePart)
    qtbot.waitUntil(lambda: "5.0 MB" in part.taken.text(), timeout=WAIT_MS)
    dialogs.expect(clicks(answer))
    QTest.mouseClick(part.clear, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: cache.size == left, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: f"{left / 1e6:.1f} MB" in part.taken.text(), timeout=WAIT_MS)
    qtbot.keyClick(part.cap, Qt.Key.Key_End)
    assert memory.settings.cache_mb == 16000 and cap_text(16000) == "16 GB"
    qtbot.waitUntil(lambda: cache.cap == 16_000_000_000, timeout=WAIT_MS)
    background.close()


def test_hardware_decoding_is_chosen_and_the_panel_says_what_decodes(qtbot: QtBot, open_window, clip: Path) -> None:
    window = open_window()
    assert window.player.options.hwaccel == "off"
    page = _page(window, qtbot)
    box = page.fields["hwaccel"].box
    box.setFocus()
    qtbot.keyClick(box, Qt.Key.Key_End)
    assert window.player.options.hardware
    qtbot.keyClick(page, Qt.Key.Key_Escape)
    window.open(str(clip))
    wait_state(qtbot, window, PlayerState.PLAYING)
    check = check_file(clip, 0)
    assert window.stats.text("video").endswith(f"h264 · {check.device or SOFTWARE}")
    if check.problem:
        qtbot.waitUntil(lambda: any(check.problem in text for text in window.messages.texts()), timeout=WAIT_MS)


def test_the_command_line_wins_over_the_setting_of_hardware_decoding(open_window, model: Path) -> None:
    save_settings(open_store(), WindowSettings(hwaccel="auto"))
    assert open_window().player.options.hardware
    assert not open_window(options=RunOptions(str(model), hwaccel="off")).player.options.hardware
