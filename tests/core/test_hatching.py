"""Hatching: stripes within a class and nowhere else, another way for each class, in every kind of picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seg_viewer.core import hatching
from seg_viewer.core.colour import rgb_to_yuv
from seg_viewer.core.frame import Size, YuvPlanes
from seg_viewer.core.labels import DRIVING, Label, LabelSet
from seg_viewer.core.overlay import Overlay, OverlayStyle
from seg_viewer.core.paint import MaskPainter
from seg_viewer.core.smooth import smooth_ids

SIZES = st.tuples(st.integers(2, 70), st.integers(2, 70))
HATCHED = OverlayStyle(0.5, hatched=True)
SIX = LabelSet([Label(number, f"class {number}", (10 * number, 200, 90)) for number in range(hatching.DIRECTIONS)])


def _stretched(classes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return smooth_ids(classes, size[1], size[0])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), SIZES, SIZES, st.floats(0, 1))
def test_rgb_has_one_of_two_blends_and_the_rest_keeps_every_bit(seed: int, size, map_size, opacity: float):
    rng = np.random.default_rng(seed)
    rgb = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
    classes = rng.integers(0, 4, map_size, dtype=np.uint8)
    painted = rgb.copy()
    Overlay(DRIVING, OverlayStyle(opacity, hatched=True)).paint_rgb(painted, classes)
    full = _stretched(classes, size)
    np.testing.assert_array_equal(painted[full == 0], rgb[full == 0])
    stripes = hatching.stripes(*size)
    line, gap = min(1.0, 1.4 * opacity), 0.5 * opacity
    for label in DRIVING:
        if label.painted:
            here = full == label.id
            alpha = np.where(stripes[here] >> hatching.direction_of(label.id) & 1, line, gap)[:, None]
            expected = rgb[here] + alpha * (np.array(label.color) - rgb[here].astype(float))
            assert np.abs(painted[here] - expected).max(initial=0) <= 0.5 + 1e-9


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), SIZES, SIZES)
def test_yuv_is_hatched_in_blocks_and_leaves_other_pixels_every_bit(seed: int, size, map_size):
    rng = np.random.default_rng(seed)
    half = ((size[0] + 1) // 2, (size[1] + 1) // 2)
    planes = YuvPlanes(*(rng.integers(0, 256, s, dtype=np.uint8) for s in (size, half, half)))
    before = [plane.copy() for plane in (planes.y, planes.u, planes.v)]
    classes = rng.integers(0, 4, map_size, dtype=np.uint8)
    Overlay(DRIVING, HATCHED).paint_yuv(planes, classes)
    small, stripes = _stretched(classes, half), hatching.stripes(*half)
    for plane, old, part in zip((planes.u, planes.v), before[1:], (1, 2), strict=True):
        np.testing.assert_array_equal(plane[small == 0], old[small == 0])
        for label in DRIVING:
            if label.painted:
                here = small == label.id
                alpha = np.where(stripes[here] >> hatching.direction_of(label.id) & 1, 0.7, 0.25)
                color = rgb_to_yuv(label.color, planes.matrix, planes.full_range)[part]
                assert (
                    np.abs(plane[here] - (old[here] + alpha * (color - old[here].astype(float)))).max(initial=0) <= 0.5
                )
    large = np.repeat(np.repeat(small, 2, 0), 2, 1)[: size[0], : size[1]]
    np.testing.assert_array_equal(planes.y[large == 0], before[0][large == 0])


def test_the_window_shows_the_stripes_that_an_export_has():
    classes = np.arange(6, dtype=np.uint8).repeat(48)[None].repeat(160, 0)  # (160, 288): a column for each class
    style = OverlayStyle(1.0, hatched=True)
    mask = Overlay(SIX, style).mask_bgra(classes)
    rgb = np.zeros((160, 288, 3), np.uint8)
    Overlay(SIX, style).paint_rgb(rgb, classes)  # on black, the blend is the premultiplied colour
    np.testing.assert_allclose(mask[:, :, 2::-1].astype(int), rgb, atol=1)
    straight = MaskPainter(SIX, style).overlay_rgba(classes, Size(288, 160))
    np.testing.assert_array_equal(straight[:, :, 3], mask[:, :, 3])
    assert set(np.unique(mask[:, :, 3])) == {128, 255}


@pytest.mark.parametrize("width", [64, 512, 1280, 3840])
def test_each_direction_is_another_and_about_half_is_stripes(width: int):
    stripes = hatching.stripes(width * 9 // 16, width)
    patterns = [stripes >> direction & 1 for direction in range(hatching.DIRECTIONS)]
    for number, one in enumerate(patterns):
        assert 0.3 < one.mean() < 0.7
        for other in patterns[number + 1 :]:
            assert 0.25 < np.mean(one != other) < 0.75
    assert not stripes.flags.writeable


def test_stripes_are_as_wide_in_proportion_at_any_size():
    small, large = (hatching.stripes(width * 9 // 16, width) >> 3 & 1 for width in (640, 1280))
    np.testing.assert_array_equal(small.repeat(2, 0).repeat(2, 1), large)


def test_a_mask_video_stays_flat_and_a_hidden_class_unpainted():
    classes = np.full((32, 64), 2, np.uint8)
    flat = MaskPainter(DRIVING, HATCHED).mask_yuv(classes, Size(128, 64))
    assert len(np.unique(flat.y)) == 1
    hidden = OverlayStyle(0.5, frozenset({"car"}), hatched=True)
    assert not Overlay(DRIVING, hidden).mask_bgra(classes).any()
    assert not MaskPainter(DRIVING, hidden).overlay_rgba(classes, Size(128, 64)).any()
    _planes, alpha = MaskPainter(DRIVING, HATCHED).overlay_yuva(classes, Size(128, 64))
    assert set(np.unique(alpha)) == {round(255 * 0.25), round(255 * 0.7)}


def test_outlines_lie_over_the_stripes():
    classes = np.zeros((64, 64), np.uint8)
    classes[20:50, 20:50] = 2
    mask = Overlay(DRIVING, OverlayStyle(0.5, outline=True, hatched=True)).mask_bgra(classes)
    assert (mask[20, 20:50, 3] == 255).all() and set(np.unique(mask[25:45, 25:45, 3])) == {64, 178}
