"""What lossy compression does to the values of a mask."""

from __future__ import annotations

import math
from pathlib import Path

RED_OF_CR = 1.402
"""How much of Cr is in red (JFIF 1.02); the largest factor of the three channels is 1.772, blue's of Cb."""


def is_lossy(path: Path) -> bool:
    """Whether a file is JPEG, by its name, or WebP or TIFF that is not lossless, by its head."""
    suffix = path.suffix.lower()
    if suffix in (".tif", ".tiff"):
        return _compression(path) == "jpeg"
    if suffix != ".webp":
        return suffix in (".jpg", ".jpeg")
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError:
        return False
    return b"VP8L" not in head  # RIFF container of WebP: VP8L is lossless, "VP8 " is not


def _compression(path: Path) -> str:
    from PIL import Image

    try:
        with Image.open(path) as opened:
            return str(opened.info.get("compression", ""))
    except (OSError, SyntaxError, Image.DecompressionBombError):
        return ""


def worst_shift(path: Path) -> float:
    """How far lossy compression may shift the value of an even area, in levels.

    An even 8×8 block of JPEG is its DC coefficient alone, 8 times its value, rounded to a multiple of the first entry
    of the quantisation table (ITU-T T.81, A.3.3 and A.3.4): at most half of that entry, over 8. Colour pictures are
    besides rounded to whole levels of Y, Cb and Cr.

    Returns:
        Levels of the grey value, or of the red channel; infinite where that is not known.
    """
    from PIL import Image

    try:
        with Image.open(path) as opened:
            tables = getattr(opened, "quantization", {})
            colored = opened.mode != "L"
    except (OSError, SyntaxError, Image.DecompressionBombError):
        return math.inf
    if not tables:
        return math.inf
    luma = tables[min(tables)][0] / 16
    if not colored:
        return float(luma)
    chroma = tables[max(tables)][0] / 16
    return float(luma + 0.5 + RED_OF_CR * (chroma + 0.5))
