"""Encoded video and sound as they came in: packets for a recording, and the last few seconds of them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

from seg_viewer.core.frame import TICKS

_MOST_SOUND_BYTES = 8 << 20


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
        turned: how the picture is to be turned, (a, b, c, d) of its display matrix, each -1, 0 or 1, see
            `seg_viewer.media.orientation`; a codec may say so only after the first picture, so nothing is compared.
    """

    codec: str
    width: int
    height: int
    rate: float | None = None
    sample_aspect: Fraction = Fraction(1)
    extradata: bytes = b""
    turned: tuple[int, int, int, int] = field(default=(1, 0, 0, 1), compare=False)


@dataclass(frozen=True)
class SoundFormat:
    """What a muxer or a decoder has to know of a stream of sound.

    Args:
        codec: FFmpeg's name: "aac", "pcm_alaw", "opus", "mp3", …
        rate: samples per second.
        layout: of the channels, FFmpeg's name: "mono", "stereo", …
        extradata: the decoder's set-up.
    """

    codec: str
    rate: int
    layout: str
    extradata: bytes = b""


@dataclass(frozen=True)
class SoundPacket:
    """Some encoded sound.

    Args:
        data: as the encoder made it, without a header of the transport (ADTS).
        pts: of its first sample, on the same clock as the pictures, ticks of 1/TICKS s.
        duration: how long it sounds, same unit; 0 where that is not known.
        format: of the stream it belongs to.
    """

    data: bytes
    pts: int
    duration: int
    format: SoundFormat


@dataclass(frozen=True)
class EncodedPacket:
    """One encoded picture.

    Args:
        data: as the encoder made it.
        pts: when to show it, since the source was opened, ticks of 1/TICKS s.
        dts: when to decode it, same unit.
        keyframe: decoding can start here.
        format: of the stream it belongs to; another object after a reconnect.
        taken_s: `time.perf_counter()` when the picture was taken, or came, where that is known.
    """

    data: bytes
    pts: int
    dts: int
    keyframe: bool
    format: StreamFormat
    taken_s: float | None = None


class PacketRing:
    """Hands packets to listeners and keeps the latest, from a key frame on, and the sound with them; any thread.

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
        self.codec = "h264"
        """Of the pictures, FFmpeg's name; what comes raw is encoded as this."""
        self.sound: SoundFormat | None = None
        """Of the sound that comes with the pictures now; None without any, and as long as too little is known."""
        self.has_sound = False
        """Sound comes with the pictures now, or may."""
        self._sounds: deque[SoundPacket] = deque()
        self._sound_bytes = 0
        self._sound_listeners: list[Callable[[SoundPacket], None]] = []

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

    def add_sound(self, packet: SoundPacket) -> None:
        """As `add`. What belongs to a key frame may come before it: it is kept as long as the pictures are."""
        with self._lock:
            self.sound = packet.format
            if self.seconds > 0:
                self._sounds.append(packet)
                self._sound_bytes += len(packet.data)
            first = self._packets[0].pts if self._packets else packet.pts - self.seconds * TICKS
            while self._sounds and (self._sounds[0].pts < first or self._sound_bytes > _MOST_SOUND_BYTES):
                self._sound_bytes -= len(self._sounds.popleft().data)
            listeners = list(self._sound_listeners)
        for listener in listeners:
            listener(packet)

    def listen_to_sound(self, listener: Callable[[SoundPacket], None]) -> None:
        """As `listen`, for the sound; what comes encoded anyway: pictures are not wanted for that."""
        with self._lock:
            for packet in self._sounds:
                listener(packet)
            self._sound_listeners.append(listener)

    def leave_sound(self, listener: Callable[[SoundPacket], None]) -> None:
        with self._lock:
            self._sound_listeners = [other for other in self._sound_listeners if other != listener]

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
