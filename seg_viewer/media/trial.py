"""Whether a container takes a stream, and what of it: tried in memory, before the real file has its header."""

from __future__ import annotations

import io

import av
from av.stream import Stream

from seg_viewer.media import tags
from seg_viewer.media.beside import Travels

_FAILURES = (av.FFmpegError, OSError, ValueError, TypeError, AttributeError, LookupError)


def why_refused(container: str, track: Travels) -> str:
    """ "" when a file of that format can be made of the track alone, and has it; else why not, a few words.

    A muxer says some of what it cannot hold when the stream is added, some at the header, some at the first packet and
    some at the end; in the real file, each of these would cost the picture. And some it leaves out without a word.
    """
    try:
        with av.open(_made(container, track, None)) as file:
            wanted = track.reads_as
            found = [wanted[0] for stream in file.streams if _reads_as(stream) == wanted]
    except _FAILURES as error:
        return getattr(error, "strerror", None) or str(error)
    return "" if found else "not stored"


def lost_tags(container: str, track: Travels, source: Stream) -> list[str]:
    """What a container does not keep of a stream's language, title and purpose; a word each.

    Args:
        container: FFmpeg's name of the format.
        track: what was tried before, and is taken.
        source: the stream that it is made of.
    """
    wanted = tags.stream_tags(source.metadata, container)
    try:
        with av.open(_made(container, track, source)) as file:
            made = next(stream for stream in file.streams if _reads_as(stream) == track.reads_as)
            found = {"title": made.metadata.get("name", ""), **made.metadata}
            missing = tags.kept_disposition(source) & ~int(made.disposition)
            lost = [key for key in ("language", "title") if wanted.get(key, "und") not in ("und", found.get(key))]
    except (*_FAILURES, StopIteration):
        return []
    return lost + [f'"{each.replace("_", " ")}"' for each in tags.purposes(missing)]


def _made(container: str, track: Travels, source: Stream | None) -> io.BytesIO:
    file = io.BytesIO()
    with av.open(file, "w", format=container) as out:
        stream = track.add_to(out)
        if source is not None:
            tags.describe(stream, source, container)
        out.mux(track.trial())
        out.start_encoding()
    file.seek(0)
    return file


def _reads_as(stream: Stream) -> tuple[str, str]:
    if stream.type == "data" or stream.codec_context is None:
        return stream.type, getattr(stream, "name", None) or ""
    return stream.type, stream.codec_context.codec.canonical_name
