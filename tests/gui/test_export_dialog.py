"""The export dialog, with the export itself and with stand-ins that have its signature."""

from __future__ import annotations

import inspect
import threading
from pathlib import Path

import av
import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from pytestqt.qtbot import QtBot

from seg_viewer.core.errors import ExportError
from seg_viewer.gui.dialogs import export as export_dialog
from seg_viewer.jobs.export import ExportCancelled, ExportProgress, ExportResult, run_export
from seg_viewer.player.session import PlayerState

from .conftest import WAIT_MS, make_clip, wait_state
from .modal_dialogs import ModalDialogs, clicks, presses, types


@pytest.fixture
def dialog(qtbot: QtBot, open_window, tmp_path: Path):
    """The dialog of a window that shows `tmp_path/film.mp4`, 30 frames."""
    window = open_window(make_clip(tmp_path / "film.mp4", 30))
    wait_state(qtbot, window, PlayerState.PLAYING)
    window.actions_by_id["export"].trigger()
    assert window.outputs.export_dialog.isVisible()
    return window.outputs.export_dialog


class SlowExport:
    """Writes nothing and goes on until it is cancelled."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.calls: list[dict[str, object]] = []

    def __call__(self, job, *, on_progress=None, on_loading=None, cancelled):
        self.calls.append({"options": job.options, "crf": job.crf, "overwrite": job.overwrite})
        on_progress(ExportProgress(5, 30, 12.5, 2.0))
        self.begun.set()
        while not cancelled():
            threading.Event().wait(0.01)
        raise ExportCancelled(f"{job.out}: export stopped")


def test_the_stand_in_has_the_signature_of_the_export():
    real = inspect.signature(run_export).parameters
    fake = inspect.signature(SlowExport.__call__).parameters
    assert list(real) == [name for name in fake if name != "self"]


def test_the_suggested_name_is_beside_the_source(dialog, tmp_path: Path):
    assert dialog.output.text() == str(tmp_path / "film_seg.mp4")


def test_an_export_writes_every_frame_and_says_where(qtbot: QtBot, dialog, tmp_path: Path, monkeypatch):
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    dialog.export_button.click()
    assert dialog.running and not dialog.output.isEnabled()
    qtbot.waitUntil(lambda: not dialog.running, timeout=WAIT_MS)
    assert dialog.messages.texts() == []
    assert "30 frames" in dialog.status.text() and "film_seg.mp4" in dialog.status.text()
    with av.open(str(tmp_path / "film_seg.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == 30
    dialog.folder_button.click()
    assert opened[0].toLocalFile() == str(tmp_path)


def test_playback_pauses_while_exporting(qtbot: QtBot, dialog, monkeypatch):
    slow = SlowExport()
    monkeypatch.setattr(export_dialog, "run_export", slow)
    dialog.start()
    assert dialog.parent().player.state is PlayerState.PAUSED
    dialog.cancel()
    qtbot.waitUntil(lambda: not dialog.running, timeout=WAIT_MS)


def test_progress_tells_rate_and_time_left_and_stop_leaves_nothing(qtbot: QtBot, dialog, tmp_path: Path, monkeypatch):
    slow = SlowExport()
    monkeypatch.setattr(export_dialog, "run_export", slow)
    dialog.quality.setCurrentIndex(2)
    dialog.export_button.click()
    qtbot.waitUntil(lambda: "12.5 frames/s" in dialog.status.text(), timeout=WAIT_MS)
    assert "5 of 30" in dialog.status.text() and "0:02 left" in dialog.status.text()
    assert (dialog.bar.value(), dialog.bar.maximum()) == (5, 30)
    assert slow.calls[0]["crf"] == export_dialog.QUALITIES[2][1]
    dialog.cancel_button.click()
    qtbot.waitUntil(lambda: not dialog.running, timeout=WAIT_MS)
    assert "Stopped" in dialog.status.text() and dialog.export_button.isVisible()
    assert [path.name for path in tmp_path.iterdir() if "seg" in path.name] == []


def test_the_look_of_now_goes_into_the_export(qtbot: QtBot, dialog, monkeypatch):
    window = dialog.parent()
    dialog.close()
    window.controls.opacity.setValue(70)
    window.legend.boxes["road"].setChecked(False)
    window.actions_by_id["export"].trigger()
    slow = SlowExport()
    monkeypatch.setattr(export_dialog, "run_export", slow)
    window.outputs.export_dialog.start()
    qtbot.waitUntil(slow.begun.is_set, timeout=WAIT_MS)
    style = slow.calls[0]["options"].style
    assert style.opacity == 0.7 and style.hidden == {"road"}
    window.outputs.export_dialog.cancel()
    qtbot.waitUntil(lambda: not window.outputs.export_dialog.running, timeout=WAIT_MS)


@pytest.mark.parametrize(
    ("name", "says"), [("", "Choose a file"), ("film.avi", ".mp4"), ("nowhere/film.mp4", "no such folder")]
)
def test_an_output_that_cannot_be_is_told_in_the_dialog(qtbot: QtBot, dialog, tmp_path: Path, name: str, says: str):
    dialog.output.setText(str(tmp_path / name) if name else "")
    dialog.export_button.click()
    qtbot.waitUntil(lambda: not dialog.running and bool(dialog.messages.texts("error")), timeout=WAIT_MS)
    assert says in dialog.messages.texts("error")[0]
    assert dialog.export_button.isVisible() and dialog.output.isEnabled()


def test_the_input_is_never_the_output(qtbot: QtBot, dialog, tmp_path: Path, dialogs: ModalDialogs):
    film = tmp_path / "film.mp4"
    before = film.read_bytes()
    dialogs.expect(clicks("Replace"))
    dialog.output.setText(str(film))
    dialog.export_button.click()
    qtbot.waitUntil(lambda: not dialog.running and bool(dialog.messages.texts("error")), timeout=WAIT_MS)
    assert film.read_bytes() == before


def test_an_error_of_the_export_is_one_line(qtbot: QtBot, dialog, monkeypatch):
    def fails(*_args, **_kwargs) -> ExportResult:
        raise ExportError("film_seg.mp4: the disk is full;\nfree some space")

    monkeypatch.setattr(export_dialog, "run_export", fails)
    dialog.export_button.click()
    qtbot.waitUntil(lambda: not dialog.running, timeout=WAIT_MS)
    assert dialog.messages.texts("error") == ["film_seg.mp4: the disk is full; free some space"]


@pytest.mark.parametrize("typed", ["elsewhere.mp4", "elsewhere"])
def test_browse_takes_what_is_typed(qtbot: QtBot, dialog, tmp_path: Path, dialogs: ModalDialogs, typed: str):
    (tmp_path / "elsewhere.mp4").write_bytes(b"old")  # asked about once, when the export begins
    dialogs.expect(types(tmp_path / typed))
    qtbot.mouseClick(dialog.browse, Qt.MouseButton.LeftButton)
    assert dialog.output.text() == str(tmp_path / "elsewhere.mp4")


def test_browse_given_up_changes_nothing(qtbot: QtBot, dialog, tmp_path: Path, dialogs: ModalDialogs):
    dialogs.expect(presses(Qt.Key.Key_Escape))
    qtbot.mouseClick(dialog.browse, Qt.MouseButton.LeftButton)
    assert dialog.output.text() == str(tmp_path / "film_seg.mp4")


def test_a_file_that_comes_while_the_export_runs_is_not_replaced(qtbot: QtBot, dialog, tmp_path: Path, monkeypatch):
    """Nobody was asked about it."""
    slow = SlowExport()
    monkeypatch.setattr(export_dialog, "run_export", slow)
    dialog.export_button.click()
    qtbot.waitUntil(slow.begun.is_set, timeout=WAIT_MS)
    assert slow.calls[0]["overwrite"] is False
    dialog.cancel()
    qtbot.waitUntil(lambda: not dialog.running, timeout=WAIT_MS)
