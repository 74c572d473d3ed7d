"""On the way to a place, pictures that no other needs are not decoded; what is shown there is exactly the same."""

from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from seg_viewer.core.frame import Frame
from seg_viewer.sources import VideoFile
from tests.clips import make_clip

from .seen import played_through, seen_of

FRAMES, RATE = 150, 25
_X265 = "log-level=none:keyint=120:min-keyint=120:scenecut=0"
KINDS = {
    "B frames that others need": ("libx264", ".mp4", {"bf": "3", "x264-params": "b-pyramid=normal:ref=4"}),
    "none that others need": ("libx264", ".mkv", {"bf": "2", "x264-params": "b-pyramid=none:weightp=2"}),
    "no B frames": ("libx264", ".mp4", {"bf": "0"}),
    "open groups": ("libx264", ".mp4", {"bf": "3", "x264-params": "open-gop=1"}),
    "refresh without key frames": ("libx264", ".mp4", {"x264-params": "intra-refresh=1:bframes=0"}),
    "transport stream": ("libx264", ".ts", {"bf": "3"}),
    "H.265": ("libx265", ".mp4", {"x265-params": f"{_X265}:bframes=4:b-pyramid=1"}),
    "H.265 in layers": ("libx265", ".mkv", {"x265-params": f"{_X265}:bframes=4:temporal-layers=3"}),
    "MPEG-4": ("mpeg4", ".avi", {"bf": "2"}),
}


def _drift(index: int, width: int, height: int) -> np.ndarray:
    """Noise that moves, so that each picture leans on others and is like none of them."""
    noise = np.random.default_rng(3).integers(0, 255, (height // 8 + 40, width // 8 + 40, 3), np.uint8)
    whole = noise.repeat(8, 0).repeat(8, 1)
    x, y = index * 3 % 300, index * 2 % 300
    return np.ascontiguousarray(whole[y : y + height, x : x + width])


def _clip(path: Path, kind: str, **more: object) -> Path:
    codec, suffix, options = KINDS[kind]
    groups = {"g": "120", "keyint_min": "120", "sc_threshold": "0", **options}
    return make_clip(
        path.with_suffix(suffix), codec=codec, frames=FRAMES, rate=RATE, options=groups, picture=_drift,
        **more,  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.fixture
def source(request: pytest.FixtureRequest) -> Iterator[VideoFile]:
    made = VideoFile(request.getfixturevalue("path"))
    made.keep(200 << 20)
    next(iter(made))
    yield made
    made.close()


@pytest.fixture(params=KINDS)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return _clip(tmp_path / "clip", request.param)


def test_jumps_and_steps_show_what_playing_shows(path: Path, source: VideoFile) -> None:
    """All of them, in any order: far and near, there and back, and what is played from there on."""
    played, times_s = played_through(path)
    rng = random.Random(7)
    at = 0
    frame: Frame | None = next(iter(source))
    for turn in range(20):
        if turn % 3 == 2 and frame is not None:
            count = rng.choice((-30, -9, -1, 1, 5, 40))
            source.step(frame, count)
            at = min(max(0, at + count), len(played) - 1)
        else:
            at = rng.randrange(len(played)) if turn % 2 else min(len(played) - 1, at + 60)
            source.seek(times_s[at] + 0.3 / RATE)
            source.prepare()
        frames = iter(source)
        for place in range(at, min(at + 3, len(played))):
            frame = next(frames)
            assert seen_of(frame) == played[place], f"turn {turn}: frame {place}"
            at = place
    assert source.warnings == []


def test_frames_that_none_needs_are_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the decoder gives on the way to a far place is less than half of what lies there."""
    path = _clip(tmp_path / "clip", "none that others need")
    source = VideoFile(path)
    decoded = 0
    decode = source._head.reader.decode

    def counting(packet: av.Packet) -> list[av.VideoFrame] | None:  # type: ignore[type-arg]
        nonlocal decoded
        frames = decode(packet)
        decoded += len(frames or ())
        return frames

    monkeypatch.setattr(source._head.reader, "decode", counting)
    source.seek(115 / RATE)
    frame = next(iter(source))
    assert round(frame.time_s * RATE) == 115
    assert decoded < 70
    source.close()


def test_a_frame_that_stays_for_long_is_found(tmp_path: Path) -> None:
    """Though it is one that no other needs, and far before the place."""
    pts = [*range(50), *range(500, 600)]
    pts_ms = [40 * each for each in pts]
    path = _clip(tmp_path / "clip", "none that others need", pts=pts_ms, time_base=Fraction(1, 1000))
    played, _ = played_through(path)
    for jump in (15.0, 19.9, 3.0):
        source = VideoFile(path)
        source.keep(200 << 20)
        next(iter(source))
        source.seek(jump)
        assert seen_of(next(iter(source))) == played[49]
        source.close()


def test_damage_on_the_way_is_told_once_and_shows_what_playing_shows(tmp_path: Path) -> None:
    path = _clip(tmp_path / "clip", "B frames that others need")
    data = bytearray(path.read_bytes())
    for place in range(len(data) // 4, len(data) // 3):
        data[place] = 0x5A
    path.write_bytes(bytes(data))
    played, times_s = played_through(path)
    source = VideoFile(path)
    source.keep(200 << 20)
    next(iter(source))
    assert len(played) > 100
    for at in (90, 60, 97, 20, 80):
        source.seek(times_s[at] + 0.3 / RATE)
        assert seen_of(next(iter(source))) == played[at]
    source.close()


def test_reading_on_leaves_no_false_count(tmp_path: Path) -> None:
    """Frames that were passed over are not said to be missing at the end."""
    path = _clip(tmp_path / "clip", "B frames that others need")
    source = VideoFile(path)
    source.keep(200 << 20)
    next(iter(source))
    source.seek(100 / RATE)  # no key frame lies between
    frames = list(source)
    assert [round(frame.time_s * RATE) for frame in frames] == list(range(100, FRAMES))
    assert [frame.index for frame in frames] == list(range(100, FRAMES))
    assert source.warnings == []
    source.close()


def test_steps_right_after_a_jump_find_their_frames(tmp_path: Path) -> None:
    """To a key frame, before which nothing is kept: the few frames before it come without the whole group."""
    path = _clip(tmp_path / "clip", "none that others need")
    played, _ = played_through(path)
    source = VideoFile(path)
    source.keep(200 << 20)
    next(iter(source))
    source.seek(120 / RATE)
    frame = next(iter(source))
    for back in range(1, 25):
        source.step(frame, -1)
        frame = next(iter(source))
        assert seen_of(frame) == played[120 - back]
        assert frame.index == 120 - back
    source.close()
