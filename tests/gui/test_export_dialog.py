"""The export dialog: real exports of small clips, real keys and clicks."""

from __future__ import annotations

import csv
import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import av
import pytest
from PySide6.QtCore import QStandardPaths, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication, QDialog
from pytestqt.qtbot import QtBot

from seg_viewer.gui.dialogs.export import ExportDialog
from seg_viewer.gui.dialogs.export_form import moment_text
from seg_viewer.gui.main_window import MainWindow
from seg_viewer.jobs.export import run_export
from seg_viewer.jobs.export_job import ExportJob
from seg_viewer.media.codecs import QUALITIES
from seg_viewer.player.playback import PlayerState
from seg_viewer.sinks import sink_kinds
from seg_viewer.sources import DEMO
from seg_viewer.sources.between import Moment

from .conftest import WAIT_MS, is_near, make_clip, pause_at, wait_state
from .export_helpers import begun_names, first_color, frames_in
from .modal_dialogs import ModalDialogs, clicks, presses, types

CTRL = Qt.KeyboardModifier.ControlModifier
LEFT = Qt.MouseButton.LeftButton
ENDS_MS = WAIT_MS


@pytest.fixture
def window(qtbot: QtBot, open_window: Callable[..., MainWindow], tmp_path: Path) -> MainWindow:
    """Shows `tmp_path/film.mp4`, 30 frames at 20 a second."""
    window = open_window(make_clip(tmp_path / "film.mp4", 30))
    wait_state(qtbot, window, PlayerState.PLAYING)
    return window


@pytest.fixture
def dialog(qtbot: QtBot, window: MainWindow) -> ExportDialog:
    return _open(qtbot, window)


@pytest.fixture
def slow(qtbot: QtBot, open_window: Callable[..., MainWindow], long_clip: Path, tmp_path: Path) -> ExportDialog:
    """Its export to `tmp_path/slow_seg.mp4` takes longer than any test looks at it."""
    window = open_window(long_clip)
    wait_state(qtbot, window, PlayerState.PLAYING)
    dialog = _open(qtbot, window)
    dialog.output.setText(str(tmp_path / "slow_seg.mp4"))
    return dialog


def _open(qtbot: QtBot, window: MainWindow) -> ExportDialog:
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=WAIT_MS)
    qtbot.keyClick(window, "e", CTRL)
    dialog = window.outputs.export_dialog
    assert dialog is not None and dialog.isVisible()
    return dialog


def _wait_ended(qtbot: QtBot, dialog: ExportDialog) -> None:
    qtbot.waitUntil(lambda: not dialog.running, timeout=ENDS_MS)


def _export(qtbot: QtBot, dialog: ExportDialog) -> None:
    qtbot.mouseClick(dialog.export_button, LEFT)
    assert dialog.running
    _wait_ended(qtbot, dialog)
    assert dialog.messages.texts("error") == []


def _job(window: MainWindow, source: Path, *outputs: Path) -> ExportJob:
    """What the dialog asks for when nothing is changed."""
    options = dataclasses.replace(window.player.options, style=window.look.style)
    return ExportJob(source, tuple(str(out) for out in outputs), options)


def _break_off(job: ExportJob, after: int) -> None:
    """As Ctrl-C does after so many frames."""
    calls = 0

    def cancelled() -> bool:
        nonlocal calls
        calls += 1
        if calls > after:
            raise KeyboardInterrupt
        return False

    with pytest.raises(KeyboardInterrupt):
        run_export(job, cancelled=cancelled)


def test_the_suggested_name_is_beside_the_source(dialog: ExportDialog, tmp_path: Path) -> None:
    assert dialog.output.text() == str(tmp_path / "film_seg.mp4")


def test_what_came_with_the_program_is_exported_into_the_videos(
    qtbot: QtBot, open_window: Callable[..., MainWindow], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "Films").mkdir()
    monkeypatch.setattr(QStandardPaths, "writableLocation", lambda _which: str(tmp_path / "Films"))
    window = open_window(DEMO)
    wait_state(qtbot, window, PlayerState.PLAYING)
    assert _open(qtbot, window).output.text() == str(tmp_path / "Films" / "street_seg.mp4")


def test_an_export_writes_every_frame_and_says_where(
    qtbot: QtBot, dialog: ExportDialog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    dialog.export_button.click()
    assert dialog.running and not dialog.output.isEnabled()
    _wait_ended(qtbot, dialog)
    assert dialog.messages.texts() == []
    assert "30 frames" in dialog.status.text() and "film_seg.mp4" in dialog.status.text()
    assert frames_in(tmp_path / "film_seg.mp4") == 30
    dialog.folder_button.click()
    assert opened[0].toLocalFile() == str(tmp_path)


def test_playback_pauses_while_exporting(qtbot: QtBot, slow: ExportDialog) -> None:
    slow.start()
    parent = slow.parent()
    assert isinstance(parent, MainWindow) and parent.player.state is PlayerState.PAUSED
    slow.cancel()
    _wait_ended(qtbot, slow)


def test_progress_tells_rate_and_time_left_and_stop_leaves_nothing(
    qtbot: QtBot, slow: ExportDialog, tmp_path: Path
) -> None:
    qtbot.mouseClick(slow.export_button, LEFT)
    qtbot.waitUntil(lambda: " left" in slow.status.text(), timeout=ENDS_MS)
    assert "of 6000 frames" in slow.status.text() and "frames/s" in slow.status.text()
    assert slow.bar.maximum() == 6000 and slow.bar.value() > 0
    qtbot.mouseClick(slow.cancel_button, LEFT)
    _wait_ended(qtbot, slow)
    assert slow.status.text() == "Stopped; nothing was written." and slow.export_button.isVisible()
    assert begun_names(tmp_path) == []


@pytest.mark.parametrize("off", ["overlay", "opacity"])
def test_with_the_overlay_off_nothing_is_painted(
    qtbot: QtBot, window: MainWindow, dialog: ExportDialog, tmp_path: Path, off: str
) -> None:
    assert "45 % colour" in dialog.form.look.text()
    if off == "overlay":
        window.actions_by_id["overlay"].trigger()
    else:
        window.controls.opacity.setValue(0)
    assert dialog.form.look.text().startswith("Off, as now")
    _export(qtbot, dialog)
    assert is_near(first_color(tmp_path / "film_seg.mp4"), first_color(tmp_path / "film.mp4"))


def test_the_look_of_now_goes_into_the_export(
    qtbot: QtBot, window: MainWindow, dialog: ExportDialog, tmp_path: Path
) -> None:
    """The first frame is all road: hidden, it keeps its colour; the second, all car, is painted."""
    window.controls.opacity.setValue(100)
    window.legend.boxes["road"].setChecked(False)
    assert dialog.form.look.text() == "As now: 100 % colour, without road"
    _export(qtbot, dialog)
    assert is_near(first_color(tmp_path / "film_seg.mp4"), first_color(tmp_path / "film.mp4"))
    with av.open(str(tmp_path / "film_seg.mp4")) as container:
        second = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)][1]
    assert window.look.overlay is not None
    car = next(label for label in window.look.overlay.labels if label.name == "car")
    assert is_near(second[48, 80], car.color, 12)


@pytest.mark.parametrize(
    ("name", "says"), [("", "Choose a file"), ("film.avi", ".mkv"), ("nowhere/film.mp4", "no such folder")]
)
def test_an_output_that_cannot_be_is_told_and_enter_tries_again(
    qtbot: QtBot, dialog: ExportDialog, tmp_path: Path, name: str, says: str
) -> None:
    dialog.output.setText(str(tmp_path / name) if name else "")
    qtbot.mouseClick(dialog.export_button, LEFT)
    qtbot.waitUntil(lambda: not dialog.running and bool(dialog.messages.texts("error")), timeout=ENDS_MS)
    assert says in dialog.messages.texts("error")[0]
    assert dialog.export_button.isVisible() and dialog.output.hasFocus()
    dialog.output.setText(str(tmp_path / "film_seg.mp4"))
    qtbot.keyClick(dialog.output, Qt.Key.Key_Return)
    assert dialog.running
    _wait_ended(qtbot, dialog)
    assert frames_in(tmp_path / "film_seg.mp4") == 30


def test_the_input_is_never_the_output(
    qtbot: QtBot, dialog: ExportDialog, tmp_path: Path, dialogs: ModalDialogs
) -> None:
    film = tmp_path / "film.mp4"
    before = film.read_bytes()
    dialogs.expect(clicks("Replace"))
    dialog.output.setText(str(film))
    dialog.export_button.click()
    qtbot.waitUntil(lambda: not dialog.running and bool(dialog.messages.texts("error")), timeout=ENDS_MS)
    assert film.read_bytes() == before


def test_an_error_of_the_export_is_one_line(qtbot: QtBot, dialog: ExportDialog, tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_text("gone bad")
    qtbot.mouseClick(dialog.export_button, LEFT)
    _wait_ended(qtbot, dialog)
    (line,) = dialog.messages.texts("error")
    assert "film.mp4" in line and "\n" not in line


@pytest.mark.parametrize("typed", ["elsewhere.mp4", "elsewhere"])
def test_browse_takes_what_is_typed(
    qtbot: QtBot, dialog: ExportDialog, tmp_path: Path, dialogs: ModalDialogs, typed: str
) -> None:
    (tmp_path / "elsewhere.mp4").write_bytes(b"old")  # asked about once, when the export begins
    dialogs.expect(types(tmp_path / typed))
    qtbot.mouseClick(dialog.browse, LEFT)
    assert dialog.output.text() == str(tmp_path / "elsewhere.mp4")


def test_browse_given_up_changes_nothing(
    qtbot: QtBot, dialog: ExportDialog, tmp_path: Path, dialogs: ModalDialogs
) -> None:
    dialogs.expect(presses(Qt.Key.Key_Escape))
    qtbot.mouseClick(dialog.browse, LEFT)
    assert dialog.output.text() == str(tmp_path / "film_seg.mp4")


def test_a_file_that_comes_while_the_export_runs_is_not_replaced(
    qtbot: QtBot, slow: ExportDialog, tmp_path: Path
) -> None:
    """Nobody was asked about it."""
    slow.form.end.setText("300f")
    qtbot.mouseClick(slow.export_button, LEFT)
    qtbot.waitUntil(lambda: "frames/s" in slow.status.text(), timeout=ENDS_MS)
    (tmp_path / "slow_seg.mp4").write_bytes(b"theirs")
    _wait_ended(qtbot, slow)
    assert (tmp_path / "slow_seg.mp4").read_bytes() == b"theirs"
    assert "Saved as slow_seg" in slow.status.text() and "slow_seg.mp4\n" not in slow.status.text()


def test_the_part_that_was_chosen_by_the_seek_bar_is_exported(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    pause_at(qtbot, window, 5)
    dialog = _open(qtbot, window)
    qtbot.mouseClick(dialog.form.from_here, LEFT)
    assert dialog.form.start.text() == "0:00.25"
    dialog.form.end.setText("20f")
    _export(qtbot, dialog)
    assert frames_in(tmp_path / "film_seg.mp4") == 15


@pytest.mark.parametrize("seconds", [0.0, 0.25, 4.001, 59.9994, 60.0, 61.5, 3599.9996, 3600.0, 7325.04, 86399.999])
def test_a_moment_is_read_as_it_was_written(seconds: float) -> None:
    assert Moment.read(moment_text(seconds)).time_s == pytest.approx(seconds, abs=0.00051)


@pytest.mark.parametrize(
    ("start", "end", "says"), [("soon", "", "'soon'"), ("2", "1", "not after the start"), ("", "-3", "'-3'")]
)
def test_a_range_that_cannot_be_is_told(qtbot: QtBot, dialog: ExportDialog, start: str, end: str, says: str) -> None:
    dialog.form.start.setText(start)
    dialog.form.end.setText(end)
    qtbot.waitUntil(lambda: says in dialog.plan.toPlainText(), timeout=WAIT_MS)
    qtbot.mouseClick(dialog.export_button, LEFT)
    assert not dialog.running and says in dialog.messages.texts("error")[0]


def test_what_will_be_written_is_told_before(qtbot: QtBot, dialog: ExportDialog, tmp_path: Path) -> None:
    qtbot.waitUntil(lambda: "frames: 30" in dialog.plan.toPlainText(), timeout=WAIT_MS)
    assert "\nfilm_seg.mp4: " in dialog.plan.toPlainText()
    dialog.form.end.setText("10f")
    assert not dialog.plan.isEnabled(), "it is old"
    qtbot.waitUntil(lambda: dialog.plan.isEnabled() and "frames: 10" in dialog.plan.toPlainText(), timeout=WAIT_MS)
    dialog.output.setText(str(tmp_path / "nowhere" / "film_seg.mp4"))
    qtbot.waitUntil(lambda: "no such folder" in dialog.plan.toPlainText(), timeout=WAIT_MS)
    assert begun_names(tmp_path) == [], "it was only looked"


def test_only_what_can_be_written_is_offered(dialog: ExportDialog) -> None:
    assert {beside.kind for beside in dialog.form.beside} == set(sink_kinds()) & {
        "table", "report", "masks", "contact sheet"
    }  # fmt: skip


def test_what_is_ticked_is_written_in_the_same_pass(qtbot: QtBot, dialog: ExportDialog, tmp_path: Path) -> None:
    if not dialog.form.beside:
        pytest.skip("no further sinks")
    for box in dialog.form.beside.values():
        qtbot.keyClick(box, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: "film_seg.csv" in dialog.plan.toPlainText(), timeout=WAIT_MS)
    _export(qtbot, dialog)
    assert frames_in(tmp_path / "film_seg.mp4") == 30
    with (tmp_path / "film_seg.csv").open(newline="") as table:
        assert len(list(csv.DictReader(table))) == 30
    assert len(list((tmp_path / "film_seg_masks").glob("*.png"))) == 30
    assert "<html" in (tmp_path / "film_seg.html").read_text(encoding="utf-8")
    assert (tmp_path / "film_seg.sheet.jpg").stat().st_size > 0
    assert "film_seg.csv" in dialog.status.text()


@pytest.mark.parametrize("quality", QUALITIES)
def test_every_quality_makes_a_video(qtbot: QtBot, dialog: ExportDialog, tmp_path: Path, quality: str) -> None:
    dialog.quality.setFocus()
    qtbot.keyClicks(dialog.quality, quality[0])  # the list goes to what begins so
    assert dialog.quality.quality == quality
    dialog.form.end.setText("6f")
    _export(qtbot, dialog)
    assert frames_in(tmp_path / "film_seg.mp4") == 6


@pytest.mark.parametrize("go_on", [True, False])
def test_an_unfinished_export_can_be_gone_on_with(
    qtbot: QtBot, open_window: Callable[..., MainWindow], tmp_path: Path, go_on: bool
) -> None:
    film = make_clip(tmp_path / "film.mp4", 120, rate=5, size=(64, 48))
    window = open_window(film)
    wait_state(qtbot, window, PlayerState.PLAYING)
    _break_off(_job(window, film, tmp_path / "film_seg.mp4"), after=80)
    (left,) = begun_names(tmp_path)
    dialog = _open(qtbot, window)
    qtbot.waitUntil(dialog.resume.isVisible, timeout=WAIT_MS)
    assert dialog.resume.text().endswith("10 s are done") and dialog.resume.isChecked()
    dialog.form.end.setText("10f")  # of another export, it is no part
    qtbot.waitUntil(lambda: not dialog.resume.isVisible(), timeout=WAIT_MS)
    dialog.form.end.clear()
    qtbot.waitUntil(dialog.resume.isVisible, timeout=WAIT_MS)
    assert left in begun_names(tmp_path), "it was only looked"
    if not go_on:
        qtbot.keyClick(dialog.resume, Qt.Key.Key_Space)
    _export(qtbot, dialog)
    assert frames_in(tmp_path / "film_seg.mp4") == 120 and left not in begun_names(tmp_path)
    told = " ".join(dialog.messages.texts("warning"))
    assert ("10 s were done already" in told) is go_on and ("was removed" in told) is not go_on


def test_an_edited_name_is_kept_when_the_dialog_is_opened_again(
    qtbot: QtBot, window: MainWindow, dialog: ExportDialog, tmp_path: Path
) -> None:
    other = make_clip(tmp_path / "other.mp4", 40)
    dialog.output.setText(str(tmp_path / "mine_seg.mp4"))
    dialog.close()
    assert _open(qtbot, window).output.text() == str(tmp_path / "mine_seg.mp4")
    for path, name in ((other, "other_seg.mp4"), (tmp_path / "film.mp4", "mine_seg.mp4")):
        window.open(path)
        qtbot.waitUntil(lambda path=path: window.player.info is not None and window.player.source == str(path))
        wait_state(qtbot, window, PlayerState.PLAYING)
        assert _open(qtbot, window).output.text() == str(tmp_path / name)


@pytest.mark.parametrize(
    "keys", [("e", CTRL), ("l", CTRL), (Qt.Key.Key_F1, Qt.KeyboardModifier.NoModifier)], ids=["export", "address", "F1"]
)
def test_a_key_pressed_often_opens_one_dialog(
    qtbot: QtBot, window: MainWindow, keys: tuple[str, Qt.KeyboardModifier]
) -> None:
    for _time in range(4):
        window.activateWindow()
        qtbot.waitUntil(window.isActiveWindow, timeout=WAIT_MS)
        qtbot.keyClick(window, *keys)
    shown = [w for w in QApplication.topLevelWidgets() if isinstance(w, QDialog) and w.isVisible()]
    assert len(shown) == 1
    shown[0].close()
    qtbot.keyClick(window, *keys)
    assert sum(isinstance(w, QDialog) and w.isVisible() for w in QApplication.topLevelWidgets()) == 1


def test_after_an_export_enter_exports_what_was_changed(
    qtbot: QtBot, window: MainWindow, dialog: ExportDialog, tmp_path: Path
) -> None:
    dialog.form.end.setText("4f")
    _export(qtbot, dialog)
    assert dialog.close_button.hasFocus() and dialog.close_button.isDefault() and not dialog.plan.isVisible()
    dialog.output.setFocus()
    dialog.output.setText(str(tmp_path / "more_seg.mp4"))
    assert dialog.plan.isVisible() and not dialog.bar.isVisible()
    qtbot.keyClick(dialog.output, Qt.Key.Key_Return)
    assert dialog.running
    _wait_ended(qtbot, dialog)
    assert frames_in(tmp_path / "more_seg.mp4") == 4
    dialog.close()
    again = _open(qtbot, window)
    qtbot.waitUntil(again.output.hasFocus, timeout=WAIT_MS)
    assert again.export_button.isDefault() and again.status.text() == ""


def test_another_source_gets_its_own_dialog_while_the_first_export_goes_on(
    qtbot: QtBot, slow: ExportDialog, tmp_path: Path
) -> None:
    window = slow.parent()
    assert isinstance(window, MainWindow)
    queue = window.outputs.export_queue
    qtbot.mouseClick(slow.export_button, LEFT)
    qtbot.waitUntil(lambda: "frames/s" in slow.status.text(), timeout=ENDS_MS)
    assert not window.outputs.export_strip.isVisible()
    other = make_clip(tmp_path / "other.mp4", 12)
    window.open(other)
    qtbot.waitUntil(lambda: window.player.source == str(other) and window.player.info is not None, timeout=WAIT_MS)
    wait_state(qtbot, window, PlayerState.ENDED)
    dialog = _open(qtbot, window)
    assert dialog is not slow and queue.current is queue.items[0] and window.outputs.export_strip.isVisible()
    qtbot.mouseClick(dialog.export_button, LEFT)
    assert dialog.running and len(queue.unfinished) == 2
    queue.stop(queue.items[0])
    _wait_ended(qtbot, dialog)
    assert frames_in(tmp_path / "other_seg.mp4") == 12 and begun_names(tmp_path)[0].startswith("other")


def test_add_to_queue_closes_the_dialog_and_shows_the_queue(
    qtbot: QtBot, window: MainWindow, dialog: ExportDialog, tmp_path: Path
) -> None:
    dialog.form.end.setText("7f")
    qtbot.mouseClick(dialog.queue_button, LEFT)
    assert not dialog.isVisible() and window.outputs.queue_dialog.isVisible()
    queue = window.outputs.export_queue
    assert len(queue.items) == 1
    qtbot.waitUntil(lambda: not queue.unfinished, timeout=ENDS_MS)
    assert frames_in(tmp_path / "film_seg.mp4") == 7
    assert not _open(qtbot, window).running


def test_an_export_waits_for_those_that_were_asked_for_before(
    qtbot: QtBot, slow: ExportDialog, tmp_path: Path, long_clip: Path
) -> None:
    window = slow.parent()
    assert isinstance(window, MainWindow)
    queue = window.outputs.export_queue
    window.outputs.queue_dialog.add_files([str(shutil.copy(long_clip, tmp_path / "before.mp4"))])
    qtbot.mouseClick(slow.export_button, LEFT)
    assert slow.running and slow.status.text().startswith("Waits in the queue")
    qtbot.mouseClick(slow.cancel_button, LEFT)
    assert not slow.running
    queue.stop_all()
    qtbot.waitUntil(lambda: not queue.unfinished, timeout=ENDS_MS)
    assert begun_names(tmp_path) == []
