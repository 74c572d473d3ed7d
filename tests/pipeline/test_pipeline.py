"""A whole life of a stream, with a source and an engine whose speed is set and whose answers are known."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from seg_viewer.core.errors import EngineError, SourceError
from seg_viewer.core.frame import Frame
from seg_viewer.core.model_file import ModelSpec, read_model_file
from seg_viewer.engines import load_engine
from seg_viewer.engines.base import Engine, EngineReport
from seg_viewer.media.rgb_picture import RgbPicture
from seg_viewer.pipeline import (
    BUSY_ENGINE,
    LATE_ENGINE,
    WHILE_PAUSED,
    EngineSegmenter,
    Pipeline,
    Policy,
)
from seg_viewer.sources import LiveSource, LiveStatus, SourceInfo, open_source
from tests.clips import make_clip
from tests.waiting import wait_until


class Numbers:
    """Frame k is a picture whose every pixel is k; `delay_s` is what decoding one takes."""

    def __init__(self, count: int = 20, rate: float = 50.0, delay_s: float = 0.0, fail_at: int | None = None) -> None:
        self.info = SourceInfo("numbers", 64, 32, rate=rate, duration_s=count / rate, frame_count=count, can_seek=True)
        self.warnings: list[str] = []
        self.closed = False
        self._count, self._rate, self._delay_s, self._fail_at = count, rate, delay_s, fail_at
        self._position = 0

    def __iter__(self) -> Iterator[Frame]:
        if self._position >= self._count:
            self._position = 0
        while self._position < self._count:
            index = self._position
            if index == self._fail_at:
                raise SourceError("numbers: torn tape")
            time.sleep(self._delay_s)
            self._position += 1
            picture = RgbPicture(np.full((32, 64, 3), index % 256, np.uint8))
            yield Frame(index, index / self._rate, picture, arrived_s=time.perf_counter())

    def seek(self, time_s: float) -> None:
        self._position = min(int(time_s * self._rate + 1e-6), self._count - 1)

    def close(self) -> None:
        self.closed = True


class Echo:
    """The class map is the picture's own number, so that a mask on a foreign frame shows."""

    def __init__(self, spec: ModelSpec, delay_s: float = 0.0, slots: int = 2, fail_at: int | None = None) -> None:
        self.spec, self.slots, self.delay_s, self.fail_at = spec, slots, delay_s, fail_at
        self.report = EngineReport("echo", "1", "CPU", "int8")
        self.thread = threading.current_thread()
        self.closed = False
        self.inference_s = 0.0
        self.margin: np.ndarray | None = None
        self.wake = lambda: None
        self._flying: list[np.ndarray] = []

    def submit(self, rgb: np.ndarray, *, alone: bool = False) -> None:
        assert threading.current_thread() is self.thread
        assert len(self._flying) < self.slots
        self._flying.append(rgb)

    def ready(self) -> bool:
        return bool(self._flying)

    def collect(self) -> np.ndarray:
        assert threading.current_thread() is self.thread
        time.sleep(self.delay_s)
        self.inference_s = self.delay_s
        rgb = self._flying.pop(0)
        if self.fail_at is not None and rgb[0, 0, 0] == self.fail_at:
            raise EngineError("echo: out of breath")
        return rgb[:, :, 0].copy()

    def segment(self, rgb: np.ndarray) -> np.ndarray:
        self.submit(rgb)
        return self.collect()

    def close(self) -> None:
        assert threading.current_thread() is self.thread
        self.closed = True


@pytest.fixture(scope="module")
def spec(model: Path) -> ModelSpec:
    return read_model_file(model)


def _our_threads() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name.startswith("seg-")]


@pytest.fixture(autouse=True)
def no_thread_outlives() -> Iterator[None]:
    yield
    assert not _our_threads()


def _pipeline(source: Numbers, spec: ModelSpec, engine: dict | None = None, **choices: object) -> Pipeline:
    segmenter = EngineSegmenter(spec, lambda: Echo(spec, **(engine or {})))  # type: ignore[arg-type]
    return Pipeline(source, segmenter, **choices)  # type: ignore[arg-type]


@pytest.mark.parametrize("slots", [1, 2, 3])
def test_every_frame_in_order_each_with_its_own_mask(spec: ModelSpec, slots: int) -> None:
    with _pipeline(Numbers(100), spec, {"slots": slots}) as pipeline:
        indices = []
        for shot in pipeline:
            assert (shot.classes == shot.frame.index).all()
            indices.append(shot.frame.index)
    assert indices == list(range(100))
    assert pipeline.ledger.snapshot().drops == {}


@pytest.mark.parametrize("slow", ["decode", "engine", "consumer"])
def test_every_frame_waits_for_the_slowest_and_drops_nothing(spec: ModelSpec, slow: str) -> None:
    source = Numbers(20, delay_s=0.005 if slow == "decode" else 0)
    with _pipeline(source, spec, {"delay_s": 0.005 if slow == "engine" else 0}) as pipeline:
        count = 0
        for _ in pipeline:
            time.sleep(0.005 if slow == "consumer" else 0)
            count += 1
    assert count == 20


def test_the_ledger_knows_every_stage(spec: ModelSpec) -> None:
    with _pipeline(Numbers(10), spec) as pipeline:
        shots = list(pipeline)
    snapshot = pipeline.ledger.snapshot()
    assert set(snapshot.stages) == {"decode", "convert", "inference", "latency"}
    assert all(stage.count == 10 for stage in snapshot.stages.values())
    assert snapshot.counts == {"source": 10, "engine": 10}
    assert set(shots[0].times_s) == {"decode", "convert", "inference", "latency"}
    assert pipeline.engine_report is not None and pipeline.engine_report.name == "echo"


def test_queues_are_bounded(spec: ModelSpec) -> None:
    source = Numbers(1000)
    with _pipeline(source, spec, keep_open=True) as pipeline:
        next(pipeline)
        deadline = time.perf_counter() + 0.3
        while time.perf_counter() < deadline:
            assert source._position < 20


def test_real_time_keeps_the_clock_when_everything_is_fast(spec: ModelSpec) -> None:
    with _pipeline(Numbers(6, rate=4), spec, policy=Policy.REAL_TIME) as pipeline:  # a busy machine may lag 1/4 s
        start_s = time.perf_counter()
        count = sum(1 for _ in pipeline)
        seconds = time.perf_counter() - start_s
    assert count == 6
    assert seconds >= 5 / 4 - 0.005


def test_real_time_drops_whole_frames_when_the_engine_is_slow_and_counts_them(spec: ModelSpec) -> None:
    with _pipeline(Numbers(60, rate=100), spec, {"delay_s": 0.04, "slots": 1}, policy=Policy.REAL_TIME) as pipeline:
        shots = list(pipeline)
        drops = pipeline.ledger.snapshot().drops
    assert len(shots) < 50
    assert all((shot.classes == shot.frame.index).all() for shot in shots)
    indices = [shot.frame.index for shot in shots]
    assert indices == sorted(indices)
    assert drops[LATE_ENGINE] > 0
    assert len(shots) + sum(drops.values()) == 60


def test_real_time_speed(spec: ModelSpec) -> None:
    with _pipeline(Numbers(21, rate=20), spec, policy=Policy.REAL_TIME, speed=4) as pipeline:
        start_s = time.perf_counter()
        last = 0
        for shot in pipeline:
            last = shot.frame.index
        seconds = time.perf_counter() - start_s
    assert last == 20
    assert seconds >= 20 / 20 / 4 - 0.005
    with pytest.raises(ValueError, match="speed 0 is not above 0"):
        pipeline.speed = 0


def test_latest_wins_and_counts_what_it_skips(spec: ModelSpec) -> None:
    with _pipeline(Numbers(40, delay_s=0.005), spec, {"delay_s": 0.03, "slots": 1}, policy=Policy.LATEST) as pipeline:
        shots = list(pipeline)
        drops = pipeline.ledger.snapshot().drops
    assert drops[BUSY_ENGINE] > 10
    assert len(shots) + sum(drops.values()) == 40
    assert all((shot.classes == shot.frame.index).all() for shot in shots)


class Waiting(Numbers):
    """Live: after `count` frames it waits for more until it is interrupted."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.info = replace(self.info, live=True, can_seek=False)
        self.status = LiveStatus()
        self.packets = None
        self.on_drop = lambda _cause: None
        self.interrupted = threading.Event()

    def __iter__(self) -> Iterator[Frame]:
        yield from super().__iter__()
        self.on_drop("lost on the way")
        self.interrupted.wait()

    def interrupt(self) -> None:
        self.interrupted.set()


def test_a_live_source_that_waits_is_interrupted_and_its_own_drops_are_counted(spec: ModelSpec) -> None:
    source = Waiting(5)
    assert isinstance(source, LiveSource)
    with _pipeline(source, spec, policy=Policy.LATEST) as pipeline:
        assert 4 in (next(pipeline).frame.index for _ in range(5))
        reader = threading.Thread(target=lambda: list(pipeline))
        reader.start()
        pipeline.stop()
        reader.join(60)
        assert not reader.is_alive()
    assert source.interrupted.is_set() and source.closed
    assert pipeline.ledger.snapshot().drops["lost on the way"] == 1


def test_what_a_paused_live_picture_misses_is_counted_as_such(spec: ModelSpec) -> None:
    with _pipeline(Numbers(60, delay_s=0.002), spec, {"slots": 1}, policy=Policy.LATEST, keep_open=True) as pipeline:
        next(pipeline)
        pipeline.pause()
        wait_until(lambda: pipeline.ledger.snapshot().drops.get(WHILE_PAUSED, 0) >= 10, "ten drops while paused")
        pipeline.resume()
        assert next(pipeline).frame.index > 10


def test_pause_step_seek_and_step_back(spec: ModelSpec) -> None:
    with _pipeline(Numbers(50), spec, keep_open=True) as pipeline:
        pipeline.pause()
        pipeline.step()
        assert next(pipeline).frame.index == 0
        pipeline.step()
        assert next(pipeline).frame.index == 1
        pipeline.seek(30 / 50)
        assert next(pipeline).frame.index == 30
        pipeline.step_back()
        assert next(pipeline).frame.index == 29
        pipeline.resume()
        assert next(pipeline).frame.index == 30


def test_paused_means_nothing_arrives(spec: ModelSpec) -> None:
    with _pipeline(Numbers(50), spec, keep_open=True) as pipeline:
        next(pipeline)
        pipeline.pause()
        arrived: list[int] = []
        reader = threading.Thread(target=lambda: arrived.extend(shot.frame.index for shot in pipeline))
        reader.start()
        time.sleep(0.1)
        assert arrived == []
    reader.join(60)
    assert not reader.is_alive() and arrived == []


def test_seek_discards_what_was_under_way(spec: ModelSpec) -> None:
    with _pipeline(Numbers(200), spec, {"delay_s": 0.002, "slots": 3}, keep_open=True) as pipeline:
        for target in (100, 20, 150, 3, 198, 0):
            next(pipeline)
            pipeline.seek(target / 50)
            shot = next(pipeline)
            assert shot.frame.index == target
            assert (shot.classes == target % 256).all()


def test_at_the_end_a_player_waits_and_can_go_back(spec: ModelSpec) -> None:
    with _pipeline(Numbers(5), spec, keep_open=True) as pipeline:
        for _ in range(5):
            next(pipeline)
        wait_until(lambda: pipeline.at_end, "the end")
        pipeline.seek(0)
        assert next(pipeline).frame.index == 0
        assert not pipeline.at_end


@pytest.mark.parametrize("policy", list(Policy))
def test_loop_starts_over_without_dropping(spec: ModelSpec, policy: Policy) -> None:
    source = Numbers(10, rate=200, delay_s=0.002)
    with _pipeline(source, spec, policy=policy, loop=True) as pipeline:
        indices = [next(pipeline).frame.index for _ in range(35)]
    if policy is Policy.EVERY_FRAME:
        assert indices == [k % 10 for k in range(35)]
    assert sum(1 for a, b in pairwise(indices) if b < a) >= 2


def test_loop_can_be_switched_on_at_the_end(spec: ModelSpec) -> None:
    with _pipeline(Numbers(3), spec, keep_open=True) as pipeline:
        for _ in range(3):
            next(pipeline)
        pipeline.loop = True
        assert next(pipeline).frame.index == 0


@pytest.mark.parametrize("state", ["starting", "running", "paused", "blocked", "ended"])
def test_stops_from_any_state_within_a_second(spec: ModelSpec, state: str) -> None:
    source = Numbers(5 if state == "ended" else 1000)
    pipeline = _pipeline(source, spec, {"delay_s": 0.01}, keep_open=True)
    if state != "starting":
        next(pipeline)
    if state == "paused":
        pipeline.pause()
    if state == "blocked":
        time.sleep(0.2)  # every slot is full
    if state == "ended":
        for _ in range(4):
            next(pipeline)
    pipeline.close()
    assert source.closed
    with pytest.raises(StopIteration):
        next(pipeline)
    pipeline.close()


def test_a_source_error_surfaces_once_with_its_cause(spec: ModelSpec) -> None:
    source, seen = Numbers(50, fail_at=30), []
    with _pipeline(source, spec) as pipeline:
        with pytest.raises(SourceError, match="torn tape"):
            seen.extend(shot.frame.index for shot in pipeline)
        with pytest.raises(StopIteration):
            next(pipeline)
    assert source.closed and seen == list(range(30))  # what came before it is whole


@pytest.mark.parametrize("waits_s", [0.0, 0.3])
def test_shots_that_are_done_come_before_the_error(spec: ModelSpec, waits_s: float) -> None:
    """However late they are fetched; paused, the error comes at once and what waits is counted."""
    with _pipeline(Numbers(50, fail_at=3), spec) as pipeline:
        time.sleep(waits_s)
        assert [next(pipeline).frame.index for _ in range(3)] == [0, 1, 2]
        with pytest.raises(SourceError, match="torn tape"):
            next(pipeline)
    with _pipeline(Numbers(50, fail_at=3), spec) as pipeline:
        pipeline.pause()
        with pytest.raises(SourceError, match="torn tape"):
            next(pipeline)
        assert pipeline.ledger.snapshot().drops.get(WHILE_PAUSED, 0) <= 3


def test_an_engine_error_surfaces_once_and_the_engine_is_closed(spec: ModelSpec) -> None:
    engines: list[Echo] = []

    def make() -> Engine:
        engines.append(Echo(spec, fail_at=7))
        return engines[0]

    with Pipeline(Numbers(50), EngineSegmenter(spec, make)) as pipeline:
        seen = []
        with pytest.raises(EngineError, match="out of breath"):
            seen.extend(shot.frame.index for shot in pipeline)
        assert seen == list(range(7))
        with pytest.raises(StopIteration):
            next(pipeline)
    assert engines[0].closed


def test_an_engine_that_cannot_be_made(spec: ModelSpec) -> None:
    def make() -> Engine:
        raise EngineError("no such runtime")

    with (
        Pipeline(Numbers(50), EngineSegmenter(spec, make)) as pipeline,
        pytest.raises(EngineError, match="no such runtime"),
    ):
        next(pipeline)


@pytest.mark.parametrize("name", ["openvino", "onnxruntime"])
def test_real_clip_through_a_real_engine(tmp_path: Path, spec: ModelSpec, name: str) -> None:
    source = open_source(make_clip(tmp_path / "clip.mp4", frames=40))
    with Pipeline(source, EngineSegmenter(spec, lambda: load_engine(spec, name))) as pipeline:
        for shot in pipeline:
            assert (shot.classes == shot.frame.index % 4).all()
        assert shot.frame.index == 39


def test_a_jump_that_a_pause_follows_at_once_is_shown_all_the_same(spec: ModelSpec) -> None:
    """Right, then Space before the picture is there."""
    segmenter = EngineSegmenter(spec, lambda: Echo(spec, delay_s=0.02))  # type: ignore[arg-type,return-value]
    with Pipeline(Numbers(200), segmenter, policy=Policy.REAL_TIME, keep_open=True) as pipeline:
        next(pipeline)
        pipeline.seek(3.0)
        pipeline.pause()
        shot = next(pipeline)
        assert shot.frame.time_s == pytest.approx(3.0, abs=0.1)
        assert pipeline.paused and pipeline.answered == pipeline.wishes
