"""Masks in PNG files read with OpenCV alone, where Pillow is not installed: ids as they stand, palettes too."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.errors import SourceError

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _PALETTE = 0, 3
"""Colour types (PNG specification, 11.2.1)."""


def read_plain_mask(path: Path) -> NDArray[Any]:
    """The values of a PNG mask.

    OpenCV shows a palette's colours. Its indices are read by calling them grey levels: the head is changed, the palette
    left out.

    Returns:
        uint8 or uint16: (H, W) of a grey file, of a palette file its indices, else (H, W, 3) RGB.

    Raises:
        SourceError: it is no PNG file, turned by EXIF, or damaged.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path}: cannot be read as a mask ({error.strerror})") from error
    if not data.startswith(_SIGNATURE):
        raise SourceError(f"{path}: without Pillow only PNG masks can be read: pip install pillow")
    try:
        chunks = list(_chunks(data))
        width, height, depth, kind = struct.unpack(">IIBB", chunks[0][1][:10])
        names = {name for name, _ in chunks}
        if b"IEND" not in names:
            raise ValueError("cut short")
    except (struct.error, ValueError, IndexError) as error:
        raise SourceError(f"{path}: cannot be read as a mask: damaged, or cut short") from error
    if b"eXIf" in names:
        raise SourceError(f"{path}: may be turned by EXIF, which needs Pillow: pip install pillow")
    if kind == _PALETTE:
        head = struct.pack(">IIBB", width, height, depth, _GREY) + chunks[0][1][10:]
        kept = [(name, body) for name, body in chunks[1:] if name in (b"IDAT", b"IEND")]
        data = _SIGNATURE + b"".join(_packed(name, body) for name, body in [(b"IHDR", head), *kept])
    read = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if read is None:
        raise SourceError(f"{path}: cannot be read as a mask: damaged, or cut short")
    if kind == _PALETTE and depth < 8:
        return np.asarray(read // (255 // (2**depth - 1)))  # grey levels are spread over 0…255
    if read.ndim == 3:
        if read.shape[2] == 2 or kind == 4:  # grey with alpha
            return np.asarray(read[:, :, 0])
        return np.asarray(read[:, :, 2::-1])
    return np.asarray(read)


def is_deep_png(path: Path) -> bool:
    """Whether a PNG file has 16 bits a channel; False of what is none."""
    try:
        with path.open("rb") as file:
            head = file.read(26)
    except OSError:
        return False
    return head.startswith(_SIGNATURE) and len(head) > 24 and head[24] == 16


def _chunks(data: bytes) -> Any:
    place = len(_SIGNATURE)
    while place + 12 <= len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        if place + 12 + length > len(data):
            raise ValueError("cut short")
        yield data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        place += 12 + length


def _packed(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
