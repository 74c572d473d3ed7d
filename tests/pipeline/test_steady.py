"""Calm class maps between a segmenter and a pipeline: frames in flight, jumps, steps back, two models, a cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from seg_viewer.core.class_map import ClassMap
from seg_viewer.core.frame import ByteArray, Frame, Size
from seg_viewer.core.labels import DRIVING
from seg_viewer.core.steady import CONFIRMED
from seg_viewer.engines.base import EngineReport
from seg_viewer.media.rgb_picture import RgbPicture
from seg_viewer.pipeline import PairSegmenter, Pipeline, Segmenter
from seg_viewer.pipeline.cached import CachedSegmenter
from seg_viewer.pipeline.map_cache import MapCache, map_key
from seg_viewer.pipeline.segmenter import TakesTurns
from seg_viewer.pipeline.steady import REMEMBERED, SteadySegmenter
from seg_viewer.sources.base import SourceInfo
from tests.pipeline.test_cached import SPEC

SIZE = Size(8, 4)
INFO = SourceInfo("clip", 16, 8, rate=25.0, duration_s=4.0, path=Path("clip"), fingerprint="clip", frame_count=100)
FLICKER = [1 if number % 3 == 1 else 0 for number in range(60)] + [2] * 40
"""Class of the whole picture in each frame: flickers, then becomes another one."""
CALM = [0] * (60 + CONFIRMED - 1) + [2] * (40 - CONFIRMED + 1)


class Answers:
    """Answers with the class that a list has for the frame's number; margin is the number."""

    def __init__(self, classes: Sequence[int] = FLICKER, slots: int = 3, model: str = SPEC.sha256) -> None:
        self.classes, self.slots, self.model = classes, slots, model
        self.sizes: tuple[Size, ...] = (SIZE,)
        self.inference_s = 0.25
        self.report = EngineReport("answers", "1", "CPU", "uint8")
        self.wake: Callable[[], None] = lambda: None
        self.events: list[str] = []
        self._flying: list[int] = []

    def open(self) -> None:
        self.events.append("open")

    def interrupt(self) -> None:
        self.events.append("interrupt")

    def submit(self, frame: Frame, pictures: Sequence[ByteArray], *, alone: bool = False) -> None:
        assert pictures[0].shape == (SIZE.height, SIZE.width, 3)
        self._flying.append(frame.index)
        assert len(self._flying) <= self.slots

    def ready(self) -> bool:
        return bool(self._flying)

    def collect(self) -> tuple[ClassMap, ...]:
        number = self._flying.pop(0)
        shape = (SIZE.height, SIZE.width)
        margin = np.full(shape, number, np.uint8)
        return (ClassMap(np.full(shape, self.classes[number], np.uint8), DRIVING, self.model, margin),)

    def close(self) -> None:
        self.events.append("close")


class Still:
    """A source of 25 frames a second whose picture stands still."""

    def __init__(self, count: int = 100) -> None:
        self.info, self.warnings = INFO, list[str]()
        self._count, self._at = count, 0

    def __iter__(self):
        while self._at < self._count:
            self._at += 1
            yield frame_of(self._at - 1)

    def seek(self, time_s: float) -> None:
        self._at = round(time_s * 25)

    def close(self) -> None: ...


def frame_of(index: int, grey: int = 90) -> Frame:
    return Frame(index, index / 25, RgbPicture(np.full((8, 16, 3), grey, np.uint8)), pts=index, source="clip")


def asked(segmenter: Segmenter, index: int, grey: int = 90) -> list[int]:
    """Class of the picture by each model, for one frame alone."""
    frame = frame_of(index, grey)
    segmenter.submit(frame, [frame.picture.scaled_rgb(*size) for size in segmenter.sizes])
    return [int(map_.ids[0, 0]) for map_ in segmenter.collect()]


@pytest.mark.parametrize("slots", [1, 2, 3])
def test_frames_in_flight_come_calm_and_in_order(slots: int) -> None:
    inner = Answers(slots=slots)
    with Pipeline(Still(), SteadySegmenter(inner)) as pipeline:
        shots = list(pipeline)
        assert pipeline.engine_report == inner.report
    assert [shot.frame.index for shot in shots] == list(range(100))
    assert [int(shot.classes[0, 0]) for shot in shots] == CALM
    assert all((shot.classes == shot.classes[0, 0]).all() for shot in shots)
    assert [int(shot.maps[0].margin[0, 0]) for shot in shots] == list(range(100))  # type: ignore[index]
    assert {shot.times_s["inference"] for shot in shots} == {0.25}
    assert inner.events == ["open", "interrupt", "close"]


def test_switched_off_it_hands_on_what_the_model_says() -> None:
    segmenter = SteadySegmenter(Answers(), on=False)
    assert [asked(segmenter, index) for index in range(100)] == [[one] for one in FLICKER]
    segmenter.is_on = True
    assert asked(segmenter, 1) == [1]  # it begins with what the model says
    assert [asked(segmenter, index) for index in (2, 3)] == [[1], [1]]


def test_after_a_jump_it_begins_anew() -> None:
    segmenter = SteadySegmenter(Answers([0, 0, 0, 0, *[1] * 96]))
    assert [asked(segmenter, index) for index in (0, 1, 2, 3, 4)] == [[0]] * 5
    assert asked(segmenter, 60) == [1]


def test_a_step_back_shows_what_was_shown_and_goes_on_from_there() -> None:
    segmenter = SteadySegmenter(Answers())
    first = [asked(segmenter, index) for index in range(64)]
    assert [asked(segmenter, index) for index in range(63, 63 - REMEMBERED, -1)] == first[: -REMEMBERED - 1 : -1]
    at = 64 - REMEMBERED
    assert [asked(segmenter, index) for index in range(at, 100)] == [[one] for one in CALM[at:]]


def test_another_picture_under_the_same_number_is_no_step_back() -> None:
    segmenter = SteadySegmenter(Answers())
    assert [asked(segmenter, index) for index in (0, 1)] == [[0], [0]]
    assert asked(segmenter, 1, grey=200) == [1]


def test_far_from_what_it_remembers_it_begins_anew() -> None:
    segmenter = SteadySegmenter(Answers())
    for index in range(64):
        asked(segmenter, index)
    assert asked(segmenter, 1) == [1]


def test_each_part_begins_anew_whatever_came_before() -> None:
    def part_of(frame: Frame) -> int:
        return frame.index // 10

    whole = SteadySegmenter(Answers(), part_of=part_of)
    made = [asked(whole, index) for index in range(100)]
    assert made[10] == [FLICKER[10]] == [1] and made[9] == [0]
    for first in (10, 50, 60, 90):
        alone = SteadySegmenter(Answers(), part_of=part_of)
        assert [asked(alone, index) for index in range(first, 100)] == made[first:]


def test_each_model_of_a_pair_is_calm_by_itself() -> None:
    other = [3] * 100
    other[30] = 1
    pair = PairSegmenter(Answers(), Answers(other, slots=2, model="other"))
    with Pipeline(Still(), SteadySegmenter(pair)) as pipeline:
        shots = list(pipeline)
    assert [[int(map_.ids[0, 0]) for map_ in shot.maps] for shot in shots] == [[one, 3] for one in CALM]
    assert {tuple(map_.model for map_ in shot.maps) for shot in shots} == {(SPEC.sha256, "other")}


def test_the_cache_keeps_what_the_model_says(tmp_path: Path) -> None:
    cache = MapCache(tmp_path)
    key = map_key(SPEC.sha256, "auto", None)
    cached = CachedSegmenter(Answers(), cache, SPEC, key, INFO)
    with Pipeline(Still(), SteadySegmenter(cached)) as pipeline:
        assert [int(shot.classes[0, 0]) for shot in pipeline] == CALM
    assert [int(cache.get(frame_of(index).id, key)[0, 0]) for index in range(100)] == FLICKER  # type: ignore[index]
    again = CachedSegmenter(Answers(), cache, SPEC, key, INFO)
    with Pipeline(Still(), SteadySegmenter(again)) as pipeline:
        assert [int(shot.classes[0, 0]) for shot in pipeline] == CALM
    assert again.known == 100
    cache.close()


def test_it_waits_for_its_turn_where_an_engine_is_shared() -> None:
    class InTurn(Answers):
        may = False

        def may_submit(self) -> bool:
            return self.may

    inner = InTurn()
    segmenter = SteadySegmenter(inner)
    assert isinstance(segmenter, TakesTurns) and not segmenter.may_submit()
    inner.may = True
    assert segmenter.may_submit() and SteadySegmenter(Answers()).may_submit()


def test_it_is_woken_and_let_go() -> None:
    inner, woken = Answers(), []
    segmenter = SteadySegmenter(inner)
    segmenter.open()
    segmenter.wake = lambda: woken.append(1)
    inner.wake()
    assert woken == [1]
    segmenter.close()
    inner.wake()
    assert woken == [1] and inner.events == ["open", "close"]
