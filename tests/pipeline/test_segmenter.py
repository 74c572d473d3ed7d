"""Another segmenter takes over from one that works; two models look at one frame; a second viewing asks no engine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from seg_viewer.core.class_map import ClassMap
from seg_viewer.core.errors import EngineError
from seg_viewer.core.frame import ByteArray, Frame, FrameId, Shot, Size
from seg_viewer.core.labels import DRIVING
from seg_viewer.core.model_file import ModelSpec, read_model_file
from seg_viewer.engines import load_engine
from seg_viewer.engines.base import EngineReport
from seg_viewer.pipeline import MODEL_CHANGED, EngineSegmenter, Pipeline, Policy, Segmenter
from seg_viewer.sources import open_source
from tests.clips import make_clip
from tests.models import color_model
from tests.pipeline.test_pipeline import Numbers
from tests.waiting import wait_until

SMALL, LARGE = Size(64, 32), Size(96, 64)


class Named:
    """Answers with the picture's number, under a name; every call is checked against the order that is promised."""

    def __init__(self, name: str, size: Size = SMALL, *, delay_s: float = 0.0, gate: threading.Event | None = None):
        self.name = name
        self.sizes: tuple[Size, ...] = (size,)
        self.slots = 2
        self.inference_s = 0.0
        self.wake: Callable[[], None] = lambda: None
        self.events: list[str] = []
        self.fails = ""
        self._delay_s, self._gate = delay_s, gate
        self._interrupted = threading.Event()
        self._thread: threading.Thread | None = None
        self._flying: list[ByteArray] = []

    @property
    def report(self) -> EngineReport:
        return EngineReport(self.name, "1", "CPU", "int8")

    def open(self) -> None:
        self._thread = threading.current_thread()
        self.events.append("open")
        while self._gate is not None and not self._gate.wait(0.005):
            if self._interrupted.is_set():
                raise EngineError(f"{self.name}: stopped")
        if self.fails:
            raise EngineError(f"{self.name}: {self.fails}")

    def interrupt(self) -> None:
        self._interrupted.set()

    def submit(self, frame: Frame, pictures: Sequence[ByteArray], *, alone: bool = False) -> None:
        assert threading.current_thread() is self._thread and "close" not in self.events
        assert [p.shape for p in pictures] == [(size.height, size.width, 3) for size in self.sizes]
        assert len(self._flying) < self.slots
        self._flying.append(pictures[0][:, :, 0].copy())

    def ready(self) -> bool:
        return bool(self._flying)

    def collect(self) -> tuple[ClassMap, ...]:
        assert threading.current_thread() is self._thread
        time.sleep(self._delay_s)
        return (ClassMap(self._flying.pop(0), DRIVING, self.name),)

    def close(self) -> None:
        self.events.append("close")


def _models(shots: Sequence[Shot]) -> list[str]:
    return [shot.maps[0].model for shot in shots]


def _next_of(pipeline: Pipeline, model: str) -> list[Shot]:
    """Shots up to the first one of a model."""
    shots = [next(pipeline)]
    while shots[-1].maps[0].model != model:
        assert len(shots) < 500, f"waited in vain for a shot of {model}"
        shots.append(next(pipeline))
    return shots


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["of the same size", "of another size"])
def test_every_frame_comes_once_and_in_order_whichever_model_answers(size: Size) -> None:
    first, second = Named("first", delay_s=0.002), Named("second", size, delay_s=0.002)
    with Pipeline(Numbers(120), first) as pipeline:
        shots = [next(pipeline) for _ in range(10)]
        pipeline.use(second)
        shots += list(pipeline)
        assert pipeline.engine_report is not None and pipeline.engine_report.name == "second"
    assert [shot.frame.index for shot in shots] == list(range(120))
    assert all((shot.classes == shot.frame.index).all() for shot in shots)
    names = _models(shots)
    assert names == sorted(names) and {"first", "second"} == set(names)
    assert pipeline.ledger.snapshot().drops == {}
    assert first.events == second.events == ["open", "close"]


def test_times_are_those_of_the_model_that_runs() -> None:
    with Pipeline(Numbers(400), Named("first")) as pipeline:
        before = [next(pipeline) for _ in range(20)]
        assert pipeline.ledger.snapshot().stages["inference"].count >= len(before)
        pipeline.use(Named("second"))
        _next_of(pipeline, "second")
        told = pipeline.ledger.snapshot()
    assert told.stages["inference"].count < 20 and told.stages["latency"].count < 20
    assert told.stages["decode"].count > 20  # the source is the same


def test_the_one_before_works_on_until_the_other_is_ready() -> None:
    gate = threading.Event()
    second = Named("second", gate=gate)
    with Pipeline(Numbers(1000), Named("first")) as pipeline:
        next(pipeline)
        pipeline.use(second)
        wait_until(lambda: second.events == ["open"], "the second segmenter to be opened")
        assert _models([next(pipeline) for _ in range(100)]) == ["first"] * 100
        gate.set()
        _next_of(pipeline, "second")


def test_paused_the_picture_is_seen_by_the_other_model_and_by_no_further_one() -> None:
    with Pipeline(Numbers(50), Named("first"), keep_open=True) as pipeline:
        pipeline.pause()
        pipeline.seek(12 / 50)
        assert next(pipeline).frame.index == 12
        for name in ("second", "third"):
            pipeline.use(Named(name, LARGE))
            shot = next(pipeline)
            assert (shot.frame.index, shot.maps[0].model) == (12, name)
        pipeline.step()
        assert (next(pipeline).frame.index, pipeline.paused) == (13, True)
        pipeline.resume()
        assert [next(pipeline).frame.index for _ in range(3)] == [14, 15, 16]


def test_a_step_that_is_under_way_is_not_taken_back() -> None:
    gate = threading.Event()
    with Pipeline(Numbers(50, delay_s=0.2), Named("first"), keep_open=True) as pipeline:
        pipeline.pause()
        pipeline.step()
        assert next(pipeline).frame.index == 0
        pipeline.seek(30 / 50)  # takes its time to be decoded
        pipeline.use(Named("second", gate=gate))
        gate.set()
        assert next(pipeline).frame.index == 30


def test_at_the_end_the_last_picture_is_seen_by_the_other_model_and_the_end_stays() -> None:
    with Pipeline(Numbers(5), Named("first"), keep_open=True) as pipeline:
        for _ in range(5):
            next(pipeline)
        wait_until(lambda: pipeline.at_end, "the end")
        pipeline.use(Named("second"))
        shot = next(pipeline)
        assert (shot.frame.index, shot.maps[0].model) == (4, "second") and pipeline.at_end


def test_a_live_source_leaves_nothing_out_without_counting_it() -> None:
    source = Numbers(60, delay_s=0.004)
    with Pipeline(source, Named("first"), policy=Policy.LATEST) as pipeline:
        shots = [next(pipeline)]
        pipeline.use(Named("second", LARGE))
        shots += list(pipeline)
        drops = pipeline.ledger.snapshot().drops
    assert {"first", "second"} == set(_models(shots))
    assert len(shots) + sum(drops.values()) == 60
    assert drops.get(MODEL_CHANGED, 0) <= 6  # what was under way, at the most


def test_a_paused_live_picture_is_seen_by_the_other_model_and_stays() -> None:
    """Newer ones come all the time, and are counted."""
    with Pipeline(Numbers(60_000, delay_s=0.0002), Named("first"), policy=Policy.LATEST, keep_open=True) as pipeline:
        shot = next(pipeline)
        pipeline.pause()
        for number in range(40):
            pipeline.use(Named(f"model {number}", LARGE, delay_s=0.001))
            again = next(pipeline)
            assert (again.frame.index, again.maps[0].model) == (shot.frame.index, f"model {number}")
        time.sleep(0.05)  # none follows it
        assert pipeline.last_shot is again


def test_one_that_cannot_be_closed_does_not_stop_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = Named("first", delay_s=0.002), Named("second", delay_s=0.002)

    def close() -> None:
        first.events.append("close")
        raise EngineError("first: the driver is gone")

    monkeypatch.setattr(first, "close", close)
    with Pipeline(Numbers(300), first) as pipeline:
        shots = [next(pipeline)]
        pipeline.use(second)
        shots += list(pipeline)
    assert first.events == ["open", "close"] and len(shots) == 300


def test_one_that_cannot_be_opened_leaves_the_one_before_at_work() -> None:
    second = Named("second")
    second.fails = "no such device"
    told: list[str] = []
    with Pipeline(Numbers(1000), Named("first")) as pipeline:
        next(pipeline)
        pipeline.use(second, lambda error: told.append(str(error)))
        wait_until(lambda: bool(told), "the failure to be told")
        assert told == ["second: no such device"] and second.events == ["open", "close"]
        assert _models([next(pipeline) for _ in range(50)]) == ["first"] * 50
        pipeline.use(Named("third"))
        _next_of(pipeline, "third")


def test_the_newest_wish_wins_and_an_overtaken_one_is_interrupted() -> None:
    told: list[str] = []
    overtaken = [Named(name, gate=threading.Event()) for name in ("second", "third")]
    with Pipeline(Numbers(1000), Named("first")) as pipeline:
        next(pipeline)
        for segmenter in overtaken:
            pipeline.use(segmenter, lambda error: told.append(str(error)))
        pipeline.use(Named("fourth"))
        assert set(_models(_next_of(pipeline, "fourth"))) <= {"first", "fourth"}
        wait_until(lambda: all(s.events[-1:] == ["close"] for s in overtaken), "the overtaken ones to be closed")
    assert told == []  # nobody waits for them any more


def test_before_any_is_ready_the_newest_one_still_wins_and_its_failure_is_raised() -> None:
    first, second = Named("first", gate=threading.Event()), Named("second")
    with Pipeline(Numbers(10), first) as pipeline:
        pipeline.use(second)
        assert _models(list(pipeline)) == ["second"] * 10
    broken = Named("broken")
    broken.fails = "no such device"
    with Pipeline(Numbers(10), Named("first", gate=threading.Event())) as pipeline:
        pipeline.use(broken)
        with pytest.raises(EngineError, match="no such device"):
            next(pipeline)


@pytest.mark.parametrize("state", ["opening", "working"])
def test_closing_ends_all_of_them(state: str) -> None:
    first, second = Named("first"), Named("second", gate=threading.Event() if state == "opening" else None)
    with Pipeline(Numbers(1000), first, keep_open=True) as pipeline:
        next(pipeline)
        pipeline.use(second)
        wait_until(lambda: second.events == ["open"], "the second segmenter to be opened")
    assert first.events[-1] == second.events[-1] == "close"
    late = Named("late")
    pipeline.use(late)
    assert late.events == []
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("seg-")]


# -- what the seam is for ----------------------------------------------------------------------------------------------


class Pair:
    """Two models look at each frame."""

    def __init__(self, one: Segmenter, other: Segmenter) -> None:
        self.both = (one, other)
        self.sizes = (*one.sizes, *other.sizes)
        self.wake: Callable[[], None] = lambda: None

    @property
    def slots(self) -> int:
        return min(segmenter.slots for segmenter in self.both)

    @property
    def inference_s(self) -> float:
        return sum(segmenter.inference_s for segmenter in self.both)

    @property
    def report(self) -> EngineReport:
        return self.both[0].report

    def open(self) -> None:
        for segmenter in self.both:
            segmenter.open()
            segmenter.wake = lambda: self.wake()

    def interrupt(self) -> None:
        for segmenter in self.both:
            segmenter.interrupt()

    def submit(self, frame: Frame, pictures: Sequence[ByteArray], *, alone: bool = False) -> None:
        for segmenter, picture in zip(self.both, pictures, strict=True):
            segmenter.submit(frame, [picture])

    def ready(self) -> bool:
        return all(segmenter.ready() for segmenter in self.both)

    def collect(self) -> tuple[ClassMap, ...]:
        return tuple(found for segmenter in self.both for found in segmenter.collect())

    def close(self) -> None:
        for segmenter in self.both:
            segmenter.close()


def test_two_real_models_look_at_each_frame(tmp_path: Path) -> None:
    specs = [
        read_model_file(color_model(tmp_path / f"{size.width}.onnx", size.width, size.height, name=f"w{size.width}"))
        for size in (SMALL, LARGE)
    ]
    pair = Pair(*(EngineSegmenter(spec, lambda spec=spec: load_engine(spec, "onnxruntime")) for spec in specs))
    with Pipeline(open_source(make_clip(tmp_path / "clip.mp4", frames=12)), pair) as pipeline:
        shots = list(pipeline)
    assert len(shots) == 12
    for shot in shots:
        assert [found.model for found in shot.maps] == [spec.sha256 for spec in specs]
        assert [found.ids.shape for found in shot.maps] == [(32, 64), (64, 96)]
        assert all((found.ids == shot.frame.index % 4).all() for found in shot.maps)
        assert shot.labels == specs[0].labels


class Remembering:
    """Answers from memory what was seen before, by the identity of the frame."""

    def __init__(self, inner: Segmenter, memory: dict[FrameId, tuple[ClassMap, ...]]) -> None:
        self.inner, self.memory = inner, memory
        self.sizes, self.slots, self.inference_s = inner.sizes, 1, 0.0
        self.wake: Callable[[], None] = lambda: None
        self.asked = 0
        self._frame: Frame | None = None

    @property
    def report(self) -> EngineReport:
        return self.inner.report

    def open(self) -> None:
        self.inner.open()
        self.inner.wake = lambda: self.wake()

    def interrupt(self) -> None:
        self.inner.interrupt()

    def submit(self, frame: Frame, pictures: Sequence[ByteArray], *, alone: bool = False) -> None:
        self._frame = frame
        if frame.id not in self.memory:
            self.asked += 1
            self.inner.submit(frame, pictures)

    def ready(self) -> bool:
        return self._frame is not None and (self._frame.id in self.memory or self.inner.ready())

    def collect(self) -> tuple[ClassMap, ...]:
        frame, self._frame = self._frame, None
        assert frame is not None
        if frame.id not in self.memory:
            self.memory[frame.id] = self.inner.collect()
        return self.memory[frame.id]

    def close(self) -> None:
        self.inner.close()


def test_a_second_viewing_asks_no_engine(tmp_path: Path, model: Path) -> None:
    spec: ModelSpec = read_model_file(model)
    clip = make_clip(tmp_path / "clip.mp4", frames=20)
    memory: dict[FrameId, tuple[ClassMap, ...]] = {}
    asked = []
    for _viewing in range(2):
        segmenter = Remembering(EngineSegmenter(spec, lambda: load_engine(spec, "openvino")), memory)
        with Pipeline(open_source(clip), segmenter, keep_open=True) as pipeline:
            for index in range(20):
                shot = next(pipeline)
                assert shot.frame.index == index and (shot.classes == index % 4).all()
            pipeline.seek(0.3)
            assert (next(pipeline).classes == int(0.3 * 25 + 1e-6) % 4).all()
        asked.append(segmenter.asked)
    assert asked == [20, 0]


def test_maps_are_plain_values() -> None:
    found = ClassMap(np.zeros((2, 3), np.uint8), DRIVING, "abc")
    assert found.margin is None
    with pytest.raises(AttributeError):
        found.model = "other"  # type: ignore[misc]
