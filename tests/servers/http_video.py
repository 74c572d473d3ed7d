"""An HTTP server that streams MJPEG, or a live HLS playlist, of pictures whose class is known."""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

from tests.clips import CYCLE, make_clip, solid

BOUNDARY = "frontier"
SEGMENT_S = 1


class HttpVideo:
    """`/mjpeg` and `/live.m3u8`, while the `with` block runs; `kill` and `start` again keep the port.

    Args:
        folder: for the segments.
        size: of the pictures, may be changed between connections.
        rate: MJPEG pictures per second.
        each: so many pictures in a row have the same colour.
        films: by a path such as "/front", JPEG files that it sends again and again, as `/mjpeg` sends its colours.
    """

    def __init__(
        self,
        folder: Path,
        size: tuple[int, int] = (128, 64),
        rate: float = 50,
        each: int = 1,
        films: Mapping[str, Sequence[bytes]] | None = None,
    ) -> None:
        self.folder, self.size, self.rate, self.each = folder, size, rate, each
        self.films = dict(films or {})
        self.port = 0
        self.stalled = threading.Event()
        self.needs = ""
        """Value of the Authorization header without which the answer is 401."""
        self.connections = 0
        self._server: ThreadingHTTPServer | None = None
        self._sockets: list[socket.socket] = []
        self._segments: dict[int, bytes] = {}
        self._started_s = time.monotonic()

    def url(self, path: str = "/mjpeg") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def start(self) -> None:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def setup(self) -> None:
                super().setup()
                outer._sockets.append(self.request)

            def log_message(self, *_arguments: object) -> None: ...

            def do_GET(self) -> None:
                try:
                    outer._answer(self)
                except OSError:
                    self.close_connection = True

        ThreadingHTTPServer.daemon_threads = True
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True, name="http-video").start()

    def kill(self) -> None:
        """Every connection is cut."""
        if self._server is None:
            return
        self._server.shutdown()
        self._server.server_close()
        self._server = None
        for connection in self._sockets:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        self._sockets.clear()

    def __enter__(self) -> HttpVideo:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stalled.clear()
        self.kill()

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        if self.needs and request.headers.get("Authorization") != self.needs:
            request.send_response(401)
            request.send_header("WWW-Authenticate", 'Basic realm="camera"')
            request.end_headers()
            return
        path = request.path.split("?")[0]
        answers: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {
            "/mjpeg": lambda r: self._mjpeg(r, lambda number: jpeg(number // self.each, *self.size)),
            "/live.m3u8": self._playlist,
            "/page": lambda r: _whole(r, "text/html", b"<html>no video</html>" * 99),
        }
        if path in answers:
            answers[path](request)
        elif film := self.films.get(path):
            self._mjpeg(request, lambda number: film[number % len(film)])
        elif path.endswith(".ts"):
            _whole(request, "video/mp2t", self._segment(int(path[1:-3])))
        else:
            request.send_error(404)

    def _mjpeg(self, request: BaseHTTPRequestHandler, picture: Callable[[int], bytes]) -> None:
        self.connections += 1
        request.send_response(200)
        request.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={BOUNDARY}")
        request.end_headers()
        server, number = self._server, 0
        while self._server is server:
            while self.stalled.is_set():
                time.sleep(0.02)
            data = picture(number)
            head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
            request.wfile.write(head.encode() + data + b"\r\n")
            number += 1
            time.sleep(1 / self.rate)

    def _playlist(self, request: BaseHTTPRequestHandler) -> None:
        newest = int((time.monotonic() - self._started_s) / SEGMENT_S) + 3
        lines = ["#EXTM3U", "#EXT-X-VERSION:3", f"#EXT-X-TARGETDURATION:{SEGMENT_S}"]
        lines.append(f"#EXT-X-MEDIA-SEQUENCE:{newest - 3}")
        for number in range(newest - 3, newest):
            lines += [f"#EXTINF:{SEGMENT_S:.3f},", f"{number}.ts"]
        _whole(request, "application/vnd.apple.mpegurl", "\n".join([*lines, ""]).encode())

    def _segment(self, number: int) -> bytes:
        if number not in self._segments:
            path = make_clip(
                self.folder / f"{number}.ts",
                frames=10 * SEGMENT_S,
                rate=10,
                width=self.size[0],
                height=self.size[1],
                picture=lambda index, width, height: solid(index + 10 * SEGMENT_S * number, width, height),
                container_options={"output_ts_offset": str(number * SEGMENT_S)},
                options={"preset": "ultrafast", "bf": "0"},
            )
            self._segments[number] = path.read_bytes()
        return self._segments[number]


def jpeg(number: int, width: int, height: int) -> bytes:
    """A picture of one colour of the cycle."""
    rgb = np.full((height, width, 3), CYCLE[number % len(CYCLE)], np.uint8)
    _ok, data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    return bytes(io.BytesIO(data.tobytes()).getbuffer())


def _whole(request: BaseHTTPRequestHandler, kind: str, data: bytes) -> None:
    request.send_response(200)
    request.send_header("Content-Type", kind)
    request.send_header("Content-Length", str(len(data)))
    request.end_headers()
    request.wfile.write(data)
