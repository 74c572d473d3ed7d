"""Pictures that are attached to a file, not shown in time: the cover."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
from av.stream import Disposition, Stream

from seg_viewer.media.beside import CannotTravel, Travels, plain_copy
from seg_viewer.media.trial import why_refused

_MIME = {"mjpeg": ("jpg", "image/jpeg"), "png": ("png", "image/png"), "bmp": ("bmp", "image/bmp")}


def cover_track(stream: Stream, container: str, first: list[av.Packet[Any]]) -> Travels:
    """The way of a cover into a container.

    Raises:
        CannotTravel: it has no place for one.
    """
    name = stream.codec_context.codec.canonical_name if stream.codec_context is not None else ""
    if not first or name not in _MIME:
        raise CannotTravel("empty" if not first else "unknown codec")
    if not _is_whole(first[0]):
        raise CannotTravel("damaged")
    if container == "matroska":
        return CoverInHeader(stream, name, bytes(first[0]))
    track = CoverTrack(stream, name, bytes(first[0]))
    if why_refused(container, track):
        raise CannotTravel("")
    return track


def _is_whole(cover: av.Packet[Any]) -> bool:
    try:
        return bool(cover.decode())
    except (av.FFmpegError, ValueError):
        return False


class CoverTrack:
    """See `Travels`: a stream with one packet, as MP4 is given it."""

    def __init__(self, stream: Stream, name: str, data: bytes) -> None:
        self.told, self.reads_as = f"{name} copied", ("video", name)
        self._source, self._data = stream, data
        self._stream: Stream | None = None

    def add_to(self, out: av.container.OutputContainer) -> Stream:
        stream: Stream = out.add_stream_from_template(self._source, opaque=True)
        stream.disposition = Disposition.attached_pic
        self._stream = stream
        return stream

    def trial(self) -> list[av.Packet[Any]]:
        assert self._stream is not None
        return [plain_copy(self._data, self._stream, Fraction(1), 0, 0)]

    def packets(self) -> Iterator[tuple[float, av.Packet[Any]]]:
        yield 0.0, self.trial()[0]

    def notes(self) -> list[str]:
        return []


class CoverInHeader:
    """See `Travels`: an attached file, as Matroska has it; there is nothing to mux."""

    def __init__(self, stream: Stream, name: str, data: bytes) -> None:
        self.told, self.reads_as = f"{name} attached", ("video", name)
        self._suffix, self._type = _MIME[name]
        self._name = stream.metadata.get("filename", f"cover.{self._suffix}")
        self._data = data

    def add_to(self, out: av.container.OutputContainer) -> Stream:
        stream: Stream = out.add_attachment(self._name, self._type, self._data)
        return stream

    def trial(self) -> list[av.Packet[Any]]:
        return []

    def packets(self) -> Iterator[tuple[float, av.Packet[Any]]]:
        return iter(())

    def notes(self) -> list[str]:
        return []
