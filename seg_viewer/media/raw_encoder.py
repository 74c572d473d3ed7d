"""Encodes pictures that came in raw, while somebody records them."""

from __future__ import annotations

from fractions import Fraction

import av

from seg_viewer.core.encoded import EncodedPacket, PacketRing, StreamFormat
from seg_viewer.core.frame import TICKS, ByteArray


class RawEncoder:
    """Feeds a ring with H.264 as long as the ring is wanted; costs nothing otherwise.

    Args:
        ring: keeps nothing of its own (0 seconds): there is no pre-roll of what was never encoded.
    """

    def __init__(self, ring: PacketRing) -> None:
        self._ring = ring
        self._encoder: av.VideoCodecContext | None = None
        self._format: StreamFormat | None = None

    def add(self, bgr: ByteArray, time_s: float, rate: float | None) -> None:
        """A picture, shape (H, W, 3), uint8, BGR, with the seconds since the source was opened."""
        if not self._ring.wanted:
            self._encoder = None
            return
        height, width = (side - side % 2 for side in bgr.shape[:2])  # H.264 with 4:2:0 has even sizes only
        if self._encoder is None or (self._encoder.width, self._encoder.height) != (width, height):
            self._start(width, height, rate)
        assert self._encoder is not None and self._format is not None
        frame = av.VideoFrame.from_ndarray(bgr[:height, :width], format="bgr24")
        frame.pts, frame.time_base = round(time_s * TICKS), Fraction(1, TICKS)
        for packet in self._encoder.encode(frame.reformat(format="yuv420p")):
            pts = packet.pts or 0
            dts = pts if packet.dts is None else packet.dts
            self._ring.add(EncodedPacket(bytes(packet), pts, dts, packet.is_keyframe, self._format))

    def _start(self, width: int, height: int, rate: float | None) -> None:
        encoder = av.CodecContext.create("libx264", "w")
        assert isinstance(encoder, av.VideoCodecContext)
        encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
        encoder.time_base = Fraction(1, TICKS)
        encoder.framerate = Fraction(rate or 30).limit_denominator(1000)
        encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "crf": "18", "g": str(round(2 * (rate or 30)))}
        self._encoder = encoder
        self._format = StreamFormat("h264", width, height, rate)
