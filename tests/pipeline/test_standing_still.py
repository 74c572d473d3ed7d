"""What a pipeline does while it stands still: it prepares, and leaves that at once for whatever is asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from seg_viewer.core.frame import Frame
from seg_viewer.core.model_file import ModelSpec, read_model_file
from seg_viewer.pipeline import EngineSegmenter, Pipeline, Policy
from seg_viewer.pipeline.steady import SteadySegmenter
from seg_viewer.sources import LiveSource, Stepping
from seg_viewer.sources.folder import PictureFolder
from tests.pipeline.test_pipeline import Echo, Numbers
from tests.waiting import wait_until


class Preparing(Numbers):
    """It has always more to prepare."""

    prepared = 0

    def keep(self, most_bytes: int, jump_s: float = 0.0) -> None: ...

    def step(self, frame: Frame, count: int) -> None:
        self._position = min(max(0, frame.index + count), self._count - 1)

    def prepare(self) -> bool:
        self.prepared += 1
        return True


class Counting(Echo):
    """It knows the pictures that it was given."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        self.given: list[int] = []

    def submit(self, rgb: np.ndarray, *, alone: bool = False) -> None:
        self.given.append(int(rgb[0, 0, 0]))
        super().submit(rgb)


@pytest.fixture(scope="module")
def spec(model: Path) -> ModelSpec:
    return read_model_file(model)


@pytest.mark.parametrize("policy", [Policy.EVERY_FRAME, Policy.REAL_TIME, Policy.IN_FULL])
def test_nothing_is_prepared_while_it_plays(spec: ModelSpec, policy: Policy) -> None:
    source = Preparing(200, rate=400)
    assert isinstance(source, Stepping)
    with Pipeline(source, EngineSegmenter(spec, lambda: Echo(spec)), policy=policy, keep_open=True) as pipeline:  # type: ignore[arg-type,return-value]
        for _ in range(20):
            next(pipeline)
        assert source.prepared == 0
        pipeline.pause()
        wait_until(lambda: source.prepared > 5, "something to be prepared")
        pipeline.resume()
        for _ in range(20):  # more than can wait: some were read after that
            next(pipeline)
        prepared = source.prepared
        for _ in range(20):
            next(pipeline)
        assert source.prepared == prepared


def test_what_is_asked_for_does_not_wait_for_all_to_be_prepared(spec: ModelSpec) -> None:
    source = Preparing(200)
    with Pipeline(source, EngineSegmenter(spec, lambda: Echo(spec)), keep_open=True) as pipeline:  # type: ignore[arg-type,return-value]
        next(pipeline)
        pipeline.pause()
        for index in (150, 30, 90):
            prepared = source.prepared
            wait_until(lambda prepared=prepared: source.prepared > prepared, "something to be prepared")  # type: ignore[misc]
            pipeline.seek(index / 50)
            assert next(pipeline).frame.index == index
            pipeline.step_back()
            assert next(pipeline).frame.index == index - 1
            pipeline.step()
            assert next(pipeline).frame.index == index


def test_the_frame_after_a_jump_is_not_looked_at_before_somebody_asks(spec: ModelSpec) -> None:
    """It would hold up the next jump or step back; after a step on, the next one is likely, and looked at."""
    source, engines = Preparing(200), []

    def make() -> Counting:
        engines.append(Counting(spec))
        return engines[0]

    with Pipeline(source, EngineSegmenter(spec, make), keep_open=True) as pipeline:  # type: ignore[arg-type]
        pipeline.pause()
        pipeline.step()
        next(pipeline)
        wait_until(lambda: 1 in engines[0].given, "the frame after the step")
        for move, index in ((lambda: pipeline.seek(2.0), 100), (pipeline.step_back, 99)):
            move()
            assert next(pipeline).frame.index == index
            prepared = source.prepared
            wait_until(lambda prepared=prepared: source.prepared > prepared + 5, "something to be prepared")  # type: ignore[misc]
            assert engines[0].given[-1] == index
            assert pipeline.has_reserve  # others may use the processor
        pipeline.step()
        assert next(pipeline).frame.index == 100
        wait_until(lambda: engines[0].given[-1] == 101, "the frame after the step")
        pipeline.seek(1.0)
        pipeline.resume()
        assert [next(pipeline).frame.index for _ in range(3)] == [50, 51, 52]


def test_the_end_is_known_after_a_jump_to_it(spec: ModelSpec) -> None:
    with Pipeline(Numbers(20), EngineSegmenter(spec, lambda: Echo(spec)), keep_open=True) as pipeline:  # type: ignore[arg-type,return-value]
        next(pipeline)
        pipeline.pause()
        pipeline.seek(100.0)
        assert next(pipeline).frame.index == 19
        wait_until(lambda: pipeline.at_end, "the end")


@pytest.mark.parametrize("kind", [PictureFolder, LiveSource])
def test_folders_and_what_is_live_prepare_nothing(kind: type) -> None:
    assert not hasattr(kind, "prepare")


class Hurrying(Counting):
    """It knows which pictures were to have it alone."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        self.alone: list[bool] = []

    def submit(self, rgb: np.ndarray, *, alone: bool = False) -> None:
        self.alone.append(alone)
        super().submit(rgb)


@pytest.mark.parametrize("policy", [Policy.EVERY_FRAME, Policy.REAL_TIME, Policy.IN_FULL])
def test_what_is_asked_for_has_the_engine_alone_and_what_plays_has_not(spec: ModelSpec, policy: Policy) -> None:
    engines: list[Hurrying] = []

    def make() -> Hurrying:
        engines.append(Hurrying(spec))
        return engines[0]

    segmenter = SteadySegmenter(EngineSegmenter(spec, make))  # type: ignore[arg-type]
    with Pipeline(Preparing(200, rate=400), segmenter, policy=policy, keep_open=True) as pipeline:  # type: ignore[arg-type]
        for _ in range(20):
            next(pipeline)
        (engine,) = engines
        assert engine.alone and not any(engine.alone)
        pipeline.pause()
        wait_until(lambda: pipeline.has_reserve, "shots to wait")
        for act in (pipeline.step_back, lambda: pipeline.seek(0.1), lambda: pipeline.seek(0.3), pipeline.step_back):
            before = len(engine.alone)
            act()
            next(pipeline)
            assert engine.alone[before:] == [policy is not Policy.EVERY_FRAME]  # which exports have
        before = len(engine.alone)
        pipeline.resume()
        next(pipeline)
        next(pipeline)
        assert engine.alone[before:] and not any(engine.alone[before:])
        pipeline.seek(0.2)
        before = len(engine.alone)
        for _ in range(4):
            next(pipeline)
        assert sum(engine.alone[before:]) <= 1 and not any(engine.alone[before + 1 :])
