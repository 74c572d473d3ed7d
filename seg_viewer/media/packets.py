"""Packets that are already encoded: into a container as they are."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from fractions import Fraction

import av
from av.codec.codec import UnknownCodecError

from seg_viewer.core.encoded import EncodedPacket, StreamFormat
from seg_viewer.core.frame import TICKS

_START_CODE = re.compile(rb"\0*\0\0\x01")
_SETS = {
    "h264": (7, 8),  # sequence and picture parameter set: ITU-T H.264 table 7-1
    "hevc": (32, 33, 34),  # video, sequence and picture parameter set: ITU-T H.265 table 7-1
}
_NEEDS_NOTHING = ("mjpeg",)
_SEQUENCE_HEADER = 1  # an open bitstream unit of AV1 (bitstream specification, 6.2.2)
_LENGTH_PREFIXED = b"\x01"  # configurationVersion, the first byte of avcC and hvcC (ISO/IEC 14496-15)


def add_packet_stream(out: av.container.OutputContainer, first: EncodedPacket) -> av.VideoStream:
    """A stream for packets like the first one, times in ticks of 1/TICKS s.

    Its header has the parameter sets of the first packet, where it brings some: they are newer than the extradata when
    a stream changes on the way. Those it does not bring, perhaps as whoever joined missed its beginning, are taken from
    the extradata, of either form (Annex B, or avcC and hvcC with packets to match).

    Raises:
        ValueError: the container cannot hold this codec.
    """
    form = first.format
    rate = Fraction(form.rate).limit_denominator(1000) if form.rate else None
    stream = None
    extradata = _completed(first)
    if extradata or form.codec in _NEEDS_NOTHING:
        stream = _with_extradata(out, replace(form, extradata=extradata), rate)
    if stream is None:  # PyAV looks into the first packet
        added = out.add_mux_stream(form.codec, rate=rate, width=form.width, height=form.height)
        assert isinstance(added, av.VideoStream)
        stream = added
    stream.time_base = Fraction(1, TICKS)
    if form.turned != (1, 0, 0, 1):
        a, b, c, d = form.turned
        stream.set_display_matrix([a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30])
    return stream


class DecodingTimes:
    """Gives packets of encoders that follow each other the decoding times of one stream: each later than the last.

    An encoder with B-frames begins its decoding times before its first picture, by the gaps between its own first
    pictures. Where these are longer than the last gaps of the encoder before, the times would overlap; then they are
    put one unit apart. That is never later than a packet's picture is shown: the last packet before the seam was
    decoded as many pictures early as there are packets to be moved.
    """

    def __init__(self) -> None:
        self._last: int | None = None

    def set(self, packet: av.Packet[av.VideoStream]) -> None:
        """Correct a packet's `dts`; packets come in decoding order, with their own times."""
        dts = packet.pts if packet.dts is None else packet.dts
        assert dts is not None
        if self._last is not None:
            dts = max(dts, self._last + 1)
        self._last = packet.dts = dts


def _with_extradata(
    out: av.container.OutputContainer, form: StreamFormat, rate: Fraction | None
) -> av.VideoStream | None:
    """None where this FFmpeg has no encoder of that codec to take for a template."""
    # PyAV lets nobody write a mux stream's extradata. A stream made from another one has a codec context, whose values
    # go into the header, and which is never opened: nothing is encoded by it.
    try:
        template = av.open(io.BytesIO(), "w", format="matroska").add_stream(form.codec)
    except UnknownCodecError:
        return None
    assert isinstance(template, av.VideoStream)
    stream = out.add_stream_from_template(template)
    context = stream.codec_context
    context.width, context.height = form.width, form.height
    context.extradata = form.extradata
    context.sample_aspect_ratio = form.sample_aspect
    if rate is not None:
        context.framerate = rate
    return stream


def _completed(packet: EncodedPacket) -> bytes:
    """What the header has to have; empty where nothing is known, or needed."""
    extradata, wanted = packet.format.extradata, _SETS.get(packet.format.codec, ())
    if packet.format.codec == "av1":
        return _sequence_header(packet.data) or extradata
    if not wanted or extradata[:1] == _LENGTH_PREFIXED:
        return extradata
    brought = _parameter_sets(packet.data, packet.format.codec)
    known = _parameter_sets(extradata, packet.format.codec)
    units = [unit for kind in wanted for unit in brought.get(kind) or known.get(kind, [])]
    return b"".join(b"\0\0\0\1" + unit for unit in units)


def _sequence_header(data: bytes) -> bytes:
    """The sequence header of an AV1 key frame, as a unit with a size (bitstream specification, 5.3); empty without."""
    at = 0
    while at < len(data):
        head, body = data[at], at + 1 + (data[at] >> 2 & 1)
        if not head & 2:  # without a size: it goes to the end
            return b""
        size, shift = 0, 0
        while body < len(data) and shift < 56:
            size |= (data[body] & 0x7F) << shift
            shift, body = shift + 7, body + 1
            if not data[body - 1] & 0x80:
                break
        if head >> 3 & 15 == _SEQUENCE_HEADER:
            return data[at : body + size]
        at = body + size
    return b""


def _parameter_sets(data: bytes, codec: str) -> dict[int, list[bytes]]:
    """The parameter sets between start codes, by kind."""
    found: dict[int, list[bytes]] = {}
    for unit in filter(None, _START_CODE.split(data)):
        kind = unit[0] & 0x1F if codec == "h264" else unit[0] >> 1 & 0x3F
        if kind in _SETS[codec]:
            found.setdefault(kind, []).append(unit)
    return found
