"""A picture is known again by its source and pts, however it was reached; its number never repeats."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seg_viewer.core.frame import Frame, FrameId
from seg_viewer.media.rgb_picture import RgbPicture
from seg_viewer.sources import Source, open_source
from seg_viewer.sources.camera import Camera, parse_camera
from tests.cameras import DEVICE, ScriptedCapture
from tests.clips import make_clip, solid
from tests.servers.http_video import HttpVideo

TENTHS = Fraction(1, 1000)
VARIABLE = [0, 20, 60, 80, 90, 200, 281, 360, 480, 500, 501, 510, 900, 1400, 1410, 1500, 1501, 1502, 1900, 2000]


def _plain(path: Path) -> Path:
    return make_clip(path / "plain.mp4", frames=60, options={"g": "12", "bf": "2"})


def _variable(path: Path) -> Path:
    return make_clip(
        path / "variable.mkv",
        frames=len(VARIABLE),
        pts=VARIABLE,
        time_base=TENTHS,
        options={"g": "5", "bf": "0"},
    )


def _late_start(path: Path) -> Path:
    pts = [3600_000 + 40 * index for index in range(30)]
    return make_clip(path / "late.ts", frames=30, pts=pts, time_base=TENTHS, options={"g": "10"})


def _gif(path: Path) -> Path:
    return make_clip(path / "steps.gif", frames=6, codec="gif", pix_fmt="rgb8", rate=5)


def _repeated_times(path: Path) -> Path:
    """Two packets of each time, as broken muxers write them."""
    plain = make_clip(path / "once.mp4", frames=20, options={"bf": "0", "g": "5"})
    with av.open(str(plain)) as source, av.open(str(path / "twice.mkv"), "w") as out:
        stream = out.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.pts = packet.dts // 1024 * 1024 + 1024
                packet.stream = stream
                out.mux(packet)
    return path / "twice.mkv"


def _folder(path: Path) -> Path:
    folder = path / "pictures"
    folder.mkdir()
    for index in range(12):
        cv2.imwrite(str(folder / f"{index}.png"), solid(index, 32, 16))
    return folder


KINDS: list[Callable[[Path], Path]] = [_plain, _variable, _late_start, _gif, _folder]


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__.strip("_"))
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return request.param(tmp_path)


def _frames(source: Source) -> list[Frame]:
    return list(source)


def test_no_number_and_no_identity_repeats(file: Path) -> None:
    source = open_source(file)
    frames = _frames(source)
    assert [frame.index for frame in frames] == list(range(len(frames))) and len(frames) > 5
    assert len({frame.id for frame in frames}) == len(frames)
    assert {frame.id.source for frame in frames} == {source.info.fingerprint} != {""}
    assert all(later.id.pts > earlier.id.pts for earlier, later in pairwise(frames))
    source.close()


def test_times_that_repeat_in_the_file_still_give_every_picture_an_identity(tmp_path: Path) -> None:
    source = open_source(_repeated_times(tmp_path))
    frames = _frames(source)
    assert len(frames) == 20
    assert [frame.index for frame in frames] == list(range(20)) and len({frame.id for frame in frames}) == 20
    source.close()


def test_pts_and_time_base_are_the_time(file: Path) -> None:
    source = open_source(file)
    unit = source.info.time_base
    assert unit is not None
    frames = _frames(source)
    start = frames[0].id.pts * unit
    for frame in frames:
        assert float(frame.id.pts * unit - start) == pytest.approx(frame.time_s - frames[0].time_s, abs=1e-6)
    source.close()


def test_the_same_picture_is_known_again_after_a_jump_and_in_another_session(file: Path) -> None:
    first = open_source(file)
    played = _frames(first)
    first.close()
    second = open_source(file)  # nothing was counted here: jumps come first
    for place in (len(played) - 1, len(played) // 2, 0, len(played) // 3):
        second.seek(played[place].time_s)
        for expected, found in zip(played[place:], islice(second, 4), strict=False):
            assert found.id == expected.id
            assert np.array_equal(found.picture.rgb(), expected.picture.rgb())
    second.close()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(jumps=st.lists(st.tuples(st.integers(0, 19), st.integers(1, 6)), min_size=1, max_size=8))
def test_after_any_jumps_what_was_played_once_keeps_its_number(tmp_path_factory, jumps: list[tuple[int, int]]) -> None:
    path = tmp_path_factory.getbasetemp() / "variable-shared"
    path.mkdir(exist_ok=True)
    clip = path / "variable.mkv"
    if not clip.exists():
        _variable(path)
    source = open_source(clip)
    numbers = {frame.id: frame.index for frame in source}
    for place, count in jumps:
        source.seek(VARIABLE[place] / 1000)
        for frame in islice(source, count):
            assert frame.index == numbers[frame.id]
    source.close()


def test_beyond_what_was_played_numbers_go_on_one_by_one(tmp_path: Path) -> None:
    source = open_source(_variable(tmp_path))
    list(islice(source, 3))
    source.seek(1.5)
    numbers = [frame.index for frame in source]
    assert numbers == list(range(numbers[0], numbers[0] + 5)) and numbers[0] >= 3
    source.close()


def test_a_file_is_another_once_it_was_changed_or_copied(tmp_path: Path) -> None:
    clip = _plain(tmp_path)

    def fingerprint(path: Path) -> str:
        source = open_source(path)
        source.close()
        return source.info.fingerprint

    before = fingerprint(clip)
    assert fingerprint(clip) == before
    os.utime(clip, ns=(1, 1))
    touched = fingerprint(clip)
    clip.write_bytes(clip.read_bytes() + b"\0" * 8)
    os.utime(clip, ns=(1, 1))
    longer = fingerprint(clip)
    shutil.copy2(clip, tmp_path / "copy.mp4")
    assert len({before, touched, longer, fingerprint(tmp_path / "copy.mp4")}) == 4


def test_a_picture_changed_within_a_folder_makes_it_another(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    before = open_source(folder).info.fingerprint
    cv2.imwrite(str(folder / "3.png"), solid(1, 40, 20))
    assert open_source(folder).info.fingerprint != before


def test_what_is_live_is_never_seen_twice(tmp_path: Path) -> None:
    def camera() -> Camera:
        capture = ScriptedCapture(["ok"] * 6)
        return Camera(parse_camera("camera:0"), open_capture=lambda *_: capture, devices=lambda: [DEVICE])

    sources = [camera(), camera()]
    frames = [list(islice(source, 4)) for source in sources]
    with HttpVideo(tmp_path, size=(64, 48), rate=25) as server:
        for _ in range(2):
            source = open_source(server.url())
            frames.append(list(islice(source, 4)))
            sources.append(source)
            source.close()
    assert len({source.info.fingerprint for source in sources}) == 4
    ids = [frame.id for seen in frames for frame in seen]
    assert len(ids) == len(set(ids)) == 16
    for source in sources:
        source.close()


def test_without_a_pts_the_time_is_one() -> None:
    frame = Frame(3, 1.25, RgbPicture(np.zeros((2, 2, 3), np.uint8)), source="x")
    assert frame.id == FrameId("x", 112_500)
