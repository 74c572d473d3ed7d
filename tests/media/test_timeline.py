from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from seg_viewer.core.errors import SourceError
from seg_viewer.media import clock_scan
from seg_viewer.media.timeline import Timeline
from seg_viewer.sources import VideoFile
from tests.clips import make_clip
from tests.transport_stream import WRAP, begun_at

SECOND = 90_000
HOUR = 3600 * SECOND


class Recording:
    """A short transport stream, what is in it, and when, seconds from its start."""

    def __init__(self, path: Path, sound: str | None, b_frames: int) -> None:
        self.data, self.sound, self.b_frames = path.read_bytes(), sound, b_frames
        shown, heard, ends = [], [], []
        with av.open(str(path)) as container:
            for packet in container.demux():
                if packet.size:
                    time_s = float(packet.pts * packet.time_base)
                    (shown if packet.stream.type == "video" else heard).append(time_s)
                    ends.append(time_s + float(packet.duration * packet.time_base))
        start_s = min(shown + heard)
        self.length_s = max(ends) - start_s
        self.shown_s = sorted(time_s - start_s for time_s in shown)
        self.heard_s = [time_s - start_s for time_s in heard]

    def __repr__(self) -> str:
        return f"<{len(self.shown_s)} pictures, {self.b_frames} B, {self.sound}>"


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> list[Recording]:
    folder = tmp_path_factory.mktemp("recordings")
    made = []
    for number, (frames, audio, b_frames) in enumerate(
        [(10, None, 0), (12, "aac", 2), (25, "aac", 0), (8, "mp2", 0), (20, "mp2", 2), (13, None, 2)]
    ):
        options = {"g": "5", "bf": str(b_frames)}
        path = folder / f"{number}.ts"
        make_clip(path, frames=frames, width=64, height=48, audio=audio, options=options)
        made.append(Recording(path, audio, b_frames))
    return made


def joined(folder: Path, pieces: list[tuple[Recording, int]]) -> Path:
    path = folder / "joined.ts"
    path.write_bytes(b"".join(begun_at(piece.data, start) for piece, start in pieces))
    return path


def expected(pieces: list[tuple[Recording, int]]) -> tuple[list[float], list[float], float]:
    """When each picture and sound comes, and how long all is, seconds, if the pieces are put end to end."""
    shown, heard, start_s = [], [], 0.0
    for piece, _start in pieces:
        shown += [start_s + time_s for time_s in piece.shown_s]
        heard += [start_s + time_s for time_s in piece.heard_s]
        start_s += piece.length_s
    return shown, heard, start_s


def heard_times(path: Path) -> list[float]:
    timeline = Timeline(path)
    with av.open(str(path)) as container:
        packets = [p for p in container.demux(container.streams.audio) if p.size]
        return [float(p.pts * p.time_base) + timeline.shift_s(p) for p in packets]


starts = st.one_of(
    st.integers(0, WRAP - 1), st.integers(0, 5 * SECOND), st.integers(WRAP - 2 * SECOND, WRAP - 1), st.just(SECOND)
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 5), starts), min_size=1, max_size=4), st.data())
@example([(1, SECOND), (1, SECOND), (1, SECOND)], None)
@example([(0, SECOND), (0, SECOND)], None)
@example([(1, 0), (2, 7 * HOUR), (1, 0)], None)
@example([(2, WRAP - SECOND // 2)], None)
@example([(3, SECOND), (4, SECOND)], None)
@example([(2, WRAP - SECOND // 2), (1, WRAP - 2 * SECOND)], None)
def test_recordings_put_end_to_end(
    recordings: list[Recording], tmp_path: Path, chosen: list[tuple[int, int]], data: st.DataObject | None
) -> None:
    pieces = [(recordings[number], start) for number, start in chosen]
    assume(len({piece.sound for piece, _ in pieces}) == 1)
    for (before, start), (piece, following) in itertools.pairwise(pieces):
        ahead = (following - start - round(before.length_s * SECOND)) % WRAP
        back = SECOND // 2 if before.b_frames == piece.b_frames else 3 * SECOND  # FFmpeg makes up some times
        assume(11 * SECOND < ahead < WRAP - back)  # else it goes on, with a gap that is the recording's own
        # where the counter runs over within a second of a jump, FFmpeg makes up times; a picture may be 20 ms off
        assume(following < WRAP - SECOND)
    path = joined(tmp_path, pieces)
    shown, heard, length_s = expected(pieces)

    source = VideoFile(path)
    frames = list(source)
    assert [frame.time_s for frame in frames] == pytest.approx(shown, abs=1e-3)
    assert len({frame.id for frame in frames}) == len(shown)
    assert Timeline(path).duration_s == pytest.approx(length_s, abs=1e-3)
    assert source.info.duration_s == pytest.approx(shown[-1] + 0.04, abs=1e-3)
    if pieces[0][0].sound:
        assert heard_times(path) == pytest.approx(heard, abs=1e-3)
    assert len(source.warnings) == (len(pieces) > 1)
    for warning in source.warnings:
        assert ("once" if len(pieces) == 2 else f"{len(pieces) - 1} times") in warning
    if data is not None:
        index = data.draw(st.integers(0, len(frames) - 1))
        source.seek(frames[index].time_s)
        assert next(iter(source)).id == frames[index].id
    source.close()


def test_a_recording_that_was_split_goes_on(recordings: list[Recording], tmp_path: Path) -> None:
    """A dash camera's second file goes on where the first ended, even where the counter runs over there."""
    first = second = recordings[2]
    for start in (SECOND, WRAP - round(first.length_s * SECOND)):
        path = joined(tmp_path, [(first, start), (second, (start + round(first.length_s * SECOND)) % WRAP)])
        shown, heard, length_s = expected([(first, 0), (second, 0)])
        source = VideoFile(path)
        assert [frame.time_s for frame in source] == pytest.approx(shown, abs=1e-3)
        assert heard_times(path) == pytest.approx(heard, abs=1e-3)
        assert Timeline(path).duration_s == pytest.approx(length_s, abs=1e-3)
        assert source.warnings == []


def test_a_gap_that_is_no_jump_stays(recordings: list[Recording], tmp_path: Path) -> None:
    piece = recordings[0]
    source = VideoFile(joined(tmp_path, [(piece, SECOND), (piece, 5 * SECOND)]))
    assert [frame.time_s for frame in source] == pytest.approx(
        [*piece.shown_s, *(4 + time_s for time_s in piece.shown_s)], abs=1e-3
    )
    assert source.warnings == []


def test_pictures_far_apart_are_no_jumps(tmp_path: Path) -> None:
    pts = [20_000 * n for n in range(120)]
    path = make_clip(
        tmp_path / "lapse.ts",
        frames=120,
        width=64,
        height=48,
        pts=pts,
        time_base=Fraction(1, 1000),
        options={"bf": "0"},
    )
    source = VideoFile(path)
    assert [frame.time_s for frame in source] == pytest.approx([20 * n for n in range(120)], abs=1e-3)
    assert source.warnings == []


def small(path: Path) -> bytes:
    codec, audio = {".vob": ("mpeg2video", "mp2"), ".webm": ("libvpx", "libopus")}.get(path.suffix, ("libx264", "aac"))
    clip = make_clip(path, frames=10, width=64, height=48, codec=codec, audio=audio, options={"g": "5"})
    return clip.read_bytes()


JOINED = [("a.mkv", 0, 2), ("a.webm", 0, 2), ("a.flv", 13, 3), ("a.vob", 0, 3)]


@pytest.mark.parametrize(("name", "header", "count"), JOINED)
def test_other_containers_put_end_to_end(tmp_path: Path, name: str, header: int, count: int) -> None:
    one = tmp_path / name
    data = small(one)
    single = VideoFile(one)
    times = [frame.time_s for frame in single]
    assert single.warnings == []
    path = tmp_path / f"joined{one.suffix}"
    path.write_bytes(data + data[header:] * (count - 1))  # a dump of a stream has one header
    source = VideoFile(path)
    frames = list(source)
    assert len(frames) == 10 * count
    for start in range(0, 10 * count, 10):
        piece = [frame.time_s - frames[start].time_s for frame in frames[start : start + 10]]
        assert piece == pytest.approx([time_s - times[0] for time_s in times], abs=2e-3)
        assert start == 0 or 0.038 < frames[start].time_s - frames[start - 1].time_s < 0.16  # sound may be longer
    assert source.info.duration_s == pytest.approx(frames[-1].time_s + 0.04, abs=2e-3)
    assert len(source.warnings) == 1 and ("once" if count == 2 else "2 times") in source.warnings[0]
    for index in (0, 9, 10, 15, 19, 3, 12):
        source.seek(frames[index].time_s)
        assert next(iter(source)).id == frames[index].id


@pytest.mark.parametrize(("name", "count", "read"), [("a.flv", 2, 1), ("a.mkv", 4, 2)])
def test_what_another_header_hides_is_told(tmp_path: Path, name: str, count: int, read: int) -> None:
    path = tmp_path / f"joined-{name}"
    path.write_bytes(small(tmp_path / name) * count)
    source = VideoFile(path)
    assert len(list(source)) == 10 * read
    assert any(f"{path.name}: the last 50 % of the file cannot be read" in line for line in source.warnings)


@pytest.mark.parametrize("audio", [None, "aac"])
def test_another_recording_with_other_streams_is_told(tmp_path: Path, audio: str | None) -> None:
    """PyAV cannot see streams that begin in the middle of a transport stream."""
    parts = []
    for number, pid in enumerate(("0x100", "0x300")):
        options = {"mpegts_start_pid": pid, "mpegts_pmt_start_pid": f"0x1{number}00"}
        # longer than FFmpeg looks ahead when it opens a file
        clip = make_clip(
            tmp_path / f"{number}.ts", frames=250, width=64, height=48, audio=audio, container_options=options
        )
        parts.append(clip.read_bytes())
    path = tmp_path / "joined.ts"
    path.write_bytes(b"".join(parts))
    source = VideoFile(path)
    assert len(list(source)) == 250
    assert any("% of the file cannot be read" in line for line in source.warnings)


def test_large_recordings_are_looked_at_here_and_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With smaller numbers for what is large."""
    rng = np.random.default_rng(1)

    def noise(_index: int, width: int, height: int) -> NDArray[np.uint8]:
        return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)

    make_clip(tmp_path / "steady.ts", frames=100, picture=noise, options={"g": "10"})
    data = (tmp_path / "steady.ts").read_bytes()
    monkeypatch.setattr(clock_scan, "_LARGE", len(data) // 2)
    monkeypatch.setattr(clock_scan, "_STRIDE", len(data) // 20)
    monkeypatch.setattr(clock_scan, "_END", len(data) // 100)
    steady = VideoFile(tmp_path / "steady.ts")
    assert (steady.warnings, Timeline(tmp_path / "steady.ts").duration_s) == ([], None)
    assert len(list(steady)) == 100 and steady.info.duration_s == pytest.approx(4)
    make_clip(tmp_path / "short.ts", frames=10, picture=noise, options={"g": "10"})
    short = (tmp_path / "short.ts").read_bytes()
    for number, (parts, length) in enumerate([([data, data], 200), ([data, short], 110), ([short, data], 110)]):
        path = tmp_path / f"{number}.ts"
        path.write_bytes(b"".join(parts))
        source = VideoFile(path)
        assert len(list(source)) == length
        assert source.info.duration_s == pytest.approx(length / 25, abs=1e-3)
        assert "its clock jumps once" in source.warnings[0]


flips = st.tuples(st.integers(0, 1 << 20), st.integers(1, 255))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 5), st.lists(flips, max_size=40), st.floats(0, 1))
def test_damage_ends_and_keeps_times_in_order(
    recordings: list[Recording], tmp_path: Path, number: int, damage: list[tuple[int, int]], keep: float
) -> None:
    """Whatever is flipped or cut off: pictures in order of time, no more than were written, or one clear line."""
    data = bytearray(begun_at(recordings[number].data, SECOND) * 2)
    del data[int(len(data) * keep) :]
    for place, bits in damage:
        if data:
            data[place % len(data)] ^= bits
    path = tmp_path / "damaged.ts"
    path.write_bytes(data)
    try:
        source = VideoFile(path)
    except SourceError:
        return
    frames = list(source)
    times = [frame.time_s for frame in frames]
    assert times == sorted(set(times))
    assert len({frame.id for frame in frames}) == len(frames) <= 2 * len(recordings[number].shown_s) + 2
    source.seek(times[-1])
    assert next(iter(source)).id == frames[-1].id
    source.close()
