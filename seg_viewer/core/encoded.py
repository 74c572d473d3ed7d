"""Encoded video as it came in: packets for a recording, and the last few seconds of them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from seg_viewer.core.frame import TICKS


@dataclass(frozen=True)
class StreamFormat:
    """What a muxer has to know of a video stream.

    Args:
        codec: FFmpeg's name: "h264", "hevc", "mjpeg", …
        width: pixels.
        height: pixels.
        rate: average frames per second, or None.
        sample_aspect: width ÷ height of one pixel.
        extradata: the decoder's set-up (parameter sets); streams that differ in it cannot share a file.
    """

    codec: str
    width: int
    height: int
    rate: float | None = None
    sample_aspect: Fraction = Fraction(1)
    extradata: bytes = b""


@dataclass(frozen=True)
class EncodedPacket:
    """One encoded picture.

    Args:
        data: as the encoder made it.
        pts: when to show it, since the source was opened, ticks of 1/TICKS s.
        dts: when to decode it, same unit.
        keyframe: decoding can start here.
        format: of the stream it belongs to; another object after a reconnect.
    """

    data: bytes
    pts: int
    dts: int
    keyframe: bool
    format: StreamFormat


class PacketRing:
    """Hands packets to listeners and keeps the latest, from a key frame on; any thread.

    Args:
        seconds: how much to keep at least, once there was as much; whole groups of pictures are kept. 0 keeps nothing.
        most_bytes: bound that wins over `seconds`.
    """

    def __init__(self, seconds: float = 5.0, most_bytes: int = 64 << 20) -> None:
        self.seconds = seconds
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._packets: deque[EncodedPacket] = deque()
        self._bytes = 0
        self._listeners: list[Callable[[EncodedPacket], None]] = []

    @property
    def wanted(self) -> bool:
        """Somebody listens."""
        return bool(self._listeners)

    def add(self, packet: EncodedPacket) -> None:
        with self._lock:
            if self._packets and packet.format is not self._packets[-1].format:
                self._clear()
            if self.seconds > 0 and (self._packets or packet.keyframe):
                self._packets.append(packet)
                self._bytes += len(packet.data)
            self._trim()
            listeners = list(self._listeners)
        for listener in listeners:
            listener(packet)

    def listen(self, listener: Callable[[EncodedPacket], None]) -> None:
        """Call `listener` for each packet that is kept, oldest first, and then for each that comes.

        It is called on this thread and on the source's, must not wait, and must not call the ring.
        """
        with self._lock:  # held meanwhile: a packet that comes now is handed over after those before it
            for packet in self._packets:
                listener(packet)
            self._listeners.append(listener)

    def leave(self, listener: Callable[[EncodedPacket], None]) -> None:
        with self._lock:
            self._listeners = [other for other in self._listeners if other != listener]

    def _clear(self) -> None:
        self._packets.clear()
        self._bytes = 0

    def _trim(self) -> None:
        while self._packets:
            after = next((i for i, p in enumerate(self._packets) if i and p.keyframe), None)
            if self._bytes > self._most_bytes:
                if after is None:
                    self._clear()
                    return
            elif after is None or self._packets[-1].pts - self._packets[after].pts < self.seconds * TICKS:
                return
            for _ in range(after):
                self._bytes -= len(self._packets.popleft().data)
