"""Whether a video file can be played, and what is left of one that was cut off."""

from __future__ import annotations

import struct
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av

from seg_viewer.media.av_file import demuxed, open_input

_MOST_DAMAGED = 250
"""Packets that may fail to decode before the first picture: a stream may begin damaged."""


def why_unplayable(path: Path) -> str:
    """ "" when a first picture comes out of the file; else why not, half a sentence."""
    try:
        with open_input(path) as container:
            if not container.streams.video:
                return "it holds no video"
            failed = 0
            for packet in demuxed(container, container.streams.video[0]):
                try:
                    if packet.decode():
                        return ""
                except av.FFmpegError:
                    failed += 1
                    if failed > _MOST_DAMAGED:
                        break
    except (av.FFmpegError, OSError, ValueError) as error:
        return getattr(error, "strerror", None) or str(error)
    return "no picture can be decoded"


def pictures_in(path: Path) -> tuple[int, float]:
    """How many pictures a file holds, and its length to the end of the last one in seconds; without decoding."""
    count, start_s, end_s, step_s = 0, 0.0, 0.0, 0.0
    with suppress(av.FFmpegError, OSError), open_input(path) as container:
        for packet in demuxed(container, container.streams.video[0]):
            if packet.pts is None or packet.time_base is None:
                continue
            time_s = float(packet.pts * packet.time_base)
            step_s = time_s - end_s if count and time_s > end_s else step_s
            start_s = min(start_s, time_s) if count else time_s
            end_s, count = max(end_s, time_s) if count else time_s, count + 1
    return count, end_s - start_s + step_s


def sample_aspect_of(path: Path) -> Fraction:
    """Width ÷ height of a pixel, as a player finds it in a file; 1 where nothing says so."""
    try:
        with open_input(path) as container:
            return Fraction(container.streams.video[0].sample_aspect_ratio or 1)
    except (av.FFmpegError, OSError, ValueError, LookupError):
        return Fraction(1)


def cut_to_whole_fragments(path: Path) -> None:
    """Cut an MP4 behind its last whole fragment (ISO/IEC 14496-12: boxes of a 32-bit size and a type)."""
    size = path.stat().st_size
    whole = 0
    with path.open("r+b") as file:
        position = 0
        while position + 8 <= size:
            file.seek(position)
            length, kind = struct.unpack(">I4s", file.read(8))
            if length == 1:
                (length,) = struct.unpack(">Q", file.read(8).ljust(8, b"\0"))
            if length < 8 or position + length > size:
                break
            position += length
            if kind != b"moof":  # a fragment's index without its pictures is no whole fragment
                whole = position
        file.truncate(whole)
