"""Pictures that move: PNG and WebP use the same names for films and stills."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_PNG = b"\x89PNG\r\n\x1a\n"
_ANIMATION_FLAG = 0x02


def is_animated_png(path: Path) -> bool:
    """Whether a file is a PNG with a chunk acTL before its pixels (PNG specification, third edition, 11.3.6.1)."""
    try:
        if not path.is_file():  # a pipe would be waited for
            return False
        with path.open("rb") as file:
            if file.read(8) != _PNG:
                return False
            while len(head := file.read(8)) == 8:
                length, kind = struct.unpack(">I4s", head)
                if kind in (b"acTL", b"IDAT", b"IEND"):
                    return kind == b"acTL"
                file.seek(length + 4, 1)
    except (OSError, ValueError):
        pass
    return False


def webp_durations_ms(path: Path) -> list[int]:
    """How long each frame of an animated WebP is shown, milliseconds; empty for anything else.

    From the chunks VP8X and ANMF (WebP container specification, https://developers.google.com/speed/webp/docs).
    """
    try:
        if not path.is_file():
            return []
        with path.open("rb") as file:
            return list(_durations(file))
    except (OSError, ValueError):
        return []


def _durations(file: BinaryIO) -> Iterator[int]:
    head = file.read(21)
    if head[:4] != b"RIFF" or head[8:16] != b"WEBPVP8X" or len(head) < 21 or not head[20] & _ANIMATION_FLAG:
        return
    file.seek(12)
    while len(head := file.read(8)) == 8:
        kind, length = struct.unpack("<4sI", head)
        if kind == b"ANMF" and len(payload := file.read(min(length, 16))) == 16:
            yield int.from_bytes(payload[12:15], "little")
            file.seek(length - 16, 1)
        else:
            file.seek(length, 1)
        file.seek(length % 2, 1)
