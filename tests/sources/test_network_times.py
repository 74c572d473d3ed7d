"""Whatever times a sender gives its pictures, and however it pauses, the live picture goes on."""

from __future__ import annotations

import re
import socket
import threading
import time
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import pytest

from seg_viewer.core.errors import SourceError
from seg_viewer.core.frame import TICKS, Frame
from seg_viewer.jobs.record import RecordJob, run_record
from seg_viewer.jobs.recording import RecordPlan, RecordWhat
from seg_viewer.sources import NetworkStream
from seg_viewer.sources.network import BEHIND
from tests.clips import video_times
from tests.servers.http_video import HttpVideo
from tests.servers.live_ts import LiveTs
from tests.servers.rtsp import RtspServer, age_s
from tests.sources.conftest import cycle_color

CHANGES: list[dict[str, float]] = [
    *({"jump_s": jump} for jump in (-0.4, -1.5, -4, -61, -40_000, 4, 40_000)),
    {"pause_s": 1.6},
    {"pause_s": 1.6, "jump_s": -3},
]


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_no_picture_is_left_out_when_the_times_jump(change: dict[str, Any], open_stream) -> None:
    """One key frame in all: whoever leaves a picture out here has none for the rest of the time."""
    with LiveTs(**change, change=10) as server:
        stream = open_stream(server.url)
        drops: list[str] = []
        stream.on_drop = drops.append
        frames = list(islice(stream, 28))
        assert drops == [] and stream.status.reconnects == 0
        shown = [cycle_color(frame) for frame in frames]
        assert shown == [(shown[0] + number) % 4 for number in range(28)]
        assert all(later.time_s > earlier.time_s for earlier, later in pairwise(frames))
        # nothing of the sender's clock is left in ours but the gaps between pictures
        assert abs((frames[-1].time_s - frames[0].time_s) - (frames[-1].arrived_s - frames[0].arrived_s)) < 3
        kept: list[float] = []
        assert stream.packets is not None
        stream.packets.listen(lambda packet: kept.append(packet.dts / TICKS))
        steps = [later - earlier for earlier, later in pairwise(kept)]
        # FFmpeg takes what is a minute before the first picture for a clock that ran over: two jumps instead of one
        assert sum(step <= 0 for step in steps) <= 2 and min(steps) > -2 and max(steps) < 5, kept


def test_whoever_is_behind_leaves_out_what_waited_and_goes_on_at_a_key_frame(open_stream) -> None:
    with LiveTs(gop=10) as server:
        stream = open_stream(server.url)
        drops: list[str] = []
        stream.on_drop = drops.append
        frames = iter(stream)
        first = next(frames)
        held = server.sent
        while server.sent < held + 60:  # a decoder that takes so long for one picture
            time.sleep(0.01)
        after = next(frames)
        assert set(drops) == {BEHIND} and len(drops) >= 20
        assert after.time_s - first.time_s > 1.5 and after.index == first.index + 1
        assert next(frames).index == after.index + 1


def test_where_no_key_frame_comes_any_more_the_picture_comes_back_too(open_stream, monkeypatch) -> None:
    monkeypatch.setattr("seg_viewer.sources.network._NO_KEY_S", 0.5)
    with LiveTs() as server:
        stream = open_stream(server.url)
        frames = iter(stream)
        next(frames)
        held = server.sent
        while server.sent < held + 60:
            time.sleep(0.01)
        assert next(frames).time_s > 1.5 and server.sent < 240  # the next key frame is number 250


def _source_only(folder: Path, url: str, seconds: float, **choices: Any) -> Any:
    return run_record(RecordJob(url, RecordPlan(folder / "a.mp4", RecordWhat.SOURCE), duration_s=seconds), **choices)


@pytest.mark.parametrize("change", [{"jump_s": -4}, {"jump_s": 4}, {"pause_s": 1.6}], ids=str)
def test_a_recording_ends_in_time_whatever_times_arrive(tmp_path: Path, change: dict[str, Any]) -> None:
    with LiveTs(**change, change=10) as server:
        result = _source_only(tmp_path, server.url, 2.5)
        assert server.sent < 300  # of the 500 it has: ended by its duration, not with the stream
    assert result.problem == "" and result.frames >= 20
    assert len(video_times(tmp_path / "a.mp4")) == result.frames


def test_a_recording_ends_in_time_when_nothing_arrives(tmp_path: Path) -> None:
    """The read would last for a minute."""
    with LiveTs() as server:
        result = _source_only(tmp_path, f"{server.url}#timeout=60", 1.5, on_progress=lambda _: server.stalled.set())
    assert server.stalled.is_set() and result.seconds < 30 and result.frames >= 1


def test_a_recording_ends_in_time_while_a_server_is_asked_again_and_says_nothing(tmp_path: Path) -> None:
    """Half open: it takes the connection, and never answers."""
    (tmp_path / "segments").mkdir()
    silent = socket.socket()
    silent.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    with HttpVideo(tmp_path / "segments") as http, silent:
        taken = threading.Event()

        def on_progress(_progress: object) -> None:
            if not taken.is_set():
                taken.set()
                http.kill()
                silent.bind(("127.0.0.1", http.port))
                silent.listen()

        plan = RecordPlan(tmp_path / "a.mkv", RecordWhat.SOURCE)
        result = run_record(RecordJob(f"{http.url()}#timeout=60", plan, duration_s=2.5), on_progress=on_progress)
    assert taken.is_set() and result.seconds < 40 and result.problem == ""


def test_leaving_a_stalled_stream_waits_for_nothing(open_stream) -> None:
    with LiveTs() as server:
        stream = open_stream(f"{server.url}#timeout=60")
        frames = iter(stream)
        next(frames)
        server.stalled.set()
        left = threading.Timer(0.3, stream.interrupt)
        left.start()
        assert list(frames)[-1:] != [None]
        began_s = time.perf_counter()
        stream.close()
        assert time.perf_counter() - began_s < 30


def test_what_never_opens_can_be_left(open_stream) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/x#timeout=0.4"
        with pytest.raises(SourceError, match="no answer within"):
            open_stream(url)


def _captured(stream: NetworkStream) -> list[tuple[Frame, float]]:
    """Pictures whose moment of capture is known, and when the server really made them, by the same clock."""
    found: list[tuple[Frame, float]] = []
    for frame in islice(stream, 400):
        if frame.captured_s is not None:
            found.append((frame, time.perf_counter() - age_s(frame.picture.rgb())))
        if len(found) == 10:
            break
    return found


def test_sender_reports_say_when_a_picture_was_taken(open_stream) -> None:
    with RtspServer() as server:
        found = _captured(open_stream(f"{server.url}#transport=udp"))
    assert len(found) == 10
    for frame, made_s in found:
        assert frame.captured_s is not None and frame.captured_s <= frame.arrived_s
        assert abs(frame.captured_s - made_s) < 1  # the server stamps what it has drawn


def test_a_camera_whose_clock_is_wrong_is_not_believed(open_stream, monkeypatch: pytest.MonkeyPatch) -> None:
    real = time.time
    monkeypatch.setattr("seg_viewer.sources.stream_times.time.time", lambda: real() + 3600)
    with RtspServer() as server:
        stream = open_stream(f"{server.url}#transport=udp")
        frames = []
        for frame in islice(stream, 400):
            frames.append(frame)
            if stream.warnings:
                break
    assert all(frame.captured_s is None for frame in frames)
    (warning,) = stream.warnings
    assert re.search(r"differ by 3[56]\d\d s", warning) and "since arrival" in warning  # a busy sender is late
