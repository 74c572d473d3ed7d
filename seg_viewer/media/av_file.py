"""Files for FFmpeg: a path is always a file, whatever its name looks like.

FFmpeg reads `udp:x.mp4`, `12:30:00.mp4` and `concat:a|b` as addresses; behind `file:` it takes the rest as it stands
(https://ffmpeg.org/ffmpeg-protocols.html#file).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import av
from av.codec.hwaccel import HWAccel


def file_url(path: Path) -> str:
    """What FFmpeg has to be given for a path."""
    return f"file:{path}"


def open_input(
    path: Path,
    *,
    format: str | None = None,
    options: Mapping[str, str] | None = None,
    hwaccel: HWAccel | None = None,
) -> av.container.InputContainer:
    """Open a file for reading; metadata that is no UTF-8 is repaired.

    Args:
        path: of the file.
        format: FFmpeg's name of the container, or None to find out.
        options: of the demuxer.
        hwaccel: what decodes; None for the processor.

    Raises:
        av.FFmpegError: as `av.open`.
    """
    return av.open(
        file_url(path), format=format, options=dict(options or {}), hwaccel=hwaccel, metadata_errors="replace"
    )


def demuxed(container: av.container.InputContainer, *streams: Any) -> Iterator[av.Packet[Any]]:
    """Packets from the container's present position on, as its `demux` gives them.

    They end where a stream begins that the file did not announce: PyAV fails there, and cannot go on.

    Args:
        container: an open file.
        streams: which; all where none is given.

    Raises:
        av.FFmpegError: reading fails.
    """
    packets = container.demux(*streams)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, IndexError):  # the list of streams is as long as it was when the file was opened
            return
        yield packet


def open_output(
    path: Path, *, format: str | None = None, options: Mapping[str, str] | None = None
) -> av.container.OutputContainer:
    """Open a file for writing.

    Args:
        path: of the file.
        format: FFmpeg's name of the container, or None to take it from the name.
        options: of the muxer.

    Raises:
        av.FFmpegError: as `av.open`.
    """
    return av.open(file_url(path), "w", format=format, options=dict(options or {}))
