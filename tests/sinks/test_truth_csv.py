"""The table of scores."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from seg_viewer.core.class_map import ClassMap
from seg_viewer.core.errors import ExportError, UsageError
from seg_viewer.core.frame import Frame, Shot
from seg_viewer.core.labels import DRIVING, IGNORE_ID
from seg_viewer.media.rgb_picture import RgbPicture
from seg_viewer.sinks.truth_csv import TruthCsv

ROAD, CAR = DRIVING.names.index("road"), DRIVING.names.index("car")


def _shot(index: int, classes: list[int], truth: list[int] | None) -> Shot:
    """One row of pixels."""
    picture = RgbPicture(np.zeros((1, len(classes), 3), np.uint8))
    there = None if truth is None else np.array([truth], np.uint8)
    maps = (ClassMap(np.array([classes], np.uint8), DRIVING),)
    return Shot(Frame(index, index / 20, picture, truth=there), maps)


# of five pixels one is wrong: road 3 of 4, car 1 of 2, person and background nowhere
GOOD = ([ROAD, ROAD, ROAD, CAR, ROAD], [ROAD, ROAD, ROAD, CAR, CAR])
NOTHING = ([ROAD] * 5, [IGNORE_ID] * 5)


def test_a_line_for_each_frame(tmp_path: Path) -> None:
    path = tmp_path / "truth.csv"
    with TruthCsv(path, DRIVING) as table:
        table.write(_shot(7, *GOOD))
        table.write(_shot(8, *NOTHING))
        table.write(_shot(9, [ROAD], None))
        assert not path.exists()
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(int(row["frame"]), float(row["time_s"])) for row in rows] == [(7, 0.35), (8, 0.4)]
    assert (float(rows[0]["miou"]), float(rows[0]["accuracy"])) == (0.625, 0.8)
    assert (float(rows[0]["iou_road"]), float(rows[0]["iou_car"]), rows[0]["iou_person"]) == (0.75, 0.5, "")
    assert rows[1]["miou"] == rows[1]["iou_road"] == ""


def test_what_was_written_stays_when_the_source_breaks(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), TruthCsv(tmp_path / "truth.csv", DRIVING) as table:
        table.write(_shot(0, *GOOD))
        raise RuntimeError("the simulator is gone")
    assert len((tmp_path / "truth.csv").read_text(encoding="utf-8").splitlines()) == 2
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
    assert path.read_text(encoding="utf-8") == "mine"


def test_a_folder_that_went_away_is_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    table = TruthCsv(folder / "truth.csv", DRIVING)
    folder.rmdir()
    with pytest.raises(ExportError, match=r"truth\.csv: its folder is gone"), table:
        table.write(_shot(0, *GOOD))
