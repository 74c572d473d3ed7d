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
