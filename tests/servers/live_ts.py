"""A live MPEG transport stream over HTTP whose clock does what a test wants, while its pictures come as they should."""

from __future__ import annotations

import threading
import time
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType

from tests.clips import make_clip
from tests.transport_stream import VIDEO, with_times

RATE = 25
_PACKET = 188
_MIDDLE = 45_000 * 90_000  # far from where the 33 bits of the clock begin anew
_CLOCK_AHEAD = 9_000


class LiveTs:
    """`url` sends 25 pictures a second, for 20 s, while the `with` block runs.

    Args:
        jump_s: added to the times from the change on, seconds.
        pause_s: how long nothing is sent at the change, seconds; the times go on as if there had been no pause.
        change: number of the picture at which that happens.
        gop: pictures from one key frame to the next.
    """

    def __init__(self, *, jump_s: float = 0.0, pause_s: float = 0.0, change: int = 40, gop: int = 250) -> None:
        self.pause_s, self.change = pause_s, change
        self.sent = 0
        """Pictures, to whoever came last."""
        self.stalled = threading.Event()
        """Nothing more is sent while it is set; the connection stays."""
        self._data = _jumping(change, round(jump_s * 90_000), gop)
        self._stop = threading.Event()

    def __enter__(self) -> LiveTs:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_arguments: object) -> None: ...

            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "video/mp2t")
                self.end_headers()
                try:
                    outer._send(self)
                except OSError:
                    self.close_connection = True

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True, name="live-ts").start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/live"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._server.shutdown()
        self._server.server_close()

    def _send(self, request: BaseHTTPRequestHandler) -> None:
        self.sent, start_s = 0, time.monotonic()
        for position in range(0, len(self._data), _PACKET):
            packet = self._data[position : position + _PACKET]
            if _begins_picture(packet):
                if self.sent == self.change and self.pause_s:
                    request.wfile.flush()
                    self._stop.wait(self.pause_s)
                    start_s += self.pause_s
                self._stop.wait(max(0.0, start_s + self.sent / RATE - time.monotonic()))
                self.sent += 1
                while self.stalled.is_set() and not self._stop.is_set():
                    self._stop.wait(0.02)
            if self._stop.is_set():
                return
            request.wfile.write(packet)


def _begins_picture(packet: bytes) -> bool:
    start = 4 + (packet[4] + 1 if packet[3] & 0x20 else 0)
    return bool(packet[1] & 0x40) and packet[start : start + 3] == b"\0\0\1" and packet[start + 3] == VIDEO


@cache
def _clip(gop: int) -> bytes:
    with TemporaryDirectory() as folder:
        options = {"preset": "ultrafast", "bf": "0", "g": str(gop), "sc_threshold": "0"}
        return make_clip(
            Path(folder, "clip.ts"), frames=20 * RATE, width=64, height=48, rate=RATE, options=options
        ).read_bytes()


def _jumping(change: int, ticks: int, gop: int) -> bytes:
    data = _clip(gop)
    seen: list[int] = []
    with_times(data, lambda kind, stamp: seen.append(stamp) or stamp if kind == VIDEO else stamp)
    first = min(seen) + change * 90_000 // RATE
    return with_times(
        data, lambda kind, stamp: _MIDDLE + stamp + (ticks if stamp >= first - (0 if kind else _CLOCK_AHEAD) else 0)
    )
