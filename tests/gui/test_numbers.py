"""The numbers beside the picture: what they say, how they are copied, saved, folded."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetricsF
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit
from pytestqt.qtbot import QtBot

from seg_viewer.core.ledger import Ledger
from seg_viewer.gui.main_window import MainWindow
from seg_viewer.gui.process_use import ProcessUse, resident_bytes
from seg_viewer.gui.widgets.sparkline import SPAN_S, Sparkline
from seg_viewer.gui.widgets.stats_panel import SECTION_KEYS, StatsPanel
from seg_viewer.player.playback import PlayerState

from .conftest import WAIT_MS, make_clip, pause_at, wait_state
from .modal_dialogs import ModalDialogs, clicks, types

CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def playing(qtbot: QtBot, open_window, tmp_path: Path) -> MainWindow:
    window = open_window(make_clip(tmp_path / "film.mp4", 200))
    wait_state(qtbot, window, PlayerState.PLAYING)
    qtbot.waitUntil(lambda: "median" in window.stats.text("latency"), timeout=WAIT_MS)
    return window


def test_times_are_said_in_words_and_digits_have_one_width(playing: MainWindow) -> None:
    first, second = playing.stats.text("latency").splitlines()
    assert first.endswith("ms median") and second.endswith("ms for 95 %")
    value = next(label for label in playing.stats.findChildren(QLabel) if label.accessibleName() == "Latency")
    widths = {QFontMetricsF(value.font()).horizontalAdvance(digit) for digit in "0123456789"}
    assert len(widths) == 1


def test_a_file_is_behind_nothing_and_a_pause_has_no_rate(qtbot: QtBot, playing: MainWindow) -> None:
    rows = [label for label in playing.stats.findChildren(QLabel) if label.accessibleName() == "Arrived"]
    assert len(rows) == 1 and not rows[0].isVisibleTo(playing.stats)
    qtbot.keyClick(playing, Qt.Key.Key_Space)
    wait_state(qtbot, playing, PlayerState.PAUSED)
    qtbot.waitUntil(lambda: playing.stats.text("display") == "–", timeout=WAIT_MS)
    assert playing.stats.text("source").split() == ["20.0", "fps"], "as the file says"


def test_what_the_program_uses_is_told(qtbot: QtBot, playing: MainWindow) -> None:
    qtbot.waitUntil(lambda: "%" in playing.stats.text("cpu"), timeout=WAIT_MS)
    assert "core" in playing.stats.text("cpu") and playing.stats.text("memory").endswith("MiB")
    psutil = pytest.importorskip("psutil")
    mine = resident_bytes()
    assert mine is not None and mine == pytest.approx(psutil.Process().memory_info().rss, rel=0.2)
    use = ProcessUse()
    assert use.sample().cpu is None
    sum(range(100_000))
    later = use.sample().cpu
    assert later is not None and 0 < later <= 1


def test_a_line_shows_the_last_minute_and_gaps(qtbot: QtBot) -> None:
    line = Sparkline("Display", "fps")
    qtbot.addWidget(line)
    line.resize(120, 26)
    assert line.lines() == []
    for second in range(200):
        line.add(float(second), None if second == 170 else 10.0 + second % 2)
    assert len(line.values) == SPAN_S + 1
    before, after = line.lines()
    assert before.first().x() == pytest.approx(0) and after.last().x() == pytest.approx(120)
    assert all(0 <= point.y() <= 26 for part in (before, after) for point in part.toList())
    assert "10.0 to 11.0 fps" in line.accessibleDescription()


def test_the_lines_fill_while_it_plays(qtbot: QtBot, playing: MainWindow) -> None:
    for key in ("display", "latency"):
        qtbot.waitUntil(lambda key=key: bool(playing.stats.line(key).lines()), timeout=WAIT_MS)


def test_parts_fold_and_are_remembered(qtbot: QtBot, open_window, playing: MainWindow, clip: Path) -> None:
    health = playing.stats.sections["health"]
    QTest.mouseClick(health.header, Qt.MouseButton.LeftButton)
    assert not health.body.isVisible() and playing.stats.sections["now"].body.isVisible()
    playing.close()
    again = open_window(clip)
    wait_state(qtbot, again, PlayerState.PLAYING)
    assert [again.stats.sections[key].folded for key in SECTION_KEYS] == [False, True, False]


def test_ctrl_c_copies_the_numbers_as_text(qtbot: QtBot, playing: MainWindow) -> None:
    QApplication.clipboard().clear()
    qtbot.waitUntil(lambda: "fps" in playing.stats.text("display"), timeout=WAIT_MS)
    qtbot.keyClick(playing, Qt.Key.Key_C, CTRL)
    rows = dict(line.split("\t") for line in QApplication.clipboard().text().splitlines() if "\t" in line)
    assert rows["Video"].startswith("160×96 · 20 fps") and "fps" in rows["Display"]
    assert "ms median · " in rows["Latency"] and "Arrived" not in rows
    assert rows["Runs on"].startswith("openvino")


def test_ctrl_c_in_a_text_field_copies_what_is_selected_there(qtbot: QtBot, playing: MainWindow) -> None:
    field = QLineEdit("mine", playing.centralWidget())
    field.show()
    field.setFocus()
    field.selectAll()
    qtbot.keyClick(field, Qt.Key.Key_C, CTRL)
    assert QApplication.clipboard().text() == "mine"


def test_the_cause_of_each_drop_is_told(qtbot: QtBot) -> None:
    panel, ledger = StatsPanel(), Ledger()
    qtbot.addWidget(panel)
    for cause in ("late: window too slow", "late: window too slow", "behind live"):
        ledger.drop(cause)
    panel.set_times(ledger.snapshot())
    assert panel.text("dropped").splitlines() == ["3 of 3", "1 behind live", "2 late: window too slow"]


# -- a table while it plays --------------------------------------------------------------------------------------------


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_row_for_each_frame_until_it_is_stopped(
    qtbot: QtBot, playing: MainWindow, tmp_path: Path, dialogs: ModalDialogs
) -> None:
    out, action = tmp_path / "mine.csv", playing.actions_by_id["save-numbers"]
    dialogs.expect(types(out))
    action.trigger()
    assert action.text() == "Stop saving &numbers"
    shots: list[int] = []
    playing.presenter.shot_shown.connect(lambda shot: shots.append(shot.frame.index))
    qtbot.waitUntil(lambda: len(shots) > 10, timeout=WAIT_MS)
    assert not out.exists(), "it has its name once it is whole"
    action.trigger()
    qtbot.waitUntil(lambda: any(str(out) in text for text in playing.messages.texts("info")), timeout=WAIT_MS)
    rows = _rows(out)
    indices = [int(row["frame"]) for row in rows]
    assert len(rows) > 4 and indices == sorted(set(indices)) and "share_car" in rows[0]
    assert action.text() == "Save &numbers…"


@pytest.mark.parametrize(("answer", "kept"), [("Keep", True), ("Replace", False)])
def test_a_file_is_replaced_only_by_a_yes(
    qtbot: QtBot, playing: MainWindow, tmp_path: Path, dialogs: ModalDialogs, answer: str, kept: bool
) -> None:
    out = tmp_path / "mine.csv"
    out.write_text("mine")
    dialogs.expect(types(out))
    dialogs.expect(clicks(answer))
    playing.actions_by_id["save-numbers"].trigger()
    assert playing.numbers.task.running is not kept
    if not kept:
        shots: list[object] = []
        playing.presenter.shot_shown.connect(shots.append)
        qtbot.waitUntil(lambda: len(shots) > 5, timeout=WAIT_MS)
        playing.actions_by_id["save-numbers"].trigger()
        qtbot.waitUntil(lambda: out.read_text() != "mine", timeout=WAIT_MS)
    assert (out.read_text() == "mine") is kept


@pytest.mark.parametrize("end", ["another source", "close"])
def test_it_ends_with_what_plays_and_the_file_is_whole(
    qtbot: QtBot, playing: MainWindow, tmp_path: Path, clip: Path, dialogs: ModalDialogs, end: str
) -> None:
    out = tmp_path / "mine.csv"
    dialogs.expect(types(out))
    playing.actions_by_id["save-numbers"].trigger()
    shots: list[object] = []
    playing.presenter.shot_shown.connect(shots.append)
    qtbot.waitUntil(lambda: len(shots) > 8, timeout=WAIT_MS)
    if end == "close":
        playing.close()
    else:
        playing.open(clip)
        qtbot.waitUntil(out.exists, timeout=WAIT_MS)
        assert not playing.numbers.task.running
    assert len(_rows(out)) > 2


def test_a_folder_that_cannot_be_written_is_told(
    qtbot: QtBot, playing: MainWindow, tmp_path: Path, dialogs: ModalDialogs
) -> None:
    (tmp_path / "folder.csv").mkdir()
    playing.numbers.task.start(tmp_path / "gone" / "a.csv", playing.player.spec.labels, overwrite=False)
    qtbot.waitUntil(lambda: bool(playing.messages.texts("error")), timeout=WAIT_MS)
    assert "gone" in playing.messages.texts("error")[0] and not playing.numbers.task.running


def test_while_paused_nothing_comes_and_that_is_told(
    qtbot: QtBot, open_window, clip: Path, tmp_path: Path, dialogs: ModalDialogs
) -> None:
    window = open_window(clip)
    pause_at(qtbot, window, 5)
    out = tmp_path / "mine.csv"
    dialogs.expect(types(out))
    window.actions_by_id["save-numbers"].trigger()
    qtbot.wait(100)
    window.actions_by_id["save-numbers"].trigger()
    qtbot.waitUntil(lambda: bool(window.messages.texts("error")), timeout=WAIT_MS)
    assert window.messages.texts("error") == [f"{out}: no frame came; nothing was saved"] and not out.exists()
