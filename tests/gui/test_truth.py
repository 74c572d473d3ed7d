"""Sources that bring their ground truth: scores in the panel, errors on the picture, the table."""

from __future__ import annotations

import csv
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from seg_viewer.core.errors import ExportError
from seg_viewer.core.frame import Shot
from seg_viewer.core.overlay import ERROR_COLOR
from seg_viewer.jobs.options import RunOptions
from seg_viewer.player.playback import PlayerState
from seg_viewer.player.player import Player
from seg_viewer.sinks.truth_csv import TruthCsv
from tests.carla_server.running import colors_server
from tests.gui.conftest import WAIT_MS, is_near, painted, pause_at, wait_state
from tests.models import GREEN, color_model

if TYPE_CHECKING:
    from tests.carla_server.process import CarlaServer

ROAD_TAG, PEDESTRIAN_TAG = 7, 4


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Ten pictures that the model takes for road all over; the truth has people in their upper half."""
    folder = tmp_path / "drive"
    for name in ("CameraRGB", "CameraMask"):
        (folder / name).mkdir(parents=True)
    mask = np.zeros((96, 160, 3), np.uint8)
    mask[:48, :, 2], mask[48:, :, 2] = PEDESTRIAN_TAG, ROAD_TAG
    for number in range(10):
        picture = np.full((96, 160, 3), GREEN[::-1], np.uint8)
        cv2.imwrite(str(folder / "CameraRGB" / f"{number}.png"), picture)
        cv2.imwrite(str(folder / "CameraMask" / f"{number}.png"), mask)
    return folder


def test_scores_are_in_the_panel_where_there_is_truth(qtbot: QtBot, open_window, recording: Path) -> None:
    """Half of the picture is right: IoU of road 1/2, of person 0, mean 1/4."""
    window = open_window(recording)
    wait_state(qtbot, window, PlayerState.ENDED)
    qtbot.waitUntil(lambda: "frames" in window.stats.text("truth"), timeout=WAIT_MS)
    *scores, frames = window.stats.text("truth").splitlines()
    assert scores == ["mean 25.0 %", "road 50.0 %", "person 0.0 %"]
    assert frames in [f"{count} frames" for count in range(1, 11)]  # a busy machine shows fewer than the ten


def test_without_truth_the_row_is_not_there(qtbot: QtBot, open_window, recording: Path, clip: Path) -> None:
    window = open_window(recording)
    wait_state(qtbot, window, PlayerState.ENDED)
    value = next(label for label in window.stats.findChildren(QLabel) if label.accessibleName() == "IoU")
    qtbot.waitUntil(value.isVisible, timeout=WAIT_MS)
    window.open(clip)
    wait_state(qtbot, window, PlayerState.PLAYING)
    assert not value.isVisible()


def test_errors_are_marked_on_the_picture(qtbot: QtBot, open_window, recording: Path) -> None:
    window = open_window(recording)
    pause_at(qtbot, window, 4, rate=10)
    action = window.actions_by_id["errors"]
    image = window.view.grab().toImage()
    rect = window.view.picture_rect()
    upper = (int(rect.center().x()), int(rect.top() + rect.height() / 4))
    assert not is_near(image.pixelColor(*upper).getRgb()[:3], ERROR_COLOR)
    action.trigger()
    assert is_near(window.view.grab().toImage().pixelColor(*upper).getRgb()[:3], ERROR_COLOR)
    lower = (upper[0], int(rect.bottom() - rect.height() / 4))
    assert not is_near(window.view.grab().toImage().pixelColor(*lower).getRgb()[:3], ERROR_COLOR)
    action.trigger()
    assert not is_near(painted(window), ERROR_COLOR)


def test_without_truth_there_is_nothing_to_mark_and_that_is_told(qtbot: QtBot, open_window, clip: Path) -> None:
    window = open_window(clip)
    pause_at(qtbot, window, 3)
    window.actions_by_id["errors"].trigger()
    assert any("no ground truth" in text for text in window.messages.texts())


def test_another_model_ends_the_table_and_that_is_told(
    qtbot: QtBot, open_window, recording: Path, tmp_path: Path, two_shipped: Path
) -> None:
    table = tmp_path / "truth.csv"
    window = open_window()
    window.player.open(str(recording), (table,))
    wait_state(qtbot, window, PlayerState.ENDED)
    window.model_menu.use(str(two_shipped / "driving-fine.onnx"))
    qtbot.waitUntil(lambda: "driving-fine" in window.stats.text("model"), timeout=WAIT_MS)
    assert window.messages.texts("info") == [f"{table} holds the scores of the model before, and ends with it"]
    qtbot.waitUntil(table.exists, timeout=WAIT_MS)
    with table.open(newline="") as file:
        assert list(csv.DictReader(file))[-1]["miou"] == "0.250000"


def test_the_table_has_a_line_for_each_frame_shown(qtbot: QtBot, model: Path, recording: Path, tmp_path: Path) -> None:
    player = Player(RunOptions(model=str(model)))
    player.open(str(recording), (tmp_path / "truth.csv", tmp_path / "truth.html"))

    def at_the_end() -> bool:
        player.take()
        return player.state is PlayerState.ENDED

    qtbot.waitUntil(at_the_end, timeout=WAIT_MS)
    assert player.close(WAIT_MS / 1000)
    with (tmp_path / "truth.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows and all((row["iou_road"], row["miou"]) == ("0.500000", "0.250000") for row in rows)
    page = (tmp_path / "truth.html").read_text(encoding="utf-8")
    assert f"{len(rows)} frames" in page and "25.0 %" in page and "truth" in page
    numbers = [int(row["frame"]) for row in rows]
    assert numbers == sorted(set(numbers)) and numbers[-1] == 9


@pytest.mark.parametrize("when", ["before the first frame", "in the middle"])
def test_a_table_that_cannot_be_written_is_told_and_playing_and_the_other_file_go_on(
    qtbot: QtBot, model: Path, recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    table, page = tmp_path / "folder" / "truth.csv", tmp_path / "truth.html"
    if when == "in the middle":
        table.parent.mkdir()
        write = TruthCsv.write

        def full(sink: TruthCsv, shot: Shot) -> None:
            if sink.rows:
                raise ExportError(f"{table}: the disk is full")
            write(sink, shot)

        monkeypatch.setattr(TruthCsv, "write", full)
    player = Player(RunOptions(model=str(model)))
    player.open(str(recording), (table, page))
    problems: list[str] = []

    def at_the_end() -> bool:
        player.take()
        if (problem := player.take_problem()) is not None:
            problems.append(problem)
        return player.state is PlayerState.ENDED and bool(problems)

    qtbot.waitUntil(at_the_end, timeout=WAIT_MS)
    assert player.scores_to == (page,) and player.error is None
    assert player.close(WAIT_MS / 1000)
    assert len(problems) == 1 and str(table.parent) in problems[0]
    assert problems[0].endswith("; playing goes on without truth.csv")
    assert "frames" in page.read_text(encoding="utf-8")
    if when == "in the middle":
        assert len(table.read_text(encoding="utf-8").splitlines()) == 2, "what was written before is kept"


@pytest.fixture
def server() -> Iterator[CarlaServer]:
    with colors_server() as running:
        yield running


def test_a_drive_shows_scores_and_ends_without_a_trace(qtbot: QtBot, open_window, server: CarlaServer) -> None:
    """The scene's colours are those that the model knows: everything is right."""
    window = open_window(server.url("size=160x96&fps=30&vehicles=2"))
    wait_state(qtbot, window, PlayerState.PLAYING)
    qtbot.waitUntil(lambda: window.stats.text("truth").startswith("mean 100.0 %"), timeout=WAIT_MS)
    assert len(server.report()["alive"]) == 5
    window.close()
    report = server.wait_until(lambda report: not report["alive"] and not report["settings"][0])
    assert report["alive"] == {} and report["settings"][0] is False


def test_an_interrupted_window_leaves_nothing_in_the_simulator(
    server: CarlaServer, model: Path, tmp_path: Path
) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "seg_viewer", "view", server.url("size=160x96&fps=30&vehicles=2&walkers=2"),
         "--model", str(model), "--truth-csv", str(tmp_path / "truth.csv")],
        cwd=Path(__file__).resolve().parents[2],
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as program:  # fmt: skip
        part = ".truth.*.part.csv"  # there from the first scored frame on
        report = server.wait_until(lambda report: report["cues"] > 20 and any(tmp_path.glob(part)))
        assert len(report["alive"]) == 9
        program.send_signal(signal.SIGINT)
        _, said = program.communicate(timeout=200)
    assert program.returncode == 0 and "Traceback" not in said
    report = server.wait_until(lambda report: not report["alive"] and not report["settings"][0])
    assert report["alive"] == {} and report["settings"][0] is False
    assert len((tmp_path / "truth.csv").read_text(encoding="utf-8").splitlines()) > 1


@pytest.mark.parametrize("ends", ["the window is closed", "another model takes over"])
def test_a_table_whose_name_was_taken_meanwhile_is_told(
    qtbot: QtBot, open_window, recording: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, ends: str
) -> None:
    table = tmp_path / "truth.csv"
    window = open_window()
    window.player.open(str(recording), (table,))
    wait_state(qtbot, window, PlayerState.ENDED)
    table.write_text("somebody else's")
    if ends == "the window is closed":
        assert window.close()
        said = caplog.text
    else:
        window.model_menu.use(str(color_model(tmp_path / "other.onnx", 32, 32, name="other")))
        qtbot.waitUntil(lambda: bool(window.messages.texts("error")), timeout=WAIT_MS)
        assert window.player.state is PlayerState.ENDED
        said = window.messages.texts("error")[0]
    made = tmp_path / "truth_2.csv"
    rows = list(
        csv.DictReader(made.read_text(encoding="utf-8").splitlines())
    )  # a busy machine shows fewer than the ten frames
    assert str(made) in said and rows and rows[-1]["frame"] == "9"
    assert table.read_text(encoding="utf-8") == "somebody else's"


def test_a_table_on_a_slow_disk_is_there_when_the_window_has_closed(
    open_window, qtbot: QtBot, recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program waits for nothing else so long, and leaves at once then."""
    finish = TruthCsv.finish
    monkeypatch.setattr(TruthCsv, "finish", lambda table: time.sleep(1.2) or finish(table))
    window = open_window()
    window.player.open(str(recording), (tmp_path / "truth.csv", tmp_path / "truth.html"))
    wait_state(qtbot, window, PlayerState.ENDED)
    window.close()
    assert len((tmp_path / "truth.csv").read_text(encoding="utf-8").splitlines()) > 1
