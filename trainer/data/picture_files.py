"""Picture and mask files: how they are read, which way up they lie, how deep they are, whether they are whole."""

from __future__ import annotations

import functools
import importlib.util
import math
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.errors import SourceError
from seg_viewer.core.machine import usable_cores
from seg_viewer.media.picture_file import decode_picture
from trainer.data.plain_png import is_deep_png, read_plain_mask

if TYPE_CHECKING:
    from PIL import Image

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
"""Of pictures, in lower case; files may have them in any case."""

MASK_SUFFIXES = (".png", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".jpg", ".jpeg")
"""Of masks, the one that is taken where there are several first."""

UPRIGHT = 1
"""EXIF orientation (EXIF 2.32, tag 0x0112) of what is stored as it is shown."""

LYING = 5
"""From this EXIF orientation on, up to 8, width and height are exchanged."""

_ORIENTATION = 0x0112
_SOI, _EOI, _SOS = b"\xff\xd8", b"\xff\xd9", 0xDA
_DEPTHS = (8, 10, 12, 14, 16)


def read_picture(path: Path, bits: int | None = None) -> NDArray[np.uint8]:
    """A picture, upright as its EXIF orientation says.

    Args:
        path: the file.
        bits: how many of the 16 bits of a deep picture mean something, see `picture_bits`; None: as many as its
            largest value needs.

    Returns:
        (H, W, 3) uint8 RGB; the uppermost 8 of those bits.

    Raises:
        SourceError: the file is missing, no picture, or cut short.
    """
    if not path.is_file():
        raise SourceError(f"{path}: no such picture")
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise SourceError(f"{path}: cannot be read as a picture ({error.strerror})") from error
    return decoded(data, path, bits)


def decoded(data: NDArray[np.uint8], path: Path, bits: int | None = None) -> NDArray[np.uint8]:
    """As `read_picture`, of the bytes of a file that were read already; `path` is for the error text."""
    if _is_cut_short(data.tobytes()):
        raise SourceError(f"{path}: is cut short, the end of the JPEG picture is missing: copy it again or take it out")
    picture = decode_picture(data, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    if picture is None:
        raise SourceError(f"{path}: cannot be read as a picture: no picture, damaged, or cut short")
    rgb = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
    if rgb.dtype == np.uint16:
        depth = bits or _depth_of(int(rgb.max()))
        return np.minimum(rgb >> (depth - 8), 255).astype(np.uint8)
    if rgb.dtype != np.uint8:
        raise SourceError(f"{path}: holds {rgb.dtype} numbers; save it with 8 or 16 bits for each channel")
    return np.asarray(rgb, np.uint8)


def file_stamp(path: Path) -> str:
    """A line that changes when a file does: name, size, time. Of a file that cannot be reached, the name alone."""
    try:
        status = path.stat()
    except OSError:
        return f"{path}\n"
    return f"{path} {status.st_size} {status.st_mtime_ns}\n"


def _is_cut_short(data: bytes) -> bool:
    """Whether a JPEG file ends before its picture does. Decoders fill what is missing with grey, and few say so.

    Within the coded picture 0xFF is always followed by 0 or a marker (ITU-T T.81, B.1.1.5), so that the end marker
    behind the first scan is no accident; those of thumbnails lie before it.
    """
    if not data.startswith(_SOI):
        return False
    position = len(_SOI)
    while position + 4 <= len(data):
        if data[position] != 0xFF:
            return False  # no marker where one must be: the decoder will say what it makes of that
        marker = data[position + 1]
        if marker == _SOS:
            return data.find(_EOI, position) < 0
        if marker == 0xFF:
            position += 1
        elif marker == 0x01 or 0xD0 <= marker <= 0xD8:
            position += 2
        else:
            position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    return True


def _depth_of(largest: int) -> int:
    """How many bits a camera has that gave this value, one of 8, 10, 12, 14, 16."""
    return next(depth for depth in _DEPTHS if largest < 1 << depth)


def picture_bits(files: Iterable[Path]) -> int | None:
    """How many bits the deep pictures of a data set have in truth: a 12-bit camera fills 12 of the 16 in its files.

    Args:
        files: all pictures; those with more than 8 bits are read, all of them.

    Returns:
        10, 12, 14 or 16, or 8 for 8-bit values in 16-bit files; None where no picture has more than 8 bits.
    """
    deep = [file for file in files if _is_deep(file)]
    if not deep:
        return None
    with ThreadPoolExecutor(max_workers=max(2, usable_cores())) as pool:
        return _depth_of(max(pool.map(_largest, deep)))


def depth_note(bits: int | None) -> str:
    """What is done with pictures of that many bits (`picture_bits`), as a line; "" where nothing is."""
    if bits is None:
        return ""
    if bits == 8:
        return "pictures have 16 bits of which only the lower 8 are used: taken as they stand"
    return f"pictures have {bits} bits (the largest value says so): scaled to 8"


@functools.cache
def has_pillow() -> bool:
    """Whether Pillow is installed; without it masks are PNG files, and EXIF orientation is not compared."""
    return importlib.util.find_spec("PIL") is not None


def _largest(file: Path) -> int:
    """Largest value of a picture; 0 of one that cannot be read, which is told where it is read for training."""
    try:
        picture = decode_picture(np.fromfile(file, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    except OSError:
        return 0
    return 0 if picture is None or picture.dtype != np.uint16 else int(picture.max())


def _is_deep(file: Path) -> bool:
    """Whether a picture's channels have 16 bits, by the file's head."""
    if file.suffix.lower() not in (".png", ".tif", ".tiff"):
        return False
    if not has_pillow():
        return is_deep_png(file)
    from PIL import Image

    try:
        with Image.open(file) as opened:
            return _has_16_bits(opened)
    except (OSError, SyntaxError, Image.DecompressionBombError):
        return False


def _has_16_bits(opened: Image.Image) -> bool:
    """Of a file that was opened and not read yet: Pillow's own modes do not show it for colour pictures."""
    tiles: Any = getattr(opened, "tile", [])
    return opened.mode.startswith("I;16") or any(";16" in str(tile) for tile in tiles)


def orientation(path: Path) -> int:
    """EXIF orientation that a file states, 1…8; `UPRIGHT` where it states none, or cannot be read (without Pillow)."""
    if not has_pillow():
        return UPRIGHT
    from PIL import Image

    try:
        with Image.open(path) as opened:
            stated = opened.getexif().get(_ORIENTATION, UPRIGHT)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return UPRIGHT
    return stated if isinstance(stated, int) and 1 <= stated <= 8 else UPRIGHT


def read_raw_mask(path: Path) -> NDArray[np.uint8]:
    """Raw mask, upright as its own EXIF orientation says.

    Read with Pillow, because OpenCV turns palettes into colours and not every build of it reads GIF.

    Returns:
        uint8: (H, W) of a grey file, a palette file (its indices), or a 1-bit file (0 and 255), else (H, W, 3) RGB.
        Values of deeper files are taken as they stand.

    Raises:
        SourceError: the file is missing, no picture, cut short, or holds a value above 255 or a fraction.
    """
    if not has_pillow():
        plain = read_plain_mask(path)
        return plain if plain.dtype == np.uint8 else _small_values(plain, path)
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(path) as opened:
            if opened.mode in ("RGB", "RGBA", "LA") and _has_16_bits(opened):
                return _small_values(_deep_colors(path), path)
            opened.load()
            picture: Image.Image = ImageOps.exif_transpose(opened)
            if picture.mode.startswith("I") or picture.mode == "F":
                return _small_values(np.array(picture), path)
            if picture.mode == "1":
                picture = picture.convert("L")
            elif picture.mode == "LA":
                picture = picture.getchannel(0)
            elif picture.mode not in ("L", "P"):
                picture = picture.convert("RGB")
            return np.array(picture)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, SyntaxError) as error:
        raise SourceError(f"{path}: cannot be read as a mask: missing, no picture, damaged, or cut short") from error


def _deep_colors(path: Path) -> NDArray[np.uint16]:
    """(H, W, 3) RGB of a mask with 16 bits a channel, of which Pillow would only keep the upper 8."""
    deep = decode_picture(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    if deep is None:
        raise SourceError(f"{path}: cannot be read as a mask")
    return np.asarray(cv2.cvtColor(deep, cv2.COLOR_BGR2RGB), np.uint16)


def _small_values(deep: NDArray[Any], path: Path) -> NDArray[np.uint8]:
    """The same values as uint8. Raises: SourceError naming one that is none of 0…255."""
    wrong = (deep < 0) | (deep > 255) | (deep != np.floor(deep)) | ~np.isfinite(deep)
    if wrong.any():
        y, x = (int(v) for v in np.argwhere(wrong)[0][:2])
        value = float(deep[tuple(np.argwhere(wrong)[0])])
        shown = str(int(value)) if math.isfinite(value) and value == int(value) else f"{value:g}"
        raise SourceError(
            f"{path}: holds the value {shown} at x={x}, y={y}; class ids are whole numbers 0…255:"
            " give classes smaller ids and save the mask with 8 bits"
        )
    return deep.astype(np.uint8)
