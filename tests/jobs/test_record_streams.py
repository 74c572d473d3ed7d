"""What is recorded as it comes in can be played: every codec from every kind of server, into every container."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

import av
import pytest

from seg_viewer.jobs.record import RecordJob, run_record
from seg_viewer.jobs.recording import Recording, RecordPlan, RecordWhat
from seg_viewer.sources import NetworkStream, open_source
from tests.clips import make_clip
from tests.servers.pushed import flv_over_http, free_port, rtmp_server, sender
from tests.servers.rtsp import RtspServer, why_not
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
CODECS = ["h264", "hevc"]


@contextmanager
def _rtsp(codec: str, sdp_only: int) -> Iterator[str]:
    if reason := why_not(encoders=("x264enc", "x265enc", "h265parse", "rtph265pay")):
        pytest.skip(reason)
    with RtspServer(codec=codec, sdp_only=sdp_only, gop=12) as server:
        yield server.url


@contextmanager
def _rtmp(folder: Path, codec: str) -> Iterator[str]:
    if codec == "hevc":  # nginx does not pass it on: the same format, FLV, by HTTP
        with flv_over_http(codec) as url:
            yield url
        return
    with rtmp_server(folder) as url, sender(url, "flv", codec=codec, gop=12, sound=True) as sent:
        sent.wait(12)
        yield url


@contextmanager
def _ts_in_mid_gop(codec: str) -> Iterator[str]:
    port = free_port(socket.SOCK_DGRAM)
    with sender(f"udp://127.0.0.1:{port}?pkt_size=1316", "mpegts", codec=codec, gop=50) as sent:
        sent.wait(20)  # the next key frame is more than a second away
        yield f"udp://127.0.0.1:{port}#timeout=10"


@contextmanager
def _server(kind: str, codec: str, folder: Path) -> Iterator[str]:
    folder.mkdir()
    ways = {
        "rtsp": lambda: _rtsp(codec, 0),
        "rtsp-sdp-only": lambda: _rtsp(codec, 1),
        "rtmp": lambda: _rtmp(folder, codec),
        "ts-in-mid-gop": lambda: _ts_in_mid_gop(codec),
    }
    with ways[kind]() as url:
        yield url


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("kind", ["rtsp", "rtsp-sdp-only", "rtmp", "ts-in-mid-gop"])
def test_a_stream_recorded_as_it_comes_in_plays(tmp_path: Path, kind: str, codec: str) -> None:
    results = {}

    def record(url: str, suffix: str) -> None:
        path = tmp_path / f"a{suffix}"
        results[suffix] = run_record(RecordJob(url, RecordPlan(path, RecordWhat.SOURCE), duration_s=2.0, wait=True))

    # one client a port
    for suffixes in ((".mp4",), (".mkv",)) if kind == "ts-in-mid-gop" else ((".mp4", ".mkv"),):
        with _server(kind, codec, tmp_path / suffixes[0]) as url, ThreadPoolExecutor() as pool:
            for done in [pool.submit(record, url, suffix) for suffix in suffixes]:
                done.result()
    assert sorted(results) == [".mkv", ".mp4"]
    for result in results.values():
        assert result.problem == "" and result.warnings == ()
        (path,) = result.files
        assert _decoded(path, codec) == result.frames >= 5


def _decoded(path: Path, codec: str) -> int:
    """How many pictures come out of a file; each of its packets gives one, and the first is a key frame."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == codec and stream.codec_context.width > 0
        packets = [packet for packet in container.demux(stream) if packet.size]
    assert packets[0].is_keyframe
    times = [packet.dts for packet in packets if packet.dts is not None]  # Matroska keeps none of B-frames
    assert all(later > earlier for earlier, later in pairwise(times))
    with av.open(str(path)) as container:
        frames = [frame for frame in container.decode(video=0)]
    assert len(frames) == len(packets)
    assert not any(frame.is_corrupt for frame in frames)
    return len(frames)


@pytest.mark.parametrize("b_frames", [0, 2])
def test_rtmp_with_sound_is_joined_at_any_moment(tmp_path: Path, b_frames: int) -> None:
    """Sound comes at once, video with the next key frame, which is up to four seconds away."""
    with rtmp_server(tmp_path) as url, sender(url, "flv", gop=100, b_frames=b_frames, sound=True) as sent:
        for picture in (20, 130):
            sent.wait(picture)
            source = open_source(url)
            assert next(iter(source)).picture.width == 128
            source.close()


def test_a_recording_waits_for_a_source_that_is_not_there_yet(tmp_path: Path) -> None:
    port = free_port(socket.SOCK_DGRAM)
    problems: list[str] = []
    with ThreadPoolExecutor() as pool:
        job = RecordJob(
            f"udp://127.0.0.1:{port}#timeout=1",
            RecordPlan(tmp_path / "a.mp4", RecordWhat.SOURCE),
            duration_s=2.0,
            wait=True,
        )
        done = pool.submit(run_record, job, on_progress=lambda progress: problems.append(progress.problem))
        wait_until(lambda: problems, "the first attempt to fail")
        with sender(f"udp://127.0.0.1:{port}?pkt_size=1316", "mpegts"):
            result = done.result()
    assert "nothing arrived within" in problems[0]
    assert result.problem == "" and _decoded(tmp_path / "a.mp4", "h264") == result.frames >= 5


@pytest.mark.skipif(sys.platform == "win32", reason="signals are a thing of POSIX")
def test_ctrl_c_ends_the_wait(tmp_path: Path) -> None:
    url = f"rtsp://127.0.0.1:{free_port()}/x"
    command = [sys.executable, "-m", "seg_viewer", "record", url, "--wait", "--what", "source", "-o", "a.mp4"]
    with subprocess.Popen(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT), "FORCE_COLOR": "1"}, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        said = b""
        while b"waiting" not in said:
            said += (data := process.stderr.read1())
            assert data, said
        process.send_signal(signal.SIGINT)
        said += process.stderr.read()
    assert process.returncode == 130 and b"connection refused" in said and b"Traceback" not in said
    assert list(tmp_path.iterdir()) == []


@contextmanager
def _raw_h264(sizes: tuple[tuple[int, int], ...], b_frames: int, folder: Path) -> Iterator[str]:
    """Sends one elementary stream after the other, 30 pictures each at 25 a second."""
    options = {"preset": "ultrafast", "g": "10", "bf": str(b_frames)}
    parts = [
        make_clip(folder / f"{width}.h264", frames=30, width=width, height=height, options=options).read_bytes()
        for width, height in sizes
    ]

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_arguments: object) -> None: ...

        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            with suppress(OSError):
                for part in parts:
                    for start in range(0, len(part), step := len(part) // 30 + 1):
                        self.wfile.write(part[start : start + step])
                        time.sleep(1 / 25)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True, name="raw").start()
        yield f"http://127.0.0.1:{server.server_address[1]}/live.h264"
        server.shutdown()


@pytest.mark.parametrize("b_frames", [0, 2])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_another_size_begins_another_file_at_its_first_picture(tmp_path: Path, b_frames: int, suffix: str) -> None:
    (tmp_path / "server").mkdir()
    sizes = ((128, 64), (192, 96), (96, 64))
    with _raw_h264(sizes, b_frames, tmp_path / "server") as url:
        source = open_source(url)
        assert isinstance(source, NetworkStream)
        recording = Recording(RecordPlan(tmp_path / f"a{suffix}", RecordWhat.SOURCE), source, None)
        seen = set()
        for frame in source:
            seen.add(frame.picture.width)
            if source.status.reconnects or (96 in seen and frame.index > 80):
                break
        source.close()
        files = recording.stop()
    assert recording.problem == "" and len(files) == 3
    for path, (width, height) in zip(files, sizes, strict=True):
        with av.open(str(path)) as container:
            assert {(frame.width, frame.height) for frame in container.decode(video=0)} == {(width, height)}
        assert _decoded(path, "h264") > 10
