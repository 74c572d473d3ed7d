"""Subtitles and data on their way into another file: copied, or text brought into the form the container has."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
from av.stream import Stream
from av.subtitles.codeccontext import SubtitleCodecContext
from av.subtitles.subtitle import SubtitleSet

from seg_viewer.media.beside import BesideReader, CannotTravel, Travels, plain_copy
from seg_viewer.media.trial import why_refused

_TEXT_FORM = {"mp4": ("mov_text", "mov_text"), "mov": ("mov_text", "mov_text")}
_TEXT_FORM |= {"webm": ("webvtt", "webvtt"), "matroska": ("subrip", "subrip")}
"""The encoder for text and the name of what it makes, for each container."""

_BITMAPS = {"dvd_subtitle", "dvb_subtitle", "hdmv_pgs_subtitle", "xsub"}
_TICK = Fraction(1, 1000)

_PLAIN_HEADER = (
    b"[Script Info]\r\nScriptType: v4.00+\r\n\r\n[V4+ Styles]\r\n"
    b"Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, "
    b"Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, "
    b"MarginV, Encoding\r\n"
    b"Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,1\r\n\r\n"
    b"[Events]\r\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\r\n"
)
"""For decoders that bring none: encoders ask for the head of an Advanced SubStation Alpha script."""


def subtitle_track(stream: Stream, reader: BesideReader, container: str, first: list[av.Packet[Any]]) -> Travels:
    """The way of subtitles into a container: as they are, or as its own kind of text.

    Raises:
        CannotTravel: they are pictures that it cannot hold, or nothing reads them.
    """
    if stream.codec_context is None:
        raise CannotTravel("unknown codec")
    name = stream.codec_context.codec.canonical_name
    bitmaps = name in _BITMAPS
    if not (bitmaps and container != "matroska"):  # MP4 has a way to store them that hardly anything plays
        copied = CopiedTrack(stream, name, reader, first)
        if not why_refused(container, copied):
            return copied
    if bitmaps:
        raise CannotTravel("pictures")
    text = TextTrack(stream, name, reader, _TEXT_FORM[container])
    if refused := why_refused(container, text):
        raise CannotTravel(refused)
    return text


def data_track(stream: Stream, name: str, reader: BesideReader, container: str, first: list[av.Packet[Any]]) -> Travels:
    """The way of data (places, telemetry, …) into a container: as they are.

    Raises:
        CannotTravel: it does not hold them.
    """
    track = CopiedTrack(stream, name, reader, first)
    if why_refused(container, track):
        raise CannotTravel("")
    return track


class CopiedTrack:
    """See `Travels`: packets as they are, with the times of the result, cut where the wanted part begins and ends."""

    def __init__(self, stream: Stream, name: str, reader: BesideReader, first: list[av.Packet[Any]]) -> None:
        self.told = f"{name} copied"
        self.reads_as: tuple[str, str] = (stream.type, name)
        self._source, self._reader, self._first = stream, reader, first
        self._stream: Stream | None = None

    def add_to(self, out: av.container.OutputContainer) -> Stream:
        stream: Stream = out.add_stream_from_template(self._source)
        stream.time_base = self._source.time_base
        self._stream = stream
        return stream

    def trial(self) -> list[av.Packet[Any]]:
        assert self._stream is not None
        return [plain_copy(bytes(packet), self._stream, _TICK, number, 1) for number, packet in enumerate(self._first)]

    def packets(self) -> Iterator[tuple[float, av.Packet[Any]]]:
        stream, tick = self._stream, self._source.time_base
        assert stream is not None and tick is not None
        last = -1
        for start_s, end_s, packet in cut(self._reader):
            last = max(last + 1, round(start_s / tick))
            packet.stream = stream
            packet.time_base = tick
            packet.pts = packet.dts = last
            packet.duration = max(0, round(end_s / tick) - last)
            yield float(last * tick), packet

    def notes(self) -> list[str]:
        return [f"ends early: {self._reader.broken}"] if self._reader.broken else []


class TextTrack:
    """See `Travels`: text, decoded and written in another form, with bold, italics and colours if both have them."""

    def __init__(self, stream: Stream, name: str, reader: BesideReader, form: tuple[str, str]) -> None:
        self.told, self.reads_as = f"{name} as {form[1]}", ("subtitle", form[1])
        self._source, self._reader, self._form = stream, reader, form
        self._stream: Stream | None = None
        self._failed = 0

    def add_to(self, out: av.container.OutputContainer) -> Stream:
        stream: Stream = out.add_stream(self._form[0])
        encoder = stream.codec_context
        assert isinstance(encoder, SubtitleCodecContext)
        encoder.subtitle_header = self._header()
        encoder.time_base = stream.time_base = _TICK
        self._stream = stream
        return stream

    def _header(self) -> bytes:
        decoder = self._source.codec_context
        assert isinstance(decoder, SubtitleCodecContext)
        decoder.open(strict=False)
        return decoder.subtitle_header or _PLAIN_HEADER

    def trial(self) -> list[av.Packet[Any]]:
        return [self._encoded(SubtitleSet.create(b"0,0,Default,,0,0,0,,text", 0, 500), 0, 500)]

    def packets(self) -> Iterator[tuple[float, av.Packet[Any]]]:
        last = -1
        for start_s, end_s, packet in cut(self._reader):
            try:
                decoder = packet.stream.codec_context
                decoded = decoder.decode2(packet)
                if decoded is None or not len(decoded):
                    continue
                shown_s = decoded.end_display_time / 1000 if 0 < decoded.end_display_time < 2**32 - 1 else 0.0
                start = max(last + 1, round(start_s * 1000))
                end = max(start + 1, round(max(end_s, start_s + shown_s if end_s <= start_s else 0.0) * 1000))
                encoded = self._encoded(decoded, start, end)
            except (av.FFmpegError, ValueError):
                self._failed += 1
                continue
            last = start
            yield start / 1000, encoded

    def _encoded(self, text: SubtitleSet, start: int, end: int) -> av.Packet[Any]:
        """Times in milliseconds."""
        assert self._stream is not None
        encoder = self._stream.codec_context
        assert isinstance(encoder, SubtitleCodecContext)
        data = bytes(encoder.encode_subtitle(text))
        return plain_copy(data, self._stream, _TICK, start, end - start)

    def notes(self) -> list[str]:
        lines = [f"{self._failed} texts could not be read"] if self._failed else []
        return lines + ([f"ends early: {self._reader.broken}"] if self._reader.broken else [])


def cut(reader: BesideReader) -> Iterator[tuple[float, float, av.Packet[Any]]]:
    """Packets that show something within the reader's span, from when to when, seconds; in order of time."""
    last_s = 0.0
    for timed in reader:
        start_s = last_s if timed.time_s is None else timed.time_s
        end_s = start_s + timed.duration_s
        if end_s < 0 or (end_s == 0 and start_s < 0):
            continue
        last_s = max(0.0, start_s)
        yield last_s, min(max(end_s, last_s), reader.length_s), timed.packet
