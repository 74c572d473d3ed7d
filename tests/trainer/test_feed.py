"""Batches made by processes: the same as without them, with the same errors, and nothing is left behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from seg_viewer.core.errors import SegViewerError, SourceError
from tests.waiting import wait_until
from trainer.data import memory
from trainer.data.feed import Feed, can_fork, usual_workers
from trainer.data.kept import Held, SharedKept, memory_file, plan_shelf
from trainer.data.samples import Samples, find_all
from trainer.data.scan import scan
from trainer.recipe import Recipe, Source

forks = pytest.mark.skipif(not can_fork(), reason="no processes here")

Batch = tuple[np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def lively(recipe: Recipe) -> Recipe:
    """Everything that a sample draws on: rare classes, donors, crops, noise."""
    return recipe.change(
        rare=("person",), rare_share=0.5, paste=0.5, bonnet=0.3, shade=0.3, paint=0.3, zoom=(0.5, 1.5), crop=(64, 64)
    )  # fmt: skip


@pytest.fixture(scope="module")
def samples(lively: Recipe) -> Samples:
    return made(lively)


def made(recipe: Recipe) -> Samples:
    found = find_all(recipe, [])
    return Samples(recipe, found, [scan(data) for _, data in found])


def by_hand(samples: Samples, epoch: int, step: int, worker: int = 0, workers: int = 1) -> Batch:
    """A batch without any machinery."""
    entries = samples.plan(epoch)[step]
    share = len(entries) // workers
    places = range(worker * share, (worker + 1) * share)
    pairs = [samples.sample(epoch, step * len(entries) + place, entries[place]) for place in places]
    return np.stack([picture for picture, _ in pairs]), np.stack([mask for _, mask in pairs])


def check_batch(batch: Batch, samples: Samples, *which: int) -> None:
    for one, other in zip(batch, by_hand(samples, *which), strict=True):
        assert np.asarray(one).dtype == np.uint8
        np.testing.assert_array_equal(one, other)


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_gone(pid: int) -> bool:
    """Ended; or a zombie, where nobody asks after orphans (containers without an init)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def workers_of(feed: Feed, count: int) -> list[int]:
    """The process that starts the others, and they."""
    server = feed.pid
    assert server is not None
    wait_until(lambda: len(children(server)) == count, f"{count} processes")
    return [server, *children(server)]


@forks
@pytest.mark.parametrize("processes", [1, 3])
def test_batches_are_the_same_with_any_number_of_processes(samples: Samples, processes: int) -> None:
    with Feed(samples, processes) as feed:
        for epoch in (0, 1):
            for step, batch in enumerate(feed.epoch(epoch)):
                check_batch(batch, samples, epoch, step)
            assert step == samples.steps - 1
        for step, batch in enumerate(feed.epoch(5, 1), 1):  # where a checkpoint goes on
            check_batch(batch, samples, 5, step)
        for worker in (1, 0):  # the share of one machine of two
            step = 0
            for batch in feed.epoch(6, 0, worker, 2):
                check_batch(batch, samples, 6, step, worker, 2)
                break  # in the middle
        check_batch(next(feed.epoch(2)), samples, 2, 0)


@forks
def test_batches_stay_valid_as_long_as_is_said(samples: Samples) -> None:
    with Feed(samples, 2, held=3) as feed:
        given: list[tuple[Batch, tuple[int, int]]] = []
        for epoch in range(4):
            for step, batch in enumerate(feed.epoch(epoch)):
                given = [*given, (batch, (epoch, step))][-3:]
                for kept, which in given:
                    check_batch(kept, samples, *which)
    check_batch(given[-1][0], samples, *given[-1][1])  # after the end, too


@forks
def test_what_does_not_fit_into_memory_is_read_again(
    lively: Recipe, samples: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = 96 * 64 * 4
    for free, line in {
        40 * one: "2 processes; all 8 decoded pictures stay in memory (0.00 GB)",
        400_000: "of 8 decoded pictures stay in memory (0.0 GB, half of what is free): the others are read again",
        0: "2 processes; 0 of 8 decoded pictures stay in memory",
    }.items():
        monkeypatch.setattr("trainer.data.feed.free_bytes", lambda free=free: free)
        lines: list[str] = []
        with Feed(samples, 2, note=lines.append) as feed:
            for step, batch in enumerate(feed.epoch(0)):
                check_batch(batch, samples, 0, step)
        assert len(lines) == 1 and lines[0].startswith("samples are made by 2 processes"), lines
        assert line in lines[0]


@forks
@pytest.mark.parametrize("processes", [1, 3])
def test_a_damaged_file_is_named_in_its_turn(lively: Recipe, data: Path, tmp_path: Path, processes: int) -> None:
    shutil.copytree(data / "camvid", tmp_path / "camvid")
    moved = lively.change(data=(Source("camvid", str(tmp_path / "camvid")),), rare=(), rare_share=0.0, paste=0.0)
    samples = made(moved)
    bad = samples.pair(samples.plan(0)[1, 2]).picture  # first drawn in the second step
    good = by_hand(samples, 0, 0)
    bad.write_bytes(b"gone")
    with Feed(samples, processes) as feed:
        batches = feed.epoch(0)
        np.testing.assert_array_equal(next(batches)[0], good[0])
        with pytest.raises(SourceError) as error:
            next(batches)
        assert str(error.value) == f"{bad}: cannot be read as a picture: no picture, damaged, or cut short"


@forks
@pytest.mark.parametrize("which", [0, 1, 2], ids=["the one that starts them", "one", "another"])
def test_a_killed_process_is_told(samples: Samples, which: int) -> None:
    with Feed(samples, 2) as feed:
        pids = workers_of(feed, 2)
        os.kill(pids[which], signal.SIGKILL)
        with pytest.raises(SegViewerError, match=r"samples are no longer made: .*killed \(SIGKILL, perhaps for"):
            for epoch in range(10_000):
                for _ in feed.epoch(epoch):
                    pass
    wait_until(lambda: all(map(is_gone, pids)), "the processes to end")


TRAINS = """
import pickle, signal, sys, time
from trainer.data.feed import Feed
with open(sys.argv[1], "rb") as file:
    samples = pickle.load(file)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
with Feed(samples, 2) as feed:
    next(feed.epoch(0))
    print(feed.pid, flush=True)
    time.sleep(600)
"""


@forks
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_process_outlives_the_one_that_trains(samples: Samples, tmp_path: Path, end: signal.Signals) -> None:
    import pickle

    (tmp_path / "samples").write_bytes(pickle.dumps(samples))
    trains = subprocess.Popen(
        [sys.executable, "-c", TRAINS, str(tmp_path / "samples")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    )
    assert trains.stdout is not None
    server = int(trains.stdout.readline())
    pids = [server, *children(server)]
    assert len(pids) == 3 and not any(map(is_gone, pids))
    os.killpg(trains.pid, end)  # as a terminal does: the whole group
    trains.wait(90)
    wait_until(lambda: all(map(is_gone, pids)), "the processes to end")
    assert "feed" not in (trains.stderr.read() if trains.stderr and end == signal.SIGTERM else "")


def test_without_processes_threads_do_and_it_is_told(samples: Samples, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "memfd_create", raising=False)  # as elsewhere than under Linux
    lines: list[str] = []
    with Feed(samples, 4, note=lines.append) as feed:
        check_batch(next(feed.epoch(0)), samples, 0, 0)
    assert lines == ["samples are made by threads: processes share memory under Linux only"]
    assert usual_workers(gpu=True) == 0


@forks
def test_what_one_process_decodes_all_have() -> None:
    """Two that map the same memory; what fits is made once, what has another size than was said never stays."""
    sizes = {(0, 0): (6, 4), (0, 1): (5, 3), (1, 0): (7, 7)}
    shelf = plan_shelf(sizes, points=2, most=300)
    assert set(shelf.places) == {(0, 0), (0, 1)} and shelf.left_out == 1 and shelf.nbytes <= 300
    file = memory_file(shelf.nbytes)
    one, other = SharedKept(file, shelf), SharedKept(file, shelf)
    rng = np.random.default_rng(0)
    asked = []

    def make(width: int, height: int) -> Held:
        asked.append((width, height))
        picture = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        return Held(picture, picture[:, :, 0].copy(), np.array([[1, 2]], np.uint16))

    for key, (width, height) in sizes.items():
        first = one.fetch(key, lambda: make(width, height))  # noqa: B023 - called at once
        again = other.fetch(key, lambda: make(width, height))  # noqa: B023
        fits = key in shelf.places
        assert asked.count((width, height)) == (1 if fits else 2)
        for name in ("picture", "mask", "points"):
            assert np.array_equal(getattr(first, name), getattr(again, name)) == (fits or name == "points")
    wrong = plan_shelf({(0, 0): (6, 4)}, points=2, most=300)
    moved = SharedKept(memory_file(wrong.nbytes), wrong)
    for _ in range(2):
        assert moved.fetch((0, 0), lambda: make(9, 9)).picture.shape == (9, 9, 3)
    assert asked.count((9, 9)) == 2
    os.close(file)


@pytest.mark.parametrize(
    ("line", "files", "free"),
    [
        ("0::/a/b", {"a/b/memory.max": "max", "a/memory.max": "900", "a/memory.current": "300"}, [600]),
        (
            "0::/",
            {"memory.max": "1000", "memory.current": "900", "memory.stat": "anon 500\ninactive_file 250\n"},
            [350],
        ),
        ("3:cpu,memory:/x", {"memory/x/memory.limit_in_bytes": "70", "memory/x/memory.usage_in_bytes": "20"}, [50]),
        ("3:cpu:/x", {"memory/x/memory.limit_in_bytes": "70", "memory/x/memory.usage_in_bytes": "20"}, []),
        ("0::/a", {}, []),
    ],
)
def test_limits_of_control_groups_count(tmp_path: Path, line: str, files: dict[str, str], free: list[int]) -> None:
    (tmp_path / "own").write_text(f"{line}\n")
    for name, text in files.items():
        (tmp_path / "groups" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "groups" / name).write_text(text)
    assert memory._free_in_groups(tmp_path / "groups", tmp_path / "own") == free
    assert memory.free_bytes() > 0
