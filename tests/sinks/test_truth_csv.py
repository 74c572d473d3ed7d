"""The table of scores."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from seg_viewer.core.errors import ExportError, UsageError
from seg_viewer.core.labels import DRIVING
from seg_viewer.core.scores import Score
from seg_viewer.sinks.truth_csv import TruthCsv

GOOD = Score(1, {"road": 0.75, "car": 0.5}, 0.625, 0.9)
NOTHING = Score(1, {}, None, None)


def test_a_line_for_each_frame(tmp_path: Path) -> None:
    path = tmp_path / "truth.csv"
    with TruthCsv(path, DRIVING) as table:
        table.write(7, 0.35, GOOD)
        table.write(8, 0.4, NOTHING)
        assert not path.exists()
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(int(row["frame"]), float(row["time_s"])) for row in rows] == [(7, 0.35), (8, 0.4)]
    assert (float(rows[0]["miou"]), float(rows[0]["accuracy"])) == (0.625, 0.9)
    assert (float(rows[0]["iou_road"]), float(rows[0]["iou_car"]), rows[0]["iou_person"]) == (0.75, 0.5, "")
    assert rows[1]["miou"] == rows[1]["iou_road"] == ""


def test_what_was_written_stays_when_the_source_breaks(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), TruthCsv(tmp_path / "truth.csv", DRIVING) as table:
        table.write(0, 0.0, GOOD)
        raise RuntimeError("the simulator is gone")
    assert len((tmp_path / "truth.csv").read_text().splitlines()) == 2
    assert [file.name for file in tmp_path.iterdir()] == ["truth.csv"]


def test_without_frames_there_is_no_file(tmp_path: Path) -> None:
    with TruthCsv(tmp_path / "truth.csv", DRIVING):
        pass
    assert not list(tmp_path.iterdir())


def test_an_existing_file_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "truth.csv"
    path.write_text("mine")
    with pytest.raises(UsageError, match=r"truth\.csv: exists already"):
        TruthCsv(path, DRIVING)
    assert path.read_text() == "mine"


def test_a_folder_that_went_away_is_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    table = TruthCsv(folder / "truth.csv", DRIVING)
    folder.rmdir()
    with pytest.raises(ExportError, match=r"truth\.csv: cannot be written"), table:
        table.write(0, 0.0, GOOD)
