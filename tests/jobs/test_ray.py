"""Exports on a Ray cluster of two nodes are what they are in one go here, also where a worker is lost on the way."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import psutil
import pytest
from numpy.typing import NDArray

from seg_viewer.core.errors import ExportError, UsageError
from seg_viewer.core.part_folder import PartFolder, folders_left_behind
from seg_viewer.jobs.bulk import BulkEvent, Ending, run_bulk
from seg_viewer.jobs.cluster import run_on_cluster
from seg_viewer.jobs.export import ExportJob, run_export
from seg_viewer.jobs.options import RunOptions
from seg_viewer.sources.between import Moment, Selection
from tests.clips import make_clip
from tests.waiting import wait_until

pytest.importorskip("ray", reason="Ray is not installed: pip install 'seg-viewer[ray]'")

pytestmark = pytest.mark.timeout(600)

ROOT = Path(__file__).parents[2]
_WAIT_S = 240.0
_HERE_TOO = Path(tempfile.gettempdir()) / "seg-viewer-piece"


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """Its address."""
    from ray.cluster_utils import Cluster

    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), before]))  # the nodes' workers find us by it
    nodes: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 100 << 20, "include_dashboard": False}
    made = Cluster(initialize_head=True, head_node_args=nodes)
    try:
        nodes.pop("include_dashboard")
        made.add_node(**nodes)
        yield made.address
    finally:
        made.shutdown()
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


@pytest.fixture
def options(model: Path) -> RunOptions:
    return RunOptions(str(model))


def _noise(index: int, width: int, height: int) -> NDArray[np.uint8]:
    return np.random.default_rng(index).integers(0, 256, (height, width, 3), dtype=np.uint8)


def _moving(index: int, width: int, height: int) -> NDArray[np.uint8]:
    picture = np.zeros((height, width, 3), np.uint8)
    picture[:, index % width :] = (200, 0, 0) if index % 3 else (0, 0, 200)
    return picture


def _packets(path: Path) -> list[tuple[int, int, int, int, Fraction, bytes]]:
    with av.open(str(path)) as container:
        return [(p.stream.index, p.pts, p.dts, p.duration, p.time_base, bytes(p)) for p in container.demux() if p.size]


def _rows(path: Path) -> list[str]:
    """Of a table, without the times that the stages took."""
    lines = path.read_text(encoding="utf-8").splitlines()
    kept = [
        number
        for number, name in enumerate(lines[0].split(","))
        if not name.endswith(("_ms", "_s")) or name == "time_s"
    ]
    return [",".join(line.split(",")[number] for number in kept) for line in lines]


def _clips(folder: Path) -> dict[str, Path]:
    irregular = [40 * n + (13 if n % 5 == 0 else 0) + (12_000 if n >= 180 else 0) for n in range(340)]
    groups = {"x264-params": "open-gop=1:keyint=37:bframes=3", "preset": "ultrafast"}
    return {
        "open groups, sound": make_clip(
            folder / "open.mp4", frames=175, rate=5, picture=_moving, options=groups, audio="aac"
        ),
        "irregular, nothing for 12 s": make_clip(
            folder / "irregular.mkv", frames=340, picture=_moving, pts=irregular, time_base=Fraction(1, 1000)
        ),
        "MPEG-2 in a transport stream": make_clip(
            folder / "broadcast.ts", frames=300, picture=_moving, codec="mpeg2video", audio="mp2"
        ),
    }  # fmt: skip


_SELECTIONS = {
    "all": Selection(),
    "by time": Selection(Moment(time_s=3.3), Moment(time_s=24.9)),
    "by number, every third": Selection(Moment(frame=7), None, 3),
}


def test_the_result_is_that_of_one_run_here(tmp_path: Path, options: RunOptions, cluster: str) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    clips = _clips(tmp_path)
    jobs = []
    for clip in clips.values():
        for selection in _SELECTIONS.values():
            outs = tuple(f"{clip.stem}-{len(jobs)}{end}" for end in (".mp4", ".csv"))
            jobs.append((clip, outs, selection))
    for clip, outs, selection in jobs:
        run_export(ExportJob(clip, tuple(here / out for out in outs), options, selection=selection))
    results = run_on_cluster(
        [
            ExportJob(clip, tuple(there / out for out in outs), options, selection=selection)
            for clip, outs, selection in jobs
        ],
        cluster,
    )
    assert [(result.ending, result.problem) for result in results] == [(Ending.DONE, "")] * len(jobs)
    for result, (_clip, (video, table), _selection) in zip(results, jobs, strict=True):
        assert _packets(there / video) == _packets(here / video), video
        assert _rows(there / table) == _rows(here / table), table
        assert result.result is not None and not any("do not meet" in line for line in result.result.warnings)
    pieces = [re.search(r"made in (\d+) piece", " ".join(each.result.warnings)) for each in results if each.result]
    assert max(int(found[1]) for found in pieces if found) >= 3
    assert not any(path.name.endswith(".parts") for path in there.iterdir())


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no such signals")
def test_a_worker_that_is_killed_costs_nothing_but_time(tmp_path: Path, options: RunOptions, cluster: str) -> None:
    clip = make_clip(tmp_path / "in.mkv", frames=175, rate=5, width=160, height=96, picture=_noise)
    job = ExportJob(clip, tmp_path / "here.mp4", options, preset="slow")
    run_export(job)
    killed: list[int] = []
    over = threading.Event()

    def kill() -> None:
        until_s = time.monotonic() + _WAIT_S
        while not killed and not over.is_set() and time.monotonic() < until_s:
            for process in _at_work():
                process.kill()
                killed.append(process.pid)
                return
            time.sleep(0.01)

    killer = threading.Thread(target=kill)
    killer.start()
    (result,) = run_on_cluster([replace(job, out=tmp_path / "there.mp4")], cluster)
    over.set()
    killer.join()
    assert killed and result.ending is Ending.DONE, result.problem
    assert _packets(tmp_path / "there.mp4") == _packets(tmp_path / "here.mp4")


def _at_work() -> list[psutil.Process]:
    """Workers that are in the middle of a piece: a segment's file is open."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if " ".join(process.info["cmdline"] or ()).startswith("ray::make_piece"):
            try:
                if any(file.path.endswith(".mkv") and _HERE_TOO.name in file.path for file in process.open_files()):
                    found.append(process)
            except psutil.Error:
                continue
    return found


def test_one_that_fails_is_told_and_the_others_are_made(tmp_path: Path, options: RunOptions, cluster: str) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    clip = make_clip(tmp_path / "in.mp4", frames=12)
    done = ExportJob(clip, tmp_path / "done.mp4", options)
    run_export(done)
    jobs = [
        ExportJob(tmp_path / "gone.mp4", tmp_path / "a.mp4", options),
        ExportJob(tmp_path / "text.mp4", tmp_path / "b.mp4", options),
        done,
        ExportJob(clip, tmp_path / "c.mp4", options),
    ]
    events: list[BulkEvent] = []
    results = run_on_cluster(jobs, cluster, on_event=events.append)
    assert [each.ending for each in results] == [Ending.FAILED, Ending.FAILED, Ending.SKIPPED, Ending.DONE]
    assert "gone.mp4: no such file" in results[0].problem and "text.mp4" in results[1].problem
    assert all(sum(e.number == n and e.result is not None for e in events) == 1 for n in range(4))


def test_a_node_that_sees_another_file_says_so(
    tmp_path: Path, options: RunOptions, cluster: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from seg_viewer.jobs import spread

    clip = make_clip(tmp_path / "in.mp4", frames=12)
    real = spread.Piece
    monkeypatch.setattr(spread, "Piece", lambda *args: replace(real(*args), fingerprint="of another machine's file"))
    (result,) = run_on_cluster([ExportJob(clip, tmp_path / "out.mp4", options)], cluster)
    assert result.ending is Ending.FAILED
    assert "is another file there; all nodes have to see the sources under the same paths" in result.problem
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4"]


def test_ctrl_c_keeps_what_can_be_gone_on_with(tmp_path: Path, options: RunOptions, cluster: str) -> None:
    clip = make_clip(tmp_path / "in.mkv", frames=250, rate=5, width=160, height=96, picture=_noise)
    job = ExportJob(clip, tmp_path / "out.mp4", options, preset="slow")
    told: list[str] = []

    def stop(event: BulkEvent) -> None:
        if event.result is not None:
            told.append(event.result.problem)
        elif event.progress is not None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match="0 of 1 are done"):
        run_on_cluster([job], cluster, on_event=stop)
    (result,) = run_bulk([replace(job, resume=True)])
    assert result.result is not None and result.result.frames == 250
    if "are kept" in told[0]:  # the first piece was not always the first that was made
        assert any("made in 1 piece" in line for line in result.result.warnings)
    run_export(replace(job, out=tmp_path / "at_once.mp4"))
    assert _packets(tmp_path / "out.mp4") == _packets(tmp_path / "at_once.mp4")


def test_the_command_says_only_what_is_ours(tmp_path: Path, model: Path, cluster: str) -> None:
    clips = [make_clip(tmp_path / f"{name}.mp4", frames=12) for name in "ab"]
    ran = subprocess.run(
        [
            sys.executable, "-m", "seg_viewer", "export", *map(str, clips), "-o", f"{tmp_path}/out/",
            "--model", str(model), "--ray", cluster,
        ],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=_WAIT_S,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    said = ran.stdout.splitlines()
    assert len(said) == 3 and said[-1].startswith("2 files: 2 done; 24 frames")
    assert len(ran.stderr.splitlines()) == 4  # of each: where it was made, and what
    assert all(re.match(r"(warning: )?[ab]\.mp4: ", line) for line in ran.stderr.splitlines()), ran.stderr


@pytest.mark.parametrize(
    ("address", "kind", "told"),
    [
        ("127.0.0.1:1", ExportError, "no Ray cluster answers there"),
        ("nonsense", UsageError, "write auto, or HOST:PORT"),
        ("host:99999", UsageError, "write auto, or HOST:PORT"),
    ],
)
def test_a_cluster_that_is_not_there_is_one_line(address: str, kind: type[Exception], told: str) -> None:
    with pytest.raises(kind, match=told) as refused:
        run_on_cluster([], address)
    assert "\n" not in str(refused.value)


def test_no_worker_leaves_anything_behind_that_the_next_does_not_remove(
    tmp_path: Path, options: RunOptions, cluster: str
) -> None:
    left = PartFolder(_HERE_TOO)
    left.leave()
    clip = make_clip(tmp_path / "in.mp4", frames=12)
    run_on_cluster([ExportJob(clip, tmp_path / "out.mp4", options)], cluster)
    wait_until(lambda: left.path not in folders_left_behind(_HERE_TOO), "the end of what a worker had left behind")
