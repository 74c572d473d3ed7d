"""Class maps as pictures of their own: every pixel is what it should be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seg_viewer.core.colour import rgb_to_yuv
from seg_viewer.core.frame import Size, YuvPlanes
from seg_viewer.core.labels import DRIVING
from seg_viewer.core.overlay import OverlayStyle
from seg_viewer.core.paint import DIVIDER, MaskPainter, draw_text, ids_gray, side_by_side, stats_lines
from seg_viewer.core.scaling import nearest
from seg_viewer.core.smooth import smooth_ids
from tests.sinks.shots import CAR, PERSON, ROAD, shot, street

SIZES = st.tuples(st.integers(1, 60), st.integers(1, 60))
BLACK = rgb_to_yuv((0, 0, 0), "bt709", False)
YUV = {label.id: rgb_to_yuv(label.color, "bt709", False) if label.painted else BLACK for label in DRIVING}


def _classes(seed: int, size: tuple[int, int]) -> np.ndarray:
    classes = np.random.default_rng(seed).integers(0, 5, size, dtype=np.uint8)
    classes[classes == 4] = 255
    return classes


def _half(classes: np.ndarray, size: Size, smooth: bool = False) -> np.ndarray:
    return (smooth_ids if smooth else nearest)(classes, (size.width + 1) // 2, (size.height + 1) // 2)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), SIZES, SIZES)
def test_each_pixel_of_a_mask_has_the_colour_of_its_class(
    seed: int, map_size: tuple[int, int], size: tuple[int, int]
) -> None:
    classes, to = _classes(seed, map_size), Size(*size)
    planes = MaskPainter(DRIVING).mask_yuv(classes, to)
    half = _half(classes, to)
    assert planes.y.shape == (to.height, to.width) and planes.u.shape == planes.v.shape == half.shape
    for y in range(to.height):
        for x in range(to.width):
            expected = YUV.get(int(half[y // 2, x // 2]), BLACK)
            assert (planes.y[y, x], planes.u[y // 2, x // 2], planes.v[y // 2, x // 2]) == expected


def test_classes_that_are_not_shown_are_black() -> None:
    planes = MaskPainter(DRIVING, OverlayStyle(hidden=frozenset({"car"}))).mask_yuv(street(), Size(64, 32))
    assert (planes.y[14:18, 2:8] == BLACK[0]).all()
    assert planes.y[22, 10] == YUV[ROAD][0]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), SIZES, SIZES)
def test_ids_are_kept_all(seed: int, map_size: tuple[int, int], size: tuple[int, int]) -> None:
    classes = _classes(seed, map_size)
    ids = ids_gray(classes, Size(*size))
    assert ids.shape == size[::-1] and ids.dtype == np.uint8 and ids.flags.c_contiguous
    rows = np.floor(np.arange(size[1]) * (1 / (size[1] / map_size[0]))).astype(int)
    columns = np.floor(np.arange(size[0]) * (1 / (size[0] / map_size[1]))).astype(int)
    np.testing.assert_array_equal(ids, classes[rows][:, columns])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), SIZES, SIZES, st.floats(0, 1), st.booleans())
def test_an_overlay_has_straight_alpha(
    seed: int, map_size: tuple[int, int], size: tuple[int, int], opacity: float, smooth: bool
) -> None:
    classes, to = _classes(seed, map_size), Size(*size)
    rgba = MaskPainter(DRIVING, OverlayStyle(opacity, smooth=smooth)).overlay_rgba(classes, to)
    stretched = (smooth_ids if smooth else nearest)(classes, to.width, to.height)
    for label in DRIVING:
        expected = (*label.color, round(255 * opacity)) if label.painted else (0, 0, 0, 0)
        assert (rgba[stretched == label.id] == expected).all()
    assert not rgba[stretched == 255].any()


def test_an_outline_is_opaque() -> None:
    rgba = MaskPainter(DRIVING, OverlayStyle(0.5, outline=True)).overlay_rgba(street(), Size(64, 32))
    assert tuple(rgba[14, 2]) == (*DRIVING[CAR].color, 255) and tuple(rgba[25, 30]) == (*DRIVING[ROAD].color, 128)
    _planes, alpha = MaskPainter(DRIVING, OverlayStyle(0.5, outline=True)).overlay_yuva(street(), Size(128, 64))
    assert (alpha[28, 4], alpha[50, 60], alpha[0, 0]) == (255, 128, 0)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), SIZES, SIZES, st.booleans())
def test_an_overlay_with_half_chroma_is_the_same_in_blocks(
    seed: int, map_size: tuple[int, int], size: tuple[int, int], smooth: bool
) -> None:
    classes, to = _classes(seed, map_size), Size(*size)
    planes, alpha = MaskPainter(DRIVING, OverlayStyle(0.4, smooth=smooth)).overlay_yuva(classes, to)
    half = _half(classes, to, smooth=smooth)
    full = np.repeat(np.repeat(half, 2, 0), 2, 1)[: to.height, : to.width]
    for class_id in (ROAD, CAR, PERSON):
        assert (alpha[full == class_id] == round(255 * 0.4)).all()
        assert (planes.y[full == class_id] == YUV[class_id][0]).all()
        assert (planes.u[half == class_id] == YUV[class_id][1]).all()
        assert (planes.v[half == class_id] == YUV[class_id][2]).all()
    assert not alpha[(full == 0) | (full == 255)].any()


def test_colour_goes_on_under_what_is_transparent() -> None:
    planes, alpha = MaskPainter(DRIVING).overlay_yuva(street(people=0), Size(128, 64))
    assert (planes.u[19, 30], planes.v[19, 30]) == YUV[ROAD][1:] and alpha[38, 60] == 0  # just above the road
    assert (planes.u[10, 30], planes.v[10, 30]) == BLACK[1:]


@pytest.mark.parametrize(("width", "height"), [(8, 6), (7, 5)])
def test_two_pictures_stand_side_by_side(width: int, height: int) -> None:
    rng = np.random.default_rng(3)
    half = ((height + 1) // 2, (width + 1) // 2)
    left, right = (
        YuvPlanes(*(rng.integers(16, 200, shape, dtype=np.uint8) for shape in ((height, width), half, half)))
        for _ in range(2)
    )
    both = side_by_side(left, right)
    even = width + width % 2
    assert both.y.shape == (height, 2 * even + DIVIDER) and both.u.shape == (half[0], both.y.shape[1] // 2)
    np.testing.assert_array_equal(both.y[:, :width], left.y)
    np.testing.assert_array_equal(both.y[:, even + DIVIDER : even + DIVIDER + width], right.y)
    np.testing.assert_array_equal(both.u[:, : half[1]], left.u)
    np.testing.assert_array_equal(both.v[:, half[1] + DIVIDER // 2 :], right.v)
    assert len(set(both.y[:, even : even + DIVIDER].ravel())) == 1
    with pytest.raises(ValueError, match="cannot stand side by side"):
        side_by_side(left, both)


def test_what_is_burnt_in() -> None:
    one = shot(90, street(cars=3, people=0), time_s=3723.456)
    assert stats_lines(one) == ["1:02:03.46", "road 37.5 %", "car 3.6 %  (3)", "person 0.0 %"]
    assert len(stats_lines(one, OverlayStyle(hidden=frozenset({"car"})))) == 3


def _grey(width: int, height: int, luma: int = 200) -> YuvPlanes:
    half = ((height + 1) // 2, (width + 1) // 2)
    chroma = (np.full(half, value, np.uint8) for value in (90, 160))
    return YuvPlanes(np.full((height, width), luma, np.uint8), *chroma)


WORDS = ["0:00:12.34", "road 38.5 %", "car 12.5 %  (3)", "person 0.1 %"]


@pytest.mark.parametrize("size", [(1920, 1080), (960, 540), (321, 241), (240, 426), (161, 121), (120, 480)])
@pytest.mark.parametrize("luma", [30, 126, 235])
def test_words_can_be_read_and_the_rest_keeps_every_bit(size: tuple[int, int], luma: int) -> None:
    planes = _grey(*size, luma)
    assert draw_text(planes, WORDS)
    rows, columns = (planes.y != luma).nonzero()
    box = planes.y[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    assert (box != luma).mean() > 0.8  # one whole box, with white letters
    assert (rows.max(), columns.max()) < (size[1] * 0.8, size[0])
    ground = int(np.median(box))
    assert ground <= 16 + 0.36 * (luma - 16) and box.max() > 220  # white on dark, whatever was there
    assert 0.03 < (box > 150).mean() < 0.4
    edge = np.concatenate([box[0], box[-1], box[:, 0], box[:, -1]])
    assert (edge == ground).all()  # no word is cut
    grey = planes.u[rows.min() // 2 : rows.max() // 2, columns.min() // 2 : columns.max() // 2]
    assert (np.abs(grey.astype(int) - 128) < 20).all()
    assert (planes.u != 90).sum() <= (box.shape[0] // 2 + 1) * (box.shape[1] // 2 + 1)


@pytest.mark.parametrize("size", [(64, 48), (16, 16), (3, 2), (1, 1)])
def test_a_picture_too_small_for_words_stays_as_it_is(size: tuple[int, int]) -> None:
    planes = _grey(*size)
    assert not draw_text(planes, WORDS)
    assert (planes.y == 200).all() and (planes.u == 90).all() and (planes.v == 160).all()


def test_nothing_to_say_changes_nothing() -> None:
    planes = _grey(640, 480)
    assert not draw_text(planes, [])
    assert (planes.y == 200).all()
