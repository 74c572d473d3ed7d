"""Segments are one stream whatever codec they are in, and whatever picture a later one begins with."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from seg_viewer.core.frame import Frame, Shot
from seg_viewer.core.labels import DRIVING
from seg_viewer.media import segments
from seg_viewer.media.codecs import CONTAINERS, VideoChoice
from seg_viewer.media.rgb_picture import RgbPicture
from seg_viewer.sinks.base import SinkRequest
from seg_viewer.sinks.segmented import SegmentedVideo

PAIRS = [(codec, container) for container, held in CONTAINERS.items() for codec in held]


@pytest.mark.parametrize(("codec", "container"), PAIRS)
def test_a_size_that_changes_between_segments(
    codec: str, container: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "SEGMENT_S", 0.4)
    out = tmp_path / f"out.{container}"
    request = SinkRequest(out, DRIVING, rate=25.0, video=VideoChoice(codec, "fast"))
    with SegmentedVideo(request, lambda shot: shot.frame.picture.yuv420()) as sink:
        for number in range(30):
            height, width = (48, 64) if number < 15 else (96, 128)
            grey = np.full((height, width, 3), 8 * number, np.uint8)
            sink.write(Shot(Frame(number, number / 25, RgbPicture(grey)), ()))
    with av.open(str(out)) as video:
        frames = list(video.decode(video=0))
    assert [(frame.width, frame.height) for frame in frames] == [(64, 48)] * 30
    for number, frame in enumerate(frames):
        assert np.abs(frame.to_ndarray(format="rgb24").astype(int) - 8 * number).max() <= 12, number


def test_class_ids_of_another_size_stay_ids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "SEGMENT_S", 0.4)
    ids = np.random.default_rng(3).integers(0, 2, (96, 128), dtype=np.uint8) * 3

    def picture(shot: Shot) -> av.VideoFrame:
        sides = (48, 64) if shot.frame.index < 15 else (96, 128)
        return av.VideoFrame.from_ndarray(np.ascontiguousarray(ids[: sides[0], : sides[1]]), format="gray")

    out = tmp_path / "out.mkv"
    with SegmentedVideo(SinkRequest(out, DRIVING, rate=25.0), picture, choice=VideoChoice("ffv1")) as sink:
        for number in range(30):
            grey = np.zeros((48, 64, 3), np.uint8)
            sink.write(Shot(Frame(number, number / 25, RgbPicture(grey)), ()))
    with av.open(str(out)) as video:
        frames = [frame.to_ndarray() for frame in video.decode(video=0)]
    assert [frame.shape for frame in frames] == [(48, 64)] * 30
    assert set(np.unique(np.stack(frames))) == {0, 3}
    np.testing.assert_array_equal(frames[0], ids[:48, :64])
