from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seg_viewer.core.colour import rgb_to_yuv, rgb_to_yuv420
from seg_viewer.core.frame import YuvPlanes
from seg_viewer.core.labels import DRIVING
from seg_viewer.core.overlay import Overlay, OverlayStyle, class_shares
from seg_viewer.core.smooth import smooth_ids
from seg_viewer.media.rgb_picture import RgbPicture

SIZES = st.tuples(st.integers(2, 70), st.integers(2, 70))


def _stretched(classes: np.ndarray, size: tuple[int, int], smooth: bool) -> np.ndarray:
    if smooth:
        return smooth_ids(classes, size[1], size[0])
    return cv2.resize(classes, size[::-1], interpolation=cv2.INTER_NEAREST)


def _random_case(seed: int, size: tuple[int, int], map_size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (*size, 3), dtype=np.uint8), rng.integers(0, 4, map_size, dtype=np.uint8)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), SIZES, SIZES, st.floats(0, 1), st.booleans())
def test_rgb_is_the_blend_and_the_rest_keeps_every_bit(
    seed: int, size: tuple[int, int], map_size: tuple[int, int], opacity: float, smooth: bool
) -> None:
    rgb, classes = _random_case(seed, size, map_size)
    painted = rgb.copy()
    Overlay(DRIVING, OverlayStyle(opacity, smooth=smooth)).paint_rgb(painted, classes)
    full = _stretched(classes, size, smooth)
    np.testing.assert_array_equal(painted[full == 0], rgb[full == 0])
    for label in DRIVING:
        if label.painted:
            expected = rgb[full == label.id] + opacity * (np.array(label.color) - rgb[full == label.id].astype(float))
            assert np.abs(painted[full == label.id] - expected).max(initial=0) <= 0.5 + 1e-9


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), SIZES, SIZES, st.booleans(), st.booleans())
def test_yuv_leaves_other_pixels_every_bit(
    seed: int, size: tuple[int, int], map_size: tuple[int, int], outline: bool, smooth: bool
) -> None:
    rng = np.random.default_rng(seed)
    height, width = size
    half = ((height + 1) // 2, (width + 1) // 2)
    planes = YuvPlanes(*(rng.integers(0, 256, s, dtype=np.uint8) for s in (size, half, half)))
    before = YuvPlanes(planes.y.copy(), planes.u.copy(), planes.v.copy())
    classes = rng.integers(0, 4, map_size, dtype=np.uint8)
    overlay = Overlay(DRIVING, OverlayStyle(0.5, frozenset({"car"}), outline, smooth=smooth))
    overlay.paint_yuv(planes, classes)
    small = _stretched(classes, half, smooth)
    large = np.repeat(np.repeat(small, 2, 0), 2, 1)[:height, :width]
    road = small == DRIVING.by_name("road").id
    assert 2 * (planes.u[road] != before.u[road]).sum() >= road.sum() - 10, "all of a class is painted"
    for untouched in (0, DRIVING.by_name("car").id):
        np.testing.assert_array_equal(planes.y[large == untouched], before.y[large == untouched])
        np.testing.assert_array_equal(planes.u[small == untouched], before.u[small == untouched])
        np.testing.assert_array_equal(planes.v[small == untouched], before.v[small == untouched])


@pytest.mark.parametrize("name", ["road", "car", "person"])
def test_flat_colour_is_the_labels_colour_in_both_forms(name: str) -> None:
    label = DRIVING.by_name(name)
    rgb = np.full((36, 64, 3), 120, np.uint8)
    planes = rgb_to_yuv420(rgb)
    classes = np.full((18, 32), label.id, np.uint8)
    overlay = Overlay(DRIVING, OverlayStyle(1.0))
    overlay.paint_rgb(rgb, classes)
    overlay.paint_yuv(planes, classes)
    assert (rgb == label.color).all()
    assert (planes.y[0, 0], planes.u[0, 0], planes.v[0, 0]) == rgb_to_yuv(label.color, "bt709", False)


def test_known_yuv_values() -> None:
    # worked by hand from BT.709 and BT.601 (kr, kb): white, black, and blue's luma 16 + 219 × kb
    assert rgb_to_yuv((255, 255, 255), "bt709", False) == (235, 128, 128)
    assert rgb_to_yuv((0, 0, 0), "bt601", False) == (16, 128, 128)
    assert rgb_to_yuv((0, 0, 255), "bt709", False) == (32, 240, 118)
    assert rgb_to_yuv((255, 0, 0), "bt601", True) == (76, 85, 255)


def test_hidden_classes_are_not_painted() -> None:
    rgb, classes = _random_case(3, (40, 60), (20, 30))
    painted = rgb.copy()
    Overlay(DRIVING, OverlayStyle(0.5, frozenset({"road", "car", "person"}))).paint_rgb(painted, classes)
    np.testing.assert_array_equal(painted, rgb)


def test_outline_draws_the_border_in_full_colour() -> None:
    rgb = np.zeros((60, 80, 3), np.uint8)
    classes = np.zeros((60, 80), np.uint8)
    classes[20:40, 20:60] = DRIVING.by_name("car").id
    Overlay(DRIVING, OverlayStyle(0.25, outline=True)).paint_rgb(rgb, classes)
    assert tuple(rgb[20, 30]) == DRIVING.by_name("car").color
    assert rgb[30, 40, 2] == round(0.25 * DRIVING.by_name("car").color[2])
    assert not rgb[19, 30].any()


def test_mask_for_windows_is_premultiplied() -> None:
    classes = np.array([[0, 1], [2, 3]], np.uint8)
    mask = Overlay(DRIVING, OverlayStyle(0.5)).mask_bgra(classes)
    assert mask.shape == (2, 2, 4)
    assert not mask[0, 0].any()
    assert mask[1, 0, 3] == 128
    assert (mask[..., :3].max(axis=-1) <= mask[..., 3]).all()


def test_shares_add_up() -> None:
    classes = np.array([[0, 1, 1, 3]], np.uint8)
    assert class_shares(classes, DRIVING) == {"background": 0.25, "road": 0.5, "car": 0.0, "person": 0.25}


def test_opacity_is_checked() -> None:
    with pytest.raises(ValueError, match="outside 0…1"):
        OverlayStyle(1.5)


def test_rgb_to_yuv420_matches_its_inverse() -> None:
    rgb = np.full((5, 7, 3), (200, 40, 90), np.uint8)
    planes = RgbPicture(rgb).yuv420()
    assert planes.y.shape == (5, 7) and planes.u.shape == planes.v.shape == (3, 4)
    assert (int(planes.y[0, 0]), int(planes.u[0, 0]), int(planes.v[0, 0])) == rgb_to_yuv((200, 40, 90), "bt709", False)
