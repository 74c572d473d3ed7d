"""What travels beside the picture: for now, the first sound track."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
from av.audio.resampler import AudioResampler

from seg_viewer.media.timeline import Timeline

_COPIED_AUDIO = {"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac"}


class Companions:
    """What a file holds beside its picture, for another file with the same times."""

    def __init__(
        self, path: Path, container: str, *, timeline: Timeline, start_s: float = 0.0, end_s: float | None = None
    ) -> None:
        self.sound = "none"
        self.notes: tuple[str, ...] = ()
        self._container = av.open(f"file:{path}", metadata_errors="replace")
        self._origin_s = timeline.origin_s + start_s
        self._packets: Iterator[tuple[float, av.Packet[Any]]] = iter(())

    def add_to(self, out: av.container.OutputContainer) -> None:
        if not self._container.streams.audio:
            return
        stream = self._container.streams.audio[0]
        name = stream.codec_context.codec.canonical_name
        if name in _COPIED_AUDIO:
            self.sound = f"{name} copied"
            self._packets = _copied(self._container, stream, out.add_stream_from_template(stream), self._origin_s)
        else:
            self.sound = f"{name} encoded as aac"
            self._packets = _encoded(self._container, stream, out.add_stream("aac", rate=stream.rate), self._origin_s)

    def packets(self) -> Iterator[tuple[float, av.Packet[Any]]]:
        return self._packets

    def close(self) -> None:
        self._container.close()


def _copied(
    container: av.container.InputContainer, stream: av.AudioStream, out: av.AudioStream, origin_s: float
) -> Iterator[tuple[float, av.Packet[Any]]]:
    assert stream.time_base is not None
    shift = round(origin_s / stream.time_base)
    for packet in container.demux(stream):
        if packet.dts is None:
            continue
        packet.dts -= shift
        if packet.pts is not None:
            packet.pts -= shift
        packet.stream = out
        yield float(packet.dts * stream.time_base), packet


def _encoded(
    container: av.container.InputContainer, stream: av.AudioStream, out: av.AudioStream, origin_s: float
) -> Iterator[tuple[float, av.Packet[Any]]]:
    resampler = AudioResampler("fltp", stream.layout, stream.rate, frame_size=1024)
    shift = round(origin_s * stream.rate)
    for decoded in (*container.decode(stream), None):
        for frame in resampler.resample(decoded):
            if frame.pts is not None:
                frame.pts -= shift
            for packet in out.encode(frame):
                yield float((packet.pts or 0) * (packet.time_base or 0)), packet
    for packet in out.encode(None):
        yield float((packet.pts or 0) * (packet.time_base or 0)), packet
