"""A whole window in another language: every text that it shows comes through the catalogue, and none is cut."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from PySide6.QtWidgets import QDialog, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from seg_viewer.core.ledger import StageTimes
from seg_viewer.core.overlay import OverlayStyle
from seg_viewer.gui.dialogs.export_form import look_text
from seg_viewer.gui.drops import Dropped
from seg_viewer.gui.main_window import MainWindow
from seg_viewer.gui.settings import WindowSettings, open_store, save_settings
from seg_viewer.gui.tasks.export_queue import QueuedExport, State
from seg_viewer.gui.widgets.color_popup import ColorPopup
from seg_viewer.gui.widgets.export_text import detail_text, progress_text, state_text
from seg_viewer.gui.widgets.live_bar import LiveBar, lost_text
from seg_viewer.gui.widgets.loading_bar import LoadingBar
from seg_viewer.gui.widgets.recent_list import RecentItem, day_text
from seg_viewer.gui.widgets.stats_panel import times_text
from seg_viewer.gui.words import read_phrases, read_words, said, t, use_language
from seg_viewer.jobs.export import ExportProgress, ExportResult
from seg_viewer.jobs.export_job import ExportJob
from seg_viewer.jobs.options import RunOptions
from seg_viewer.player.playback import PlayerState
from seg_viewer.sources import LiveStatus
from seg_viewer.sources.losses import Loss

from .conftest import WAIT_MS, pause_at
from .modal_dialogs import ModalDialogs
from .test_names import DIALOGS, QUESTIONS
from .texts import MARK, bare, is_bare, write_marked
from .walk import faults

SIZES = {"smallest": (720, 460), "usual": (1280, 800)}


@pytest.fixture(autouse=True)
def german() -> Iterator[None]:
    save_settings(open_store(), WindowSettings(language="de", timeline=True))
    yield
    use_language("en")


@pytest.fixture
def marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The catalogue that the program reads has a mark before each English text, as a packaged program has its files."""
    write_marked(tmp_path / "packaged", read_words("de"), read_phrases("de"))
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path / "packaged"), raising=False)


NAMES = re.compile(
    # what comes from files and the system
    r"^(openvino|onnxruntime|tensorrt|OpenVINO|ONNX Runtime|TensorRT)\b[\s\S]*"
    r"|colors|nowhere|\.(mp4|onnx|csv|png|txt)\b|/\S*|driving-\w+|h264|yuv\w+"
    r"|float32|int8|openvino|onnxruntime|\bcpu\b"
    r"|OpenVINO|ONNX Runtime|TensorRT|Qt\b|Python|seg-viewer|seg_viewer|English|Deutsch|Okabe–Ito"
    # what every language writes so
    r"|\b(MB|GB|MiB|ms|fps|kHz|Hz|IoU|RGB|CSV|TCP|UDP|RTSP|HOST|PATH|video|camera|rtsp|http|screen)\b"
    r"|#[0-9a-f]{6}|\b\d+[fsx]?\b"
    # keys, and what else is Qt's own, by Qt's own catalogue
    r"|\b(Strg|Umschalt|Alt)\+\S+|Bild (auf|ab)wärts"
    r"|\b(Esc|Leertaste|Einfg|Entf|Pos1|Ende|Nächster|Vorheriger|Schließen|Abbrechen|Öffnen|Lösen)\b"
    r"|Schließt das Dock-Widget|Löst das Dock-Widget.*"
)


@dataclass
class _Seen:
    """Texts without a mark, by where they were seen."""

    bare: dict[str, list[str]]

    def look(self, where: str, top: QWidget) -> None:
        found = bare(top, NAMES)
        if found:
            self.bare[where] = found


def test_every_text_of_a_window_that_plays_comes_from_the_catalogue(
    qtbot: QtBot, open_window, clip: Path, marked: None, tmp_path: Path
) -> None:
    seen = _Seen({})
    window = open_window(clip)
    assert t("Play").startswith(MARK) and said(f"{clip}: is not a video").startswith(MARK)
    pause_at(qtbot, window, 5)
    window.presenter.refresh()
    for menu in (action.menu() for action in window.menuBar().actions()):
        menu.aboutToShow.emit()
    seen.look("paused", window)
    window.looking.show_numbers()
    numbers = window.looking._numbers.lines(window.player, window.view.shown.shot, anew=True)
    seen.bare["numbers"] = [line for line in numbers if is_bare(line, NAMES)]
    window.open(tmp_path / "nowhere.mp4")  # what plays stays, and a message says why
    qtbot.waitUntil(lambda: bool(window.messages.texts("error")), timeout=WAIT_MS)
    seen.look("failed", window)
    assert {where: texts for where, texts in seen.bare.items() if texts} == {}


def test_every_text_of_every_dialog_comes_from_the_catalogue(
    qtbot: QtBot, open_window, clip: Path, marked: None, dialogs: ModalDialogs
) -> None:
    seen = _Seen({})
    window = open_window(clip)
    pause_at(qtbot, window, 5)
    for name, show in DIALOGS.items():
        dialog = show(window)
        qtbot.waitUntil(dialog.isVisible, timeout=WAIT_MS)
        seen.look(name, dialog)
        dialog.close()
    window.legend._swatches[next(iter(window.legend._swatches))].click()
    (popup,) = window.findChildren(ColorPopup)
    seen.look("colour", popup)
    popup.close()
    for name, ask in QUESTIONS.items():
        if name != "replace":  # which this test's neighbour asks in words of its own

            def look(box: QDialog, name: str = name) -> None:
                assert isinstance(box, QMessageBox)
                seen.look(name, box)
                if MARK not in box.text():
                    seen.bare[name] = [box.text()]
                box.close()

            dialogs.expect(look)
            ask(window)
    assert seen.bare == {}


LIVE = (
    LiveStatus(),
    LiveStatus(reconnects=1),
    LiveStatus(reconnects=3, loss=Loss(247, 3, 1, 5)),
    LiveStatus(loss=Loss(250, damaged=5)),
    LiveStatus(connected=False, problem="the connection broke (Input/output error)"),
    LiveStatus(connected=False, silent=True, problem="rtsp://h: no picture for 2 s"),
)


def _exports(folder: Path) -> Iterator[QueuedExport]:
    """One in each state, before and after something is known of it."""
    job = ExportJob("/film.mp4", (str(folder / "film_seg.mp4"),), RunOptions())
    notes = ("film.mp4: 3 pictures came with a time out of order; sorted", "left out: subtitles (not stored)", "x")
    result = ExportResult(folder / "film_seg.mp4", 50, 2.5, "aac copied", warnings=notes)
    for state in State:
        yield QueuedExport(job, state=state, problem="/film.mp4: is not a video", loading="TensorRT: conv1")
        yield QueuedExport(job, state=state, progress=ExportProgress(5, 50, 20.0, 3.0), result=result)
        yield QueuedExport(job, state=state, progress=ExportProgress(1, None, 20.0, None))


def _texts(folder: Path) -> Iterator[str]:
    for item in _exports(folder):
        yield from (state_text(item), progress_text(item), *detail_text(item).split("\n"))
    for status in LIVE:
        yield from lost_text(PlayerState.PLAYING, status).split("\n")
    for found in (("a",), ("a", "b")):
        yield from (Dropped(found).invitation, Dropped(found, ("m",)).invitation, Dropped(refused=found).refusal)
    yield Dropped(models=("m",)).invitation
    style = OverlayStyle(opacity=0.5, outline=True, hatched=True, palette="okabe-ito")
    yield from (
        look_text(replace(style, hidden=frozenset({"car"}))),
        look_text(replace(style, colors={"car": (1, 2, 3)})),
    )
    yield look_text(OverlayStyle(opacity=0))
    now = datetime(2026, 3, 5, 12)
    yield from (day_text(now - timedelta(days=days), now) for days in (0, 1, 2, 40))
    yield times_text(StageTimes(3, 0.3, 0.1, 0.2, 0.2))
    yield from (RecentItem(source, missing=gone).where for source in ("rtsp://h/x", "/x.mp4") for gone in (False, True))


def test_every_state_of_the_parts_comes_from_the_catalogue(qtbot: QtBot, marked: None, tmp_path: Path) -> None:
    """What windows of other tests are not in."""
    use_language("de")
    known = re.compile(NAMES.pattern + "|subtitles|film_seg|^[\\d%· ,:–]*$")
    assert [text for text in _texts(tmp_path) if is_bare(text, known)] == []
    seen = _Seen({})
    bar, loading = LiveBar(), LoadingBar()
    qtbot.addWidget(bar)
    qtbot.addWidget(loading)
    for status in LIVE:
        for state in (PlayerState.PLAYING, PlayerState.PAUSED, PlayerState.ERROR):
            bar.set_status(state, status)
            bar.set_recording(3.0)
            seen.look(f"{state} {status}", bar)
    loading.show_opening("film.mp4")
    seen.look("opening", loading)
    loading.show_loading(("TensorRT: comparing with ONNX Runtime", 0.5))
    seen.look("loading", loading)
    assert seen.bare == {}


def _start(qtbot: QtBot, make: Callable[..., MainWindow], clip: Path) -> MainWindow:
    return make()


def _playing(qtbot: QtBot, make: Callable[..., MainWindow], clip: Path) -> MainWindow:
    window = make(clip)
    pause_at(qtbot, window, 5)
    return window


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("page", [_start, _playing])
def test_german_is_not_cut(qtbot: QtBot, open_window, clip: Path, page, size: str) -> None:
    window = page(qtbot, open_window, clip)
    assert window.menuBar().actions()[0].text() == "&Datei"
    window.resize(*SIZES[size])
    window.messages.show_warning(said("x.mp4: its videos are opened; its 3 pictures are not"), t("Show queue"), print)

    def whole() -> None:
        assert faults(window) == []

    qtbot.waitUntil(whole, timeout=WAIT_MS)


def test_german_dialogs_are_not_cut(qtbot: QtBot, open_window, clip: Path) -> None:
    window = open_window(clip)
    pause_at(qtbot, window, 5)
    for name, show in DIALOGS.items():
        dialog = show(window)
        qtbot.waitUntil(dialog.isVisible, timeout=WAIT_MS)

        def whole(dialog: QDialog = dialog, name: str = name) -> None:
            assert faults(dialog) == [], name

        qtbot.waitUntil(whole, timeout=WAIT_MS)
        if name != "help":  # which scrolls to the side, too
            dialog.resize(1, 1)  # as small as it can be, which a small screen makes it
            qtbot.waitUntil(whole, timeout=WAIT_MS)
        dialog.close()
