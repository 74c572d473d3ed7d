"""What enters a zone and leaves it, as a log."""

from __future__ import annotations

import csv
import json
import os
import signal
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from seg_viewer.core.class_map import ClassMap
from seg_viewer.core.errors import ExportError, UsageError
from seg_viewer.core.frame import Frame, Shot
from seg_viewer.core.labels import DRIVING
from seg_viewer.core.zone import Crossing, Zone
from seg_viewer.media.rgb_picture import RgbPicture
from seg_viewer.sinks import sink_for
from seg_viewer.sinks.base import SinkRequest
from seg_viewer.sinks.zone_log import COLUMNS, ZoneLog, check_log

ALL = Zone(((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)))
_PERSON = DRIVING.by_name("person").id
_TAKEN = datetime.fromisoformat("2026-01-02T03:04:05.678+01:00")
ENTERED = Crossing("enter", "person", 1.5, 30, 0.25, 250, 0.25, None, _TAKEN, "capture")


def rows_of(path: Path) -> list[dict[str, object]]:
    """The events of a log, whichever kind it is; what is empty is None."""
    lines = path.read_text(encoding="utf-8").splitlines()
    assert "no safety function" in lines[0]
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in lines[1:]]
    assert lines[0].startswith("# ")
    rows = list(csv.DictReader(lines[1:]))
    words = ("event", "class", "time", "clock")
    return [{key: text if key in words else float(text) if text else None for key, text in row.items()} for row in rows]


@pytest.mark.parametrize("end", [".csv", ".jsonl"])
def test_each_line_is_in_the_file_at_once_and_says_all(tmp_path: Path, end: str) -> None:
    path = tmp_path / f"log{end}"
    log = ZoneLog(path, 'rtsp://box/ö, "left"', Zone())
    log.write(ENTERED)
    (row,) = rows_of(path)  # it was not closed
    assert tuple(row) == COLUMNS
    assert row == {
        "event": "enter", "class": "person", "time": "2026-01-02T03:04:05.678+01:00", "clock": "capture",
        "media_s": 1.5, "frame": 30, "share": 0.25, "pixels": 250, "most_share": 0.25, "duration_s": None,
    }  # fmt: skip
    log.finish()
    log.finish()  # again is fine
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert "rtsp://box/ö" in first and str(Zone()) in first and Zone.read(str(Zone())) == Zone()


def test_a_class_with_a_comma_stays_one_cell(tmp_path: Path) -> None:
    log = ZoneLog(tmp_path / "log.csv", "a\nb", Zone())
    log.write(Crossing("leave", 'truck, "large"\nor so', 1.0, 2, 0.0, 0, 0.5, 1.0))
    log.finish()
    text = (tmp_path / "log.csv").read_text(encoding="utf-8").split("\n", 1)[1]
    (row,) = csv.DictReader(text.splitlines(keepends=True))
    assert row["class"] == 'truck, "large"\nor so' and row["duration_s"] == "1.0"


@pytest.mark.parametrize("name", ["log.txt", "log", "log.csv.gz"])
def test_another_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"a log of the zone ends in \.csv or \.jsonl"):
        check_log(tmp_path / name)


def test_what_is_there_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="exists already"):
        ZoneLog(tmp_path / "log.csv", "demo", Zone())
    assert (tmp_path / "log.csv").read_text(encoding="utf-8") == "mine"


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file may grow above 600 bytes, as on a disk that is full."""
    resource = pytest.importorskip("resource", reason="this system limits no files")
    before, was = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (600, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, was)


def test_a_disk_that_is_full_is_one_line_and_whole_lines_stay(tmp_path: Path, small_files: None) -> None:
    log = ZoneLog(tmp_path / "log.jsonl", "demo", Zone())
    with pytest.raises(ExportError, match=r"log\.jsonl: ") as caught:
        for _ in range(20):
            log.write(ENTERED)
    assert "\n" not in str(caught.value)
    assert os.path.getsize(tmp_path / "log.jsonl") <= 600


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be removed there")
def test_a_log_that_was_removed_is_told(tmp_path: Path) -> None:
    log = ZoneLog(tmp_path / "log.csv", "demo", Zone())
    (tmp_path / "log.csv").unlink()
    for step in (lambda: log.write(ENTERED), log.finish):
        with pytest.raises(ExportError, match=r"log\.csv: was removed while it was written"):
            step()


def test_what_has_no_overwriting_does_not_offer_it(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.touch()
    with pytest.raises(UsageError, match=r"log\.csv: exists already; choose another name$"):
        ZoneLog(path, "demo", Zone())


def _shots(inside: list[bool]) -> Iterator[Shot]:
    for number, there in enumerate(inside):
        ids = np.full((8, 8), _PERSON if there else 0, np.uint8)
        frame = Frame(number, number / 10, RgbPicture(np.zeros((8, 8, 3), np.uint8)))
        yield Shot(frame, (ClassMap(ids, DRIVING),))


@pytest.mark.parametrize("end", [".zone.csv", ".zone.jsonl"])
def test_an_export_has_the_events_of_a_file(tmp_path: Path, end: str) -> None:
    path = tmp_path / f"clip{end}"
    kind = sink_for(path)
    assert kind.name == "zone"
    with kind.make(SinkRequest(path, DRIVING, name="clip", zone=ALL)) as sink:
        for shot in _shots([False] * 5 + [True] * 20 + [False] * 20 + [True] * 5):
            sink.write(shot)
        assert not path.exists()
    rows = rows_of(path)
    assert [(row["event"], row["media_s"], row["duration_s"]) for row in rows] == [
        ("enter", 0.5, None), ("leave", 2.5, 2.0), ("enter", 4.5, None), ("end", 4.9, 0.4),
    ]  # fmt: skip
    assert all(row["time"] == "" and row["clock"] == "" and row["class"] == "person" for row in rows)
    assert str(ALL) in path.read_text(encoding="utf-8").splitlines()[0]
