"""Whether a container takes a stream: tried in memory, before the real file has its header."""

from __future__ import annotations

import io

import av

from seg_viewer.media.beside import Travels


def why_refused(container: str, track: Travels) -> str:
    """ "" when a file of that format can be made of the track alone; else why not, a few words.

    A muxer says some of what it cannot hold when the stream is added, some at the header, some at the first packet and
    some at the end. In the real file, each of these would cost the picture.
    """
    try:
        with av.open(io.BytesIO(), "w", format=container) as out:
            track.add_to(out)
            out.mux(track.trial())
            out.start_encoding()
    except (av.FFmpegError, OSError, ValueError, TypeError, AttributeError, LookupError) as error:
        return getattr(error, "strerror", None) or str(error)
    return ""
