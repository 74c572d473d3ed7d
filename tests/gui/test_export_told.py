"""What exports tell to a person who does not look for it, and keys that do what the focus says."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from seg_viewer.gui.main_window import MainWindow
from seg_viewer.gui.widgets.message_bar import MessageBar
from seg_viewer.jobs.export import run_export
from seg_viewer.jobs.export_job import ExportJob
from seg_viewer.player.playback import PlayerState

from .conftest import WAIT_MS, make_clip, wait_ended, wait_state, worker_threads
from .export_helpers import begun_names, drop, frames_in
from .modal_dialogs import ModalDialogs, clicks

CTRL = Qt.KeyboardModifier.ControlModifier
CTRL_SHIFT = CTRL | Qt.KeyboardModifier.ShiftModifier
ENDS_MS = WAIT_MS
ENTERS = [Qt.Key.Key_Return, Qt.Key.Key_Enter]


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return make_clip(tmp_path / "film.mp4", 12)


@pytest.fixture
def window(qtbot: QtBot, open_window: Callable[..., MainWindow], film: Path) -> MainWindow:
    window = open_window(film)
    wait_state(qtbot, window, PlayerState.ENDED)
    return window


def _silent_track(path: Path) -> Path:
    """A clip that declares a sound track and has none."""
    with av.open(str(path), "w", format="matroska") as out:
        video = out.add_stream("libx264", rate=20)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        out.add_stream("aac", rate=44100, layout="mono")
        for _number in range(8):
            picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 99, np.uint8), format="rgb24")
            out.mux(video.encode(picture))
        out.mux(video.encode())
    return path


def _focus(qtbot: QtBot, dialog: QWidget, button: QPushButton) -> None:
    """By the Tab key, as a person does."""
    for _time in range(30):
        if button.hasFocus():
            return
        qtbot.keyClick(QApplication.focusWidget() or dialog, Qt.Key.Key_Tab)
    raise AssertionError(f"Tab never comes to {button.text()!r}")


@pytest.mark.parametrize("key", ENTERS)
@pytest.mark.parametrize("name", ["close_button", "queue_button", "from_here"])
def test_enter_presses_the_button_that_has_the_focus(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, key: Qt.Key, name: str
) -> None:
    """Enter on "Close" began an export."""
    qtbot.keyClick(window, "e", CTRL)
    dialog = window.outputs.export_dialog
    assert dialog is not None
    qtbot.waitUntil(dialog.isActiveWindow, timeout=WAIT_MS)
    button = dialog.form.from_here if name == "from_here" else getattr(dialog, name)
    _focus(qtbot, dialog, button)
    qtbot.keyClick(button, key)
    assert not dialog.running
    assert dialog.isVisible() is (name == "from_here")
    assert bool(dialog.form.start.text()) is (name == "from_here")
    queue = window.outputs.export_queue
    assert len(queue.items) == (1 if name == "queue_button" else 0)
    qtbot.waitUntil(lambda: not queue.unfinished, timeout=ENDS_MS)
    assert bool(begun_names(tmp_path)) is (name == "queue_button")


@pytest.mark.parametrize("key", ENTERS)
@pytest.mark.parametrize("name", ["close_button", "clear_button", "remove_button"])
def test_enter_presses_the_button_of_the_queue_that_has_the_focus(
    qtbot: QtBot, window: MainWindow, film: Path, key: Qt.Key, name: str
) -> None:
    qtbot.keyClick(window, "e", CTRL_SHIFT)
    dialog, queue = window.outputs.queue_dialog, window.outputs.export_queue
    qtbot.waitUntil(dialog.isActiveWindow, timeout=WAIT_MS)
    drop(dialog, [film])
    qtbot.waitUntil(lambda: bool(queue.items) and not queue.unfinished, timeout=ENDS_MS)
    button = getattr(dialog, name)
    _focus(qtbot, dialog, button)
    qtbot.keyClick(button, key)
    assert dialog.isVisible() is (name != "close_button")
    assert len(queue.items) == (1 if name == "close_button" else 0)


def test_what_was_left_out_stands_in_the_row(qtbot: QtBot, window: MainWindow, film: Path, tmp_path: Path) -> None:
    """Nobody clicks on every row that is done."""
    qtbot.keyClick(window, "e", CTRL_SHIFT)
    dialog, queue = window.outputs.queue_dialog, window.outputs.export_queue
    drop(dialog, [film, _silent_track(tmp_path / "silent.mkv")])
    qtbot.waitUntil(lambda: bool(queue.items) and not queue.unfinished, timeout=ENDS_MS)
    rows = [dialog.list.topLevelItem(number) for number in range(2)]
    assert rows[0].text(1) == "done: film_seg.mp4"
    assert queue.items[1].notes, "its sound track is empty"
    assert rows[1].text(1).startswith(f"done: silent_seg.mp4  ·  {queue.items[1].notes[0]}")
    assert all(note in rows[1].toolTip(1) for note in queue.items[1].notes)


@pytest.mark.parametrize(
    ("bad", "empty_sound", "kind"), [(False, False, "info"), (True, False, "warning"), (False, True, "warning")]
)
def test_the_end_of_the_queue_is_told_for_as_long_as_something_went_wrong(
    qtbot: QtBot, window: MainWindow, film: Path, tmp_path: Path, bad: bool, empty_sound: bool, kind: str
) -> None:
    """An information leaves by itself, a warning does not; a dialog that shows another export hides nothing."""
    qtbot.keyClick(window, "e", CTRL)
    dialog = window.outputs.export_dialog
    assert dialog is not None
    qtbot.mouseClick(dialog.export_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not dialog.running, timeout=ENDS_MS)
    assert window.messages.texts() == [], "the dialog says it"
    paths = [make_clip(tmp_path / "more.mp4", 8)]
    if bad:
        paths.append(tmp_path / "bad.mp4")
        paths[-1].write_text("no video")
    if empty_sound:
        paths.append(_silent_track(tmp_path / "silent.mkv"))
    window.outputs.queue_dialog.add_files([str(path) for path in paths])
    qtbot.waitUntil(lambda: bool(window.messages.texts()), timeout=ENDS_MS)
    (line,) = window.messages.texts(kind)
    assert (
        line.startswith("Exports ended: ") and ("1 failed" in line) is bad and ("1 with notes" in line) is empty_sound
    )


@pytest.mark.parametrize("count", [1, 3, 4, 9])
def test_many_notes_push_none_out(qtbot: QtBot, count: int) -> None:
    bar = MessageBar()
    qtbot.addWidget(bar)
    notes = [f"note {number}" for number in range(count)]
    bar.show_warnings(notes)
    assert "\n".join(bar.texts("warning")).split("\n") == notes


@pytest.mark.parametrize("told_to_end", [True, False])
def test_the_end_of_the_program_keeps_what_an_export_has_done_unless_a_person_throws_it_away(
    qtbot: QtBot, open_window: Callable[..., MainWindow], tmp_path: Path, dialogs: ModalDialogs, told_to_end: bool
) -> None:
    """A session that ends sends signals, and nobody is asked."""
    film = make_clip(tmp_path / "hours.mp4", 4000, size=(64, 48), rate=2)
    window = open_window(film)
    qtbot.waitUntil(lambda: window.actions_by_id["export"].isEnabled(), timeout=ENDS_MS)
    qtbot.keyClick(window, "e", CTRL)
    dialog = window.outputs.export_dialog
    assert dialog is not None
    qtbot.mouseClick(dialog.export_button, Qt.MouseButton.LeftButton)
    item = dialog.item
    qtbot.waitUntil(lambda: item.progress is not None and item.progress.frames > 60, timeout=ENDS_MS)
    if told_to_end:
        window.close_without_asking()
    else:
        dialogs.expect(clicks("Stop export"))
        window.close()
    assert "seg-export" not in worker_threads()  # the program waited for it
    wait_ended(qtbot)
    assert [name.rsplit(".", 1)[1] for name in begun_names(tmp_path)] == (["parts"] if told_to_end else [])
    again = open_window(film)
    qtbot.waitUntil(lambda: again.actions_by_id["export"].isEnabled(), timeout=ENDS_MS)
    qtbot.keyClick(again, "e", CTRL)
    dialog = again.outputs.export_dialog
    assert dialog is not None
    qtbot.waitUntil(lambda: "frames: " in dialog.plan.toPlainText() and dialog.plan.isEnabled(), timeout=WAIT_MS)
    assert dialog.resume.isVisible() is told_to_end


def test_a_dropped_file_goes_on_with_what_an_earlier_run_left(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    film = make_clip(tmp_path / "hours.mp4", 120, size=(64, 48), rate=5)
    queue = window.outputs.export_queue
    asked = iter(range(1000))

    def cancelled() -> bool:
        if next(asked) > 80:
            raise KeyboardInterrupt
        return False

    options = window.player.options
    with pytest.raises(KeyboardInterrupt):
        run_export(ExportJob(str(film), tmp_path / "hours_seg.mp4", options), cancelled=cancelled)
    window.outputs.queue_dialog.add_files([str(film)])
    qtbot.waitUntil(lambda: bool(queue.items) and not queue.unfinished, timeout=ENDS_MS)
    assert any("10 s were done already" in note for note in queue.items[0].notes)
    assert begun_names(tmp_path) == ["hours_seg.mp4", "hours_seg.mp4.manifest.json"]
    assert frames_in(tmp_path / "hours_seg.mp4") == 120


@pytest.mark.parametrize("count", [1, 3, 9])
def test_a_long_message_squeezes_no_field(qtbot: QtBot, window: MainWindow, count: int) -> None:
    qtbot.keyClick(window, "e", CTRL)
    dialog = window.outputs.export_dialog
    assert dialog is not None
    dialog.messages.show_warnings(
        [f"{number}: the disk is full; free some space or choose another folder " * 2 for number in range(count)]
    )
    fields = [*dialog.form.beside.values(), dialog.form.look, dialog.browse, dialog.quality, dialog.export_button]
    qtbot.waitUntil(
        lambda: all(field.height() >= field.minimumSizeHint().height() for field in fields), timeout=WAIT_MS
    )


@pytest.mark.skipif(sys.platform == "win32", reason="a file that is read cannot be deleted there")
def test_a_source_that_is_deleted_while_it_is_exported_costs_its_sound_and_says_so(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    """All its pictures were thrown away, and the output was named as the file that is missing."""
    film = make_clip(tmp_path / "gone.mp4", 400, size=(64, 48))
    queue = window.outputs.export_queue
    window.outputs.queue_dialog.add_files([str(film)])
    qtbot.waitUntil(lambda: queue.items[0].progress is not None and queue.items[0].progress.frames > 5, timeout=ENDS_MS)
    film.unlink()
    qtbot.waitUntil(lambda: not queue.unfinished, timeout=ENDS_MS)
    assert frames_in(tmp_path / "gone_seg.mp4") == 400
    assert any(note.startswith("left out: all beside the picture (") for note in queue.items[0].notes)
