"""Pictures to H.264 as they come, with the source's times and colours: for what is live. Files: `encoders`."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import av

from seg_viewer.core.frame import YuvPlanes
from seg_viewer.media.scaled_to import Form, fit
from seg_viewer.media.yuv_frames import tag, to_frame


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
        tag(context, planes)
        context.options = dict(options)
        self.width, self.height = context.width, context.height
        self._form = Form.of(planes)
        self._context = context
        self._time_base = time_base
        self._last_pts: int | None = None

    def encode(self, planes: YuvPlanes, time_s: float) -> list[av.Packet[av.VideoStream]]:
        """Packets that are ready. One of another form than the first is fitted into its frame."""
        frame = to_frame(fit(planes, self._form), self.width, self.height)
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
