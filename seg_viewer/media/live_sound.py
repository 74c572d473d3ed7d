"""Sound of a live stream on its way into a recording: checked, then copied, or encoded anew where it has to be."""

from __future__ import annotations

import io
import struct
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import av
from av.codec.codec import UnknownCodecError

from seg_viewer.core.encoded import SoundFormat, SoundPacket
from seg_viewer.core.frame import TICKS
from seg_viewer.media.sample_line import JITTER_S, SampleLine, layout_name
from seg_viewer.media.sound_rules import copies, encoding_for

_FAILURES = (av.FFmpegError, OSError, ValueError, TypeError, LookupError)
_OPUS_HEAD = b"OpusHead"
_G711 = ("pcm_alaw", "pcm_mulaw")
_TOLD_S = 0.2


@dataclass(frozen=True)
class Heard:
    """A packet that can be decoded, with what comes out of it.

    Args:
        packet: with the rate, the layout and the length that its sound really has.
        frames: the sound.
    """

    packet: SoundPacket
    frames: tuple[av.AudioFrame, ...]


class SoundCheck:
    """Decodes what comes, so that nothing damaged ever gets to a muxer: there, it could cost the pictures.

    Attributes:
        damaged: packets that could not be decoded.
    """

    def __init__(self) -> None:
        self.damaged = 0
        self._given: SoundFormat | None = None
        self._decoder: av.AudioCodecContext | None = None
        self._real: SoundFormat | None = None

    def look(self, packet: SoundPacket) -> Heard | None:
        """None where nothing comes out of it."""
        try:
            if self._decoder is None or packet.format != self._given:
                self._given = packet.format
                self._decoder = decoder_for(packet.format)
            frames = tuple(frame for frame in self._decoder.decode(av.Packet(packet.data)) if frame.samples)
        except _FAILURES:
            frames = ()
        if not frames:
            self.damaged += 1
            return None
        real = replace(packet.format, rate=frames[0].sample_rate, layout=_layout_of(frames[0], packet.format))
        if real != self._real:
            self._real = real
        duration = round(sum(frame.samples for frame in frames) * TICKS / real.rate)
        return Heard(replace(packet, duration=duration, format=self._real), frames)


def decoder_for(form: SoundFormat) -> av.AudioCodecContext:
    """Raises: ValueError, av.FFmpegError."""
    decoder = av.CodecContext.create(form.codec, "r")
    assert isinstance(decoder, av.AudioCodecContext)
    decoder.sample_rate, decoder.layout = form.rate, form.layout
    if form.extradata:
        decoder.extradata = form.extradata
    return decoder


def _layout_of(frame: av.AudioFrame, form: SoundFormat) -> str:
    try:
        return layout_name(frame.layout)
    except ValueError:
        return form.layout


def is_copied(container: str, form: SoundFormat) -> bool:
    """Whether a container (FFmpeg's name) takes such sound as it is, as far as that can be said before it comes."""
    if not copies(container, form.codec):
        return False
    try:
        with av.open(io.BytesIO(), "w", format=container) as out:
            _add_copied(out, _unpacked(form), checked=False)
    except _FAILURES:
        return False
    return True


class SoundTrack(ABC):
    """Sound in one file.

    Attributes:
        told: what is done with it: "aac copied".
        format: of what goes into it.
        seconds: how much of it has been written.
    """

    told: str

    def __init__(self, form: SoundFormat) -> None:
        self.format = form
        self.seconds = 0.0

    def takes(self, form: SoundFormat) -> bool:
        """Whether sound of a format can follow."""
        return form == self.format

    @abstractmethod
    def put(self, heard: Heard, start: int) -> list[av.Packet[Any]]:
        """What is to be muxed now.

        Args:
            heard: the next packet.
            start: of the file, ticks on the clock of the packets.
        """

    def rest(self) -> list[av.Packet[Any]]:
        """What is still held; nothing can be put after."""
        return []

    def missing(self) -> list[str]:
        """What is not as it was sent, half a line each."""
        return []


class CopiedTrack(SoundTrack):
    """Packets as they came; a time without sound stays one.

    Raises:
        ValueError, av.FFmpegError: the container does not take such sound.
    """

    def __init__(self, out: av.container.OutputContainer, first: Heard) -> None:
        super().__init__(first.packet.format)
        written = _as_written(first)
        self.told = f"{self.format.codec} copied"
        if written is not first.packet:
            self.told = f"{self.format.codec} as {written.format.codec}, without loss"
        _try(out.format.name, written)
        self._stream = _add_copied(out, written.format)
        self._expected: int | None = None
        self._twice_s = 0.0

    def put(self, heard: Heard, start: int) -> list[av.Packet[Any]]:
        rate = self.format.rate
        stamp = round((heard.packet.pts - start) * rate / TICKS)
        length = round(heard.packet.duration * rate / TICKS)
        jitter = round(JITTER_S * rate)
        if self._expected is not None and abs(stamp - self._expected) <= jitter:
            stamp = self._expected
        elif stamp < (self._expected or -jitter):
            if self._expected is not None:
                self._twice_s += length / rate
            return []
        stamp = max(0, stamp)
        self._expected = stamp + length
        self.seconds += length / rate
        packet = av.Packet(_as_written(heard).data)
        packet.stream, packet.time_base = self._stream, Fraction(1, rate)
        packet.pts = packet.dts = stamp
        packet.duration = length
        return [packet]

    def missing(self) -> list[str]:
        if self._twice_s < _TOLD_S:
            return []
        return [f"{self._twice_s:.1f} s of sound left out: there was sound of the same time"]


class EncodedTrack(SoundTrack):
    """Encoded as AAC; silence where there is none, up to a minute.

    Raises:
        ValueError: there is no layout for so many channels.
    """

    def __init__(self, out: av.container.OutputContainer, form: SoundFormat) -> None:
        super().__init__(form)
        encoding = encoding_for(out.format.name, form.rate, av.AudioLayout(form.layout))
        self.told = f"{form.codec} encoded as {encoding.name}"
        stream = out.add_stream(encoding.codec, rate=encoding.rate)
        assert isinstance(stream, av.AudioStream)
        context = stream.codec_context
        context.layout, context.bit_rate = encoding.layout, encoding.bit_rate
        context.time_base = stream.time_base = Fraction(1, encoding.rate)
        self._stream = stream
        self._line = SampleLine(encoding.rate, encoding.layout)

    def takes(self, form: SoundFormat) -> bool:
        return True  # it is decoded anyway

    def put(self, heard: Heard, start: int) -> list[av.Packet[Any]]:
        time_s = (heard.packet.pts - start) / TICKS
        ready = []
        for frame in heard.frames:
            ready += list(self._line.put(frame, time_s))
            time_s += frame.samples / frame.sample_rate
        self.seconds += heard.packet.duration / TICKS
        return self._encoded(ready)

    def rest(self) -> list[av.Packet[Any]]:
        if not self._line.begun:
            return []
        return self._encoded(list(self._line.finish())) + self._kept(self._stream.encode(None))

    def _encoded(self, frames: list[av.AudioFrame]) -> list[av.Packet[Any]]:
        return [packet for frame in frames for packet in self._kept(self._stream.encode(frame))]

    def _kept(self, packets: list[av.Packet[Any]]) -> list[av.Packet[Any]]:
        # an encoder begins with a packet before its first sample; a muxer would move the pictures to make room for it
        return [packet for packet in packets if (packet.pts or 0) >= 0]


def add_sound(out: av.container.OutputContainer, first: Heard, *, may_encode: bool) -> SoundTrack:
    """A track in a container that has no header yet: copied where that can be, else encoded.

    Raises:
        ValueError: neither can be.
    """
    container = out.format.name
    if copies(container, first.packet.format.codec):
        try:
            return CopiedTrack(out, first)
        except _FAILURES as error:
            if not may_encode:
                raise ValueError(str(error)) from None
    if not may_encode:
        raise ValueError(f"{container} cannot hold {first.packet.format.codec} sound")
    return EncodedTrack(out, first.packet.format)


def damaged_line(count: int) -> str:
    """ "" where nothing was damaged."""
    return f"sound packets left out, as they do not decode: {count}" if count else ""


def _add_copied(out: av.container.OutputContainer, form: SoundFormat, *, checked: bool = True) -> av.AudioStream:
    # PyAV takes a decoder's set-up only for a stream that it could encode; this one never is
    try:
        template = av.open(io.BytesIO(), "w", format="matroska").add_stream(form.codec, rate=form.rate)
    except UnknownCodecError:
        raise ValueError(f"{form.codec} sound cannot be copied") from None
    assert isinstance(template, av.AudioStream)
    template.codec_context.layout = form.layout
    stream = out.add_stream_from_template(template)
    context = stream.codec_context
    context.sample_rate, context.layout = form.rate, form.layout
    extradata = form.extradata
    if form.codec == "opus":
        extradata = _opus_head(form)
    if form.codec == "aac" and checked and not extradata:
        raise ValueError("AAC without its configuration")
    if extradata:
        context.extradata = extradata
    stream.time_base = Fraction(1, form.rate)
    return stream


def _opus_head(form: SoundFormat) -> bytes:
    """The head that containers keep (RFC 7845, 5.1), without pre-skip: whoever joins a stream gets no beginning."""
    if form.extradata[:8] == _OPUS_HEAD and len(form.extradata) >= 19:
        return form.extradata[:10] + b"\0\0" + form.extradata[12:]
    channels = av.AudioLayout(form.layout).nb_channels
    return _OPUS_HEAD + struct.pack("<BBHIhB", 1, channels, 0, form.rate, 0, 0)


def _unpacked(form: SoundFormat) -> SoundFormat:
    """G.711 as the 16 bits a sample that it stands for (ITU-T G.711, tables 1 and 2); what else comes, as it is.

    FFmpeg keeps G.711 in Matroska only where it is told to be lax, which PyAV has no way to do.
    """
    return replace(form, codec="pcm_s16le") if form.codec in _G711 else form


def _as_written(heard: Heard) -> SoundPacket:
    form = _unpacked(heard.packet.format)
    if form is heard.packet.format:
        return heard.packet
    data = b"".join(frame.to_ndarray().astype("<i2").tobytes() for frame in heard.frames)
    return replace(heard.packet, data=data, format=form)


def _try(container: str, first: SoundPacket) -> None:
    """In memory: a muxer says some of what it cannot hold at the header, some at a packet. Raises: what it raises."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as out:
        stream = _add_copied(out, first.format)
        packet = av.Packet(first.data)
        packet.stream, packet.time_base = stream, Fraction(1, first.format.rate)
        packet.pts = packet.dts = 0
        packet.duration = round(first.duration * first.format.rate / TICKS)
        out.mux([packet])
    file.seek(0)
    with av.open(file) as made:
        if not made.streams.audio:
            raise ValueError(f"{container} does not store such sound")
