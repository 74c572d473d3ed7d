"""Interlaced video: a picture without combs for each frame, at its time; what only says so stays as it is."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from seg_viewer.media.av_picture import plane_rows
from seg_viewer.media.deinterlacing import deinterlaced, has_combs
from seg_viewer.media.filters import FilterChain
from seg_viewer.media.video_reader import VideoReader
from seg_viewer.sources import VideoFile
from tests.films import Pixels, film, yuv_frame

COUNT = 12
TOP, BOTTOM, PROGRESSIVE = 2, 3, 1
TOLD = "says that it is interlaced; pictures that show combs are made whole (bwdif)"


def _moment(index: int, width: int, height: int) -> Pixels:
    """Luma at half-frame `index`: a smooth background with a bright box that moves by 3 pixels."""
    luma = np.tile(np.linspace(40, 90, width), (height, 1))
    left = 4 + 3 * index % max(1, width - 20)
    luma[height // 4 : height - height // 4, left : left + 14] = 210
    return luma.astype(np.uint8)


def _frames(width: int, height: int, order: int, pix_fmt: str = "yuv420p") -> list[av.VideoFrame]:
    made = []
    for index in range(COUNT):
        first, second = _moment(2 * index, width, height), _moment(2 * index + 1, width, height)
        luma = first.copy()
        if order != PROGRESSIVE:
            luma = second.copy()
            luma[0 if order == TOP else 1 :: 2] = first[0 if order == TOP else 1 :: 2]
        half = np.full((height // (2 if "420" in pix_fmt else 1), (width + 1) // 2), 128, np.uint8)
        if "420" in pix_fmt:
            half = np.full(((height + 1) // 2, (width + 1) // 2), 128, np.uint8)
        planes: list[Pixels] = [luma, half, half]
        if "10le" in pix_fmt:
            planes = [plane.astype(np.uint16) * 4 for plane in planes]
        frame = yuv_frame(planes, pix_fmt)
        frame.pts, frame.time_base, frame.duration = index * 7 + index % 3, 1, 7
        made.append(frame)
    return made


def _flagged(frames: list[av.VideoFrame], said: str) -> list[av.VideoFrame]:
    """Frames that say "tff" or "bff" of themselves; the encoder believes them rather than its options."""
    chain = FilterChain(frames[0], [("setfield", {"mode": said})])
    return [made for frame in frames for _, made in chain.push(frame)]


def _made_whole(frames: list[av.VideoFrame], order: int) -> list[tuple[av.VideoFrame, bool]]:
    made = list(deinterlaced(iter(enumerate(frames)), lambda item: item[1], order))
    assert [item for item, _, _ in made] == list(enumerate(frames))
    return [(frame, changed) for _, frame, changed in made]


def _luma(frame: av.VideoFrame) -> Pixels:
    frame = frame.reformat(format="yuv420p")
    return plane_rows(frame.planes[0])[: frame.height, : frame.width]


def _coded(path: Path, order: int, said: str, pix_fmt: str = "yuv420p") -> Path:
    options = {"x264-params": f"{said}=1:keyint=5:qp=8", "profile": "high10" if "10" in pix_fmt else "high"}
    return film(path, _flagged(_frames(96, 64, order, pix_fmt), said), options=options)


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv420p10le"])
@pytest.mark.parametrize(("order", "said"), [(TOP, "tff"), (BOTTOM, "bff")], ids=["top", "bottom"])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_each_picture_is_made_whole_at_its_own_time(
    tmp_path: Path, suffix: str, order: int, said: str, pix_fmt: str
) -> None:
    path = _coded(tmp_path / f"a{suffix}", order, said, pix_fmt)
    with av.open(str(path)) as container:
        stored = list(container.decode(video=0))
    assert all(frame.interlaced_frame for frame in stored) and has_combs(stored[5])
    reader = VideoReader(path)
    frames = list(reader.frames())
    assert [(f.pts, f.time_base, f.duration) for f in frames] == [(f.pts, f.time_base, f.duration) for f in stored]
    assert reader.notes == [f"a{suffix}: {TOLD}"]
    for index, (frame, combed) in enumerate(zip(frames, stored, strict=True)):
        assert not has_combs(frame) and frame.format.name == pix_fmt
        first = _moment(2 * index, 96, 64).astype(int)
        assert np.abs(_luma(frame) - first).mean() < 0.6 * np.abs(_luma(combed) - first).mean()


@pytest.mark.parametrize("said", ["tff", "bff"])
def test_what_only_says_that_it_is_interlaced_stays_as_it_is(tmp_path: Path, said: str) -> None:
    path = _coded(tmp_path / "a.mp4", PROGRESSIVE, said)
    with av.open(str(path)) as container:
        stored = [_luma(frame) for frame in container.decode(video=0)]
    reader = VideoReader(path)
    assert all(np.array_equal(_luma(a), b) for a, b in zip(reader.frames(), stored, strict=True))
    assert reader.notes == [f"a.mp4: {TOLD}"]


def test_after_a_jump_the_same_pictures_come(tmp_path: Path) -> None:
    source = VideoFile(_coded(tmp_path / "a.mp4", TOP, "tff"))
    played = {frame.id: frame.picture.yuv420().y for frame in source}
    times = [frame.time_s for frame in source]
    assert len(played) == COUNT and len(source.warnings) == 1
    for place in (COUNT - 1, 5, 4, 10, 0, 6):
        source.seek(times[place])
        frames = [frame for _, frame in zip(range(3), source, strict=False)]
        assert frames[0].time_s == times[place]
        for frame in frames:
            assert np.array_equal(frame.picture.yuv420().y, played[frame.id])
    source.close()


@pytest.mark.parametrize("order", [TOP, BOTTOM])
@pytest.mark.parametrize("size", [(65, 47), (64, 49), (3, 4), (2, 2), (17, 5)], ids=str)
def test_any_size_by_the_word_of_the_stream_alone(size: tuple[int, int], order: int) -> None:
    frames = _frames(*size, order)
    made = _made_whole(frames, order)
    assert [frame.pts for frame, _ in made] == [frame.pts for frame in frames]
    assert all((frame.width, frame.height) == size for frame, _ in made)
    if size[0] > 60:
        assert sum(changed for _, changed in made) >= COUNT - 2
        assert not any(has_combs(frame) for frame, _ in made)


def test_nothing_is_done_to_what_does_not_say_so() -> None:
    frames = _frames(64, 48, TOP)
    assert [frame for frame, changed in _made_whole(frames, 0) if not changed] == frames


def test_a_change_of_size_midway_loses_no_picture() -> None:
    frames = _frames(64, 48, TOP)[:5] + _frames(96, 64, TOP)[:4] + _frames(64, 48, TOP, "yuv422p")[:3]
    made = _made_whole(frames, TOP)
    assert [(f.width, f.format.name) for f, _ in made] == [(f.width, f.format.name) for f in frames]
    assert [f.pts for f, _ in made] == [f.pts for f in frames]
