"""Two models on one frame: their order whichever is slower, what is told of both, what one that fails leaves behind."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from seg_viewer.core.errors import EngineError
from seg_viewer.core.model_file import read_model_file
from seg_viewer.engines import load_engine
from seg_viewer.engines.base import EngineReport
from seg_viewer.pipeline import EngineSegmenter, PairSegmenter, Pipeline
from seg_viewer.pipeline.pair import joined_report
from seg_viewer.sources import open_source
from tests.clips import make_clip
from tests.models import color_model
from tests.pipeline.test_pipeline import Echo, Numbers
from tests.pipeline.test_segmenter import LARGE, SMALL, Named
from tests.waiting import wait_until


def _echo(model: Path, **how: object) -> EngineSegmenter:
    spec = read_model_file(model)
    return EngineSegmenter(spec, lambda: Echo(spec, **how))  # type: ignore[arg-type]


@pytest.mark.parametrize(("first_s", "second_s"), [(0.0, 0.004), (0.004, 0.0), (0.002, 0.002)])
@pytest.mark.parametrize(("first_slots", "second_slots"), [(3, 1), (1, 2), (2, 2)])
def test_both_maps_are_of_the_frame_they_come_with(
    model: Path, first_s: float, second_s: float, first_slots: int, second_slots: int
) -> None:
    pair = PairSegmenter(
        _echo(model, delay_s=first_s, slots=first_slots), _echo(model, delay_s=second_s, slots=second_slots)
    )
    with Pipeline(Numbers(60), pair) as pipeline:
        shots = list(pipeline)
        assert pipeline.ledger.snapshot().drops == {}
    assert [shot.frame.index for shot in shots] == list(range(60))
    for shot in shots:
        assert [int(map_.ids[0, 0]) for map_ in shot.maps] == [shot.frame.index] * 2
        assert all((map_.ids == shot.frame.index).all() for map_ in shot.maps)
        assert shot.times_s["inference"] == pytest.approx(first_s + second_s)


def test_it_asks_for_both_sizes_and_gives_each_model_its_own() -> None:
    first, second = Named("first", SMALL), Named("second", LARGE)
    pair = PairSegmenter(first, second)  # `Named` checks the sizes of what it is given
    assert pair.sizes == (SMALL, LARGE)
    with Pipeline(Numbers(8), pair) as pipeline:
        shots = list(pipeline)
    assert [[map_.model for map_ in shot.maps] for shot in shots] == [["first", "second"]] * 8
    assert first.events == second.events == ["open", "close"]


def test_frames_that_are_ready_in_one_model_wait_for_the_other(model: Path) -> None:
    """Real engines, one of which is woken from another thread."""
    specs = [read_model_file(model)] * 2
    pair = PairSegmenter(
        EngineSegmenter(specs[0], lambda: load_engine(specs[0], "openvino")),
        EngineSegmenter(specs[1], lambda: load_engine(specs[1], "onnxruntime")),
        ("one", "other"),
    )
    pair.open()
    try:
        woken = threading.Event()
        pair.wake = woken.set
        assert pair.slots == 1
        report = pair.report
        assert report.name == "openvino + onnxruntime" and " + " in report.version
        frames = list(Numbers(3))
        for frame in frames:
            pictures = [frame.picture.scaled_rgb(size.width, size.height) for size in pair.sizes]
            pair.submit(frame, pictures)
            wait_until(pair.ready, "both models")
            first, second = pair.collect()
            np.testing.assert_array_equal(first.ids, second.ids)
        assert woken.is_set()
    finally:
        pair.close()
        pair.close()


@pytest.mark.parametrize("which", [0, 1])
def test_one_that_cannot_be_opened_leaves_the_present_model_at_work(which: int) -> None:
    alone = Named("alone", delay_s=0.001)
    both = [Named("first"), Named("second")]
    both[which].fails = "no memory"
    told: list[Exception] = []
    with Pipeline(Numbers(4000), alone) as pipeline:
        before = [next(pipeline) for _ in range(3)]
        pipeline.use(PairSegmenter(both[0], both[1], ("small.onnx", "large.onnx")), told.append)
        wait_until(lambda: bool(told), "the reason")
        after = [next(pipeline) for _ in range(20)]
    assert [len(shot.maps) for shot in (*before, *after)] == [1] * 23
    assert ("small.onnx", "large.onnx")[which] in str(told[0]) and "no memory" in str(told[0])
    assert isinstance(told[0], EngineError) and "\n" not in str(told[0])
    for segmenter in both:
        assert segmenter.events.count("open") <= segmenter.events.count("close")  # what was opened is given back


def test_a_pair_takes_over_and_gives_way_again_without_losing_a_frame() -> None:
    with Pipeline(Numbers(150), Named("first", delay_s=0.001)) as pipeline:
        shots = [next(pipeline) for _ in range(5)]
        pipeline.use(PairSegmenter(Named("first"), Named("second", LARGE)))
        while len(shots[-1].maps) == 1:
            shots.append(next(pipeline))
        shots += [next(pipeline) for _ in range(5)]
        pipeline.use(Named("first"))
        shots += list(pipeline)
    assert [shot.frame.index for shot in shots] == list(range(150))
    counts = [len(shot.maps) for shot in shots]
    assert counts[0] == 1 and counts[-1] == 1 and 2 in counts
    for shot in shots:
        assert all((map_.ids == shot.frame.index).all() for map_ in shot.maps)
        assert (shot.disagreement is None) == (len(shot.maps) == 1)


def test_a_pause_shows_the_same_frame_again_with_both_models(tmp_path: Path, model: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", frames=10)
    with Pipeline(open_source(clip), _echo(model), keep_open=True) as pipeline:
        pipeline.pause()
        pipeline.step()
        alone = next(pipeline)
        pipeline.use(PairSegmenter(_echo(model), _echo(model)))
        both = next(pipeline)
        assert both.frame is alone.frame and (len(alone.maps), len(both.maps)) == (1, 2)


def test_stopping_stops_both_that_load() -> None:
    gate = threading.Event()
    first, second = Named("first"), Named("second", gate=gate)
    pipeline = Pipeline(Numbers(10), PairSegmenter(first, second))
    wait_until(lambda: second.events == ["open"], "the second model to load")
    pipeline.close()
    assert first.events[:2] == ["open", "close"] and second.events[-1] == "close"


def test_a_report_says_what_differs_and_what_does_not() -> None:
    first = EngineReport("openvino", "2026.4", "CPU", "int8", note="no cache")
    second = EngineReport("openvino", "2026.4", "CPU", "float32", fallback="fell back to the processor")
    both = joined_report(first, second, ("driving-fast", "mine"))
    assert both == EngineReport(
        "openvino",
        "2026.4",
        "CPU",
        "int8 + float32",
        "driving-fast: no cache",
        "mine: fell back to the processor",
    )
    assert joined_report(first, first, ("a", "b")).line() == first.line()


def test_how_sure_each_model_is_comes_with_its_map(tmp_path: Path, model: Path) -> None:
    sure, plain = read_model_file(color_model(tmp_path / "sure.onnx", margin=True)), read_model_file(model)
    pair = PairSegmenter(*(EngineSegmenter(s, lambda s=s: load_engine(s, "onnxruntime")) for s in (sure, plain)))
    with Pipeline(Numbers(3), pair) as pipeline:
        for shot in pipeline:
            first, second = shot.maps
            assert first.margin is not None and first.margin.shape == first.ids.shape
            assert second.margin is None
