"""Words drawn into pictures, in any script: letters come from the first font that has them."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.printable import printable

SIZE = 11
"""Of the letters, pixels."""

DOTS = "…"

# fonts for many scripts, by parts of their file names: these are looked at before the others of the machine
_LIKELY = ("fallback", "cjk", "arphic", "unifont", "noto", "wqy", "gothic", "yahei", "malgun", "simsun", "hiragino",
           "pingfang", "arialuni", "segoe", "nirmala")  # fmt: skip

_EMPTY = ("lastresort", "notdef", "blank", "emoji")
"""Fonts that have every letter, all alike, or no outlines."""

Color = tuple[int, int, int]


def draw_words(strip: NDArray[np.uint8], x: int, text: str, color: Color, most: int = 0) -> int:
    """Write one line of text, in the middle of a strip's height.

    Arabic, Hebrew, Devanagari and the like are joined and ordered as they are read, where Pillow has its layout engine
    (Raqm; its wheels do). A letter that no font of this machine has is written as its number, such as <4E2D>.

    Args:
        strip: (H, W, 3) uint8 RGB; written into.
        x: pixels from the left where it begins.
        text: what to write; control characters and line breaks are shown as one mark each.
        color: (red, green, blue), 0…255.
        most: pixels that it may take; a longer text is cut and ends with …. 0: to the end of the strip.

    Returns:
        Pixels that it took.
    """
    from PIL import Image, ImageDraw

    pieces = _fitted(printable(text), most or strip.shape[1] - x)
    picture = Image.fromarray(strip)
    pen = ImageDraw.Draw(picture)
    place, base = float(x), (strip.shape[0] + round(SIZE * 0.72)) // 2
    for font, part in pieces:
        pen.text((place, base), part, fill=color, font=_font(font), anchor="ls", direction=_direction())
        place += _font(font).getlength(part)
    strip[:] = np.asarray(picture)
    return round(place) - x


def width_of(text: str) -> int:
    """Pixels that `draw_words` takes for a text that is not cut."""
    return round(_width(_pieces(printable(text))))


Piece = tuple[str, str]
"""The path of a font, and a text that it can write."""


def _fitted(text: str, most: int) -> list[Piece]:
    """The pieces of the longest beginning that is no wider than `most`, with … where it is not the whole."""
    whole = _pieces(text)
    if _width(whole) <= most:
        return whole
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _width(_pieces(text[:middle] + DOTS)) <= most else (low, middle - 1)
    while low and _belongs_to_last(text[low : low + 1]):
        low -= 1
    return _pieces(text[:low].rstrip() + DOTS)


def _width(pieces: list[Piece]) -> float:
    return sum(_font(font).getlength(part) for font, part in pieces)


def _pieces(text: str) -> list[Piece]:
    """The text cut where another font is needed."""
    pieces: list[Piece] = []
    for letter in text:
        last = pieces[-1][0] if pieces else _first()
        font: str | None = last if _has(last, letter) else None if _belongs_to_last(letter) else _font_with(letter)
        shown = letter if font else f"<{ord(letter):04X}>"
        font = font or _first()
        if pieces and pieces[-1][0] == font:
            pieces[-1] = (font, pieces[-1][1] + shown)
        else:
            pieces.append((font, shown))
    return pieces


def _belongs_to_last(letter: str) -> bool:
    """Whether it is an accent or a joiner of the letter before it."""
    return unicodedata.category(letter or " ") in ("Mn", "Me", "Mc", "Cf")


@functools.cache
def _first() -> str:
    """DejaVu Sans, which comes with matplotlib: Latin, Greek, Cyrillic, Arabic, Hebrew and more, on every machine."""
    import matplotlib

    return str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf")


@functools.cache
def _direction() -> str | None:
    """Lines run to the right, as file names do, whatever script they begin with; None without the layout engine."""
    from PIL import features

    return "ltr" if features.check("raqm") else None


@functools.lru_cache(maxsize=32)
def _font(path: str) -> Any:
    from PIL import ImageFont

    return ImageFont.truetype(path, SIZE)


_missing: set[int] = set()
"""Blocks of 256 letters of which no font has one that was asked for: all fonts are looked through once for each."""

_found: list[str] = []
"""Fonts that had a letter before."""


@functools.lru_cache(maxsize=4096)
def _font_with(letter: str) -> str | None:
    """The font to write a letter with, or None."""
    if _has(_first(), letter):
        return _first()
    known = next((path for path in _found if _has(path, letter)), None)
    if known or ord(letter) >> 8 in _missing:
        return known
    for path in _of_machine():
        if _has(path, letter) and _can_be_drawn(path):
            _found.append(path)
            return path
    _missing.add(ord(letter) >> 8)
    return None


@functools.cache
def _of_machine() -> tuple[str, ...]:
    """The font files of this machine, the likeliest first."""
    from matplotlib.font_manager import findSystemFonts

    def rank(path: str) -> tuple[bool, str]:
        name = Path(path).name.lower()
        return not any(part in name for part in _LIKELY), name

    paths = (path for path in findSystemFonts() if not any(part in Path(path).name.lower() for part in _EMPTY))
    return tuple(sorted(paths, key=rank))


def _has(path: str, letter: str) -> bool:
    """Whether a font has a letter; a file that is no font has none."""
    return ord(letter) in _letters(path)


@functools.lru_cache(maxsize=64)
def _letters(path: str) -> frozenset[int]:
    from matplotlib.ft2font import FT2Font

    try:
        return frozenset(FT2Font(path).get_charmap())
    except (OSError, RuntimeError, ValueError):
        return frozenset()


def _can_be_drawn(path: str) -> bool:
    """Fonts of fixed sizes, such as those of emoji, have none of ours."""
    try:
        return bool(_font(path).getlength("x") >= 0)
    except (OSError, ValueError):
        return False


def words_on(text: str, width: int, height: int, color: Color, back: Color, margin: int = 4) -> NDArray[np.uint8]:
    """A strip (height, width, 3) uint8 RGB with one line of text."""
    strip = np.full((height, width, 3), back, np.uint8)
    draw_words(strip, margin, text, color, max(1, width - 2 * margin))
    return strip


def lines_of(parts: Iterator[tuple[str, int]], width: int) -> list[list[str]]:
    """Words in lines: each goes into the line before as long as there is room.

    Args:
        parts: (word, pixels that it takes).
        width: of a line, pixels; a word that is wider has a line of its own.
    """
    lines: list[list[str]] = []
    room = 0
    for word, takes in parts:
        if not lines or takes > room:
            lines.append([])
            room = width
        lines[-1].append(word)
        room -= takes
    return lines
