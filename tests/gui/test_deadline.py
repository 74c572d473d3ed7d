"""A deadline in the window: chosen in the menu, shown while it is kept or not, off again, remembered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QAction
from pytestqt.qtbot import QtBot

from seg_viewer.gui.deadline import deadline_text, deadline_tip
from seg_viewer.gui.main_window import MainWindow
from seg_viewer.gui.settings import open_store
from seg_viewer.jobs.options import RunOptions
from seg_viewer.pipeline import DEADLINE, GovernorStatus
from seg_viewer.player.playback import PlayerState
from seg_viewer.player.player import Player
from tests.servers.http_video import HttpVideo

from .conftest import WAIT_MS, wait_state


@pytest.fixture
def server(tmp_path: Path) -> Iterator[HttpVideo]:
    with HttpVideo(tmp_path, size=(160, 96), rate=50) as running:
        yield running


def _plain(text: str) -> str:
    return text.replace("&", "")


def _entry(window: MainWindow, text: str) -> QAction:
    model_menu = window.menuBar().actions()[2].menu()
    deadline = next(action.menu() for action in model_menu.actions() if _plain(action.text()).startswith("Deadline"))
    return next(action for action in deadline.actions() if _plain(action.text()) == text)


def _marked(window: MainWindow) -> list[str]:
    return [_plain(action.text()) for action in window.deadline.choices.values() if action.isChecked()]


def test_what_is_left_out_is_shown_and_off_brings_it_back(qtbot: QtBot, open_window, server: HttpVideo):
    """No machine paints a picture within a millisecond of its arrival."""
    window = open_window()
    bar, own = window.controls.live_bar, window.player.options.model_path()
    window.player.deadline_s = 0.001
    window.open(server.url())
    wait_state(qtbot, window, PlayerState.PLAYING)
    qtbot.waitUntil(lambda: bar.deadline.text().startswith("1 ms not kept: "), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: window.view.shown.shot.classes.shape == (32, 32), timeout=WAIT_MS)
    assert bar.deadline.text() == "1 ms not kept: colors at 32×32, every 3rd picture" and bar.deadline.isVisible()
    qtbot.waitUntil(lambda: "95 in 100" in bar.deadline.toolTip(), timeout=WAIT_MS)
    assert "left out" in bar.deadline.toolTip()
    assert window.player.ledger.snapshot().drops[DEADLINE] > 0
    window.model_menu.refresh()
    assert window.model_menu.running == own, "what was chosen stays marked"
    _entry(window, "Off").trigger()
    qtbot.waitUntil(lambda: window.view.shown.shot.classes.shape == (32, 64), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: not bar.deadline.isVisible(), timeout=WAIT_MS)
    dropped = window.player.ledger.snapshot().drops[DEADLINE]
    shown = window.view.shown.shot.frame.index
    qtbot.waitUntil(lambda: window.view.shown.shot.frame.index > shown + 20, timeout=WAIT_MS)
    assert window.player.ledger.snapshot().drops[DEADLINE] <= dropped + 2
    assert window.messages.texts("error") == []


def test_the_choice_is_remembered_and_that_of_the_command_line_is_not(qtbot: QtBot, open_window, model: Path):
    window = open_window()
    assert _marked(window) == ["Off"] and window.player.deadline_s is None
    _entry(window, "Within 120 ms").trigger()
    assert window.player.deadline_s == 0.12
    window.close()
    again = open_window()
    assert again.player.deadline_s == 0.12 and _marked(again) == ["Within 120 ms"]
    again.close()
    player = Player(RunOptions(model=str(model)))
    player.deadline_s = 0.065
    asked = MainWindow(player, open_store())
    qtbot.addWidget(asked)
    assert player.deadline_s == 0.065 and _marked(asked) == ["Within 65 ms"]
    assert asked.memory.settings.deadline_ms == 120
    asked.close()


def test_a_file_has_no_deadline(qtbot: QtBot, open_window, clip: Path):
    window = open_window()
    window.player.deadline_s = 0.001
    window.open(clip)
    wait_state(qtbot, window, PlayerState.PLAYING)
    qtbot.waitUntil(lambda: window.view.shown is not None, timeout=WAIT_MS)
    assert window.player.deadline is None and DEADLINE not in window.player.ledger.snapshot().drops


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (GovernorStatus(0.08, "driving-fine"), "within 80 ms: driving-fine"),
        (GovernorStatus(0.08, "driving-fast", "", 2), "within 80 ms: driving-fast, every 2nd picture"),
        (
            GovernorStatus(0.08, "driving-fast", "352×192", 3, 0.13, holds=False, steps=6, note="why"),
            "80 ms not kept: driving-fast at 352×192, every 3rd picture",
        ),
    ],
)
def test_the_line_and_its_tip(status: GovernorStatus, text: str):
    assert deadline_text(status) == text
    tip = deadline_tip(status)
    assert tip.splitlines()[0] == text
    assert ("within 130 ms of their arrival" in tip) == (status.p95_s is not None)
    assert tip.endswith("why") == bool(status.note)
