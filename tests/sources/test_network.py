"""Streams from real servers on loopback: killed, stalled, started again with another size."""

from __future__ import annotations

import functools
import logging
import socket
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice, pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from seg_viewer.core.encoded import EncodedPacket
from seg_viewer.core.errors import SourceError
from seg_viewer.core.frame import TICKS, Frame
from seg_viewer.jobs.export import ExportJob, run_export
from seg_viewer.jobs.options import RunOptions
from seg_viewer.sources import open_source
from seg_viewer.sources.live import Backoff, LiveSource
from seg_viewer.sources.stream_times import StreamTimes
from tests.clips import video_times
from tests.films import film, rgb_frame
from tests.servers.http_video import HttpVideo
from tests.servers.pushed import free_port, rtmp_server, sender
from tests.servers.rtsp import RtspServer, age_s
from tests.sources.conftest import cycle_color


@pytest.fixture
def http(tmp_path: Path) -> Iterator[HttpVideo]:
    with HttpVideo(tmp_path) as server:
        yield server


@pytest.fixture
def rtsp() -> Iterator[RtspServer]:
    with RtspServer() as server:
        yield server


def _missing(frames: list[Frame]) -> int:
    """How many pictures of the cycle lie between those that came: left out by a busy sender, or lost on the way."""
    return sum((cycle_color(later) - cycle_color(earlier) - 1) % 4 for earlier, later in pairwise(frames))


def test_a_stream_is_a_live_source(http: HttpVideo, open_stream) -> None:
    stream = open_stream(http.url())
    assert isinstance(stream, LiveSource)
    assert stream.info.live and not stream.info.can_seek
    with pytest.raises(SourceError, match="cannot seek"):
        stream.seek(1.0)


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_rtsp_comes_in_order_and_young(rtsp: RtspServer, open_stream, transport: str) -> None:
    stream = open_stream(f"{rtsp.url}#transport={transport}")
    assert (stream.info.width, stream.info.height) == (320, 192)
    assert transport.upper() in stream.info.codec
    frames = list(islice(stream, 40))
    assert [frame.index for frame in frames] == list(range(40))
    assert all(later.time_s > earlier.time_s for earlier, later in pairwise(frames))
    made_s = [age_s(frame.picture.rgb(), 0.0) for frame in frames]
    assert all(later < earlier for earlier, later in pairwise(made_s))  # ages at one moment: made one after the other
    assert _missing(frames[10:]) <= 10


def test_mjpeg_over_http(http: HttpVideo, open_stream) -> None:
    stream = open_stream(http.url())
    frames = list(islice(stream, 12))
    assert _missing(frames) <= 3
    assert stream.info.rate is None  # the multipart stream tells none


def test_mpeg_ts_over_udp(open_stream) -> None:
    port = free_port(socket.SOCK_DGRAM)
    with sender(f"udp://127.0.0.1:{port}?pkt_size=1316", "mpegts"):
        frames = list(islice(open_stream(f"udp://127.0.0.1:{port}#timeout=3"), 20))
    assert _missing(frames) <= 5


def test_udp_without_a_sender_is_told() -> None:
    with pytest.raises(SourceError, match="nothing arrived within"):
        open_source(f"udp://127.0.0.1:{free_port(socket.SOCK_DGRAM)}#timeout=0.5")


def test_rtmp(tmp_path: Path, open_stream) -> None:
    with rtmp_server(tmp_path) as url, sender(url, "flv"):
        stream = None
        for _ in range(50):  # the server takes a moment to know of what is sent
            with suppress(SourceError):
                stream = open_stream(f"{url}#timeout=2")
                break
        assert stream is not None and stream.info.codec == "h264 · rtmp"
        frames = list(islice(stream, 20))
    assert _missing(frames) <= 5


def test_hls_is_paced_by_its_own_times(http: HttpVideo, open_stream) -> None:
    frames = list(islice(open_stream(http.url("/live.m3u8")), 15))
    gaps_s = np.diff([frame.time_s for frame in frames])
    assert np.all(gaps_s > 0.05)  # a segment's frames do not come at once
    assert np.all(np.diff([frame.arrived_s for frame in frames]) >= 0)


def test_hls_survives_a_server_that_is_away_for_a_moment(http: HttpVideo, open_stream) -> None:
    frames = iter(open_stream(http.url("/live.m3u8")))
    before = list(islice(frames, 5))
    http.kill()
    http.start()
    after = list(islice(frames, 40))
    assert after[-1].time_s > before[-1].time_s + 3
    assert all(later.time_s > earlier.time_s for earlier, later in pairwise(before + after))


def test_a_file_on_a_server_ends(tmp_path: Path, http: HttpVideo, open_stream) -> None:
    stream = open_stream(http.url("/7.ts"))
    assert not stream.info.live
    first = [(cycle_color(frame), frame.time_s) for frame in stream]
    assert len(first) == 10 and first[0][1] == 0
    again = [(cycle_color(frame), frame.time_s) for frame in stream]  # as every source: iterated anew, it starts over
    assert again == first
    stream.seek(0.0)
    assert next(iter(stream)).time_s == 0
    with pytest.raises(SourceError, match="only be played from its start"):
        stream.seek(0.5)


def test_a_file_on_a_server_is_exported_like_any_other(http: HttpVideo, tmp_path: Path, model: Path) -> None:
    result = run_export(ExportJob(http.url("/7.ts"), tmp_path / "out.mp4", RunOptions(model=str(model))))
    assert result.frames == 10 == len(video_times(tmp_path / "out.mp4"))


def test_a_stream_that_breaks_off_comes_back_with_another_size(http: HttpVideo, open_stream) -> None:
    stream = open_stream(http.url())
    frames = iter(stream)
    before = list(islice(frames, 5))
    http.kill()
    http.size = (192, 96)
    http.start()
    last = before[-1]
    for last in frames:
        assert last.index > before[-1].index
        if last.picture.width == 192:
            break
    assert stream.status.connected and stream.status.reconnects == 1
    assert (stream.info.width, stream.info.height) == (192, 96)
    assert last.time_s > before[-1].time_s


def test_rtsp_comes_back_after_the_server_was_killed(rtsp: RtspServer, open_stream) -> None:
    stream = open_stream(f"{rtsp.url}#timeout=3")
    frames = iter(stream)
    before = list(islice(frames, 5))
    rtsp.kill()
    rtsp.start(size="640x384")
    after = next(frame for frame in frames if frame.picture.width == 640)
    assert stream.status.reconnects == 1 and stream.info.height == 384
    assert after.time_s > before[-1].time_s
    assert stream.packets is not None
    kept: list[EncodedPacket] = []
    stream.packets.listen(kept.append)
    (form,) = {packet.format for packet in kept}
    assert (form.width, form.height) == (640, 384)


def test_while_nobody_answers_it_says_why_and_keeps_trying(http: HttpVideo, open_stream) -> None:
    stream = open_stream(http.url())
    frames = iter(stream)
    next(frames)
    seen: list[str] = []
    tried = threading.Event()

    def wait(timeout: float) -> bool:
        seen.append(stream.status.problem)
        if stream.status.attempts >= 3:
            tried.set()
        return type(stream._stop).wait(stream._stop, timeout)

    stream._stop.wait = wait  # type: ignore[method-assign]
    http.kill()
    reader = threading.Thread(target=lambda: list(frames))
    reader.start()
    assert tried.wait(60)
    assert not stream.status.connected
    assert "connection refused" in seen[-1] and http.url() in seen[-1]
    stream.interrupt()
    reader.join(60)
    assert not reader.is_alive()


def test_a_stream_that_stalls_is_opened_again(http: HttpVideo, open_stream) -> None:
    stream = open_stream(http.url() + "#timeout=0.5")
    frames = iter(stream)
    next(frames)
    connections = http.connections
    http.stalled.set()
    threading.Timer(1.2, http.stalled.clear).start()
    for _frame in frames:
        if stream.status.reconnects:
            break
    assert http.connections > connections


@pytest.mark.parametrize(
    ("path", "says"),
    [("/nothing", "404"), ("/page", "is no video")],
)
def test_what_is_no_stream_is_told_in_a_line(http: HttpVideo, path: str, says: str) -> None:
    with pytest.raises(SourceError) as raised:
        open_source(http.url(path))
    assert says in str(raised.value) and http.url(path) in str(raised.value) and "\n" not in str(raised.value)


def test_nobody_there(http: HttpVideo) -> None:
    url = http.url()
    http.kill()
    with pytest.raises(SourceError, match="connection refused"):
        open_source(url)


def test_a_scheme_that_this_ffmpeg_lacks_is_named() -> None:
    if "srt" in _protocols():
        pytest.skip("this FFmpeg has SRT")
    with pytest.raises(SourceError, match="has no srt"):
        open_source("srt://127.0.0.1:9")


def _protocols() -> set[str]:
    try:
        av.open("srt://127.0.0.1:1", timeout=0.2)
    except av.error.ProtocolNotFoundError:
        return set()
    except av.FFmpegError:
        return {"srt"}
    return {"srt"}


def _chain(error: BaseException | None) -> str:
    texts = []
    while error is not None:
        texts.append(f"{error!r} {error}")
        error = error.__cause__ or error.__context__
    return " ".join(texts)


def test_credentials_work_and_are_nowhere(http: HttpVideo, open_stream, caplog, capfd) -> None:
    caplog.set_level(logging.DEBUG)
    http.needs = "Basic " + b64encode(b"joe:hush-hush").decode()
    good = http.url().replace("//", "//joe:hush-hush@")
    stream = open_stream(good)
    assert next(iter(stream)).index == 0
    with pytest.raises(SourceError, match="does not accept this user and password") as raised:
        open_source(http.url().replace("//", "//joe:no-no-no@") + "?token=hush-hush")
    shown = f"{stream.info} {stream.status} {stream.warnings} {stream.name} {_chain(raised.value)} {caplog.text}"
    shown += "".join(capfd.readouterr())
    assert "joe" not in shown and "hush" not in shown and "no-no-no" not in shown


def test_rtsp_with_user_and_password(open_stream) -> None:
    with RtspServer(user="joe", password="hush-hush") as server:
        with pytest.raises(SourceError, match="asks for user and password"):
            open_source(server.url)
        stream = open_stream(server.url.replace("//", "//joe:hush-hush@"))
        assert next(iter(stream)).picture.width == 320
        assert stream.name == server.url


def test_packets_can_be_recorded_from_a_key_frame_on(rtsp: RtspServer, open_stream) -> None:
    stream = open_stream(rtsp.url)
    assert stream.packets is not None
    stream.packets.seconds = 1.0
    frames = iter(stream)
    list(islice(frames, 80))
    packets: list[EncodedPacket] = []
    stream.packets.listen(packets.append)
    before = packets.copy()
    list(islice(frames, 10))
    since = packets[len(before) :]
    assert before[0].keyframe and before[0].format.codec == "h264"
    assert 1.0 <= (before[-1].pts - before[0].pts) / TICKS < 2.5  # a second, from the key frame before it on
    assert len(since) >= 9
    assert all(later.dts > earlier.dts for earlier, later in pairwise(before))


def test_media_times_that_jump_are_set_anew() -> None:
    timeline = StreamTimes(0.0)
    assert timeline.time_s(500.0, 1.0) == pytest.approx(1.0)
    assert timeline.time_s(500.5, 1.6) == pytest.approx(1.5)
    assert timeline.time_s(3.0, 2.0) == pytest.approx(2.0)
    timeline.restart(timed=False)
    assert timeline.time_s(9.0, 4.0) == pytest.approx(4.0)


def test_backoff_doubles_up_to_a_bound() -> None:
    waits = [Backoff(0.5, 8).wait_s(k) for k in range(100)]
    assert waits[:5] == [0.5, 1, 2, 4, 8] and set(waits[5:]) == {8}


def test_a_file_on_a_server_looks_as_it_does_here(tmp_path: Path) -> None:
    grey = rgb_frame(np.full((48, 64, 3), 120, np.uint8), "yuv420p10le")
    options = {"x265-params": "log-level=none"}
    clip = film(tmp_path / "hdr.ts", [grey] * 3, codec="libx265", tags=(9, 16, 9, 1), options=options)
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        source = open_source(f"http://127.0.0.1:{server.server_port}/hdr.ts")
        there = [frame.picture.yuv420() for frame in source]
        source.close()
        server.shutdown()
    here = [frame.picture.yuv420() for frame in open_source(clip)]
    assert 1 <= len(there) <= len(here) == 3
    assert all(np.array_equal(a.y, b.y) and a.colours == b.colours for a, b in zip(there, here, strict=False))
    assert [line for line in source.warnings if "HDR" in line]
