"""A pipeline under a deadline: what is left out is counted, another network takes over, one that fails is passed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from seg_viewer.core.errors import EngineError
from seg_viewer.core.frame import Frame, Shot
from seg_viewer.core.labels import DRIVING
from seg_viewer.core.model_file import ModelSpec
from seg_viewer.pipeline import DEADLINE, Governing, Pipeline, Policy
from tests.pipeline.test_pipeline import Numbers
from tests.pipeline.test_segmenter import LARGE, SMALL, Named

FINE = ModelSpec(Path("fine.onnx"), "fine", DRIVING, LARGE.height, LARGE.width, "int8", sha256="fine")
FAST = ModelSpec(Path("fast.onnx"), "fast", DRIVING, LARGE.height, LARGE.width, "int8", sha256="fast")
TINY = ModelSpec(Path("tiny.onnx"), "fast", DRIVING, SMALL.height, SMALL.width, "int8", sha256="tiny")
LIMIT_S = 0.080


class Gated(Numbers):
    """Begins when it is told to."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.begin = threading.Event()

    def __iter__(self) -> Iterator[Frame]:
        self.begin.wait()
        yield from super().__iter__()


@pytest.mark.parametrize("every", [1, 2, 3])
def test_pictures_that_are_left_out_are_counted_and_the_others_have_their_own_masks(every: int) -> None:
    source = Gated(90)
    with Pipeline(source, Named("fine"), policy=Policy.LATEST) as pipeline:
        pipeline.every = every
        source.begin.set()
        shots = list(pipeline)
        drops = pipeline.ledger.snapshot().drops
    assert all((shot.classes == shot.frame.index).all() for shot in shots)
    assert drops.get(DEADLINE, 0) == 90 - 90 // every
    assert len(shots) + sum(drops.values()) == 90


@pytest.mark.parametrize("policy", [Policy.EVERY_FRAME, Policy.REAL_TIME, Policy.IN_FULL])
def test_only_what_is_live_is_left_out(policy: Policy) -> None:
    with Pipeline(Numbers(20, rate=1000), Named("fine"), policy=policy) as pipeline:
        pipeline.every = 3
        list(pipeline)
        assert DEADLINE not in pipeline.ledger.snapshot().drops


class Watched:
    """A pipeline whose pictures are as old as the test says, and which networks were wanted."""

    def __init__(self, pipeline: Pipeline, fails: str = "") -> None:
        self.pipeline, self.fails = pipeline, fails
        self.wanted: list[str] = []
        self.governing = Governing(pipeline, LIMIT_S, (FINE, FAST, TINY), self._change, "shown", "a note")

    def _change(self, spec: ModelSpec, refused: Callable[[], None]) -> None:
        self.wanted.append(spec.sha256)
        segmenter = Named(spec.sha256)
        segmenter.fails = "no room" if spec.sha256 == self.fails else ""

        def failed(error: Exception) -> None:
            assert isinstance(error, EngineError)
            refused()

        self.pipeline.use(segmenter, failed)

    def until(self, done: Callable[[Shot], bool], age_s: float, what: str) -> None:
        for _ in range(3000):
            shot = next(self.pipeline)
            self.pipeline.ledger.record("shown", age_s)
            self.governing.look(shot)
            if done(shot):
                return
        raise AssertionError(f"waited in vain for {what}: {self.governing.status}")


@pytest.fixture
def pipeline():
    with Pipeline(Numbers(100_000, delay_s=0.001), Named("fine"), policy=Policy.LATEST) as made:
        yield made


def test_it_goes_down_to_the_least_and_says_what_it_does_and_that_it_is_not_enough(pipeline: Pipeline) -> None:
    watched = Watched(pipeline)
    told = [watched.governing.status.line()]

    def note(shot: Shot) -> bool:
        line = watched.governing.status.line()
        if line != told[-1]:
            told.append(line)
        wanted = watched.wanted[-1] if watched.wanted else "fine"
        assert shot.maps[0].model == wanted or pipeline.every >= 2, "no more is done while a smaller one is opened"
        return not watched.governing.status.holds and shot.maps[0].model == "tiny"

    watched.until(note, 0.11, "the last step")
    assert told == [
        "fine", "fine, every 2nd picture", "fast", "fast, every 2nd picture", "fast at 64×32",
        "fast at 64×32, every 2nd picture", "fast at 64×32, every 3rd picture",
    ]  # fmt: skip
    status = watched.governing.status
    assert (pipeline.every, watched.wanted, status.steps, status.note) == (3, ["fast", "tiny"], 6, "a note")
    assert status.p95_s == 0.11
    watched.governing.stop()
    assert pipeline.every == 1 and watched.wanted[-1] == "fine"


def test_a_network_that_cannot_run_is_passed_over_and_what_works_goes_on(pipeline: Pipeline) -> None:
    watched = Watched(pipeline, fails="fast")
    watched.until(lambda shot: shot.maps[0].model == "tiny", 0.5, "the smallest network")
    assert watched.wanted == ["fast", "tiny"], "the fine one was never loaded again"


def test_young_pictures_and_a_pause_change_nothing(pipeline: Pipeline) -> None:
    watched = Watched(pipeline)
    count = iter(range(200))
    watched.until(lambda _shot: next(count) == 100, 0.02, "a hundred pictures")
    pipeline.pause()
    for _ in range(40):
        pipeline.step()
        pipeline.ledger.record("shown", 60.0)
        watched.governing.look(next(pipeline))
    assert watched.wanted == [] and pipeline.every == 1 and watched.governing.status.steps == 0
