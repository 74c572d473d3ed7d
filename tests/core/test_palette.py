"""Palettes: told apart by every kind of colour vision, and never two classes in one colour."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seg_viewer.core.labels import DRIVING, Label
from seg_viewer.core.overlay import OverlayStyle
from seg_viewer.core.palette import OKABE_ITO, PALETTES, color_text, parse_color
from tests.colour_vision import MACHADO, difference, seen_as

# of table 1 of Sharma, Wu and Dalal (2005), among them greys, hues on both sides of 0°, and very dark ones
SHARMA = [
    ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
    ((50, 0, 0), (50, -1, 2), 2.3669),
    ((50, -0.001, 2.49), (50, 0.0011, -2.49), 4.7461),
    ((50, 2.5, 0), (58, 24, 15), 19.4535),
    ((6.7747, -0.2908, -2.4247), (5.8714, -0.0985, -2.2286), 0.6377),
]


@pytest.mark.parametrize(("one", "other", "expected"), SHARMA)
def test_the_measure_is_that_of_the_paper(one, other, expected):
    assert difference(np.array(one, float), np.array(other, float)) == pytest.approx(expected, abs=1e-4)
    assert difference(np.array(one, float), np.array(one, float)) == 0


def _closest(style: OverlayStyle, vision: str) -> float:
    colors = [label.color for label in style.shown(DRIVING)]
    return min(difference(seen_as(one, vision), seen_as(two, vision)) for one, two in combinations(colors, 2))


@pytest.mark.parametrize("vision", MACHADO)
def test_okabe_and_ito_are_told_apart_by_everyone(vision: str):
    assert _closest(OverlayStyle(palette=OKABE_ITO), vision) > 20


def test_the_classic_colours_are_not_which_is_why_there_is_another_palette():
    assert _closest(OverlayStyle(), "deuteranopia") < 10


@pytest.mark.parametrize("palette", PALETTES)
def test_a_palette_keeps_the_classes_of_any_model_apart(palette: str):
    names = (
        "background",
        "sky",
        "road",
        "car",
        "person",
        "building",
        "pole",
        "tree",
        "sign",
        "fence",
        "pavement",
        "bus",
    )
    labels = [Label(number, name, (9 * number, 3 * number, 255 - number)) for number, name in enumerate(names)]
    colors = [OverlayStyle(palette=palette).color_of(label) for label in labels]
    assert len(set(colors)) == len(colors)


def test_a_class_beyond_a_palette_keeps_the_colour_of_its_model():
    assert OverlayStyle(palette=OKABE_ITO).color_of(Label(200, "tunnel", (1, 2, 3))) == (1, 2, 3)


def test_a_colour_of_ones_own_wins_over_every_palette():
    for palette in PALETTES:
        style = OverlayStyle(palette=palette, colors={"car": (1, 2, 3), "tram": (4, 5, 6)})
        assert style.color_of(DRIVING.by_name("car")) == (1, 2, 3)
        assert style.color_of(DRIVING.by_name("road")) == PALETTES[palette].color_of(DRIVING.by_name("road"))
        assert style.colored(DRIVING).by_name("car").color == (1, 2, 3)
        assert style.colored(DRIVING).names == DRIVING.names


def test_a_style_does_not_change_with_what_it_was_made_of():
    colors = {"car": (1, 2, 3)}
    style = OverlayStyle(colors=colors)
    colors["car"] = (9, 9, 9)
    assert style.color_of(DRIVING.by_name("car")) == (1, 2, 3)
    assert style != OverlayStyle(colors=colors) and style == OverlayStyle(colors={"car": (1, 2, 3)})


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"palette": "neon"}, "no palette 'neon'; there are classic, okabe-ito"),
        ({"colors": {"car": (0, 0, 256)}}, "class 'car' is not three values of 0…255"),
        ({"colors": {"car": (0, 0)}}, "class 'car' is not three values of 0…255"),
    ],
)
def test_a_style_refuses_what_is_no_colour(fields, says: str):
    with pytest.raises(ValueError, match=says):
        OverlayStyle(**fields)


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_colours_survive_being_written(color: tuple[int, int, int]):
    assert parse_color(color_text(color)) == color == parse_color(color_text(color).upper().removeprefix("#"))


def test_short_colours_are_read_and_others_refused():
    assert parse_color(" #f80 ") == (255, 136, 0)
    for text in ("", "#", "red", "#12345", "#1234567", "#gggggg", "12,3,4", "#ff880"):
        with pytest.raises(ValueError, match="#rrggbb"):
            parse_color(text)
