"""What is recorded as it comes in can be played: every codec from every kind of server, into every container."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import av
import pytest

from seg_viewer.jobs.record import RecordJob, run_record
from seg_viewer.jobs.recording import RecordPlan, RecordWhat
from tests.servers.pushed import flv_over_http, free_port, rtmp_server, sender
from tests.servers.rtsp import RtspServer, why_not

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
        results[suffix] = run_record(RecordJob(url, RecordPlan(path, RecordWhat.SOURCE), duration_s=3.0, wait=True))

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
    assert all(later.dts > earlier.dts for earlier, later in pairwise(packets))
    with av.open(str(path)) as container:
        frames = [frame for frame in container.decode(video=0)]
    assert len(frames) == len(packets)
    assert not any(frame.is_corrupt for frame in frames)
    return len(frames)
