"""A live sender that flashes and beeps each second at the same moment, and what a file shows of that."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import av
import numpy as np

from seg_viewer.core.machine import as_scheduled
from tests.servers.pushed import Sent, free_port
from tests.waiting import wait_until

RATE = 25
FLASH_S = 0.12
_SAMPLES = {"aac": 44_100, "libmp3lame": 44_100, "libopus": 48_000, "pcm_alaw": 8_000, "pcm_mulaw": 8_000}
_FAST = {"preset": "ultrafast", "tune": "zerolatency"}
VIDEO = {
    "h264": ("libx264", {**_FAST, "sc_threshold": "0"}),
    "hevc": ("libx265", {**_FAST, "x265-params": "log-level=none:scenecut=0"}),
    "av1": ("libsvtav1", {"preset": "12", "svtav1-params": "lookahead=0:pred-struct=1:scd=0"}),
    "mjpeg": ("mjpeg", {"q:v": "3"}),
}


class Beeper:
    """Encodes pictures that flash and sound that beeps, each as it is due, into containers.

    Args:
        picture_to, sound_to: where each goes; the same container twice, or two; no sound without the second.
        codec: of the pictures, a key of `VIDEO`.
        sound: FFmpeg's name of the encoder.
        size: of the pictures.
        gop: pictures from one key frame to the next.
        sound_until_s: no sound from then on.
    """

    def __init__(
        self,
        picture_to: av.container.OutputContainer,
        sound_to: av.container.OutputContainer | None,
        *,
        codec: str = "h264",
        sound: str = "aac",
        size: tuple[int, int] = (128, 64),
        gop: int = 10,
        sound_until_s: float = float("inf"),
    ) -> None:
        encoder, options = VIDEO[codec]
        self._size, self._until_s = size, sound_until_s
        self._out, self._sound_out = picture_to, sound_to
        self._stream = picture_to.add_stream(encoder, rate=RATE, options=dict(options))
        self._stream.width, self._stream.height = size
        self._stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        self._stream.codec_context.gop_size = gop
        self._stream.codec_context.max_b_frames = 0
        self._tone = None
        if sound_to is not None:
            self._tone = sound_to.add_stream(sound, rate=_SAMPLES[sound])
            self._tone.layout = "mono"
        with as_scheduled():
            for out in {id(out): out for out in (picture_to, sound_to) if out is not None}.values():
                out.start_encoding()
        self._sounded = 0
        self.sent = Sent()

    def run(self, stop: threading.Event) -> None:
        """Until told to stop."""
        start_s = time.monotonic()
        while not stop.wait(max(0.0, start_s + self.sent.count / RATE - time.monotonic())):
            for _out, packet in self.next():
                _out.mux(packet)

    def next(self) -> Iterator[tuple[av.container.OutputContainer, av.Packet[Any]]]:
        """What the next picture makes, and the sound up to its end."""
        number = self.sent.count
        white = number % RATE < FLASH_S * RATE
        picture = np.full((*self._size[::-1], 3), 235 if white else 40, np.uint8)
        picture[: 8 + number % 8, : 8 + number % 32] = 128
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.time_base = number, Fraction(1, RATE)
        for packet in self._stream.encode(frame):
            yield self._out, packet
        if self._tone is not None and self._sound_out is not None:
            rate = self._tone.codec_context.sample_rate
            some = max(self._tone.codec_context.frame_size, rate // 50)
            while self._sounded < (number + 1) / RATE * rate and number / RATE < self._until_s:
                for packet in self._tone.encode(beep(self._sounded, some, rate)):
                    yield self._sound_out, packet
                self._sounded += some
        self.sent.count += 1


def beep(first: int, count: int, rate: int) -> av.AudioFrame:
    """Samples of a tone that begins at each full second."""
    at = np.arange(first, first + count)
    tone = np.sin(2 * np.pi * 1000 * at / rate) * (at % rate < FLASH_S * rate) * 20_000
    frame = av.AudioFrame.from_ndarray(tone.astype(np.int16).reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = rate, first, Fraction(1, rate)
    return frame


@contextmanager
def beeping(url: str | Any, container: str, *, options: dict[str, str] | None = None, **choices: Any) -> Iterator[Sent]:
    """A `Beeper` that sends pictures and sound to one address until the block ends."""
    stop = threading.Event()
    ready: list[Sent] = []

    def send() -> None:
        with av.open(url, "w", format=container, options=options or {}) as out:
            sound = None if choices.get("sound") == "" else out
            beeper = Beeper(out, sound, **{k: v for k, v in choices.items() if v != ""})
            ready.append(beeper.sent)
            with suppress(av.FFmpegError, OSError):  # whoever listened has left
                beeper.run(stop)

    thread = threading.Thread(target=send, name="beeper")
    thread.start()
    try:
        wait_until(lambda: ready or not thread.is_alive(), "the sender")
        yield ready[0]
    finally:
        stop.set()
        thread.join()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None: ...


@contextmanager
def hls(folder: Path, **choices: Any) -> Iterator[str]:
    """Address of a live playlist with segments of a second; fragmented MP4 for what a transport stream cannot hold."""
    kind = {} if choices.get("codec", "h264") == "h264" else {"hls_segment_type": "fmp4"}
    options = {"hls_time": "1", "hls_list_size": "4", "hls_flags": "delete_segments", **kind}
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True, name="hls").start()
    try:
        with beeping(str(folder / "live.m3u8"), "hls", options=options, gop=RATE, **choices):
            wait_until((folder / "live.m3u8").exists, "the playlist")
            yield f"http://127.0.0.1:{server.server_address[1]}/live.m3u8"
    finally:
        server.shutdown()
        server.server_close()


class _Answer:
    """What PyAV writes goes to whoever asked, for as long as that one listens."""

    def __init__(self, request: BaseHTTPRequestHandler) -> None:
        self._request = request

    def write(self, data: bytes) -> int:
        self._request.wfile.write(data)
        return len(data)


@contextmanager
def over_http(container: str, **choices: Any) -> Iterator[str]:
    """Address of a server that sends a live container to each that asks, from its beginning."""
    ended = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_arguments: object) -> None: ...

        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            answer = _Answer(self)
            with suppress(OSError, av.FFmpegError), av.open(answer, "w", format=container) as out:  # type: ignore[call-overload]
                sound = None if choices.get("sound") == "" else out
                Beeper(out, sound, **{k: v for k, v in choices.items() if v != ""}).run(ended)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True, name="http-live").start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/live"
    finally:
        ended.set()
        server.shutdown()
        server.server_close()


@contextmanager
def rtp_by_sdp(folder: Path, *, codec: str, sound: str, **choices: Any) -> Iterator[Path]:
    """An SDP file of pictures (AV1 or H.264) and Opus that are sent as RTP, without a server to ask."""
    ports = free_port(socket.SOCK_DGRAM) & ~1, free_port(socket.SOCK_DGRAM) & ~1
    about = {"av1": "AV1/90000", "h264": "H264/90000"}[codec]
    path = folder / "live.sdp"
    path.write_text(
        "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=live\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        f"m=video {ports[0]} RTP/AVP 96\r\na=rtpmap:96 {about}\r\n"
        f"m=audio {ports[1]} RTP/AVP 97\r\na=rtpmap:97 opus/48000/2\r\n",
        encoding="utf-8",
    )
    stop = threading.Event()

    def send() -> None:
        urls = [f"rtp://127.0.0.1:{port}?pkt_size=1200" for port in ports]
        payload = [{"payload_type": "96", "strict": "experimental"}, {"payload_type": "97"}]
        with (
            av.open(urls[0], "w", format="rtp", options=payload[0]) as pictures,
            av.open(urls[1], "w", format="rtp", options=payload[1]) as tones,
        ):
            Beeper(pictures, tones, codec=codec, sound=sound, **choices).run(stop)

    thread = threading.Thread(target=send, name="rtp")
    thread.start()
    try:
        yield path
    finally:
        stop.set()
        thread.join()


def flashes(path: Path) -> list[float]:
    """When the pictures of a file turn white, seconds; not where pictures before that were left out."""
    found, last, before_s = [], True, 0.0
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            white = float(frame.to_ndarray(format="gray")[frame.height // 2 :].mean()) > 128
            at_s = float(frame.pts * frame.time_base)
            if white and not last and at_s - before_s < 1.2 / RATE:
                found.append(at_s)
            last, before_s = white, at_s
    return found


def beeps(path: Path) -> list[float]:
    """When the tones of a file begin, seconds."""
    found, loud = [], 0.0
    with av.open(str(path)) as container:
        resampler = av.AudioResampler("flt", "mono", 48_000)
        for frame in container.decode(audio=0):
            if frame.pts is None:
                continue
            start_s = float(frame.pts * frame.time_base)
            for part in resampler.resample(frame):
                samples = np.abs(part.to_ndarray().reshape(-1))
                for place in np.flatnonzero(samples > 0.2):
                    at_s = start_s + place / 48_000
                    if at_s - loud > 0.3 and at_s > 0.05:
                        found.append(at_s)
                    loud = at_s
    return found


def offsets_s(path: Path) -> list[float]:
    """By how much each tone is later than the flash that it belongs to, seconds."""
    tones = beeps(path)
    pairs = [(flash, min(tones, key=lambda tone: abs(tone - flash))) for flash in flashes(path)] if tones else []
    return [tone - flash for flash, tone in pairs if abs(tone - flash) < 0.5]
