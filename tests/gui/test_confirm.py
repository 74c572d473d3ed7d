"""What is asked before something is lost: the real box, answered by its real buttons and keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from seg_viewer.gui.dialogs.confirm import confirm
from seg_viewer.gui.dialogs.export import ExportDialog
from seg_viewer.gui.main_window import MainWindow
from seg_viewer.player.playback import PlayerState

from .conftest import WAIT_MS, make_clip, wait_ended, wait_state, worker_threads
from .modal_dialogs import Answer, ModalDialogs, clicks, presses

LEFT = Qt.MouseButton.LeftButton
SAFE = {"Esc": presses(Qt.Key.Key_Escape), "Enter": presses(Qt.Key.Key_Return), "x": lambda box: box.close()}


def answers(yes: str, no: str) -> list[Any]:
    """Every way to answer a box, and whether that is a yes."""
    ways = [pytest.param(clicks(yes), True, id=yes), pytest.param(clicks(no), False, id=no)]
    return ways + [pytest.param(answer, False, id=name) for name, answer in SAFE.items()]


@pytest.fixture
def window(qtbot: QtBot, open_window, long_clip: Path) -> MainWindow:
    window = open_window(long_clip)
    wait_state(qtbot, window, PlayerState.PLAYING)
    return window


@pytest.fixture
def dialog(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> ExportDialog:
    """The export dialog, which is going to write `tmp_path/out/film.mp4`."""
    qtbot.keyClick(window, "e", Qt.KeyboardModifier.ControlModifier)
    dialog = window.outputs.export_dialog
    assert dialog is not None
    (tmp_path / "out").mkdir()
    dialog.output.setText(str(tmp_path / "out" / "film.mp4"))
    return dialog


@pytest.fixture
def exporting(qtbot: QtBot, dialog: ExportDialog) -> ExportDialog:
    """The export dialog while the export runs."""
    qtbot.mouseClick(dialog.export_button, LEFT)
    qtbot.waitUntil(lambda: "frames/s" in dialog.status.text(), timeout=WAIT_MS)
    return dialog


def _files(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "out").iterdir())


def _stop(qtbot: QtBot, dialog: ExportDialog) -> None:
    assert dialog.running and dialog.cancel_button.isVisible()
    qtbot.mouseClick(dialog.cancel_button, LEFT)
    qtbot.waitUntil(lambda: not dialog.running, timeout=WAIT_MS)


@pytest.mark.parametrize(("answer", "is_yes"), answers("Replace", "Keep"))
def test_a_file_is_replaced_only_by_a_yes(
    qtbot: QtBot, open_window, tmp_path: Path, dialogs: ModalDialogs, answer: Answer, is_yes: bool
) -> None:
    window = open_window(make_clip(tmp_path / "film.mp4", 12))
    wait_state(qtbot, window, PlayerState.PLAYING)
    qtbot.keyClick(window, "e", Qt.KeyboardModifier.ControlModifier)
    dialog = window.outputs.export_dialog
    out = tmp_path / "film_seg.mp4"
    out.write_bytes(b"old")
    dialogs.expect(answer)
    qtbot.mouseClick(dialog.export_button, LEFT)
    assert dialogs.texts == ["File exists: film_seg.mp4 exists already. Replace it?"]
    assert dialog.running is is_yes
    qtbot.waitUntil(lambda: not dialog.running, timeout=WAIT_MS)
    assert dialog.messages.texts() == [] and dialog.isVisible()
    if is_yes:
        with av.open(str(out)) as container:
            assert sum(1 for _ in container.decode(video=0)) == 12
    else:
        assert out.read_bytes() == b"old"


@pytest.mark.parametrize(
    ("way", "answer", "is_yes"),
    [
        *(pytest.param("Esc", *case.values, id=f"Esc-{case.id}") for case in answers("Stop export", "Go on")),
        pytest.param("Close", clicks("Stop export"), True, id="Close-Stop export"),
        pytest.param("x", clicks("Go on"), False, id="x-Go on"),
    ],
)
def test_closing_the_dialog_stops_an_export_only_by_a_yes(
    qtbot: QtBot,
    exporting: ExportDialog,
    tmp_path: Path,
    dialogs: ModalDialogs,
    answer: Answer,
    is_yes: bool,
    way: str,
) -> None:
    dialogs.expect(answer)
    if way == "Esc":
        qtbot.keyClick(exporting, Qt.Key.Key_Escape)
    elif way == "Close":
        qtbot.mouseClick(exporting.close_button, LEFT)
    else:
        exporting.close()
    assert dialogs.texts[0].startswith("Export is running: ")
    assert exporting.isVisible() is not is_yes
    if not is_yes:
        _stop(qtbot, exporting)
    qtbot.waitUntil(lambda: not exporting.running, timeout=WAIT_MS)
    assert _files(tmp_path) == []


@pytest.mark.parametrize(("answer", "is_yes"), answers("Stop export", "Go on"))
def test_closing_the_window_stops_an_export_only_by_a_yes(
    qtbot: QtBot,
    window: MainWindow,
    exporting: ExportDialog,
    tmp_path: Path,
    dialogs: ModalDialogs,
    answer: Answer,
    is_yes: bool,
) -> None:
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=WAIT_MS)
    dialogs.expect(answer)
    qtbot.keyClick(window, "q", Qt.KeyboardModifier.ControlModifier)
    assert dialogs.texts[0].startswith("Export is running: ")
    assert window.isVisible() is not is_yes
    if is_yes:
        assert "seg-export" not in worker_threads() and not exporting.isVisible()
        wait_ended(qtbot)
    else:
        _stop(qtbot, exporting)
    assert _files(tmp_path) == []


@pytest.mark.parametrize("way", ["window", "dialog"])
def test_a_question_goes_when_its_export_has_ended(
    qtbot: QtBot, open_window, tmp_path: Path, dialogs: ModalDialogs, way: str
) -> None:
    """It would say that the export is not finished, above the line that it is."""
    window = open_window(make_clip(tmp_path / "film.mp4", 60))
    wait_state(qtbot, window, PlayerState.PLAYING)
    qtbot.keyClick(window, "e", Qt.KeyboardModifier.ControlModifier)
    dialog = window.outputs.export_dialog
    qtbot.mouseClick(dialog.export_button, LEFT)
    dialogs.expect(lambda _box: dialogs.stop())  # nobody answers
    if way == "window":
        window.activateWindow()
        qtbot.waitUntil(window.isActiveWindow, timeout=WAIT_MS)
        qtbot.keyClick(window, "q", Qt.KeyboardModifier.ControlModifier)  # returns once the box is gone
    else:
        qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.running and (tmp_path / "film_seg.mp4").is_file()
    assert dialogs.texts[0].startswith("Export is running: ")
    assert window.isVisible() is (way == "dialog")
    assert dialog.isVisible() is (way == "dialog")  # what came of it is shown


def test_what_the_box_says_is_plain_text(qtbot: QtBot, window: MainWindow, dialogs: ModalDialogs) -> None:
    seen: list[QMessageBox] = []

    def look(box: QMessageBox) -> None:
        seen.append(box)
        assert box.textFormat() is Qt.TextFormat.PlainText and box.defaultButton().text() == "Keep"
        box.close()

    dialogs.expect(look)
    assert not confirm(window, "File exists", "<b>x exists already", yes="Replace", no="Keep")
    assert len(seen) == 1


def test_a_dialog_that_no_test_expects_is_closed_and_fails_it(window: MainWindow, dialogs: ModalDialogs) -> None:
    assert not confirm(window, "Here", "Go?", yes="Stop", no="Go on")
    with pytest.raises(AssertionError, match="did not expect"):
        dialogs.check()
    dialogs.unexpected.clear()
