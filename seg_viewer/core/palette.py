"""Sets of class colours to choose from, and colours as text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from seg_viewer.core.labels import Label

RGB = tuple[int, int, int]
"""(red, green, blue), each 0…255, sRGB."""

CLASSIC = "classic"
OKABE_ITO = "okabe-ito"

_ORANGE, _SKY_BLUE, _BLUISH_GREEN, _YELLOW = (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66)
_BLUE, _VERMILLION, _REDDISH_PURPLE = (0, 114, 178), (213, 94, 0), (204, 121, 167)

OKABE_ITO_COLORS: Mapping[str, RGB] = {
    "orange": _ORANGE,
    "sky blue": _SKY_BLUE,
    "bluish green": _BLUISH_GREEN,
    "yellow": _YELLOW,
    "blue": _BLUE,
    "vermillion": _VERMILLION,
    "reddish purple": _REDDISH_PURPLE,
}
"""Of M. Okabe and K. Ito, "Color Universal Design" (2008), without black, which an overlay cannot show."""


@dataclass(frozen=True)
class Palette:
    """A colour for each class.

    Args:
        title: as a menu shows it.
        tip: one sentence.
        named: colours of the classes that it knows, by name.
        others: of any other class, by its id; one whose id lies beyond keeps the colour of its model.
    """

    title: str
    tip: str
    named: Mapping[str, RGB] = field(default_factory=dict)
    others: tuple[RGB, ...] = ()

    def color_of(self, label: Label) -> RGB:
        if label.name in self.named:
            return self.named[label.name]
        return self.others[label.id] if label.id < len(self.others) else label.color


def _shades(colors: tuple[RGB, ...]) -> tuple[RGB, ...]:
    """The colours, then half as bright, then half way to white: no two classes get the same."""
    dark: list[RGB] = [(red // 2, green // 2, blue // 2) for red, green, blue in colors]
    light: list[RGB] = [((red + 255) // 2, (green + 255) // 2, (blue + 255) // 2) for red, green, blue in colors]
    return (*colors, *dark, *light)


# Of all ways to give three of the seven colours to road, car and person, with a blue car, the one whose closest pair is
# farthest apart for every kind of colour vision: CIEDE2000 23.8 in deuteranopia (tests/core/test_palette.py).
PALETTES: Mapping[str, Palette] = {
    CLASSIC: Palette("Classic", "The colours of the model: blue car, red person, green road"),
    OKABE_ITO: Palette(
        "Okabe–Ito",
        "Told apart by any kind of colour vision: blue car, orange-red person, yellow road",
        {"road": _YELLOW, "car": _BLUE, "person": _VERMILLION, "pedestrian": _VERMILLION},
        _shades((_ORANGE, _SKY_BLUE, _BLUISH_GREEN, _REDDISH_PURPLE)),
    ),
}
"""By the name that settings, command line and manifests use."""


def color_text(color: RGB) -> str:
    """As "#rrggbb"."""
    return "#{:02x}{:02x}{:02x}".format(*color)


def parse_color(text: str) -> RGB:
    """The opposite of `color_text`; "#rgb" works too. Raises: ValueError."""
    digits = text.strip().removeprefix("#")
    if re.fullmatch(r"[0-9a-fA-F]{3}", digits):
        digits = "".join(2 * digit for digit in digits)
    if not re.fullmatch(r"[0-9a-fA-F]{6}", digits):
        raise ValueError(f"'{text}' is no colour; write it as #rrggbb, e.g. #ff8800")
    red, green, blue = (int(digits[at : at + 2], 16) for at in (0, 2, 4))
    return red, green, blue
