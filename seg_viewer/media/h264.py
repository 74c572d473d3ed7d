"""Pictures to H.264 in a container, with the source's times and colours."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import av
import numpy as np
from av.video.reformatter import ColorRange

from seg_viewer.core.frame import UNSPECIFIED, YuvPlanes
from seg_viewer.media.av_picture import plane_rows
from seg_viewer.media.scaled_to import Form, fit

_H273 = {"bt709": (1, 1, 1), "bt601": (6, 6, 6), "bt2020": (9, 1, 9)}
"""Coefficients, transfer, primaries where the source does not say; BT.2020's transfer at 8 bits is that of BT.709."""


class H264Encoder:
    """Pictures to packets; set up by the first picture, whose size and colours the stream has.

    Args:
        context: of an encoder that is not open yet.
        planes: the first picture; not encoded yet.
        rate: average frames per second, for the encoder's rate control.
        time_base: unit of the frames' times, seconds; they are stored as they are.
        sample_aspect: width ÷ height of one pixel.
        options: x264's: crf, preset, …
    """

    def __init__(
        self,
        context: av.VideoCodecContext,
        planes: YuvPlanes,
        *,
        rate: Fraction,
        time_base: Fraction,
        sample_aspect: Fraction,
        options: Mapping[str, str],
    ) -> None:
        height, width = planes.y.shape
        context.width, context.height = width + width % 2, height + height % 2  # 4:2:0 in H.264 has even sizes only
        context.pix_fmt = "yuv420p"
        context.time_base, context.framerate = time_base, rate
        context.sample_aspect_ratio = sample_aspect
        context.colorspace, context.color_trc, context.color_primaries = colour_tags(planes)
        context.color_range = ColorRange.JPEG if planes.full_range else ColorRange.MPEG
        context.options = dict(options)
        self.width, self.height = context.width, context.height
        self._form = Form.of(planes)
        self._context = context
        self._time_base = time_base
        self._last_pts: int | None = None

    def encode(self, planes: YuvPlanes, time_s: float) -> list[av.Packet[av.VideoStream]]:
        """Packets that are ready. One of another form than the first is fitted into its frame."""
        frame = _to_frame(fit(planes, self._form), self.width, self.height)
        frame.pts = self._pts(time_s)
        frame.time_base = self._time_base
        return self._context.encode(frame)

    def flush(self) -> list[av.Packet[av.VideoStream]]:
        """What the encoder still holds; nothing can be encoded after."""
        return self._context.encode(None)

    def _pts(self, time_s: float) -> int:
        pts = round(time_s / self._time_base)
        if self._last_pts is not None and pts <= self._last_pts:
            pts = self._last_pts + 1
        self._last_pts = pts
        return pts


class H264Track:
    """A video stream in a container that is being written.

    Args:
        out: where the stream is added.
        planes, rate, time_base, sample_aspect, options: as for `H264Encoder`.
    """

    def __init__(
        self,
        out: av.container.OutputContainer,
        planes: YuvPlanes,
        *,
        rate: Fraction,
        time_base: Fraction,
        sample_aspect: Fraction,
        options: Mapping[str, str],
    ) -> None:
        self._stream = out.add_stream("libx264", rate=rate)
        self._stream.time_base = time_base
        self._encoder = H264Encoder(
            self._stream.codec_context,
            planes,
            rate=rate,
            time_base=time_base,
            sample_aspect=sample_aspect,
            options=options,
        )

    def encode(self, planes: YuvPlanes, time_s: float) -> list[av.Packet[av.VideoStream]]:
        """As `H264Encoder.encode`; the packets are ready to mux."""
        return self._own(self._encoder.encode(planes, time_s))

    def flush(self) -> list[av.Packet[av.VideoStream]]:
        """As `H264Encoder.flush`; the packets are ready to mux."""
        return self._own(self._encoder.flush())

    def _own(self, packets: list[av.Packet[av.VideoStream]]) -> list[av.Packet[av.VideoStream]]:
        for packet in packets:
            packet.stream = self._stream
        return packets


def colour_tags(planes: YuvPlanes) -> tuple[int, int, int]:
    """Coefficients, transfer and primaries to write (ITU-T H.273, tables 4, 3 and 2): the source's, as far as known."""
    said = (planes.coefficients, planes.transfer, planes.primaries)
    # 14 and 15 are the curve of 1 with the precision of 10 and 12 bits, which is not what is written
    said = (said[0], 1 if said[1] in (14, 15) else said[1], said[2])
    usual = _H273[planes.matrix]
    return tuple(mine if mine not in (0, UNSPECIFIED) else other for mine, other in zip(said, usual, strict=True))  # type: ignore[return-value]


def _to_frame(planes: YuvPlanes, width: int, height: int) -> av.VideoFrame:
    """Planes as a frame of an even size, at most one row and column larger: these repeat the last ones."""
    y = planes.y
    if y.shape != (height, width):
        y = np.pad(y, ((0, height - y.shape[0]), (0, width - y.shape[1])), mode="edge")
    frame = av.VideoFrame(width, height, "yuv420p")
    for plane, array in zip(frame.planes, (y, planes.u, planes.v), strict=True):
        rows = plane_rows(plane)
        rows[: plane.height, : plane.width] = array
    return frame
