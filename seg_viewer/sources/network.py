"""Network streams through PyAV (FFmpeg): RTSP, RTMP, HTTP (MJPEG, HLS, MPEG-TS), UDP."""

from __future__ import annotations

import socket
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import av

from seg_viewer.core.encoded import EncodedPacket, PacketRing, StreamFormat
from seg_viewer.core.errors import SourceError
from seg_viewer.core.frame import TICKS, Frame
from seg_viewer.media.as_seen import AsSeen
from seg_viewer.media.av_picture import AvPicture
from seg_viewer.media.decoding import Decoder
from seg_viewer.sources.address import Address, is_network, parse_address
from seg_viewer.sources.base import SourceInfo, SourceKind
from seg_viewer.sources.live import Backoff, Reconnecting

BEHIND = "behind: decoder too slow"
DAMAGED = "damaged: did not decode"

# their packets carry invented times
_TIMELESS = {"mpjpeg", "mjpeg"}
# arrive in bursts of seconds, so that only their own times say when to show what
_IN_BURSTS = {"hls", "dash"}
_OPEN_TIMES = 2  # finding out what a stream holds takes several answers
_SEGMENT_TIMES = 4
_BEHIND_S = 1.0
_CAUGHT_UP_S = 0.3
_JUMP_S = 2.0
_LONGEST_WAIT_S = 30.0
_DRIFT = 2e-4  # clocks of cheap cameras are off by up to 200 parts per million
_AWAITED = 64


class NetworkStream(Reconnecting):
    """A stream that is read as fast as it arrives, and opened again when it breaks off.

    Frames have the time they were received; a decoder that cannot keep up goes on at the next key frame. What comes in
    bursts (HLS) is paced by its own times instead. A file on a server is not live: it is read once, to its end.

    Args:
        address: where it is.
        backoff: between attempts to reconnect.

    Raises:
        SourceError: it cannot be reached or holds no video; one line without credentials.
    """

    def __init__(self, address: Address, backoff: Backoff | None = None) -> None:
        super().__init__(address.name, backoff)
        self.address = address
        self.packets: PacketRing | None = PacketRing()
        self._container: av.container.InputContainer | None = None
        self._packets: Iterator[av.Packet[av.VideoStream]] = iter(())
        self._timeline = _Timeline(self._opened_s)
        self._as_seen = AsSeen()
        self._connect()

    def _connect(self) -> None:
        address = self.address
        reason = ""
        try:
            self._container = av.open(
                address.url,
                options=_open_options(address),
                timeout=(_OPEN_TIMES * address.timeout_s, _read_timeout_s(address)),
                metadata_errors="replace",
            )
        except (av.FFmpegError, OSError, ValueError) as error:
            reason = _reason(error, address, _OPEN_TIMES * address.timeout_s)
        if self._container is None:  # raised here: FFmpeg's own error holds the credentials and must not be its context
            raise SourceError(f"{self.name}: {reason}")
        try:
            self._prepare(self._container)
        except SourceError:
            self._disconnect()
            raise

    def _prepare(self, container: av.container.InputContainer) -> None:
        stream = container.streams.best("video")
        if not isinstance(stream, av.VideoStream):
            kinds = ", ".join(sorted({s.type for s in container.streams})) or "no"
            raise SourceError(f"{self.name}: sends no video, only {kinds} streams")
        stream.thread_type = "NONE"  # frame threads would hold back as many frames as there are threads
        stream.codec_context.flags |= av.codec.context.Flags.low_delay
        format_name = container.format.name
        self._stream = stream
        self._decoder = Decoder(stream)
        in_bursts = bool(_IN_BURSTS & set(format_name.split(",")))
        self._finite = bool(container.duration and container.duration > 0) or (not in_bursts and container.size > 0)
        self._paced = in_bursts and not self._finite
        self._timeline.restart(timed=format_name not in _TIMELESS, on_the_wall=not self._finite)
        self._packets = container.demux(stream)
        self._arrivals: deque[tuple[int | None, float]] = deque(maxlen=_AWAITED)
        self._skipping = False
        rate = float(stream.average_rate or stream.guessed_rate or 0) or None
        if rate is not None and (format_name in _TIMELESS or not 0.1 <= rate <= 1000):
            rate = None
        codec = stream.codec_context
        self._format = StreamFormat(
            codec.codec.canonical_name,
            codec.width,
            codec.height,
            rate,
            Fraction(stream.sample_aspect_ratio or 1),
            bytes(codec.extradata or b""),
        )
        transport = f" over {self.address.transport.upper()}" if self.address.transport else ""
        self.info = SourceInfo(
            name=self.name,
            fingerprint=self._fingerprint,
            width=codec.width,
            height=codec.height,
            rate=rate,
            duration_s=container.duration / av.time_base if self._finite and container.duration else None,
            live=not self._finite,
            codec=f"{codec.codec.canonical_name} · {self.address.scheme}{transport}",
            sample_aspect=Fraction(stream.sample_aspect_ratio or 1),
        )

    def _disconnect(self) -> None:
        container, self._container = self._container, None
        if container is not None:
            self._packets = iter(())
            container.close()

    def _has_end(self) -> bool:
        return self._finite

    def _read(self) -> Iterator[Frame]:
        while True:
            packet = self._receive()
            if packet is None:
                return
            arrived_s = self._wait_until_due(packet)
            self._keep(packet, arrived_s)
            if self._is_behind(packet, arrived_s):
                self.on_drop(BEHIND)
                continue
            self._arrivals.append((packet.pts, arrived_s))
            try:
                frames = self._decoder.decode(packet)
            except av.FFmpegError:
                self.on_drop(DAMAGED)
                continue
            for frame in frames:
                yield self._to_frame(frame, arrived_s)

    def _receive(self) -> av.Packet[av.VideoStream] | None:
        """The next packet, None at the end. Raises: SourceError when none comes in time, or the connection broke."""
        reason = ""
        packet = None
        try:
            packet = next(self._packets, None)
        except (av.FFmpegError, OSError) as error:
            reason = _reason(error, self.address, _read_timeout_s(self.address))
        if reason:
            raise SourceError(f"{self.name}: {reason}")
        return packet if packet is not None and packet.size else None

    def _wait_until_due(self, packet: av.Packet[av.VideoStream]) -> float:
        """When the packet arrived; for what is paced, wait until it is due."""
        now_s = time.perf_counter()
        if not self._paced:
            return now_s
        wait_s = self._timeline.wait_s(_seconds(packet.dts if packet.dts is not None else packet.pts, packet), now_s)
        if wait_s > 0:
            self._stop.wait(wait_s)
        return time.perf_counter()

    def _is_behind(self, packet: av.Packet[av.VideoStream], arrived_s: float) -> bool:
        """Whether to leave a packet out because those waiting to be read have piled up."""
        if self._paced or self._finite:
            return False
        lag_s = self._timeline.lag_s(_seconds(packet.dts if packet.dts is not None else packet.pts, packet), arrived_s)
        if not self._skipping:
            self._skipping = lag_s > _BEHIND_S
        elif packet.is_keyframe and lag_s < _CAUGHT_UP_S:
            self._skipping = False
            self._stream.codec_context.flush_buffers()
        return self._skipping

    def _keep(self, packet: av.Packet[av.VideoStream], arrived_s: float) -> None:
        """Put a copy into the ring, timed since the source was opened."""
        pts = packet.pts if packet.pts is not None else packet.dts
        pts_s = self._timeline.time_s(_seconds(pts, packet), arrived_s)
        delay_s = 0.0
        if packet.pts is not None and packet.dts is not None and packet.time_base is not None:
            delay_s = float((packet.pts - packet.dts) * packet.time_base)
        ticks = round(pts_s * TICKS)
        assert self.packets is not None
        self.packets.add(
            EncodedPacket(bytes(packet), ticks, ticks - round(delay_s * TICKS), packet.is_keyframe, self._format)
        )

    def _to_frame(self, frame: av.VideoFrame, arrived_s: float) -> Frame:
        for pts, packet_arrived_s in reversed(self._arrivals):
            if pts is not None and pts == frame.pts:
                arrived_s = packet_arrived_s
                break
        count = len(self._as_seen.notes)
        seen = self._as_seen.of(frame)
        self.warnings += [f"{self.name}: {note}" for note in self._as_seen.notes[count:]]
        if (frame.width, frame.height) != (self._format.width, self._format.height):
            self._format = replace(self._format, width=frame.width, height=frame.height)
        if (seen.width, seen.height) != (self.info.width, self.info.height):
            aspect = self._format.sample_aspect
            if self._as_seen.orientation.swaps_sides:
                aspect = 1 / aspect
            self.info = replace(self.info, width=seen.width, height=seen.height, sample_aspect=aspect)
        media_s = float(frame.pts * frame.time_base) if frame.pts is not None and frame.time_base else None
        return self._frame(self._timeline.shown_s(media_s, arrived_s), AvPicture(seen), arrived_s)


def _seconds(ticks: int | None, packet: av.Packet[av.VideoStream]) -> float | None:
    return None if ticks is None or packet.time_base is None else float(ticks * packet.time_base)


class _Timeline:
    """Maps the times of one connection after the other onto the time since the source was opened.

    Args:
        opened_s: `time.perf_counter()` then.
    """

    def __init__(self, opened_s: float) -> None:
        self._opened_s = opened_s
        self._last_s = -1.0
        self.restart(timed=True)

    def restart(self, *, timed: bool, on_the_wall: bool = True) -> None:
        """A new connection; `timed` when its packets carry times of their own, `on_the_wall` when these run like it."""
        self._timed, self._on_the_wall = timed, on_the_wall
        if not on_the_wall:
            self._last_s = -1.0
        self._shift_s: float | None = None
        self._least: tuple[float, float] | None = None  # least arrival - media time, and when that was
        self._clock: float | None = None

    def time_s(self, media_s: float | None, arrived_s: float) -> float:
        """Seconds since the source was opened; media times that stray from the clock on the wall are set anew."""
        wall_s = arrived_s - self._opened_s
        if media_s is None or not self._timed:
            return wall_s
        if self._shift_s is None or (self._on_the_wall and abs(media_s + self._shift_s - wall_s) > _JUMP_S):
            self._shift_s = (wall_s if self._on_the_wall else 0.0) - media_s
        return media_s + self._shift_s

    def shown_s(self, media_s: float | None, arrived_s: float) -> float:
        """As `time_s`, and later than the last."""
        self._last_s = max(self.time_s(media_s, arrived_s), self._last_s + 1e-3)
        return self._last_s

    def lag_s(self, media_s: float | None, arrived_s: float) -> float:
        """How much longer this packet took to be read than the quickest, clock drift allowed for; 0 when unknown."""
        if media_s is None or not self._timed:
            return 0.0
        delay_s = arrived_s - media_s
        if self._least is not None:
            least_s, then_s = self._least
            drifted_s = least_s + _DRIFT * (arrived_s - then_s)
            if drifted_s <= delay_s < drifted_s + 60:
                return delay_s - drifted_s
        self._least = (delay_s, arrived_s)
        return 0.0

    def wait_s(self, media_s: float | None, now_s: float) -> float:
        """Seconds until a paced packet is due; late by more than a jump, the clock is set anew."""
        if media_s is None:
            return 0.0
        if self._clock is None or not now_s - _JUMP_S < media_s + self._clock < now_s + _LONGEST_WAIT_S:
            self._clock = now_s - media_s
        return media_s + self._clock - now_s


def _open_options(address: Address) -> dict[str, str]:
    """FFmpeg's options for little delay and an answer in time."""
    microseconds = str(round(address.timeout_s * 1e6))
    options = {"fflags": "discardcorrupt", "analyzeduration": "500000", "probesize": "1000000"}
    match address.scheme:
        case "rtsp" | "rtsps":
            options |= {"rtsp_transport": address.transport, "timeout": microseconds, "max_delay": "200000"}
        case "http" | "https":
            options |= {"rw_timeout": microseconds, "http_persistent": "0"}
        case "rtmp" | "rtmps":
            options |= {"rw_timeout": microseconds, "rtmp_live": "live"}
        case "udp":
            options |= {"timeout": microseconds, "fifo_size": "100000", "overrun_nonfatal": "1"}
    return options


def _read_timeout_s(address: Address) -> float:
    """Between two segments of HLS nothing comes for seconds, and all is well."""
    return address.timeout_s * (_SEGMENT_TIMES if ".m3u8" in address.url.lower() else 1)


def _reason(error: Exception, address: Address, waited_s: float) -> str:
    """Why a stream cannot be had and what to do; without its address, which FFmpeg puts into its own texts."""
    match error:
        case av.error.HTTPUnauthorizedError():
            return f"the server asks for user and password; write {address.scheme}://USER:PASSWORD@{address.host}…"
        case av.error.HTTPForbiddenError():
            return "the server refuses this user (403); check user and password"
        case av.error.HTTPNotFoundError():
            return "the server has no such stream (404); check the path"
        case av.error.HTTPClientError() | av.error.HTTPServerError():
            return f"the server refuses: {error.strerror}"
        case av.error.ProtocolNotFoundError():
            return f"the FFmpeg in this PyAV has no {address.scheme}; send the stream as rtsp or udp"
        case av.error.InvalidDataError():
            return "what the server sends is no video"
        case av.error.ExitError() | TimeoutError() if address.scheme != "udp":
            return f"no answer within {waited_s:g} s; check address and network"
        case ConnectionRefusedError():
            return "connection refused: nothing listens there; check host and port, or start the server"
    if address.scheme == "udp":
        return f"nothing arrived within {waited_s:g} s; check the port and that something is sent to it"
    if isinstance(error, OSError) and error.errno == 5 and not _resolves(address.host):
        return f"no machine is called {address.host}; check the name and the network"
    return f"the connection broke ({getattr(error, 'strerror', None) or type(error).__name__})"


def _resolves(host: str) -> bool:
    try:
        return bool(socket.getaddrinfo(host, None))
    except OSError:
        return False


SOURCE = SourceKind(
    "network stream",
    is_network,
    lambda text: NetworkStream(parse_address(text)),
    forms=(("rtsp://…, rtmp://…, http(s)://…, udp://…", "#transport=udp&timeout=10"),),
    live=True,
    check=parse_address,
)
