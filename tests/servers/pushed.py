"""Streams that somebody sends: MPEG-TS over UDP, and to an RTMP server (nginx with its RTMP module)."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import pytest

from tests.clips import solid

_MODULES = ("/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/usr/local/libexec/nginx")


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def sender(url: str, container: str, size: tuple[int, int] = (128, 64)) -> Iterator[None]:
    """Sends H.264 of the known colours, 25 pictures a second, until the block ends."""
    stop = threading.Event()

    def send() -> None:
        with av.open(url, "w", format=container) as out:
            stream = out.add_stream(
                "libx264", rate=25, options={"preset": "ultrafast", "tune": "zerolatency", "g": "10"}
            )
            stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
            number = 0
            while not stop.wait(0.04):
                out.mux(stream.encode(av.VideoFrame.from_ndarray(solid(number, *size), format="rgb24")))
                number += 1

    thread = threading.Thread(target=send, name="sender")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


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
