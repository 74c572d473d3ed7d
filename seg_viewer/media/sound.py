"""A sound track on its way into another file: copied, or decoded and encoded anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import av
import numpy as np

from seg_viewer.core.counted import counted
from seg_viewer.media.beside import EARLIEST_S, BesideReader, CannotTravel, Timed, Travels, plain_copy
from seg_viewer.media.sample_line import SampleLine, layout_name
from seg_viewer.media.sound_decoding import LaidSound, decoded_form
from seg_viewer.media.sound_heads import adts_header, is_ac3, padded_stream
from seg_viewer.media.sound_rules import Encoding, copies, encoding_for, other_layout
from seg_viewer.media.trial import why_refused

_NEAR_S = 0.002
"""What rounding to milliseconds can do, and nobody hears."""

_MOVES = ("mp4", "mov")
"""Containers that can begin before 0, and skip what is there, whatever the codec."""


@dataclass(frozen=True)
class Heard:
    """What is known of a sound track before it is read.

    Args:
        stream: of the file that was looked into; it stays open.
        codec: its name.
        rate: samples per second.
        layout: of the channels.
        first: its first packets, as far as some were found near the beginning of the file.
        gapless: its container keeps no times, what follows follows at once.
        pieces: of how many recordings the file is put together.
        lead_s: how much of it lies before 0, for its decoder to begin with, seconds.
    """

    stream: av.AudioStream
    codec: str
    rate: int
    layout: av.AudioLayout
    first: list[av.Packet[Any]]
    gapless: bool
    pieces: int
    lead_s: float


def sound_track(heard: Heard, reader: BesideReader, decoding: BesideReader, container: str, length_s: float) -> Travels:
    """The way of a track into a container: copied if that can be, else encoded anew.

    Args:
        heard: the track.
        reader: reads it, to be copied.
        decoding: reads it, to be decoded: begins a little earlier.
        container: FFmpeg's name of the format: "mp4", "mov", "matroska", "webm".
        length_s: of the part that is wanted, seconds, or infinity.

    Raises:
        CannotTravel: neither can be.
    """
    changes = (heard.pieces > 1 and _changes(heard, reader)) or (heard.gapless and not _steps(heard))
    if copies(container, heard.codec) and heard.stream.codec_context.sample_rate and not changes:
        track: Travels = CopiedSound(heard, reader, container)
        if not why_refused(container, track):
            return track
    form = decoded_form(decoding)
    if form is None:
        raise CannotTravel("cannot be decoded" if heard.first else "empty")
    heard = replace(heard, rate=form[0], layout=form[1])
    try:
        encoding = encoding_for(container, heard.rate, heard.layout)
    except ValueError as error:
        raise CannotTravel(str(error)) from None
    track = EncodedSound(heard, decoding, encoding, length_s)
    if refused := why_refused(container, track):
        raise CannotTravel(refused)
    return track


def _steps(heard: Heard) -> bool:
    """Whether it is known how long each packet lasts where the file does not say so."""
    return heard.stream.codec_context.frame_size > 0 or heard.codec == "ac3" or "pcm_" in heard.codec


def _changes(heard: Heard, reader: BesideReader) -> bool:
    """Whether the headers that AAC's packets bring name several rates or layouts; a copy has one header for all."""
    if heard.codec != "aac" or not heard.first or adts_header(bytes(heard.first[0])) is None:
        return False
    found = (adts_header(bytes(timed.packet)) for timed in reader)
    return len({header[1] for header in found if header is not None}) > 1


class CopiedSound:
    """See `Travels`: packets as they are, with the times of the result in samples, none of them twice."""

    def __init__(self, heard: Heard, reader: BesideReader, container: str) -> None:
        self.told, self.reads_as = f"{heard.codec} copied", ("audio", heard.codec)
        self._heard, self._reader, self._container = heard, reader, container
        self._context = heard.stream.codec_context
        self._rate, self._tick = heard.rate, Fraction(1, heard.rate)
        self._adts = heard.codec == "aac" and bool(heard.first) and adts_header(bytes(heard.first[0])) is not None
        self._frame = self._context.frame_size or (1536 if heard.codec == "ac3" else 0)
        self._gapless = heard.gapless and self._frame > 0
        self._room_s = _NEAR_S
        self._decodes = False
        self._stream: av.AudioStream | None = None
        self._moved = self._damaged = 0

    def add_to(self, out: av.container.OutputContainer) -> av.AudioStream:
        lead_s, padded = self._heard.lead_s, None
        if lead_s and self._container == "matroska":
            padded = padded_stream(self._heard.codec, self._rate, lead_s)
        if padded is not None:
            stream = out.add_stream_from_template(padded)
            stream.codec_context.layout = layout_name(self._heard.layout)
            stream.codec_context.extradata = self._context.extradata
            stream.codec_context.bit_rate = self._context.bit_rate or 0
        else:
            stream = out.add_stream_from_template(self._heard.stream)
        if self._adts:
            found = adts_header(bytes(self._heard.first[0]))
            assert found is not None
            stream.codec_context.extradata = found[1]
        elif self._heard.codec == "aac" and not stream.codec_context.extradata:
            raise ValueError("AAC without its configuration")
        stream.time_base = self._tick
        self._stream = stream
        if self._container in _MOVES:
            self._room_s = EARLIEST_S
        elif padded is not None or self._heard.codec == "opus":
            self._room_s = lead_s + _NEAR_S
        return stream

    def trial(self) -> list[av.Packet[Any]]:
        assert self._stream is not None
        packets = [data for packet in self._heard.first if (data := self._bare(packet)) is not None]
        length = self._frame or self._rate // 50
        return [
            plain_copy(data, self._stream, self._tick, number * length, length) for number, data in enumerate(packets)
        ]

    def packets(self) -> Iterator[tuple[float, av.Packet[Any]]]:
        stream = self._stream
        assert stream is not None
        last, length = None, 0
        for timed in self._reader:
            stamp = self._stamp(timed, None if last is None else last + length)
            if stamp is None:
                continue
            if last is not None and stamp <= last + length // 4:
                stamp = last + max(1, length)
                self._moved += 1
            data = self._bare(timed.packet)
            if data is None or not self._sounds(timed.packet):
                self._damaged += 1
                continue
            last, length = stamp, round(timed.duration_s * self._rate) or self._frame
            if self._gapless or (self._frame and abs(length - self._frame) <= 1 + self._rounding(timed)):
                length = self._frame
            packet = timed.packet
            if self._adts:
                packet = plain_copy(data, stream, self._tick, stamp, length)
            else:
                packet.stream = stream
                packet.time_base = self._tick
                packet.pts = packet.dts = stamp
                packet.duration = length
            yield stamp / self._rate, packet

    def _stamp(self, timed: Timed, expected: int | None) -> int | None:
        """Time of a packet in samples, or None if it is not for the result.

        Many containers keep milliseconds, or ticks that no sample falls on. As long as a packet follows the one before
        within what that rounding can do, it gets its exact time.
        """
        if timed.time_s is None or (expected is not None and self._gapless):
            return expected or 0
        if timed.time_s < -self._room_s or (timed.packet.is_discard and timed.time_s > 0):
            return None
        stamp = round(timed.time_s * self._rate)
        if expected is not None and abs(stamp - expected) <= 1 + self._rounding(timed):
            return expected
        return stamp

    def _rounding(self, timed: Timed) -> int:
        return int(timed.tick_s * self._rate)

    def _bare(self, packet: av.Packet[Any]) -> bytes | None:
        """Content of a packet as a muxer wants it, or None if it would stop there."""
        data = bytes(packet)
        if self._adts:
            found = adts_header(data)
            return None if found is None else data[found[0] :]
        if self._heard.codec in ("ac3", "eac3") and not is_ac3(data, self._heard.codec == "eac3"):
            return None
        return data

    def _sounds(self, packet: av.Packet[Any]) -> bool:
        """Whether a packet can be decoded; a decoder that has not decoded any yet is not asked."""
        try:
            self._decodes = bool(packet.decode()) or self._decodes
        except (av.FFmpegError, ValueError):
            return not self._decodes
        return True

    def notes(self) -> list[str]:
        lines = []
        if self._moved:
            lines.append(_moved(self._moved))
        if self._damaged:
            lines.append(f"{_packets(self._damaged)} damaged, left out")
        if self._reader.broken:
            lines.append(f"ends early: {self._reader.broken}")
        return lines


class EncodedSound:
    """See `Travels`: decoded, laid on a line of samples, encoded; what cannot be decoded becomes silence."""

    def __init__(self, heard: Heard, reader: BesideReader, encoding: Encoding, length_s: float) -> None:
        self._heard, self._reader, self._encoding, self._length_s = heard, reader, encoding, length_s
        before = f" ({heard.rate} Hz)" if heard.rate != encoding.rate else ""
        after = f" ({encoding.rate} Hz)" if before else ""
        layout = layout_name(heard.layout)
        changed = f", {layout} as {encoding.layout}" if other_layout(layout, encoding.layout) else ""
        self.reads_as = "audio", encoding.name
        self.told = f"{heard.codec}{before} encoded as {encoding.name}{after}{changed}"
        self._stream: av.AudioStream | None = None
        self._laid = LaidSound(reader, SampleLine(encoding.rate, encoding.layout), gapless=heard.gapless)
        self._stopped = ""

    def add_to(self, out: av.container.OutputContainer) -> av.AudioStream:
        stream = out.add_stream(self._encoding.codec, rate=self._encoding.rate)
        assert isinstance(stream, av.AudioStream)
        stream.codec_context.layout = self._encoding.layout
        stream.codec_context.bit_rate = self._encoding.bit_rate
        stream.codec_context.time_base = Fraction(1, self._encoding.rate)
        stream.time_base = Fraction(1, self._encoding.rate)
        self._stream = stream
        return stream

    def trial(self) -> list[av.Packet[Any]]:
        assert self._stream is not None
        rate = self._encoding.rate
        line = SampleLine(rate, self._encoding.layout)
        silence = np.zeros((1, av.AudioLayout(self._encoding.layout).nb_channels * (rate // 4)), np.float32)
        frame = av.AudioFrame.from_ndarray(silence, format="flt", layout=self._encoding.layout)
        frame.sample_rate = rate
        return [p for ready in line.put(frame, 0.0) for p in self._stream.encode(ready)] + self._stream.encode(None)

    def packets(self) -> Iterator[tuple[float, av.Packet[Any]]]:
        stream = self._stream
        assert stream is not None
        line = SampleLine(self._encoding.rate, self._encoding.layout, self._length_s)
        self._laid = LaidSound(self._reader, line, gapless=self._heard.gapless)
        try:
            for frame in self._laid.frames(self._length_s):
                for packet in stream.encode(frame):
                    yield _seconds(packet), packet
            for packet in stream.encode(None):
                yield _seconds(packet), packet
        except (av.FFmpegError, ValueError) as error:
            self._stopped = getattr(error, "strerror", None) or str(error)

    def notes(self) -> list[str]:
        laid = self._laid
        lines = [_moved(laid.moved)] if laid.moved else []
        silent = f"{laid.line.silence_s:.2f} s of silence in its place" if laid.line.silence_s else ""
        if laid.failed:
            failed = f"{_packets(laid.failed)} could not be decoded"
            lines.append(f"{failed}: {silent}" if silent else failed)
        elif silent:
            lines.append(f"has holes: {silent.replace('its', 'their')}")
        if self._stopped or self._reader.broken:
            lines.append(f"ends early: {self._stopped or self._reader.broken}")
        return lines


def _seconds(packet: av.Packet[Any]) -> float:
    stamp = packet.dts if packet.dts is not None else packet.pts or 0
    return float(stamp * packet.time_base)


def _moved(count: int) -> str:
    return f"{_packets(count)} had the time of an earlier one: put behind it"


def _packets(count: int) -> str:
    return counted(count, "packet")
