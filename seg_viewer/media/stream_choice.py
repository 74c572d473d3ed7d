"""Which of the video streams of a file is looked at."""

from __future__ import annotations

from pathlib import Path

import av
from av.stream import Disposition

from seg_viewer.core.counted import counted
from seg_viewer.core.errors import SourceError, UsageError

_NO_FILM = Disposition.attached_pic | Disposition.timed_thumbnails


def choose_stream(
    container: av.container.InputContainer, path: Path, number: int | None = None
) -> tuple[av.VideoStream, list[str]]:
    """The stream that is asked for; else the best of those that the file marks as default, else of all.

    The best has the most pixels a second; of equals it is the first. Cover pictures and thumbnails are no choice, nor
    is what cannot be decoded.

    Args:
        container: the open file.
        path: its name, for the texts.
        number: of a video stream of this file, counted from 1 without cover pictures.

    Returns:
        the stream, and a line for each thing that a person may want to know.

    Raises:
        SourceError: there is none.
        UsageError: there is no such number.
    """
    streams = [stream for stream in container.streams.video if not stream.disposition & _NO_FILM]
    if not streams:
        kinds = ", ".join(sorted({s.type for s in container.streams if s.type != "video"})) or "no"
        raise SourceError(f"{path}: holds no video, only {kinds} streams")
    known = [stream for stream in streams if stream.codec_context is not None]
    if number is not None:
        if not 1 <= number <= len(streams):
            raise UsageError(f"{path}: has no video stream {number}; it has {_listed(streams)}")
        if streams[number - 1] not in known:
            raise SourceError(f"{path}: video stream {number} is {_UNKNOWN}; it has {_listed(streams)}")
        return streams[number - 1], []
    if not known:
        raise SourceError(f"{path}: its video is {_UNKNOWN}; convert it to H.264 with what made it, then open that")
    marked = [stream for stream in known if stream.disposition & Disposition.default]
    chosen = max(marked or known, key=_pixels_a_second)
    if len(streams) == 1:
        return chosen, []
    taken = streams.index(chosen) + 1
    return chosen, [f"{path.name}: has {_listed(streams)}; {taken} is shown (another: --stream N)"]


_UNKNOWN = "of a codec that this program does not know"


def _pixels_a_second(stream: av.VideoStream) -> float:
    context = stream.codec_context
    return context.width * context.height * float(stream.average_rate or stream.guessed_rate or 1)


def _listed(streams: list[av.VideoStream]) -> str:
    count = len(streams)
    names = ", ".join(f"{number} ({_name(stream)})" for number, stream in enumerate(streams, 1))
    return f"{counted(count, 'video stream')}: {names}"


def _name(stream: av.VideoStream) -> str:
    context = stream.codec_context
    if context is None:
        return "unknown codec"
    return f"{context.width}×{context.height} {context.codec.canonical_name}"
