"""A row for each frame, as CSV and as Parquet."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from seg_viewer.core.errors import UsageError
from seg_viewer.core.overlay import OverlayStyle
from seg_viewer.sinks import table
from tests.sinks.shots import labels_of, make, request, shot, street, written

COLUMNS = [
    *("frame", "pts", "time_s", "duration_s"),
    *(f"share_{name}" for name in ("background", "road", "car", "person")),
    *(f"pixels_{name}" for name in ("background", "road", "car", "person")),
    *("count_car", "count_person", "decode_ms", "convert_ms", "inference_ms", "latency_ms"),
]


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_row_says_what_the_frame_says(tmp_path: Path) -> None:
    shots = [shot(0), shot(1, street(cars=3, people=0), time_s=0.04)]
    rows = _rows(written(tmp_path, "t.csv", shots))
    assert list(rows[0]) == COLUMNS
    second = rows[1]
    assert (second["frame"], second["pts"], second["time_s"], second["duration_s"]) == (
        "1",
        "1040",
        "0.040000",
        "0.040000",
    )
    assert (second["share_road"], second["pixels_road"]) == ("0.375000", str(12 * 64))
    assert (second["count_car"], second["count_person"]) == ("3", "0")
    stages = [second[f"{stage}_ms"] for stage in ("decode", "convert", "inference", "latency")]
    assert stages == ["1.000", "2.000", "10.000", "13.000"]


def test_all_classes_are_in_it_shown_or_not(tmp_path: Path) -> None:
    style = OverlayStyle(hidden=frozenset({"car", "road"}))
    assert list(_rows(written(tmp_path, "t.csv", [shot(0)], style=style))[0]) == COLUMNS


def test_what_is_not_known_is_empty(tmp_path: Path) -> None:
    unknown = shot(0, duration_s=None)
    object.__setattr__(unknown, "times_s", {"decode": 0.002})
    row = _rows(written(tmp_path, "t.csv", [unknown]))[0]
    assert (row["duration_s"], row["inference_ms"], row["decode_ms"]) == ("", "", "2.000")
    read = pq.read_table(written(tmp_path, "t.parquet", [unknown]))
    assert (read["duration_s"][0].as_py(), read["inference_ms"][0].as_py()) == (None, None)


def test_parquet_holds_the_same_in_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "_ROWS_A_GROUP", 4)
    shots = [shot(index, street(cars=index % 4)) for index in range(10)]
    made = written(tmp_path, "t.parquet", shots)
    file = pq.ParquetFile(made)
    assert file.metadata.num_row_groups == 3 and file.metadata.num_rows == 10
    assert file.schema_arrow.names == COLUMNS
    assert file.schema_arrow.metadata[b"seg_viewer.model"] == "colors (64×32)".encode()
    read, rows = file.read().to_pylist(), _rows(written(tmp_path, "t.csv", shots))
    for one, other in zip(read, rows, strict=True):
        assert {key: float(value) for key, value in one.items()} == pytest.approx(
            {key: float(value) for key, value in other.items()}, abs=1e-6
        )


def test_heads_are_words_and_no_two_the_same(tmp_path: Path) -> None:
    labels = labels_of("traffic light", "traffic_light", "Straße", "%", "car, truck")
    classes = street() % 4
    row = _rows(written(tmp_path, "t.csv", [shot(0, classes, labels=labels)], labels=labels))[0]
    shares = [name for name in row if name.startswith("share_")]
    assert shares == ["share_traffic_light", "share_traffic_light_1", "share_Straße", "share_3", "share_car_truck"]


def test_without_pyarrow_it_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(
        UsageError, match=r"t\.parquet: Parquet needs pyarrow; write a \.csv, or pip install 'seg-viewer\["
    ):
        make(tmp_path, "t.parquet")
    with pytest.raises(UsageError, match="Parquet needs pyarrow"):
        table.SINK.plan(request(tmp_path / "t.parquet"))
    assert table.SINK.plan(request(tmp_path / "t.csv")) == ()
    assert list(tmp_path.iterdir()) == []
    assert written(tmp_path, "t.csv", [shot(0)]).exists()
