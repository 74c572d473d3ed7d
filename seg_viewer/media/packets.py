"""Packets that are already encoded: into a container as they are."""

from __future__ import annotations

import io
from fractions import Fraction

import av
from av.codec.codec import UnknownCodecError

from seg_viewer.core.encoded import StreamFormat
from seg_viewer.core.frame import TICKS


def add_packet_stream(out: av.container.OutputContainer, form: StreamFormat) -> av.VideoStream:
    """A stream for packets of that format, times in ticks of 1/TICKS s.

    Its header has the parameter sets of `form.extradata`, of either form (Annex B, or avcC and hvcC with packets to
    match). Without them PyAV takes those of the first packet.

    Raises:
        ValueError: the container cannot hold this codec.
    """
    rate = Fraction(form.rate).limit_denominator(1000) if form.rate else None
    stream = _with_extradata(out, form, rate) if form.extradata else None
    if stream is None:
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
