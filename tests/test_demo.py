"""The clip that ships and its ground truth."""

from __future__ import annotations

import av
import numpy as np
import pytest

from seg_viewer.core.assets import asset_path, shipped_models
from seg_viewer.core.labels import DRIVING
from seg_viewer.engines import load_engine
from seg_viewer.jobs.doctor import golden_classes, golden_frame
from seg_viewer.jobs.options import RunOptions
from seg_viewer.sources import open_source


def test_the_clip_is_what_was_promised() -> None:
    source = open_source("demo")
    frames = list(source)
    assert (source.info.width, source.info.height) == (1280, 720)
    assert source.info.duration_s is not None and source.info.duration_s >= 8
    assert asset_path("demo", "street.mp4").stat().st_size <= 6_000_000
    with av.open(str(asset_path("demo", "street_truth.mkv"))) as container:
        truths = [frame.to_ndarray() for frame in container.decode(video=0)]
    assert len(truths) == len(frames)
    seen = np.bincount(np.concatenate([t[::8, ::8].ravel() for t in truths]), minlength=4)
    assert len(seen) == len(DRIVING) and (seen > 0).all()


def test_the_model_finds_road_cars_and_people_in_it() -> None:
    """Intersection over union on every tenth frame against the ground truth; floors far below what was measured."""
    options = RunOptions()
    engine = options.load(options.read_spec())
    spec = engine.spec
    rows = (np.arange(spec.height) + 0.5) * 720 / spec.height
    columns = (np.arange(spec.width) + 0.5) * 1280 / spec.width
    both, either = np.zeros(4), np.zeros(4)
    with av.open(str(asset_path("demo", "street_truth.mkv"))) as container:
        for frame, truth_frame in zip(open_source("demo"), container.decode(video=0), strict=True):
            if frame.index % 10:
                continue
            truth = truth_frame.to_ndarray()[np.ix_(rows.astype(int), columns.astype(int))]
            found = engine.segment(frame.picture.scaled_rgb(spec.width, spec.height))
            for label in DRIVING:
                both[label.id] += np.sum((truth == label.id) & (found == label.id))
                either[label.id] += np.sum((truth == label.id) | (found == label.id))
    engine.close()
    iou = dict(zip(DRIVING.names, both / either, strict=True))
    assert iou["road"] > 0.8 and iou["car"] > 0.6 and iou["person"] > 0.15, iou


@pytest.mark.parametrize("name", [path.stem for path in shipped_models()])
def test_every_engine_gives_the_golden_answer(name: str) -> None:
    spec = RunOptions(name).read_spec()
    golden = golden_classes(spec)
    assert golden is not None and golden[1] == "stored answer of ONNX Runtime"
    assert len(np.unique(golden[0])) == len(DRIVING)
    for runtime in ("openvino", "onnxruntime"):
        engine = load_engine(spec, runtime)
        assert np.mean(engine.segment(golden_frame(spec)) == golden[0]) > 0.985
        engine.close()
