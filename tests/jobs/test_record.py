"""Recording live sources from the command line: until told, until killed, over a reconnect."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import datetime
from itertools import islice, pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from seg_viewer.core.class_map import ClassMap
from seg_viewer.core.errors import EngineError, ExportError, SourceError, UsageError
from seg_viewer.core.frame import Frame, Shot
from seg_viewer.core.labels import DRIVING
from seg_viewer.core.overlay import Overlay
from seg_viewer.core.zone import Zone
from seg_viewer.engines import Engine
from seg_viewer.jobs.options import RunOptions
from seg_viewer.jobs.record import RecordJob, RecordProgress, _Events, parse_seconds, parse_split, run_record
from seg_viewer.jobs.recording import Recording, RecordPlan, RecordWhat
from seg_viewer.media.rgb_picture import RgbPicture
from seg_viewer.pipeline import BUSY_DISPLAY, BUSY_RECORDER, DEADLINE
from seg_viewer.sources import LiveSource, SourceInfo, open_source
from tests.clips import make_clip, solid, video_times
from tests.servers.http_video import HttpVideo
from tests.servers.rtsp import RtspServer
from tests.sinks.test_zone_log import rows_of

ROOT = Path(__file__).parents[2]


@pytest.fixture
def http(tmp_path: Path) -> Iterator[HttpVideo]:
    (tmp_path / "segments").mkdir()
    with HttpVideo(tmp_path / "segments") as server:
        yield server


@pytest.mark.parametrize("what", list(RecordWhat))
def test_for_a_time(http: HttpVideo, tmp_path: Path, model: Path, what: RecordWhat) -> None:
    suffix = ".mkv" if what is RecordWhat.SOURCE else ".mp4"
    plan = RecordPlan(tmp_path / f"a{suffix}", what)

    def on_progress(progress: RecordProgress) -> None:
        if what is not RecordWhat.SOURCE and progress.frames > 5:
            raise KeyboardInterrupt  # a busy machine may take long to load the engine

    duration_s = 1.5 if what is RecordWhat.SOURCE else 90.0
    job = RecordJob(http.url(), plan, RunOptions(model=str(model)), duration_s=duration_s)
    result = run_record(job, on_progress=on_progress)
    names = ["a_source.mkv", "a.mp4"] if what is RecordWhat.BOTH else [f"a{suffix}"]
    assert [path.name for path in result.files] == names and result.problem == ""
    assert len(video_times(result.files[0])) == result.frames > 5
    assert result.warnings == () and ("model colors (64×32), openvino" in result.ran) == (what is not RecordWhat.SOURCE)
    for path in result.files:
        assert all(later > earlier for earlier, later in pairwise(video_times(path)))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("seg-")]


WHOLE = Zone(((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)))


def test_what_enters_the_zone_is_logged_with_its_time(tmp_path: Path, model: Path) -> None:
    (tmp_path / "segments").mkdir()
    with HttpVideo(tmp_path / "segments", rate=8, each=8) as server:  # a car for a second, then none
        plan = RecordPlan(tmp_path / "a.mp4")
        began = datetime.now().astimezone()
        log = tmp_path / "a.jsonl"
        job = RecordJob(server.url(), plan, RunOptions(model=str(model)), duration_s=4, events=log, zone=WHOLE)
        result = run_record(job)
    assert result.warnings == () and result.frames > 5
    rows = rows_of(log)
    assert rows and {row["class"] for row in rows} <= {"car", "person"}
    assert all(datetime.fromisoformat(str(row["time"])) >= began and row["clock"] == "arrival" for row in rows)


def test_a_log_on_a_full_disk_costs_one_line_and_no_shot(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    job = RecordJob("camera:0", RecordPlan(tmp_path / "a.mp4"), events=tmp_path / "a.csv", zone=WHOLE)
    events = _Events(job, cast(Any, SimpleNamespace(info=SimpleNamespace(name="camera 0"))))
    with open("/dev/full", "wb") as full:
        os.dup2(full.fileno(), events._sink._log._file.fileno())  # type: ignore[union-attr]
    person = ClassMap(np.full((8, 8), DRIVING.by_name("person").id, np.uint8), DRIVING)
    shots = [Shot(Frame(n, n / 10, RgbPicture(np.zeros((8, 8, 3), np.uint8))), (person,)) for n in range(9)]
    assert list(events.seen(shots)) == shots
    events.stop()
    (note,) = events.notes
    assert "a.csv: the disk is full" in note and "the recording went on without the log" in note


@pytest.mark.parametrize(
    ("what", "events", "zone", "says"),
    [
        (RecordWhat.SOURCE, "a.csv", None, "--events needs the model"),
        (RecordWhat.BOTH, "a.txt", None, "a log of the zone ends in .csv or .jsonl"),
        (RecordWhat.BOTH, "gone/a.csv", None, "no such folder"),
        (RecordWhat.BOTH, None, WHOLE, "--zone goes with --events"),
    ],
)
def test_a_log_that_cannot_be_is_told_before_anything_is_opened(
    tmp_path: Path, what: RecordWhat, events: str | None, zone: Zone | None, says: str
) -> None:
    log = None if events is None else tmp_path / events
    with pytest.raises((UsageError, ExportError), match=re.escape(says)):
        run_record(RecordJob("rtsp://127.0.0.1:9/x", RecordPlan(tmp_path / "a.mp4", what), events=log, zone=zone))
    assert list(tmp_path.iterdir()) == []


def test_what_came_before_is_in_it(http: HttpVideo, tmp_path: Path) -> None:
    stream = open_source(http.url())
    assert isinstance(stream, LiveSource)
    frames = iter(stream)
    before = len(list(islice(frames, 40)))
    recording = Recording(RecordPlan(tmp_path / "a.mkv", RecordWhat.SOURCE), stream, None)
    after = len(list(islice(frames, 5)))
    assert recording.stop() == [tmp_path / "a.mkv"]
    stream.close()
    assert len(video_times(tmp_path / "a.mkv")) >= before + after - 1


def test_a_file_that_got_no_picture_is_told(http: HttpVideo, tmp_path: Path) -> None:
    """Ended while the model was still being made ready."""
    stream = open_source(http.url())
    assert isinstance(stream, LiveSource)
    recording = Recording(RecordPlan(tmp_path / "a.mp4", RecordWhat.BOTH), stream, Overlay(DRIVING))
    list(islice(iter(stream), 5))
    assert recording.stop() == [tmp_path / "a_source.mkv"]
    stream.close()
    assert recording.notes == (f"{tmp_path / 'a.mp4'}: not made: no picture came for it in time",)


def test_the_annotated_recording_needs_no_encoded_source(tmp_path: Path) -> None:
    class Bare:
        info = SourceInfo("bare", 64, 48, live=True)
        packets = None

    with pytest.raises(UsageError, match="only be recorded with its overlay"):
        Recording(RecordPlan(tmp_path / "a.mkv", RecordWhat.SOURCE), Bare(), None)  # type: ignore[arg-type]
    recording = Recording(RecordPlan(tmp_path / "a.mp4"), Bare(), Overlay(DRIVING))  # type: ignore[arg-type]
    recording.write(
        Shot(Frame(0, 0.0, RgbPicture(solid(0, 64, 48))), (ClassMap(np.zeros((32, 64), np.uint8), DRIVING),))
    )
    assert recording.stop() == [tmp_path / "a.mp4"] and recording.frames == 1


def test_over_a_reconnect(http: HttpVideo, tmp_path: Path, model: Path) -> None:
    again = [False]

    def on_progress(_progress) -> None:
        if not again[0]:
            again[0] = True
            http.kill()
            http.start()

    plan = RecordPlan(tmp_path / "a.mkv", RecordWhat.SOURCE)
    result = run_record(RecordJob(http.url(), plan, duration_s=2.5), on_progress=on_progress)
    assert again[0] and result.problem == ""
    (file,) = result.files
    times = video_times(file)
    assert len(times) == result.frames
    assert max(later - earlier for earlier, later in pairwise(times)) > 0.3  # the time without a picture is kept


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("a.avi", ".mp4 or .mkv"),
        ("there.mp4", "exists already"),
        ("no/a.mp4", "no such folder"),
        (f"{'n' * 300}.mp4", "name is too long"),
    ],
)
def test_a_file_that_cannot_be_made_is_told_before_anything_is_opened(tmp_path: Path, name: str, says: str) -> None:
    (tmp_path / "there.mp4").write_text("mine")
    with pytest.raises((UsageError, ExportError), match=says):
        run_record(RecordJob("rtsp://127.0.0.1:1/x", RecordPlan(tmp_path / name), duration_s=1))


def test_a_file_is_not_live(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", frames=3)
    with pytest.raises(UsageError, match="is not live; export it"):
        run_record(RecordJob(str(clip), RecordPlan(tmp_path / "a.mp4"), duration_s=1))


def test_a_deadline_leaves_out_pictures_counts_them_and_says_what_it_came_to(
    http: HttpVideo, tmp_path: Path, model: Path
) -> None:
    """No machine has a class map within so little time: the recording ends with the least there is."""
    told: list[str] = []

    def note(progress: RecordProgress) -> None:
        told.append(progress.doing)

    job = RecordJob(http.url(), RecordPlan(tmp_path / "a.mp4"), RunOptions(model=str(model)), 2.5, deadline_s=0.0002)
    result = run_record(job, on_progress=note)
    drops = dict(result.drops)
    assert drops[DEADLINE] > 0 and result.problem == ""
    assert len(video_times(result.files[0])) == result.frames > 5
    assert "; deadline 0.2 ms " in result.ran and ": colors" in result.ran
    assert told and told[0].startswith("colors")


def test_nobody_there_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="connection refused"):
        run_record(RecordJob("rtsp://127.0.0.1:1/x", RecordPlan(tmp_path / "a.mp4"), duration_s=1))
    assert list(tmp_path.iterdir()) == []


def test_no_picture_in_time_is_an_error(http: HttpVideo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading.Timer, "start", lambda timer: timer.function())
    with pytest.raises(ExportError, match="no picture came in time"):
        run_record(RecordJob(http.url(), RecordPlan(tmp_path / "a.mkv", RecordWhat.SOURCE), duration_s=1))
    assert [path.name for path in tmp_path.iterdir()] == ["segments"]


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("1.5 h", 5400), ("10min", 600), ("2m", 120)])
def test_times(text: str, seconds: float) -> None:
    assert parse_seconds(text) == seconds
    assert parse_split(text) == (seconds, None)


@pytest.mark.parametrize(("text", "size"), [("500MB", 500_000_000), ("1.5gb", 1_500_000_000), ("100kB", 100_000)])
def test_sizes(text: str, size: int) -> None:
    assert parse_split(text) == (None, size)


@pytest.mark.parametrize("text", ["", "soon", "-3", "0", "5 days", "10 PB"])
def test_neither_time_nor_size(text: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        parse_split(text)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are a thing of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_it_well(tmp_path: Path, model: Path, number: signal.Signals) -> None:
    with RtspServer() as server:
        command = [sys.executable, "-m", "seg_viewer", "record", server.url, "-o", str(tmp_path / "a.mp4")]
        process = subprocess.Popen(
            [*command, "--what", "both", "--model", str(model)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        waited = threading.Event()
        for _ in range(600):
            sizes = [path.stat().st_size for path in tmp_path.iterdir()]
            if (len(sizes) == 2 and min(sizes) > 2000) or process.poll() is not None:
                break
            waited.wait(0.05)
        process.send_signal(number)
        out, errors = process.communicate(timeout=200)
    assert process.returncode == 0, errors
    assert "a_source.mp4" in out and "frames in" in out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "a_source.mp4"]
    assert all(video_times(path) for path in tmp_path.iterdir())


def test_what_was_recorded_is_told_also_when_the_engine_breaks(
    http: HttpVideo, tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load, left = RunOptions.load, iter(range(12))

    def breaking(options: RunOptions, *arguments: Any, **choices: Any) -> Engine:
        engine = load(options, *arguments, **choices)
        collect = engine.collect

        def collect_some() -> np.ndarray:
            if next(left, None) is None:
                raise EngineError("the card fell out")
            return collect()

        engine.collect = collect_some  # type: ignore[method-assign]
        return engine

    monkeypatch.setattr(RunOptions, "load", breaking)
    plan = RecordPlan(tmp_path / "a.mp4", RecordWhat.BOTH)
    result = run_record(RecordJob(http.url(), plan, RunOptions(model=str(model)), duration_s=20))
    assert result.problem == "the card fell out"
    assert sorted(path.name for path in result.files) == ["a.mp4", "a_source.mkv"]
    drops = dict(result.drops)
    left_out = drops.get(BUSY_DISPLAY, 0) + drops.get(BUSY_RECORDER, 0)  # on a busy machine
    # the failure may overtake the last one
    assert len(video_times(tmp_path / "a.mp4")) + left_out in (11, 12)
