"""The sound beside the pictures of a network stream: encoded, on the clock of the pictures."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import av

from seg_viewer.core.encoded import SoundFormat, SoundPacket
from seg_viewer.core.frame import TICKS
from seg_viewer.media.sample_line import layout_name
from seg_viewer.media.sound_heads import adts_header
from seg_viewer.sources.stream_times import StreamTimes

_LAYERS = {3: "mp1", 2: "mp2", 1: "mp3"}
_RTP_HEAD = b"\0\0\0\0"  # before MPEG audio that is not cut (RFC 2250, 3.5): FFmpeg leaves it, and players hear noise
_MOST_WAITING = 500
"""Packets that came before the first picture; nobody can tell yet when they sound."""


class StreamSound:
    """Makes packets for recordings of those of one connection; nothing is decoded.

    Args:
        stream: of the container that is read, or None where it has no sound.
        times: of the pictures.
        early: packets may come long before they are due.
        in_rtp: the server has one name for all kinds of MPEG audio: which it is, its packets say.
    """

    def __init__(self, stream: av.AudioStream | None, times: StreamTimes, *, early: bool, in_rtp: bool) -> None:
        self.stream = stream
        self._times, self._early = times, early
        self.format = None if stream is None else _format_of(stream)
        if in_rtp and self.format is not None and self.format.codec in _LAYERS.values():
            self.format = None
        """None without sound, and as long as too little is known of it."""
        self._waiting: deque[tuple[float | None, float, bytes, float, SoundFormat]] = deque(maxlen=_MOST_WAITING)

    def is_sound(self, packet: av.Packet[Any]) -> bool:
        return self.stream is not None and packet.stream is self.stream

    def take(self, packet: av.Packet[Any], arrived_s: float) -> Iterator[SoundPacket]:
        """What is ready now that this packet has come: nothing before the first picture, then all of it.

        Args:
            packet: one of `stream`.
            arrived_s: `time.perf_counter()` when it came.
        """
        data = self._bare(packet)
        stamp = packet.pts if packet.pts is not None else packet.dts
        tick_s = float(packet.time_base or 0)
        if data and self.format is not None:
            media_s = None if stamp is None else stamp * tick_s
            frames = _frames_of(data, self.format)
            length_s = (packet.duration or 0) * tick_s / len(frames)
            if len(frames) > 1:
                length_s = _mpeg_samples(data) / self.format.rate
            for number, frame in enumerate(frames):
                began_s = None if media_s is None else media_s + number * length_s
                self._waiting.append((began_s, arrived_s, frame, length_s, self.format))
        while self._waiting:
            media_s, came_s, data, duration_s, form = self._waiting[0]
            time_s = self._times.beside_s(media_s, came_s, early=self._early)
            if time_s is None:
                return
            self._waiting.popleft()
            yield SoundPacket(data, round(time_s * TICKS), round(duration_s * TICKS), form)

    def _bare(self, packet: av.Packet[Any]) -> bytes:
        """The packet's content without ADTS header; `format` is noted where this, or the server, says another one."""
        assert self.stream is not None
        data = bytes(packet)
        form = self.format or _format_of(self.stream)
        if form is not None and packet.has_sidedata("new_extradata"):
            form = replace(form, extradata=bytes(packet.get_sidedata("new_extradata")))
        if form is not None and form.codec == "aac" and (header := adts_header(data)) is not None:
            form = replace(form, extradata=header[1])
            data = data[header[0] :]
        if form is not None and form.codec in _LAYERS.values():
            if data[:4] == _RTP_HEAD and _layer_of(data[4:]):
                data = data[4:]
            form = replace(form, codec=_layer_of(data) or form.codec)
        if form != self.format:  # the same object as long as nothing changes
            self.format = form
        return data


def _layer_of(data: bytes) -> str:
    """The codec that a frame of MPEG audio is of (ISO/IEC 11172-3, 2.4.1.3): RTP has one name for all three layers."""
    if len(data) < 4 or data[0] != 0xFF or data[1] & 0xE0 != 0xE0:
        return ""
    return _LAYERS.get(data[1] >> 1 & 3, "")


def _frames_of(data: bytes, form: SoundFormat) -> list[bytes]:
    """RTP puts several frames of MPEG audio into a packet (RFC 2250, 3.5); containers hold one."""
    if form.codec not in _LAYERS.values():
        return [data]
    parser = av.CodecContext.create(form.codec, "r")
    return [bytes(frame) for part in (data, b"") for frame in parser.parse(part)] or [data]


def _mpeg_samples(data: bytes) -> int:
    """Of one frame of MPEG audio (ISO/IEC 11172-3 and 13818-3, 2.4.2.1)."""
    layer = _layer_of(data)
    if layer == "mp1":
        return 384
    return 576 if layer == "mp3" and data[1] >> 3 & 3 != 3 else 1152


def _format_of(stream: av.AudioStream) -> SoundFormat | None:
    context = stream.codec_context
    try:
        layout = layout_name(context.layout)
    except ValueError:
        return None
    if not context.sample_rate:
        return None
    return SoundFormat(context.codec.canonical_name, context.sample_rate, layout, bytes(context.extradata or b""))
