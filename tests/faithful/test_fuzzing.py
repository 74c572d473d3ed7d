"""The fuzzer notices what must not happen, and a few spoilt inputs go through the export here."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faithful.cases import case_of
from tests.faithful.fuzzing import Attempt, Verdict, Worker, attempt, clean, spoil, unplayable
from tests.faithful.inputs import make
from tests.faithful.matrix import recipes
from tests.faithful.recipe import Recipe


def _dies(task: Attempt) -> Verdict:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("dead")


def _hangs(task: Attempt) -> Verdict:
    time.sleep(3600)
    raise AssertionError("never")


def _chatters(task: Attempt) -> Verdict:
    os.write(2, b"[ERROR] a library's own words\n")
    return Verdict(task.number, "refused", "in.mp4: is no video")


@pytest.fixture
def task(tmp_path: Path) -> Attempt:
    return Attempt(7, tmp_path / "in.mp4", tmp_path, tmp_path / "m.onnx")


@pytest.mark.parametrize(
    ("job", "kind", "limit_s"), [(_dies, "crash", 60.0), (_hangs, "hang", 0.5), (_chatters, "noise", 60.0)]
)
def test_what_must_not_happen_is_noticed(
    job: Callable[[Attempt], Verdict], kind: str, limit_s: float, task: Attempt
) -> None:
    worker = Worker(job, limit_s=limit_s)
    try:
        for _ in range(2):  # another process takes the place of the first
            verdict = worker.run(task)
            assert (verdict.number, verdict.kind, verdict.bad) == (7, kind, True)
    finally:
        worker.close()


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("seeds")
    return [make(recipe, folder / f"{number:02}") for number, recipe in enumerate(recipes()[:12])]


def test_an_input_is_the_same_each_time(seeds: list[Path]) -> None:
    assert [spoil(seeds, number) for number in range(30)] == [spoil(seeds, number) for number in range(30)]
    assert len({spoil(seeds, number)[0] for number in range(30)}) > 25


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    worker = Worker(attempt)
    yield worker
    worker.close()


@pytest.mark.skipif(sys.platform == "win32", reason="the fuzzer looks at /proc and signals")
@pytest.mark.parametrize("number", range(24))
def test_a_spoilt_input_does_no_harm(
    number: int, seeds: list[Path], worker: Worker, tmp_path: Path, model: Path
) -> None:
    data, suffix, origin = spoil(seeds, number)
    folder = clean(tmp_path / "work")
    source = folder / f"in{suffix}"
    source.write_bytes(data)
    verdict = worker.run(Attempt(number, source, folder, model))
    assert not verdict.bad, f"{origin}\n{verdict.kind}: {verdict.line}\n{verdict.trace}"


def test_a_result_that_does_not_play_is_noticed(tmp_path: Path) -> None:
    whole = case_of(Recipe()).make(tmp_path)
    assert unplayable(whole) == ""
    torn = tmp_path / "torn.mp4"
    torn.write_bytes(whole.read_bytes()[:300])
    assert unplayable(torn) != ""
