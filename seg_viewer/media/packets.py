"""Packets that are already encoded: into a container as they are."""

from __future__ import annotations

import io
import re
from fractions import Fraction

import av
from av.codec.codec import UnknownCodecError

from seg_viewer.core.encoded import EncodedPacket, StreamFormat
from seg_viewer.core.frame import TICKS

_NAL_UNIT = re.compile(rb"\0\0\x01(.)", re.DOTALL)
_LENGTH_PREFIXED = b"\x01"  # configurationVersion, the first byte of avcC and hvcC (ISO/IEC 14496-15)


def add_packet_stream(out: av.container.OutputContainer, first: EncodedPacket) -> av.VideoStream:
    """A stream for packets like the first one, times in ticks of 1/TICKS s.

    Its header has the parameter sets of the first packet, where it brings some: they are newer than the extradata when
    a stream changes on the way. Otherwise it has the extradata, of either form (Annex B, or avcC and hvcC with packets
    to match).

    Raises:
        ValueError: the container cannot hold this codec.
    """
    form = first.format
    rate = Fraction(form.rate).limit_denominator(1000) if form.rate else None
    stream = None
    if form.extradata and not _brings_parameter_sets(first):
        stream = _with_extradata(out, form, rate)
    if stream is None:  # PyAV looks into the first packet
        added = out.add_mux_stream(form.codec, rate=rate, width=form.width, height=form.height)
        assert isinstance(added, av.VideoStream)
        stream = added
    stream.time_base = Fraction(1, TICKS)
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


def _brings_parameter_sets(packet: EncodedPacket) -> bool:
    """Whether a sequence parameter set is in it (ITU-T H.264 table 7-1: 7; H.265 table 7-1: 33), after a start code."""
    if packet.format.extradata[:1] == _LENGTH_PREFIXED:
        return False
    first_bytes = (match[1][0] for match in _NAL_UNIT.finditer(packet.data))
    if packet.format.codec == "h264":
        return any(byte & 0x1F == 7 for byte in first_bytes)
    return packet.format.codec == "hevc" and any(byte >> 1 & 0x3F == 33 for byte in first_bytes)
