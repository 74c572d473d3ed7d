"""Streams that somebody sends: MPEG-TS over UDP, and to an RTMP server (nginx with its RTMP module)."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import av
import pytest

from tests.clips import solid
from tests.waiting import wait_until

_MODULES = ("/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/usr/local/libexec/nginx")


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Sent:
    """How many pictures a sender has sent."""

    def __init__(self) -> None:
        self.count = 0

    def wait(self, count: int) -> None:
        """Return once it is as many."""
        wait_until(lambda: self.count >= count, f"{count} pictures to be sent")


_ENCODERS = {
    "h264": ("libx264", {"preset": "ultrafast", "tune": "zerolatency", "sc_threshold": "0"}),
    "hevc": ("libx265", {"preset": "ultrafast", "tune": "zerolatency", "x265-params": "log-level=none:scenecut=0"}),
}


@contextmanager
def sender(
    url: str | Any,
    container: str,
    size: tuple[int, int] = (128, 64),
    *,
    codec: str = "h264",
    gop: int = 10,
    b_frames: int = 0,
    sound: bool = False,
) -> Iterator[Sent]:
    """Sends pictures of the known colours, 25 a second, until the block ends; a tone of silence with it if wanted."""
    stop = threading.Event()
    sent = Sent()

    def send() -> None:
        encoder, choices = _ENCODERS[codec]
        with av.open(url, "w", format=container) as out:
            # zerolatency would forbid B-frames
            choices = {k: v for k, v in choices.items() if k != "tune" or not b_frames}
            stream = out.add_stream(encoder, rate=25, options=choices | {"g": str(gop), "bf": str(b_frames)})
            stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
            tone = out.add_stream("aac", rate=44_100) if sound else None
            sounded, start_s = 0, time.monotonic()
            while not stop.wait(max(0.0, start_s + sent.count / 25 - time.monotonic())):
                while tone is not None and sounded < sent.count / 25 * 44_100:
                    silence = av.AudioFrame(format="fltp", layout="stereo", samples=1024)
                    for plane in silence.planes:
                        plane.update(bytes(plane.buffer_size))
                    silence.sample_rate, silence.pts, silence.time_base = 44_100, sounded, Fraction(1, 44_100)
                    out.mux(tone.encode(silence))
                    sounded += 1024
                out.mux(stream.encode(av.VideoFrame.from_ndarray(solid(sent.count, *size), format="rgb24")))
                sent.count += 1

    thread = threading.Thread(target=send, name="sender")
    thread.start()
    try:
        yield sent
    finally:
        stop.set()
        thread.join()


class _Answer:
    """What PyAV writes goes to whoever asked, for as long as that one listens."""

    def __init__(self, request: BaseHTTPRequestHandler) -> None:
        self._request = request
        self.left = threading.Event()

    def write(self, data: bytes) -> int:
        try:
            self._request.wfile.write(data)
        except OSError:
            self.left.set()
        return len(data)


@contextmanager
def flv_over_http(codec: str) -> Iterator[str]:
    """Address of a server that sends FLV, as RTMP servers do, to each that asks; parameter sets come once."""
    ended = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_arguments: object) -> None: ...

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "video/x-flv")
            self.end_headers()
            answer = _Answer(self)
            with sender(answer, "flv", codec=codec, gop=12, sound=True):
                while not ended.wait(0.05) and not answer.left.is_set():
                    pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True, name="flv").start()
        yield f"http://127.0.0.1:{server.server_address[1]}/live.flv"
        ended.set()
        server.shutdown()


@contextmanager
def rtmp_server(folder: Path) -> Iterator[str]:
    """Address of an RTMP server; skips where nginx or its module is not installed."""
    module = next((path for m in _MODULES if (path := Path(m, "ngx_rtmp_module.so")).exists()), None)
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None or module is None:
        pytest.skip("no RTMP server; Debian: apt-get install nginx-core libnginx-mod-rtmp")
    port = free_port()
    (folder / "nginx.conf").write_text(
        f"load_module {module}; daemon off; master_process off; pid {folder}/pid; error_log {folder}/log;\n"
        "events { worker_connections 64; }\n"
        f"rtmp {{ server {{ listen 127.0.0.1:{port}; application live {{ live on; }} }} }}\n"
    )
    process = subprocess.Popen([nginx, "-p", str(folder), "-c", str(folder / "nginx.conf")], stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.02)
        yield f"rtmp://127.0.0.1:{port}/live/x"
    finally:
        process.terminate()
        process.wait()
