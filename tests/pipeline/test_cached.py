"""A cache before a segmenter: every frame gets its own map, in order, and none is computed twice."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seg_viewer.core.class_map import ClassMap
from seg_viewer.core.errors import EngineError
from seg_viewer.core.frame import ByteArray, Frame, Picture, Size
from seg_viewer.core.labels import DRIVING
from seg_viewer.core.model_file import ModelSpec, read_model_file
from seg_viewer.engines import load_engine
from seg_viewer.engines.base import EngineReport
from seg_viewer.media.rgb_picture import RgbPicture
from seg_viewer.media.scaled_to import Form
from seg_viewer.media.sized_picture import SizedPicture
from seg_viewer.pipeline import EngineSegmenter, Pipeline
from seg_viewer.pipeline.cached import CachedSegmenter, is_cacheable
from seg_viewer.pipeline.map_cache import MapCache, map_key
from seg_viewer.sources import open_source
from seg_viewer.sources.base import SourceInfo
from tests.clips import make_clip

SPEC = ModelSpec(Path("model.onnx"), "scripted", DRIVING, 4, 8, "float32", sha256="scripted")
KEY = map_key(SPEC.sha256, "auto", None)
INFO = SourceInfo("clip", 16, 8, path=Path("clip"), fingerprint="clip", frame_count=40)


class Scripted:
    """Answers with the picture's number; what it is asked is checked against what a segmenter is promised."""

    def __init__(self, slots: int = 3) -> None:
        self.sizes: tuple[Size, ...] = (Size(8, 4),)
        self.most, self.inference_s = slots, 0.5
        self.wake: Callable[[], None] = lambda: None
        self.asked: list[int] = []
        self.events: list[str] = []
        self.is_ready = True
        self.fails = False
        self._flying: list[int] = []

    @property
    def slots(self) -> int:
        assert "open" in self.events
        return self.most

    @property
    def report(self) -> EngineReport:
        assert "open" in self.events
        return EngineReport("scripted", "1", "CPU", "float32")

    def open(self) -> None:
        assert "open" not in self.events
        self.events.append("open")
        if self.fails:
            raise EngineError("scripted: no")

    def interrupt(self) -> None:
        self.events.append("interrupt")

    def submit(self, frame: Frame, pictures: Sequence[ByteArray], *, alone: bool = False) -> None:
        assert "open" in self.events and len(self._flying) < self.most
        self._flying.append(frame.index)
        self.asked.append(frame.index)

    def ready(self) -> bool:
        return bool(self._flying) and self.is_ready

    def collect(self) -> tuple[ClassMap, ...]:
        number = self._flying.pop(0)
        margin = np.full((4, 8), 9, np.uint8)
        return (ClassMap(np.full((4, 8), number % 4, np.uint8), DRIVING, SPEC.sha256, margin),)

    def close(self) -> None:
        self.events.append("close")


def frame_of(index: int, picture: Picture | None = None) -> Frame:
    return Frame(index, index / 25, picture or RgbPicture(np.zeros((8, 16, 3), np.uint8)), pts=index, source="clip")


def run(segmenter: CachedSegmenter, frames: Sequence[Frame]) -> list[ClassMap]:
    """As the pipeline's thread drives it."""
    segmenter.open()
    waiting, flying, found = list(frames), 0, []
    while waiting or flying:
        if waiting and flying < segmenter.slots:
            segmenter.submit(waiting.pop(0), [np.zeros((4, 8, 3), np.uint8)])
            flying += 1
        else:
            assert segmenter.ready()
            (answer,) = segmenter.collect()
            found.append(answer)
            flying -= 1
    return found


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[MapCache]:
    made = MapCache(tmp_path / "maps")
    yield made
    made.close()
    assert made.notes == []


@given(st.lists(st.integers(0, 11), max_size=40), st.sets(st.integers(0, 11)), st.integers(1, 4))
def test_each_frame_gets_its_own_map_in_order_whatever_is_known(played: list[int], known: set[int], slots: int) -> None:
    with TemporaryDirectory() as folder:
        cache = MapCache(Path(folder))
        before = Scripted()
        run(CachedSegmenter(before, cache, SPEC, KEY, INFO), [frame_of(index) for index in sorted(known)])
        cache.flush()
        inner = Scripted(slots)
        segmenter = CachedSegmenter(inner, cache, SPEC, KEY, INFO)
        found = run(segmenter, [frame_of(index) for index in played])
        segmenter.close()
        cache.close()
    assert [int(each.ids[0, 0]) for each in found] == [index % 4 for index in played]
    assert all((each.ids == each.ids[0, 0]).all() and each.model == SPEC.sha256 for each in found)
    assert not set(inner.asked) & known and set(inner.asked) == set(played) - known
    assert (segmenter.known, segmenter.computed) == (len(played) - len(inner.asked), len(inner.asked))
    assert cache.notes == [] and cache.left_out == 0


def test_a_known_frame_waits_for_the_unknown_one_before_it(cache: MapCache) -> None:
    run(CachedSegmenter(Scripted(), cache, SPEC, KEY, INFO), [frame_of(2)])
    inner = Scripted()
    woken: list[int] = []
    segmenter = CachedSegmenter(inner, cache, SPEC, KEY, INFO)
    segmenter.open()
    segmenter.wake = lambda: woken.append(1)
    inner.is_ready = False
    assert not segmenter.ready()
    for index in (1, 2):
        segmenter.submit(frame_of(index), [])
    assert not segmenter.ready()
    inner.is_ready = True
    inner.wake()
    assert woken == [1] and segmenter.ready()
    assert [int(segmenter.collect()[0].ids[0, 0]) for _ in range(2)] == [1, 2]
    assert math.isnan(segmenter.inference_s) and not segmenter.ready()


def test_who_wants_margins_has_them_computed(cache: MapCache) -> None:
    frames = [frame_of(index) for index in range(4)]
    run(CachedSegmenter(Scripted(), cache, SPEC, KEY, INFO), frames)
    inner = Scripted()
    segmenter = CachedSegmenter(inner, cache, SPEC, KEY, INFO)
    assert all(each.margin is None for each in run(segmenter, frames)) and inner.asked == []
    segmenter.wants_margin = True
    segmenter.submit(frames[0], [])
    assert segmenter.collect()[0].margin is not None and inner.asked == [0]


def test_a_picture_in_a_frame_of_another_shape_is_another_picture(cache: MapCache) -> None:
    run(CachedSegmenter(Scripted(), cache, SPEC, KEY, INFO), [frame_of(0)])
    plain = RgbPicture(np.zeros((8, 16, 3), np.uint8))
    inner = Scripted()
    segmenter = CachedSegmenter(inner, cache, SPEC, KEY, INFO)
    smaller, framed = SizedPicture(plain, Form(8, 4)), SizedPicture(plain, Form(16, 16))
    run(segmenter, [frame_of(0, smaller), frame_of(0, framed), frame_of(1, framed)])
    assert inner.asked == [0, 1]  # the framed ones
    cache.flush()
    assert cache.count("clip", KEY) == 1


def test_maps_of_another_size_are_not_taken(cache: MapCache) -> None:
    run(CachedSegmenter(Scripted(), cache, SPEC, KEY, INFO), [frame_of(0)])
    inner = Scripted()
    run(CachedSegmenter(inner, cache, replace(SPEC, height=8), KEY, INFO), [frame_of(0)])
    assert inner.asked == [0]


def test_where_all_is_known_the_engine_is_not_even_opened_until_one_is_missing(cache: MapCache) -> None:
    run(CachedSegmenter(Scripted(), cache, SPEC, KEY, INFO), [frame_of(index) for index in range(40)])
    cache.flush()
    inner = Scripted()
    segmenter = CachedSegmenter(inner, cache, SPEC, KEY, INFO)
    run(segmenter, [frame_of(index) for index in range(40)])
    assert inner.events == [] and "from the cache" in segmenter.report.line()
    assert segmenter.report.name == "scripted" and segmenter.note == "40 class maps from the cache"
    segmenter.submit(frame_of(41), [])
    assert inner.events == ["open"] and segmenter.slots == inner.most
    segmenter.collect()
    assert segmenter.report.line() == inner.report.line()
    assert segmenter.report.notes() == "40 of 41 class maps from the cache"


def test_an_engine_that_cannot_be_opened_says_so_at_once_or_when_it_is_needed(cache: MapCache) -> None:
    inner = Scripted()
    inner.fails = True
    with pytest.raises(EngineError, match="scripted: no"):
        CachedSegmenter(inner, cache, SPEC, KEY, INFO).open()
    run(CachedSegmenter(Scripted(), cache, SPEC, KEY, INFO), [frame_of(index) for index in range(40)])
    cache.flush()
    late = Scripted()
    late.fails = True
    segmenter = CachedSegmenter(late, cache, SPEC, KEY, INFO)
    segmenter.open()
    segmenter.submit(frame_of(3), [])
    segmenter.collect()
    with pytest.raises(EngineError, match="scripted: no"):
        segmenter.submit(frame_of(41), [])
    segmenter.interrupt()
    segmenter.close()
    assert late.events == ["open", "interrupt", "close"]


@pytest.mark.parametrize(
    ("info", "kept"),
    [(INFO, True), (replace(INFO, live=True), False), (replace(INFO, path=None), False),
     (replace(INFO, fingerprint=""), False)],
)  # fmt: skip
def test_only_what_can_be_opened_again_is_kept(info: SourceInfo, kept: bool) -> None:
    assert is_cacheable(info) is kept


def test_seeking_stepping_and_a_second_viewing_ask_no_engine(tmp_path: Path, model: Path) -> None:
    spec = read_model_file(model)
    clip = make_clip(tmp_path / "clip.mp4", frames=20)
    computed = []
    for viewing in range(2):
        cache = MapCache(tmp_path / "maps")
        source = open_source(clip)
        inner = EngineSegmenter(spec, lambda: load_engine(spec, "openvino"))
        segmenter = CachedSegmenter(inner, cache, spec, map_key(spec.sha256, "auto", None), source.info)
        with Pipeline(source, segmenter, keep_open=True) as pipeline:
            shots = [next(pipeline) for _ in range(20)]
            if viewing == 0:
                cache.flush()
            pipeline.pause()
            pipeline.seek(0.3)
            shots.append(next(pipeline))
            pipeline.step_back()
            shots.append(next(pipeline))
        computed.append(segmenter.computed)
        cache.close()
        assert [shot.frame.index for shot in shots] == [*range(20), 7, 6]
        assert all((shot.classes == shot.frame.index % 4).all() for shot in shots)
        assert cache.notes == []
    assert computed == [20, 0]


def test_two_streams_of_one_file_are_two_sources(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", frames=3)
    plain, first = open_source(clip), open_source(clip, 1)
    assert plain.info.fingerprint != first.info.fingerprint
    for source in (plain, first):
        assert next(iter(source)).source == source.info.fingerprint
        source.close()
