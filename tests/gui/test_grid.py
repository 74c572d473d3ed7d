"""Several live sources in one window: each with its own state, age, drops, messages and recording, on one engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QDialogButtonBox
from pytestqt.qtbot import QtBot

from seg_viewer.gui.app import is_grid
from seg_viewer.gui.dialogs.address import AddressDialog
from seg_viewer.gui.dialogs.password import PasswordDialog
from seg_viewer.gui.grid.actions import GRID_MENUS
from seg_viewer.gui.grid.tile import Tile
from seg_viewer.gui.grid.window import GridWindow, players_of
from seg_viewer.gui.settings import open_store
from seg_viewer.jobs.options import RunOptions
from seg_viewer.player.playback import PlayerState
from tests.clips import video_times
from tests.house import ROOT
from tests.servers.http_video import HttpVideo

from .conftest import WAIT_MS, wait_ended
from .test_guide import named, rows

LEFT = Qt.MouseButton.LeftButton
Key = Qt.Key


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[list[HttpVideo]]:
    with ExitStack() as stack:
        made = []
        for number in range(4):
            (tmp_path / f"s{number}").mkdir()
            made.append(stack.enter_context(HttpVideo(tmp_path / f"s{number}", size=(160, 96), rate=10)))
        yield made


@pytest.fixture
def open_grid(qtbot: QtBot, model: Path) -> Iterator[Callable[..., GridWindow]]:
    windows: list[GridWindow] = []

    def make(sources: Sequence[str]) -> GridWindow:
        window = GridWindow(players_of(sources, RunOptions(model=str(model))), sources, open_store())
        windows.append(window)
        window.show()
        window.activateWindow()
        qtbot.waitUntil(window.isActiveWindow, timeout=WAIT_MS)
        return window

    yield make
    for window in windows:
        window.close_without_asking()
        window.deleteLater()
    wait_ended(qtbot)


def _plays(tile: Tile) -> bool:
    return tile.player.state is PlayerState.PLAYING and tile.view.shown is not None


def _wait_all(qtbot: QtBot, window: GridWindow) -> None:
    qtbot.waitUntil(lambda: all(map(_plays, window.tiles)), timeout=WAIT_MS)


def _seen(window: GridWindow) -> list[int]:
    return [number for number, tile in enumerate(window.tiles, 1) if tile.isVisible()]


def _wait_newer(qtbot: QtBot, tile: Tile, count: int = 3) -> None:
    """Until pictures have gone on."""
    index = tile.view.shown.shot.frame.index
    qtbot.waitUntil(lambda: tile.view.shown.shot.frame.index > index + count, timeout=WAIT_MS)


def test_four_are_shown_each_with_its_own_state_and_one_fails_and_comes_back(
    qtbot: QtBot, open_grid, servers: list[HttpVideo]
):
    window = open_grid([f"{server.url()}#timeout=1" for server in servers])
    _wait_all(qtbot, window)
    assert _seen(window) == [1, 2, 3, 4]
    for tile, server in zip(window.tiles, servers, strict=True):
        assert tile.bar.badge.text() == "● LIVE" and tile.title.text().startswith(server.url())
        qtbot.waitUntil(lambda tile=tile: "ms since arrival" in tile.bar.latency.text(), timeout=WAIT_MS)
    shares = [tile.player._session.pipeline.segmenter.inner for tile in window.tiles]
    assert len({share.engine for share in shares}) == 1, "one engine for all"

    lost, others = window.tiles[2], [window.tiles[0], window.tiles[1], window.tiles[3]]
    servers[2].kill()
    qtbot.waitUntil(lambda: lost.bar.badge.text() == "RECONNECTING", timeout=WAIT_MS)
    for tile in others:
        _wait_newer(qtbot, tile)
        assert tile.bar.badge.text() == "● LIVE" and tile.messages.texts() == []
    servers[2].start()
    qtbot.waitUntil(lambda: lost.bar.badge.text() == "● LIVE", timeout=2 * WAIT_MS)
    _wait_newer(qtbot, lost)
    assert lost.bar.status.text() == "came back once"
    assert all(tile.bar.status.text() == "" for tile in others)
    drops = [sum(tile.player.ledger.snapshot().drops.values()) for tile in window.tiles]
    assert all(tile.left_out.text() == "" for tile, count in zip(window.tiles, drops, strict=True) if count == 0)


def test_a_click_or_a_key_makes_one_large_and_all_again_while_the_others_go_on(
    qtbot: QtBot, open_grid, servers: list[HttpVideo]
):
    window = open_grid([server.url() for server in servers])
    _wait_all(qtbot, window)
    qtbot.mouseClick(window.tiles[1].view, LEFT)
    qtbot.waitUntil(lambda: _seen(window) == [2], timeout=WAIT_MS)
    served = window.tiles[0].player._session.pipeline.segmenter.inner.served
    qtbot.waitUntil(
        lambda: window.tiles[0].player._session.pipeline.segmenter.inner.served > served + 3, timeout=WAIT_MS
    )
    qtbot.mouseClick(window.tiles[1].view, LEFT)
    qtbot.waitUntil(lambda: _seen(window) == [1, 2, 3, 4], timeout=WAIT_MS)
    for key, seen in (
        (Key.Key_3, [3]), (Key.Key_3, [1, 2, 3, 4]), (Key.Key_Right, [1, 2, 3, 4]), (Key.Key_Return, [4]),
        (Key.Key_Right, [1]), (Key.Key_Left, [4]), (Key.Key_2, [2]), (Key.Key_Escape, [1, 2, 3, 4]),
    ):  # fmt: skip
        qtbot.keyClick(window, key)
        assert _seen(window) == seen, key
    assert [tile.property("current") for tile in window.tiles] == [False, True, False, False]
    qtbot.keyClick(window, Key.Key_T)
    assert {tile.view.mode.id for tile in window.tiles} == {"original"}
    opacity = window.look.style.opacity
    qtbot.keyClick(window, Key.Key_Up)
    assert window.look.style.opacity == pytest.approx(opacity + 0.05)
    for size in (QSize(720, 460), QSize(3840, 2160), QSize(480, 320)):
        window.resize(size)
        qtbot.waitUntil(lambda size=size: window.size() == size, timeout=WAIT_MS)
        sizes = {(tile.view.width(), tile.view.height()) for tile in window.tiles}
        assert max(w for w, _ in sizes) - min(w for w, _ in sizes) <= 1, sizes
        assert max(h for _, h in sizes) - min(h for _, h in sizes) <= 1, sizes
        assert all(tile.geometry().right() < window.width() for tile in window.tiles)
        assert not window.tiles[0].geometry().intersects(window.tiles[3].geometry())


def test_each_has_its_own_recording(qtbot: QtBot, open_grid, servers: list[HttpVideo], tmp_path: Path):
    window = open_grid([server.url() for server in servers[:2]])
    _wait_all(qtbot, window)
    first, second = window.tiles
    qtbot.keyClick(window, Key.Key_R)
    assert first.recording.running and not second.recording.running
    qtbot.keyClick(window, Key.Key_R, Qt.KeyboardModifier.ShiftModifier)
    assert first.recording.running and second.recording.running
    qtbot.waitUntil(lambda: all(sum(tile.recording.frames) >= 3 for tile in window.tiles), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: "REC" in second.bar.recording.text(), timeout=WAIT_MS)
    qtbot.keyClick(window, Key.Key_R)
    qtbot.waitUntil(lambda: first.messages.texts("info") != [], timeout=WAIT_MS)
    assert second.recording.running and second.messages.texts() == []
    qtbot.keyClick(window, Key.Key_R, Qt.KeyboardModifier.ShiftModifier)  # the first one again
    assert first.recording.running and second.recording.running
    qtbot.waitUntil(lambda: sum(first.recording.frames) >= 1, timeout=WAIT_MS)
    window.close()
    files = sorted((tmp_path / "Videos" / "seg-viewer").glob("*.mp4"))
    assert len(files) == 3 and all(video_times(file) for file in files)


def test_one_that_cannot_be_opened_says_why_and_is_tried_again(
    qtbot: QtBot, open_grid, servers: list[HttpVideo], model: Path
):
    servers[1].needs = "Basic am9lOmh1c2g="
    servers[2].kill()
    window = open_grid([servers[0].url(), servers[1].url(), servers[2].url(), "screen:99"])
    qtbot.waitUntil(lambda: _plays(window.tiles[0]), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: window.findChildren(PasswordDialog) != [], timeout=WAIT_MS)
    qtbot.waitUntil(lambda: "connection refused" in window.tiles[2].view.notice, timeout=WAIT_MS)
    assert "Waiting" in window.tiles[2].view.notice and "Enter tries again" in window.tiles[3].view.notice
    (dialog,) = window.findChildren(PasswordDialog)
    dialog.user.setText("joe")
    dialog.password.setText("hush")
    qtbot.mouseClick(dialog.buttons.button(QDialogButtonBox.StandardButton.Open), LEFT)
    servers[2].start()
    qtbot.waitUntil(lambda: all(map(_plays, window.tiles[:3])), timeout=2 * WAIT_MS)
    assert "hush" not in window.windowTitle() + window.tiles[1].title.text() + window.tiles[1].view.notice
    opened = window.tiles[3].player.opened_count
    qtbot.mouseClick(window.tiles[3].view, LEFT)
    qtbot.waitUntil(lambda: window.tiles[3].player.opened_count > opened, timeout=WAIT_MS)
    assert _seen(window) == [1, 2, 3, 4]


def test_several_addresses_are_opened_from_the_window(qtbot: QtBot, open_window, servers: list[HttpVideo]):
    window = open_window()
    window.actions_by_id["address"].trigger()
    (dialog,) = window.findChildren(AddressDialog)
    button = dialog.buttons.button(QDialogButtonBox.StandardButton.Open)
    dialog.address.setText(" ".join([servers[0].url()] * 5))
    qtbot.mouseClick(button, LEFT)
    assert dialog.problem.text() == "At most 4 can be shown beside each other"
    dialog.address.setText(f"{servers[0].url()}  {servers[1].url()}")
    qtbot.mouseClick(button, LEFT)
    (grid,) = window.sources.grids
    _wait_all(qtbot, grid)
    assert len(grid.tiles) == 2 and window.player.source is None
    window.close()
    assert window.sources.grids == [] and not grid.isVisible()


def test_every_entry_stands_in_the_page_with_its_keys():
    page = (ROOT / "docs" / "several-cameras.md").read_text(encoding="utf-8")
    specs = [spec for _menu, items in GRID_MENUS for spec in items if spec is not None]
    found = rows(page)
    assert found.keys() == {spec.text.replace("&", "") for spec in specs}
    for spec in specs:
        assert {named(key) for key in spec.keys} <= found[spec.text.replace("&", "")], spec.text


@pytest.mark.parametrize(
    ("sources", "grid"),
    [
        ((), False),
        (("rtsp://a/b",), False),
        (("rtsp://a/b", "camera:0"), True),
        (("rtsp://a/b", "clip.mp4"), False),
        (("a.mp4", "b.mp4"), False),
    ],
)
def test_what_is_shown_beside_each_other(sources: tuple[str, ...], grid: bool):
    assert is_grid(sources) is grid


@pytest.mark.parametrize(
    ("text", "sources"),
    [
        ("rtsp://a/b http://c/d", ["rtsp://a/b", "http://c/d"]),
        ("camera:Toy Cam", ["camera:Toy Cam"]),
        ("  rtsp://a/b  ", ["rtsp://a/b"]),
    ],
)
def test_a_space_in_the_name_of_a_camera_is_no_end(qtbot: QtBot, open_window, text: str, sources: list[str]):
    window = open_window()
    window.actions_by_id["address"].trigger()
    (dialog,) = window.findChildren(AddressDialog)
    dialog.address.setText(text)
    assert dialog.sources() == sources
