"""Packets decoded so that a damaged one costs nothing but itself."""

from __future__ import annotations

from typing import Any

import av
from av.bitstream import BitStreamFilterContext


class Decoder:
    """Decodes the packets of a video stream.

    A VP9 packet may hold several pictures. FFmpeg's decoder keeps what follows a damaged one of them, and PyAV does not
    ask for that: all later packets would be refused. Each picture is handed over by itself here.

    Args:
        stream: of an open file or connection.
    """

    def __init__(self, stream: av.VideoStream) -> None:
        self._context = stream.codec_context
        is_vp9 = self._context.name == "vp9"
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
            return self._context.decode(packet)
        except av.error.BlockingIOError:  # it holds more than it was asked for: that first, then it begins anew
            frames = self._context.decode(None)
            for frame in frames:
                frame.time_base = packet.time_base
            self._context.flush_buffers()
            return frames + self._context.decode(packet)
