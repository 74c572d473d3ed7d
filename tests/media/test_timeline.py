from __future__ import annotations

from pathlib import Path

import av
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

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
    for (before, start), (piece, following) in zip(pieces, pieces[1:], strict=False):
        ahead = (following - start - round(before.length_s * SECOND)) % WRAP
        back = SECOND // 2 if before.b_frames == piece.b_frames else 3 * SECOND  # of decoding times FFmpeg makes up some
        assume(11 * SECOND < ahead < WRAP - back)  # else it goes on, with a gap that is the recording's own
        # where the counter runs over within a second of a jump, FFmpeg makes up decoding times; a picture may be 20 ms off
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
