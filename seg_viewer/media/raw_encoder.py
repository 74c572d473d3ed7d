"""Encodes pictures that came in raw, while somebody records them."""

from __future__ import annotations

from fractions import Fraction

import av

from seg_viewer.core.encoded import EncodedPacket, PacketRing, StreamFormat
from seg_viewer.core.frame import TICKS, ByteArray, YuvPlanes
from seg_viewer.media.bgr_picture import BgrPicture
from seg_viewer.media.h264 import H264Encoder

_USUAL_RATE = 30.0


class RawEncoder:
    """Feeds a ring with H.264 as long as the ring is wanted; costs nothing otherwise.

    Args:
        ring: keeps nothing of its own (0 seconds): there is no pre-roll of what was never encoded.
    """

    def __init__(self, ring: PacketRing) -> None:
        self._ring = ring
        self._encoder: H264Encoder | None = None
        self._format: StreamFormat | None = None
        self._size = (0, 0)

    def add(self, bgr: ByteArray, time_s: float, rate: float | None) -> None:
        """A picture, shape (H, W, 3), uint8, BGR, with the seconds since the source was opened.

        It is kept as BT.709, limited range, and says so.
        """
        if not self._ring.wanted:
            self._encoder = None
            return
        planes = BgrPicture(bgr).yuv420()
        if self._encoder is None or self._size != bgr.shape[:2]:
            self._start(planes, rate or _USUAL_RATE)
        assert self._encoder is not None and self._format is not None
        for packet in self._encoder.encode(planes, time_s):
            pts = packet.pts or 0
            dts = pts if packet.dts is None else packet.dts
            self._ring.add(EncodedPacket(bytes(packet), pts, dts, packet.is_keyframe, self._format))

    def _start(self, planes: YuvPlanes, rate: float) -> None:
        context = av.CodecContext.create("libx264", "w")
        assert isinstance(context, av.VideoCodecContext)
        self._encoder = H264Encoder(
            context,
            planes,
            rate=Fraction(rate).limit_denominator(1000),
            time_base=Fraction(1, TICKS),
            sample_aspect=Fraction(1),
            options={"preset": "ultrafast", "tune": "zerolatency", "crf": "18", "g": str(round(2 * rate))},
        )
        height, width = planes.y.shape
        self._size = (height, width)
        self._format = StreamFormat("h264", self._encoder.width, self._encoder.height, rate)
