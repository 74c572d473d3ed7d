"""What a window paints is made on the player's threads: how large, and with which colours."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from seg_viewer.core.class_map import ClassMap
from seg_viewer.core.frame import Frame, Shot
from seg_viewer.core.labels import DRIVING, Label, LabelSet
from seg_viewer.core.overlay import Overlay, OverlayStyle
from seg_viewer.media.rgb_picture import RgbPicture
from seg_viewer.player.showing import Painter, Wish, size_to_make

OTHER = LabelSet([Label(0, "nothing", (0, 0, 0), painted=False), Label(1, "sky", (90, 160, 250))])


def _picture(width: int, height: int) -> RgbPicture:
    return RgbPicture(np.zeros((height, width, 3), np.uint8))


@pytest.mark.parametrize(
    ("picture", "view", "zoom", "made"),
    [
        ((1920, 1080), (960, 600), 1.0, (960, 540)),  # fitted: the pixels of the screen
        ((320, 180), (1280, 720), 1.0, (1280, 720)),  # also where it grows
        ((320, 180), (7680, 4320), 1.0, (320, 180)),  # but not without end
        ((1920, 1080), (960, 540), 1.5, (1440, 810)),  # zoomed: what is needed
        ((1920, 1080), (960, 540), 9.0, (1920, 1080)),  # and never more than there is
        ((319, 179), (1280, 720), 319 / 1280 * 719 / 720 * 720 / 719, (319, 179)),  # 1:1 of a small one: its own pixels
    ],
)
def test_sizes(picture: tuple[int, int], view: tuple[int, int], zoom: float, made: tuple[int, int]) -> None:
    assert size_to_make(_picture(*picture), Fraction(1), Wish(view, zoom)) == made


def test_each_map_is_coloured_with_its_own_classes_and_what_is_transparent_is_known() -> None:
    first = np.zeros((20, 30), np.uint8)
    first[10:15, 3:9] = DRIVING.by_name("car").id
    second = np.full((20, 30), 1, np.uint8)
    shot = Shot(Frame(0, 0.0, _picture(60, 40)), (ClassMap(first, DRIVING), ClassMap(second, OTHER)))
    style = OverlayStyle(opacity=1.0)
    shown = Painter().make(shot, None, Fraction(1), Wish((120, 80), 1.0, style))
    assert shown.pixels.shape == (80, 120, 4)
    car, sky = shown.masks
    assert tuple(car.bgra[50, 20]) == (*DRIVING.by_name("car").color[::-1], 255)
    assert tuple(sky.bgra[0, 0]) == (250, 160, 90, 255)
    for mask, overlay in ((car, Overlay(DRIVING, style)), (sky, Overlay(OTHER, style))):
        assert (mask.bgra == overlay.mask_bgra(mask.ids)).all()
        left, top, width, height = mask.colored
        outside = mask.bgra.copy()
        outside[round(80 * top) : round(80 * (top + height)), round(120 * left) : round(120 * (left + width))] = 0
        assert not outside.any()
    assert car.colored[2] * car.colored[3] < 0.25  # five rows of twenty, six columns of thirty, and a pixel around


def test_without_a_style_nothing_is_coloured() -> None:
    shot = Shot(Frame(0, 0.0, _picture(60, 40)), (ClassMap(np.zeros((20, 30), np.uint8), DRIVING),))
    (mask,) = Painter().make(shot, None, Fraction(1), Wish((60, 40))).masks
    assert mask.bgra is None and mask.ids.shape == (40, 60)


def test_the_mask_of_a_very_large_picture_is_a_whole_part_of_it() -> None:
    shot = Shot(Frame(0, 0.0, _picture(3840, 2160)), (ClassMap(np.zeros((20, 30), np.uint8), DRIVING),))
    shown = Painter().make(shot, None, Fraction(1), Wish((960, 540), 8.0))
    assert shown.pixels.shape == (2160, 3840, 4) and shown.masks[0].ids.shape == (1080, 1920)
