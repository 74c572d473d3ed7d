"""Packets decoded so that a damaged one costs nothing but itself."""

from __future__ import annotations

from functools import cache
from typing import Any

import av
from av.bitstream import BitStreamFilterContext


class Decoder:
    """Decodes the packets of a video stream.

    A VP9 packet may hold several pictures. FFmpeg's decoder keeps what follows a damaged one of them, and PyAV does not
    ask for that: all later packets would be refused. Each picture is handed over by itself here.

    Args:
        stream: of an open file or connection.

    Attributes:
        context: of FFmpeg, that decodes.
    """

    def __init__(self, stream: av.VideoStream) -> None:
        self.context = stream.codec_context
        is_vp9 = self.context.name == "vp9"
        self._parts = BitStreamFilterContext("vp9_superframe_split", stream) if is_vp9 else None

    def decode(self, packet: av.Packet[Any]) -> list[av.VideoFrame]:
        """What a packet completes; an empty packet asks for all that is left.

        Raises:
            av.FFmpegError: it is damaged, and completes nothing.
        """
        if self._parts is None or not packet.size:
            return self._decode(packet)
        frames, failed = [], None
        for part in self._parts.filter(packet):
            try:
                frames += self._decode(part)
            except av.FFmpegError as error:
                failed = error
        if failed is not None and not frames:
            raise failed
        return frames

    def _decode(self, packet: av.Packet[Any]) -> list[av.VideoFrame]:
        try:
            decoded = self.context.decode(packet)
        except av.error.BlockingIOError:  # it holds more than it was asked for: that first, then it begins anew
            decoded = self.context.decode(None)
            for frame in decoded:
                frame.time_base = packet.time_base
            self.context.flush_buffers()
            decoded += self.context.decode(packet)
        frames = [frame for frame in decoded if len(frame.planes) >= _planes(frame.format.name)]
        if decoded and not frames:  # whoever reads the others runs into memory that is not there
            raise av.error.InvalidDataError(0, "a picture without all of its planes")
        return frames


@cache
def _planes(pixel_format: str) -> int:
    return 1 + max((component.plane for component in av.VideoFormat(pixel_format).components), default=0)
