"""Cameras that are not there: parts of a clip as MJPEG over HTTP on this machine, for pictures of live sources."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from types import TracebackType

import av
from PIL import Image

_BOUNDARY = "picture"
_RATE = 8


class StreetCameras:
    """`url(name)` sends a part of a clip again and again, while the `with` block runs.

    Args:
        clip: that all of them see.
        begins: by the name of a camera, where its part begins, frames.
        frames: how long each part is.
    """

    def __init__(self, clip: Path, begins: dict[str, int], frames: int = 24) -> None:
        with av.open(str(clip)) as film:
            seen = [_jpeg(frame) for frame in film.decode(video=0)]
        self._parts = {f"/{name}": seen[first : first + frames] for name, first in begins.items()}
        parts = self._parts
        self._ended = ended = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_arguments: object) -> None: ...

            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={_BOUNDARY}")
                self.end_headers()
                begun_s, number = time.perf_counter(), 0
                try:
                    while not ended.wait(max(0.0, begun_s + number / _RATE - time.perf_counter())):
                        data = parts[self.path][number % len(parts[self.path])]
                        head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
                        self.wfile.write(head.encode() + data + b"\r\n")
                        number += 1
                except OSError:
                    self.close_connection = True

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/{name}"

    def __enter__(self) -> StreetCameras:
        threading.Thread(target=self._server.serve_forever, daemon=True, name="street-cameras").start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()


def _jpeg(frame: av.VideoFrame) -> bytes:
    file = BytesIO()
    Image.fromarray(frame.to_ndarray(format="rgb24")).save(file, "JPEG", quality=90)
    return file.getvalue()
