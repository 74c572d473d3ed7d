"""The queue of exports: real files, real keys and clicks."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from seg_viewer.gui.dialogs.export_queue import ExportQueueDialog
from seg_viewer.gui.main_window import MainWindow
from seg_viewer.gui.tasks.export_queue import UNDER_WAY, ExportQueue, QueuedExport, State

from .conftest import WAIT_MS, make_clip, wait_ended, worker_threads
from .export_helpers import begun_names, drop, frames_in
from .modal_dialogs import ModalDialogs, clicks, types

LEFT = Qt.MouseButton.LeftButton
CTRL_SHIFT = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
ENDS_MS = WAIT_MS


@pytest.fixture
def window(qtbot: QtBot, open_window: Callable[..., MainWindow]) -> MainWindow:
    """Nothing is open in it."""
    return open_window()


@pytest.fixture
def dialog(qtbot: QtBot, window: MainWindow) -> ExportQueueDialog:
    qtbot.keyClick(window, "e", CTRL_SHIFT)
    assert window.outputs.queue_dialog.isVisible()
    return window.outputs.queue_dialog


@pytest.fixture
def queue(window: MainWindow) -> ExportQueue:
    return window.outputs.export_queue


@pytest.fixture
def long_ones(long_clip: Path, tmp_path: Path) -> list[Path]:
    """Three that take longer than any test looks at them."""
    return [Path(shutil.copy(long_clip, tmp_path / f"long{number}.mp4")) for number in range(3)]


def _wait_ended(qtbot: QtBot, queue: ExportQueue) -> None:
    qtbot.waitUntil(lambda: bool(queue.items) and not queue.unfinished, timeout=ENDS_MS)


def _wait_runs(qtbot: QtBot, item: QueuedExport) -> None:
    qtbot.waitUntil(lambda: item.state is State.RUNNING and item.progress is not None, timeout=ENDS_MS)


def _rows(dialog: ExportQueueDialog) -> list[tuple[str, str]]:
    """What a person reads."""
    rows = (dialog.list.topLevelItem(number) for number in range(dialog.list.topLevelItemCount()))
    return [(row.text(0), row.text(1)) for row in rows if row is not None]


def _click(qtbot: QtBot, button: QPushButton) -> None:
    assert button.isVisible() and button.isEnabled()
    qtbot.mouseClick(button, LEFT)


def test_dropped_files_run_one_after_the_other_and_a_bad_one_stops_none(
    qtbot: QtBot, dialog: ExportQueueDialog, queue: ExportQueue, tmp_path: Path
) -> None:
    paths = [make_clip(tmp_path / "a.mp4", 12), tmp_path / "bad.mp4", make_clip(tmp_path / "b.mp4", 8)]
    paths[1].write_text("no video")
    at_a_time: set[int] = set()
    queue.changed.connect(lambda _item: at_a_time.add(sum(item.state is State.RUNNING for item in queue.items)))
    summaries: list[str] = []
    queue.emptied.connect(summaries.append)
    drop(dialog, paths)
    _wait_ended(qtbot, queue)
    assert at_a_time <= {0, 1}
    assert summaries == ["2 done, 1 failed"] and dialog.summary.text() == "All ended: 2 done, 1 failed"
    assert (frames_in(tmp_path / "a_seg.mp4"), frames_in(tmp_path / "b_seg.mp4")) == (12, 8)
    (a, good), (bad, why), (b, also_good) = _rows(dialog)
    assert (a, bad, b) == ("a.mp4", "bad.mp4", "b.mp4")
    assert (good, also_good) == ("done: a_seg.mp4", "done: b_seg.mp4")
    assert why.startswith("failed: is not a video") and str(tmp_path) not in why
    dialog.list.choose(queue.items[1])
    assert "bad.mp4" in dialog.detail.text() and dialog.again_button.isEnabled()
    assert not begun_names(tmp_path)[0].startswith(".")


def test_a_row_tells_share_rate_and_time_left(
    qtbot: QtBot, dialog: ExportQueueDialog, queue: ExportQueue, long_ones: list[Path]
) -> None:
    drop(dialog, long_ones)
    _wait_runs(qtbot, queue.items[0])
    qtbot.waitUntil(lambda: " left" in _rows(dialog)[0][1], timeout=WAIT_MS)
    text = _rows(dialog)[0][1]
    assert "%" in text and "frames/s" in text
    assert _rows(dialog)[1][1] == "waiting" and dialog.summary.text() == "1 running, 2 waiting"
    _click(qtbot, dialog.stop_all_button)
    _wait_ended(qtbot, queue)


def test_stopping_one_goes_on_with_the_next_and_leaves_nothing(
    qtbot: QtBot, dialog: ExportQueueDialog, queue: ExportQueue, long_ones: list[Path], tmp_path: Path
) -> None:
    drop(dialog, long_ones)
    first, second, third = queue.items
    _wait_runs(qtbot, first)
    dialog.list.choose(third)
    _click(qtbot, dialog.stop_button)
    assert third.state is State.STOPPED
    dialog.list.choose(first)
    _click(qtbot, dialog.stop_button)
    _wait_runs(qtbot, second)
    assert first.state is State.STOPPED
    _click(qtbot, dialog.stop_all_button)
    _wait_ended(qtbot, queue)
    assert [item.state for item in queue.items] == [State.STOPPED] * 3
    assert begun_names(tmp_path) == []


def test_keys_move_and_remove(
    qtbot: QtBot, dialog: ExportQueueDialog, queue: ExportQueue, long_ones: list[Path]
) -> None:
    drop(dialog, long_ones)
    names = lambda: [name for name, _state in _rows(dialog)]  # noqa: E731
    _wait_runs(qtbot, queue.items[0])
    dialog.list.choose(queue.items[2])
    qtbot.keyClick(dialog.list, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert names() == ["long0.mp4", "long2.mp4", "long1.mp4"]
    assert dialog.list.current is queue.items[1]
    qtbot.keyClick(dialog.list, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert names() == ["long0.mp4", "long1.mp4", "long2.mp4"]
    assert not dialog.down_button.isEnabled() and dialog.up_button.isEnabled()
    qtbot.keyClick(dialog.list, Qt.Key.Key_Delete)
    assert names() == ["long0.mp4", "long1.mp4"] and dialog.list.current is queue.items[1]
    dialog.list.choose(queue.items[0])
    qtbot.keyClick(dialog.list, Qt.Key.Key_Delete)
    assert names() == ["long0.mp4", "long1.mp4"], "what runs is stopped first"
    qtbot.keyClick(dialog.list, Qt.Key.Key_Down)
    assert dialog.list.current is queue.items[1]
    _click(qtbot, dialog.stop_all_button)
    _wait_ended(qtbot, queue)
    _click(qtbot, dialog.clear_button)
    assert names() == [] and dialog.detail.text() == "" and not dialog.clear_button.isEnabled()


def test_the_order_that_is_shown_is_the_order_of_the_work(
    qtbot: QtBot, dialog: ExportQueueDialog, queue: ExportQueue, tmp_path: Path
) -> None:
    begun: list[str] = []
    queue.changed.connect(
        lambda item: begun.append(item.name) if item.state is State.RUNNING and item.name not in begun else None
    )
    drop(dialog, [make_clip(tmp_path / f"{name}.mp4", 6) for name in "abc"])
    dialog.list.choose(queue.items[2])
    _click(qtbot, dialog.up_button)
    _wait_ended(qtbot, queue)
    assert begun == ["a.mp4", "c.mp4", "b.mp4"]


def test_files_are_added_by_their_dialog(
    qtbot: QtBot, dialog: ExportQueueDialog, queue: ExportQueue, tmp_path: Path, dialogs: ModalDialogs
) -> None:
    dialogs.expect(types(make_clip(tmp_path / "film.mp4", 6)))
    qtbot.keyClick(dialog.list, Qt.Key.Key_Insert)
    _wait_ended(qtbot, queue)
    assert frames_in(tmp_path / "film_seg.mp4") == 6


def test_nothing_that_is_there_is_replaced_and_nothing_is_made_twice(
    qtbot: QtBot, dialog: ExportQueueDialog, queue: ExportQueue, tmp_path: Path
) -> None:
    film = make_clip(tmp_path / "film.mp4", 6)
    (tmp_path / "film_seg.mp4").write_bytes(b"mine")
    drop(dialog, [film])
    _wait_ended(qtbot, queue)
    assert (tmp_path / "film_seg.mp4").read_bytes() == b"mine"
    assert _rows(dialog) == [("film.mp4", "done: film_seg_2.mp4")] and frames_in(tmp_path / "film_seg_2.mp4") == 6
    (tmp_path / "film_seg.mp4").unlink()
    for _time in range(2):
        drop(dialog, [film])
        _wait_ended(qtbot, queue)
    assert [text for _name, text in _rows(dialog)[1:]] == ["done: film_seg.mp4", "done already: film_seg.mp4"]


def test_two_sources_of_one_name_make_two_files(
    qtbot: QtBot, dialog: ExportQueueDialog, queue: ExportQueue, tmp_path: Path
) -> None:
    drop(dialog, [make_clip(tmp_path / "film.mp4", 6), make_clip(tmp_path / "film.mkv", 7)])
    _wait_ended(qtbot, queue)
    assert (frames_in(tmp_path / "film_seg.mp4"), frames_in(tmp_path / "film_seg_2.mp4")) == (6, 7)


def test_what_failed_can_be_tried_again(
    qtbot: QtBot, dialog: ExportQueueDialog, queue: ExportQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    film = tmp_path / "film.mp4"
    drop(dialog, [film])
    _wait_ended(qtbot, queue)
    assert queue.items[0].state is State.FAILED and not dialog.folder_button.isEnabled()
    make_clip(film, 6)
    _click(qtbot, dialog.again_button)
    _wait_ended(qtbot, queue)
    assert [item.state for item in queue.items] == [State.DONE]
    dialog.list.choose(queue.items[0])
    _click(qtbot, dialog.folder_button)
    assert opened[0].toLocalFile() == str(tmp_path)


def test_the_queue_goes_on_when_its_window_closes_and_the_main_window_says_so(
    qtbot: QtBot, window: MainWindow, dialog: ExportQueueDialog, queue: ExportQueue, long_ones: list[Path]
) -> None:
    strip = window.outputs.export_strip
    drop(dialog, long_ones[:2])
    _wait_runs(qtbot, queue.items[0])
    assert not strip.isVisible()
    qtbot.keyClick(dialog.list, Qt.Key.Key_Escape)
    assert not dialog.isVisible() and strip.isVisible()
    assert strip.label.text() == "Exporting 1 of 2  ·  long0.mp4"
    done = queue.items[0].progress.frames
    qtbot.waitUntil(lambda: queue.items[0].progress.frames > done, timeout=WAIT_MS)
    _click(qtbot, strip.button)
    assert dialog.isVisible() and not strip.isVisible()
    dialog.close()
    queue.stop_all()
    _wait_ended(qtbot, queue)
    assert not strip.isVisible()
    assert "Exports ended: 2 stopped" in window.messages.texts("info")


@pytest.mark.parametrize("stop", [True, False])
def test_closing_the_program_asks(
    qtbot: QtBot,
    window: MainWindow,
    dialog: ExportQueueDialog,
    queue: ExportQueue,
    long_ones: list[Path],
    tmp_path: Path,
    dialogs: ModalDialogs,
    stop: bool,
) -> None:
    drop(dialog, long_ones)
    _wait_runs(qtbot, queue.items[0])
    dialogs.expect(clicks("Stop exports" if stop else "Go on"))
    window.close()
    assert dialogs.texts[0] == (
        "Exports are running: 3 exports are not finished. Stop them?"
        " Files that are finished stay; what was only begun is removed."
    )
    assert window.isVisible() is not stop
    if stop:
        assert "seg-export" not in worker_threads() and not dialog.isVisible()
        wait_ended(qtbot)
    else:
        assert queue.items[0].state is State.RUNNING
        queue.stop_all()
        _wait_ended(qtbot, queue)
    assert begun_names(tmp_path) == []


def test_several_files_dropped_on_the_window_can_be_exported(
    qtbot: QtBot, window: MainWindow, queue: ExportQueue, tmp_path: Path
) -> None:
    drop(window, [make_clip(tmp_path / f"{name}.mp4", 6) for name in "abc"])
    qtbot.waitUntil(lambda: len(window.sources.playlist.playlist) == 3, timeout=WAIT_MS)
    (button,) = [b for b in window.messages.findChildren(QPushButton) if b.text() == "Show playlist"]
    _click(qtbot, button)
    _click(qtbot, window.sources.playlist.view.export_button)
    assert window.outputs.queue_dialog.isVisible()
    _wait_ended(qtbot, queue)
    assert [frames_in(tmp_path / f"{name}_seg.mp4") for name in "abc"] == [6, 6, 6]


def test_a_name_is_shown_as_it_is(qtbot: QtBot, dialog: ExportQueueDialog, queue: ExportQueue, tmp_path: Path) -> None:
    drop(dialog, [make_clip(tmp_path / "<b>a&b.mp4", 4), tmp_path / "<i>no.mp4"])
    _wait_ended(qtbot, queue)
    assert [name for name, _state in _rows(dialog)] == ["<b>a&b.mp4", "<i>no.mp4"]
    row = dialog.list.topLevelItem(1)
    assert row is not None and "&lt;i&gt;" in row.toolTip(1)


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_done_to_it_one_runs_at_a_time_and_none_is_lost(
    qtbot: QtBot, dialog: ExportQueueDialog, queue: ExportQueue, tmp_path: Path, seed: int
) -> None:
    """Files that are missing fail at once: jobs end between any two of these."""
    chance = random.Random(seed)
    known: set[QueuedExport] = set()
    gone: set[QueuedExport] = set()
    for number in range(60):
        items = queue.items
        act = chance.choice(["add", "remove", "move", "stop", "again", "clear", "wait"])
        if act == "add" or not items:
            dialog.add_files([str(tmp_path / f"{number}.mp4")] * chance.randint(1, 3))
        elif act == "clear":
            gone |= {item for item in items if item not in queue.unfinished}
            queue.clear_ended()
        elif act == "wait":
            qtbot.wait(1)
        else:
            item = chance.choice(items)
            getattr(queue, act)(item, *((chance.randint(-3, 3),) if act == "move" else ()))
            if act in ("remove", "again") and item not in queue.items:
                gone.add(item)
        known |= set(queue.items)
        assert sum(item.state in UNDER_WAY for item in queue.items) <= 1
        assert queue.current is not None or not queue.unfinished
        assert known - gone == set(queue.items)
        assert len(_rows(dialog)) == len(queue.items)
    dialog.add_files([str(tmp_path / "last.mp4")])
    _wait_ended(qtbot, queue)
    assert {item.state for item in queue.items} <= {State.FAILED, State.STOPPED}
    assert dialog.summary.text().startswith("All ended: ")
