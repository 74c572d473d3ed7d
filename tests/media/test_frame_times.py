"""Times that are out of order, taken or missing, and pictures that cannot be read."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from seg_viewer.core.frame import Frame
from seg_viewer.media import video_reader
from seg_viewer.sources import VideoFile
from tests.clips import CYCLE, make_clip

CODINGS = {
    "mjpeg": ("mjpeg", "yuvj420p", {}),
    "h264": ("libx264", "yuv420p", {"g": "10", "bf": "0"}),
    "h264-b": ("libx264", "yuv420p", {"g": "10", "bf": "2"}),
    "mpeg4": ("mpeg4", "yuv420p", {"g": "10"}),
    "mpeg2": ("mpeg2video", "yuv420p", {"g": "10"}),
    "hevc": ("libx265", "yuv420p", {"x265-params": "log-level=none:keyint=10"}),
    "vp8": ("libvpx", "yuv420p", {"g": "10"}),
    "vp9": ("libvpx-vp9", "yuv420p", {"g": "10"}),
    "av1": ("libsvtav1", "yuv420p", {"g": "10"}),
}
COUNT = 24
STEP_MS = 40


def clip(folder: Path, coding: str) -> Path:
    codec, pix_fmt, options = CODINGS[coding]
    path = folder / f"{coding}.mkv"
    if not path.exists():
        make_clip(path, frames=COUNT, codec=codec, pix_fmt=pix_fmt, options=options)
    return path


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], bytes]:
    folder = tmp_path_factory.mktemp("clips")
    return lambda coding: clip(folder, coding).read_bytes()


def blocks(path: Path) -> list[tuple[int, int, int]]:
    """Of each picture in a Matroska file: where its block begins, its number of bytes, and its time in ms."""
    with av.open(str(path)) as container:
        return [(p.pos, p.size, p.pts) for p in container.demux(video=0) if p.size]


def with_times(path: Path, data: bytes, times: Callable[[int], int]) -> Path:
    """The clip with other times: `times` gives that of the picture that stands at a place in the file, ms."""
    path.write_bytes(data)
    out = bytearray(data)
    for place, (position, _size, time_ms) in enumerate(blocks(path)):
        # RFC 9559, SimpleBlock: number of the track (1 byte), time against the cluster's (2), flags (1)
        old = int.from_bytes(out[position + 1 : position + 3], "big", signed=True)
        out[position + 1 : position + 3] = (old + times(place) - time_ms).to_bytes(2, "big", signed=True)
    path.write_bytes(out)
    return path


def without(path: Path, data: bytes, places: list[int]) -> Path:
    """The clip with zeros instead of the pictures that stand at some places in the file."""
    path.write_bytes(data)
    out = bytearray(data)
    found = blocks(path)
    for place in places:
        position, size, _time = found[place]
        out[position + 4 : position + 4 + size] = bytes(size)
    path.write_bytes(out)
    return path


def colours(frames: list[Frame]) -> list[int]:
    """Which of the made clip's four colours each picture has."""
    means = [frame.picture.rgb()[20:40, 20:100].mean(axis=(0, 1)) for frame in frames]
    return [int(np.argmin([np.abs(np.asarray(colour) - mean).sum() for colour in CYCLE])) for mean in means]


def order(path: Path) -> list[int]:
    """Number of the picture (as shown) at each place in a whole file."""
    shown = sorted(time for _, _, time in blocks(path))
    return [shown.index(time) for _, _, time in blocks(path)]


def swapped(number: int) -> int:
    return {6: 7, 7: 6, 13: 15, 15: 13}.get(number, number)


@pytest.mark.parametrize("coding", ["h264", "h264-b", "mpeg4", "vp8"])
def test_times_out_of_order_are_sorted_and_the_decoders_order_kept(
    clips: Callable[[str], bytes], tmp_path: Path, coding: str
) -> None:
    (tmp_path / "whole.mkv").write_bytes(clips(coding))
    shown = order(tmp_path / "whole.mkv")
    path = with_times(tmp_path / "clip.mkv", clips(coding), lambda place: swapped(shown[place]) * STEP_MS)
    source = VideoFile(path)
    frames = list(source)
    assert [round(frame.time_s * 1000) for frame in frames] == [n * STEP_MS for n in range(COUNT)]
    assert colours(frames) == [n % 4 for n in range(COUNT)]
    assert [line.split(":")[1] for line in source.warnings] == [" 4 pictures came with a time out of order; sorted"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.floats(-3, 3), min_size=COUNT, max_size=COUNT))
@example([0.0] * COUNT)
def test_a_picture_that_needs_no_other_keeps_its_time(
    clips: Callable[[str], bytes], tmp_path: Path, jitter: list[float]
) -> None:
    """Pictures that stand up to six places from where their time belongs."""
    places = sorted(range(COUNT), key=lambda n: n + jitter[n])
    times = {n: places.index(n) for n in range(COUNT)}
    path = with_times(tmp_path / "clip.mkv", clips("mjpeg"), lambda place: times[place] * STEP_MS)
    source = VideoFile(path)
    frames = list(source)
    assert [round(frame.time_s * 1000) for frame in frames] == [n * STEP_MS for n in range(COUNT)]
    assert colours(frames) == [places[n] % 4 for n in range(COUNT)]
    assert len(source.warnings) == (places != sorted(places))
    source.close()


@pytest.mark.parametrize("coding", ["mjpeg", "h264", "mpeg4", "vp8"])
def test_equal_times_get_a_place_of_their_own_where_there_is_room(
    clips: Callable[[str], bytes], tmp_path: Path, coding: str
) -> None:
    taken = {5: 4 * STEP_MS, 10: 9 * STEP_MS, 11: 9 * STEP_MS, 18: 17 * STEP_MS + 1, 19: 17 * STEP_MS + 1}
    path = with_times(tmp_path / "clip.mkv", clips(coding), lambda place: taken.get(place, place * STEP_MS))
    source = VideoFile(path)
    frames = list(source)
    times = [round(frame.time_s * 1000) for frame in frames]
    assert times == sorted(set(times)) and len(frames) == COUNT
    assert times[4:7] == [160, 200, 240]  # half way to the next
    assert len({frame.id for frame in frames}) == COUNT
    assert colours(frames) == [n % 4 for n in range(COUNT)]
    assert source.warnings == ["clip.mkv: 4 pictures came with the time of another; placed after it"]


def test_equal_times_without_room_are_left_out_and_told(clips: Callable[[str], bytes], tmp_path: Path) -> None:
    times = [0, 10, 10, *range(11, COUNT + 8)]
    source = VideoFile(with_times(tmp_path / "clip.mkv", clips("mjpeg"), lambda place: times[place]))
    assert [round(frame.time_s * 1000) for frame in source] == sorted(set(times))
    assert source.warnings == ["clip.mkv: 1 picture came with the time of another and no room beside it; left out"]


@pytest.mark.parametrize("b_frames", ["0", "2"])
def test_a_stream_without_times_is_counted_by_its_rate(tmp_path: Path, b_frames: str) -> None:
    path = make_clip(tmp_path / "raw.h264", frames=COUNT, options={"bf": b_frames, "g": "10"})
    source = VideoFile(path)
    frames = list(source)
    assert [frame.time_s for frame in frames] == pytest.approx([n / 25 for n in range(COUNT)])
    assert colours(frames) == [n % 4 for n in range(COUNT)]
    assert source.warnings == [f"raw.h264: {COUNT} pictures came without a time; counted at 25 frames/s"]
    for place in (9, 17, 3, COUNT - 1, 0):
        source.seek(frames[place].time_s)
        again = next(iter(source))
        assert again.id == frames[place].id and colours([again]) == [place % 4]


@pytest.mark.parametrize("cores", [2, 16])  # with many, errors come some packets late
@pytest.mark.parametrize("coding", CODINGS)
def test_what_cannot_be_read_is_shown_as_the_picture_before(
    clips: Callable[[str], bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, coding: str, cores: int
) -> None:
    monkeypatch.setattr(video_reader, "usable_cores", lambda: cores)
    data = clips(coding)
    (tmp_path / "whole.mkv").write_bytes(data)
    whole = [frame.pts for frame in VideoFile(tmp_path / "whole.mkv")]
    source = VideoFile(without(tmp_path / "clip.mkv", data, [7, 13, 14]))
    frames = list(source)
    assert [frame.pts for frame in frames] == whole
    assert len({frame.id for frame in frames}) == COUNT
    assert any("could not be read; the one before is shown instead" in line for line in source.warnings)
    shown = colours(frames)
    if coding == "mjpeg":
        expected = [n % 4 for n in range(COUNT)]
        expected[7], expected[13], expected[14] = expected[6], expected[12], expected[12]
        assert shown == expected
        assert "3 pictures" in source.warnings[0]
    for place in (6, 7, 8, 14, COUNT - 1):  # reached by a jump it is the same
        source.seek(frames[place].time_s)
        again = next(iter(source))
        assert again.id == frames[place].id
        if coding == "mjpeg":
            assert colours([again]) == [shown[place]] or place in (7, 14)


@pytest.mark.parametrize("coding", ["mjpeg", "mpeg4", "h264", "vp9"])
def test_at_the_start_it_is_left_out(clips: Callable[[str], bytes], tmp_path: Path, coding: str) -> None:
    source = VideoFile(without(tmp_path / "clip.mkv", clips(coding), [0, 1]))
    frames = list(source)
    assert frames[0].time_s >= 2 * STEP_MS / 1000
    assert any("at the start could not be read; left out" in line for line in source.warnings)


def test_all_of_it_cannot_be_read_ends(clips: Callable[[str], bytes], tmp_path: Path) -> None:
    source = VideoFile(without(tmp_path / "clip.mkv", clips("mjpeg"), list(range(3, COUNT))))
    assert len(list(source)) == COUNT
    assert f"{COUNT - 3} pictures could not be read" in source.warnings[0]


def test_an_animation_keeps_its_durations(tmp_path: Path) -> None:
    path = make_clip(
        tmp_path / "slow.gif", frames=4, codec="gif", pix_fmt="rgb8", pts=[0, 50, 150, 650], time_base=Fraction(1, 100)
    )
    data = path.read_bytes()
    # GIF89a, graphic control extension: the delay of each picture, 1/100 s
    delays = (50, 100, 500, 300)
    out, place = bytearray(data), -1
    for delay in delays:
        place = data.index(b"\x21\xf9\x04", place + 1)
        out[place + 4 : place + 6] = delay.to_bytes(2, "little")
    path.write_bytes(out)
    source = VideoFile(path)
    frames = list(source)
    assert [frame.time_s for frame in frames] == pytest.approx([0, 0.5, 1.5, 6.5])
    assert [frame.duration_s for frame in frames] == pytest.approx([0.5, 1, 5, 3])
    assert source.info.duration_s == pytest.approx(9.5)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".ts"])
@pytest.mark.parametrize("delay_ms", [0, 480, 2000])
def test_a_picture_that_begins_after_the_sound_stays_late(tmp_path: Path, suffix: str, delay_ms: int) -> None:
    pts = [delay_ms + STEP_MS * n for n in range(10)]
    path = make_clip(
        tmp_path / f"late{suffix}", frames=10, pts=pts, time_base=Fraction(1, 1000), audio="aac", options={"bf": "0"}
    )
    with av.open(str(path)) as container:
        first = {}
        for packet in container.demux():
            if packet.size:
                first.setdefault(packet.stream.type, float(packet.pts * packet.time_base))
    source = VideoFile(path)
    times = [frame.time_s for frame in source]
    # the encoder's priming lies before 0 in containers that can say so
    assert times[0] == pytest.approx(
        max(0, first["video"] - max(0, first["audio"])) if suffix == ".ts" else first["video"], abs=2e-3
    )
    assert np.diff(times) == pytest.approx([0.04] * 9, abs=1e-3)
    assert source.info.duration_s == pytest.approx(times[-1] + 0.04, abs=0.05)


def test_the_start_is_a_key_picture_away(tmp_path: Path) -> None:
    """A stream that was cut out of a longer one begins with pictures that need one that is gone."""

    def grey(index: int, width: int, height: int) -> NDArray[np.uint8]:
        return np.full((height, width, 3), 8 * index, np.uint8)

    path = make_clip(tmp_path / "clip.ts", frames=30, picture=grey, options={"g": "10", "bf": "0"})
    data = path.read_bytes()
    with av.open(str(path)) as container:
        positions = [p.pos for p in container.demux(video=0) if p.size]
    path.write_bytes(data[: 188 * 3] + data[positions[7] :])
    source = VideoFile(path)
    frames = list(source)
    assert [round(f.picture.rgb().mean() / 8) for f in frames] == list(range(10, 30))
    assert source.warnings == ["clip.ts: 3 pictures at the start could not be read; left out"]
