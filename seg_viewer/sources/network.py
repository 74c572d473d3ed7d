"""Network streams through PyAV (FFmpeg): RTSP, RTMP, HTTP (MJPEG, HLS, MPEG-TS), UDP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import av

from seg_viewer.core.encoded import EncodedPacket, PacketRing, StreamFormat
from seg_viewer.core.errors import NotThereYetError, PasswordError, SourceError
from seg_viewer.core.frame import TICKS, Frame
from seg_viewer.media.as_seen import AsSeen
from seg_viewer.media.av_picture import AvPicture
from seg_viewer.media.decoding import Decoder
from seg_viewer.media.orientation import UPRIGHT, Orientation, orientation_of
from seg_viewer.sources.address import SDP, Address, is_network, parse_address
from seg_viewer.sources.base import SourceInfo, SourceKind
from seg_viewer.sources.connection import Arrival, Connection
from seg_viewer.sources.hls import Watched
from seg_viewer.sources.live import Backoff, LiveStatus, Reconnecting
from seg_viewer.sources.losses import Losses
from seg_viewer.sources.network_opening import (
    LONG_LOOK_S,
    OPEN_TIMES,
    QUICK_LOOK_S,
    Refusal,
    open_options,
    read_timeout_s,
    refusal_of,
)
from seg_viewer.sources.stream_sound import StreamSound
from seg_viewer.sources.stream_times import StreamTimes, capture_age_s
from seg_viewer.sources.web import Web, is_for_web

BEHIND = "behind: decoder too slow"

# their packets carry invented times
_TIMELESS = {"mpjpeg", "mjpeg"}
# arrive in bursts of seconds, so that only their own times say when to show what
_IN_BURSTS = {"hls", "dash"}
_RTP = {"rtsp", "sdp", "rtp"}
_BEHIND_S = 1.0
_CAUGHT_UP_S = 0.3
_START_S = 10.0
_NO_KEY_S = 10.0
_CLOCKS_S = 0.5
_LONGEST_WAY_S = 10.0


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
        self._connection: Connection | None = None
        self._web: Web | None = None
        self._watched = Watched()
        self._times = StreamTimes(self._opened_s)
        self._as_seen = AsSeen()
        self._way: Orientation = UPRIGHT
        self._aspect: Fraction | None = None
        self._losses = Losses(lambda cause: self.on_drop(cause))
        self._connect()

    @property
    def status(self) -> LiveStatus:
        return replace(super().status, loss=self._losses.loss)

    def _connect(self) -> None:
        self._watched.connect()
        self._connection = connection = Connection(self._open, self._explain, self._stop, read_timeout_s(self.address))
        try:
            container = connection.wait_until_open()
            if container is None:
                raise self._refused(Refusal("was left before it answered"))
            self._prepare(container)
        except BaseException:  # Ctrl-C, too
            self._disconnect()
            raise
        connection.read(self._stream, self._sound.stream)

    def _refused(self, refusal: Refusal) -> SourceError:
        kind = NotThereYetError if refusal.passing else PasswordError if refusal.password else SourceError
        return kind(f"{self.name}: {refusal.text}")

    def _explain(self, error: Exception | None, waited_s: float) -> Exception | None:
        """In a person's words; made anew, because FFmpeg's own error holds the credentials."""
        web, self._web = self._web, None
        error = (web.failure if web is not None else None) or error
        if web is not None:
            web.close()
        if isinstance(error, (av.FFmpegError, OSError, ValueError)):
            return self._refused(refusal_of(error, self.address, waited_s))
        return error

    def _open(self) -> av.container.InputContainer:
        container = self._open_once(QUICK_LOOK_S)
        if container.streams.video or not _can_hold_more(container):
            return container
        # an RTMP server sends sound at once, and pictures from the next key frame on
        container.close()
        return self._open_once(LONG_LOOK_S)

    def _open_once(self, look_s: float) -> av.container.InputContainer:
        if is_for_web(self.address):
            self._web = Web(self.address, self._watched)
        web = self._web
        return av.open(
            self.address.url if web is None else web.url,
            io_open=None if web is None else web.open,
            options=open_options(self.address, look_s),
            timeout=(max(OPEN_TIMES * self.address.timeout_s, 1.5 * look_s), read_timeout_s(self.address)),
            metadata_errors="replace",
        )

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
        size = container.size if self._web is None else self._web.size
        has_end = bool(container.duration and container.duration > 0) or (not in_bursts and size > 0)
        self._finite = has_end and self.address.scheme != SDP
        self._paced = in_bursts and not self._finite
        sound = container.streams.best("audio", related=stream)
        self._sound = StreamSound(
            sound if isinstance(sound, av.AudioStream) else None,
            self._times,
            early=self._paced,
            in_rtp=format_name in _RTP,
        )
        assert self.packets is not None
        self.packets.sound, self.packets.has_sound = self._sound.format, self._sound.stream is not None
        self._times.restart(timed=format_name not in _TIMELESS, on_the_wall=not self._finite)
        is_rtp = format_name in _RTP
        self._losses.restart(can_lose=is_rtp or self.address.scheme == "udp")
        self._way, self._aspect = UPRIGHT, None
        self._skipping = False
        self._first_waited_s: float | None = None
        self._began_s = self._key_awaited_s = time.perf_counter()
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
        self.packets.codec = self._format.codec
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
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _has_end(self) -> bool:
        return self._finite

    def _given_up_s(self) -> float | None:
        connection = self._connection
        if connection is None:
            return None
        return self._watched.given_up_s or connection.heard_s + read_timeout_s(self.address)

    def _read(self) -> Iterator[Frame]:
        try:
            yield from self._read_all()
        finally:
            if not self._stop.is_set():  # else what is in the decoder is lost to nobody
                self._losses.under_way.clear()

    def _read_all(self) -> Iterator[Frame]:
        while (arrival := self._receive()) is not None:
            packet, self._watched.is_shown = arrival.packet, True
            if self._sound.is_sound(packet):
                self._keep_sound(arrival)
                continue
            if packet.size:
                self._losses.arrived(_seconds(packet.dts if packet.dts is not None else packet.pts, packet))
            if packet.size and self._is_behind(arrival):
                self._keep(packet, arrival.arrived_s, arrival.arrived_s)
                self.on_drop(BEHIND)
                continue
            arrived_s = self._wait_until_due(arrival)
            captured_s = self._captured_s(arrival)
            self._losses.under_way.put(packet, arrived_s, captured_s)
            try:
                frames = self._decoder.decode(packet)
            except av.FFmpegError:
                frames = []
                if packet.size:
                    self._losses.under_way.failed()
            if packet.size:
                self._note_format(packet, frames)  # only now is known what size it has
                self._keep(packet, arrived_s, captured_s or arrival.arrived_s)
            for frame in frames:
                yield self._to_frame(frame, arrived_s)

    def _receive(self) -> Arrival | None:
        """The next packet, None at the end. Raises: SourceError when none comes in time, or the connection broke."""
        return self._connection.take() if self._connection is not None else None

    def _captured_s(self, arrival: Arrival) -> float | None:
        """When the camera took the picture, from its sender reports (RFC 3550 section 6.4.1) where RTSP brings them.

        Its clock must agree with that of this machine; where it cannot, that is told once, and nothing is made of it.
        """
        on_its_way_s = capture_age_s(arrival.packet, arrival.arrived_s)
        if on_its_way_s is None:
            return None
        if -_CLOCKS_S <= on_its_way_s <= _LONGEST_WAY_S:
            return arrival.arrived_s - max(0.0, on_its_way_s)
        if not any(warning.startswith(f"{self.name}: its clock") for warning in self.warnings):
            self.warnings.append(
                f"{self.name}: its clock and that of this machine differ by {abs(on_its_way_s):.0f} s: "
                "ages are counted since arrival; set both by the same time server"
            )
        return None

    def _wait_until_due(self, arrival: Arrival) -> float:
        """When the packet arrived; for what is paced, wait until it is due."""
        if not self._paced:
            return arrival.arrived_s
        packet = arrival.packet
        media_s = _seconds(packet.dts if packet.dts is not None else packet.pts, packet)
        wait_s = self._times.wait_s(media_s, time.perf_counter())
        if wait_s > 0:
            self._stop.wait(wait_s)
        return time.perf_counter()

    def _is_behind(self, arrival: Arrival) -> bool:
        """Whether to leave a packet out because those that have come wait too long for the decoder.

        How long a packet has waited here is all that counts: the times that a sender gives its packets may jump, and
        it may pause. What came before the first one was asked for may take its time to be caught up with.
        """
        if self._paced or self._finite:
            return False
        now_s = time.perf_counter()
        waited_s = now_s - arrival.arrived_s
        if self._first_waited_s is None:
            self._first_waited_s, self._began_s = waited_s, now_s
        if not self._skipping:
            allowed_s = _BEHIND_S + (self._first_waited_s if now_s - self._began_s < _START_S else 0.0)
            self._skipping, self._key_awaited_s = waited_s > allowed_s, now_s
        elif waited_s < _CAUGHT_UP_S:
            if arrival.packet.is_keyframe:
                self._skipping = False
                self._stream.codec_context.flush_buffers()
                self._losses.under_way.clear()
            elif now_s - self._key_awaited_s > _NO_KEY_S:  # some cameras send none any more
                self._skipping = False
        return self._skipping

    def _note_format(self, packet: av.Packet[av.VideoStream], frames: list[av.VideoFrame]) -> None:
        """Notice another size or form of pixels, and another set-up of the decoder beside a packet, as RTMP sends it.

        Which way up the pictures are is known from the first of them on.
        """
        context, form = self._stream.codec_context, self._format
        aspect = context.sample_aspect_ratio
        if aspect and aspect != self._aspect:  # a container's word counts as long as the codec's is the same
            form = form if self._aspect is None and form.sample_aspect != 1 else replace(form, sample_aspect=aspect)
            self._aspect = aspect
        if frames:
            way = orientation_of(frames[-1])
            form = replace(form, turned=(way.a, way.b, way.c, way.d)) if way != self._way else form
            self._way = way
        if context.width and (context.width, context.height) != (form.width, form.height):
            form = replace(form, width=context.width, height=context.height)
        if packet.has_sidedata("new_extradata"):
            extradata = bytes(packet.get_sidedata("new_extradata"))
            if extradata != form.extradata:
                form = replace(form, extradata=extradata)
        self._format = form

    def _keep_sound(self, arrival: Arrival) -> None:
        assert self.packets is not None
        for packet in self._sound.take(arrival.packet, arrival.arrived_s):
            self.packets.add_sound(packet)

    def _keep(self, packet: av.Packet[av.VideoStream], arrived_s: float, taken_s: float) -> None:
        """Put a copy into the ring, timed since the source was opened."""
        pts = packet.pts if packet.pts is not None else packet.dts
        self._times.look(_seconds(packet.dts, packet))
        pts_s = self._times.time_s(_seconds(pts, packet), arrived_s)
        delay_s = 0.0
        if packet.pts is not None and packet.dts is not None and packet.time_base is not None:
            delay_s = float((packet.pts - packet.dts) * packet.time_base)
        ticks = round(pts_s * TICKS)
        assert self.packets is not None
        self.packets.add(
            EncodedPacket(
                bytes(packet), ticks, ticks - round(delay_s * TICKS), packet.is_keyframe, self._format, taken_s
            )
        )

    def _to_frame(self, frame: av.VideoFrame, arrived_s: float) -> Frame:
        given = self._losses.shown(frame)
        captured_s = given.captured_s if given is not None else None
        if given is not None:
            arrived_s = given.arrived_s
        count = len(self._as_seen.notes)
        seen = self._as_seen.of(frame)
        self.warnings += [f"{self.name}: {note}" for note in self._as_seen.notes[count:]]
        if (seen.width, seen.height) != (self.info.width, self.info.height):
            aspect = self._format.sample_aspect
            if self._as_seen.orientation.swaps_sides:
                aspect = 1 / aspect
            self.info = replace(self.info, width=seen.width, height=seen.height, sample_aspect=aspect)
        media_s = float(frame.pts * frame.time_base) if frame.pts is not None and frame.time_base else None
        return self._frame(self._times.shown_s(media_s, arrived_s), AvPicture(seen), arrived_s, captured_s)


def _can_hold_more(container: av.container.InputContainer) -> bool:
    """Whether streams may still begin that were not there when it was opened: what is live and has no header."""
    return not container.duration and container.size <= 0


def _seconds(ticks: int | None, packet: av.Packet[av.VideoStream]) -> float | None:
    return None if ticks is None or packet.time_base is None else float(ticks * packet.time_base)


SOURCE = SourceKind(
    "network stream",
    is_network,
    lambda text: NetworkStream(parse_address(text)),
    forms=(("rtsp://…, rtmp://…, http(s)://…, udp://…", "#transport=udp&timeout=10&ca=FILE"),),
    live=True,
    check=parse_address,
)
