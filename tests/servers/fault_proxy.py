"""A bad network on loopback: stands before an RTSP server and loses, delays, holds back and cuts what passes."""

from __future__ import annotations

import random
import socket
import struct
import threading
import time
from contextlib import suppress
from types import TracebackType

_FRAME = ord("$")  # RTP within RTSP, RFC 2326 section 10.12
_RTP_CHANNELS = (0, 2)
_CHUNK = 1 << 16


class FaultProxy:
    """A TCP port that passes on what a server on another one says, while the `with` block runs.

    Media that is interleaved with RTSP is passed packet by packet, so that packets can be lost as over UDP. All faults
    can be changed while it runs.

    Args:
        port: of the server, on this machine.
        seed: of what happens by chance.
        rtsp: what passes is RTSP; of anything else, every piece counts as a media packet that cannot be lost.
    """

    def __init__(self, port: int, seed: int = 1, *, rtsp: bool = True) -> None:
        self.target, self._rtsp = port, rtsp
        self.loss = 0.0
        """Share of the media packets that are lost, 0 to 1."""
        self.jitter_s = 0.0
        """Each piece is held back for up to so many seconds; the order stays."""
        self.stalled = threading.Event()
        """Half-open: connections stay, new ones are taken, and nothing comes through."""
        self.passed = self.lost = 0
        """Media packets."""
        self._chance = random.Random(seed)
        self._cut = False
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]

    def __enter__(self) -> FaultProxy:
        threading.Thread(target=self._accept, daemon=True, name="fault-proxy").start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.stalled.clear()
        self.reset()

    def reset(self) -> None:
        """All connections end at once (RST)."""
        for pair in list(self._pairs):
            for each in pair:
                with suppress(OSError):
                    each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
                each.close()
            self._pairs.discard(pair)

    def stop_in_the_middle(self) -> None:
        """Half of the next media packet comes through, and then nothing more, until `stalled` is cleared."""
        self._cut = True

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(near,), daemon=True, name="fault-proxy").start()

    def _serve(self, near: socket.socket) -> None:
        try:
            far = socket.create_connection(("127.0.0.1", self.target))
        except OSError:
            near.close()  # as a machine that has nothing at this port
            return
        pair = near, far
        self._pairs.add(pair)
        up = threading.Thread(target=self._pass_up, args=pair, daemon=True, name="fault-proxy")
        up.start()
        with suppress(OSError):
            self._pass_down(far, near)
        for each in pair:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        up.join()
        for each in pair:
            each.close()
        self._pairs.discard(pair)

    def _wait(self) -> None:
        while self.stalled.is_set():
            time.sleep(0.01)
        if self.jitter_s:
            time.sleep(self._chance.uniform(0, self.jitter_s))

    def _pass_up(self, near: socket.socket, far: socket.socket) -> None:
        with suppress(OSError):
            while data := near.recv(_CHUNK):
                self._wait()
                far.sendall(data)
            far.shutdown(socket.SHUT_WR)

    def _pass_down(self, far: socket.socket, near: socket.socket) -> None:
        held = b""
        while data := far.recv(_CHUNK):
            held += data
            self._wait()
            keep = bytearray()
            while held:
                size = _piece(held) if self._rtsp else len(held)
                if size > len(held):
                    break  # the rest of it is on its way
                piece, held = held[:size], held[size:]
                if not self._rtsp or (piece[0] == _FRAME and piece[1] in _RTP_CHANNELS):
                    if self._rtsp and self._chance.random() < self.loss:
                        self.lost += 1
                        continue
                    self.passed += 1
                    if self._cut:
                        self._cut = False
                        near.sendall(bytes(keep) + piece[: size // 2])
                        keep, piece = bytearray(), piece[size // 2 :]
                        self.stalled.set()
                        self._wait()
                keep += piece
            near.sendall(keep)


def _piece(data: bytes) -> int:
    """Length of the media packet, or of the text up to the next one, at the beginning of some data."""
    if data[0] == _FRAME:
        return 4 + int.from_bytes(data[2:4], "big") if len(data) >= 4 else 4
    if not data.startswith(b"RTSP/"):
        return len(data)
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return len(data) + 1
    head = data[:end].lower()
    mark = head.find(b"content-length:")
    body = int(head[mark + 15 :].split(b"\r\n")[0]) if mark >= 0 else 0
    return end + 4 + body
