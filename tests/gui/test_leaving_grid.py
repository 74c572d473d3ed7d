"""What a source leaves behind is told by a window of several sources too, and by the one that opened it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from pytestqt.qtbot import QtBot

from seg_viewer.gui.grid.tile import Tile
from seg_viewer.gui.main_window import MainWindow
from seg_viewer.sources import DEMO
from tests.cli.test_leaving_carla import KINDS, LEFT, Hanging, hanging, process, pytestmark

from .conftest import WAIT_MS

__all__ = ["pytestmark"]


@pytest.fixture
def simulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hanging]:
    """One that never says anything."""
    monkeypatch.setattr(process, "LEAVE_S", 0.2)  # as for people
    with hanging(KINDS[0]) as one:
        yield one


@pytest.fixture
def opened(open_window: Callable[..., MainWindow], simulator: Hanging) -> tuple[MainWindow, Tile]:
    """A window, and the tile of the simulator in the window that it opened for several."""
    window = open_window()
    window.sources.open_grid([simulator.url])
    (tile,) = window.sources.grids[0].tiles
    simulator.begin(lambda: True)
    return window, tile


def test_another_source_in_its_place_says_what_stays(qtbot: QtBot, opened: tuple[MainWindow, Tile]) -> None:
    _window, tile = opened
    tile.open(DEMO)
    qtbot.waitUntil(lambda: tile.messages.texts("warning") != [], timeout=WAIT_MS)
    assert LEFT.fullmatch(tile.messages.texts("warning")[0])


def test_one_that_is_closed_is_told_in_the_window_that_opened_it(qtbot: QtBot, opened: tuple[MainWindow, Tile]) -> None:
    window, tile = opened
    tile.window().close()
    qtbot.waitUntil(lambda: window.messages.texts("warning") != [], timeout=WAIT_MS)
    (line,) = window.messages.texts("warning")
    assert LEFT.fullmatch(line)
    qtbot.waitUntil(lambda: window.sources.left == [], timeout=WAIT_MS)


def test_what_closes_with_that_window_is_told_by_the_command(qtbot: QtBot, opened: tuple[MainWindow, Tile]) -> None:
    window, tile = opened
    window.close()
    assert window.sources.left == [tile.player]
    qtbot.waitUntil(lambda: tile.player.has_ended, timeout=WAIT_MS)
    assert LEFT.fullmatch(tile.player.take_parting() or "")
