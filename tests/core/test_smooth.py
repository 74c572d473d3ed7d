"""Class maps with smooth borders: what the network said stays, the stairs go."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from seg_viewer.core.scaling import nearest
from seg_viewer.core.smooth import smooth_ids

shapes = arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12)
maps = arrays.arrays(np.uint8, shapes, elements=st.sampled_from((0, 1, 2, 7, 255)))


@given(maps, st.integers(2, 7), st.integers(2, 7))
def test_the_middle_of_each_pixel_keeps_its_class(classes: np.ndarray, across: int, down: int) -> None:
    """Whatever the map: noise, lines one pixel wide, single pixels."""
    rows, columns = classes.shape
    across, down = 2 * across + 1, 2 * down + 1  # odd, so that there is a pixel in the middle
    large = smooth_ids(classes, columns * across, rows * down)
    assert large.dtype == np.uint8
    assert (large[down // 2 :: down, across // 2 :: across] == classes).all()


@given(maps, st.integers(1, 90), st.integers(1, 90))
def test_no_class_appears_from_afar(classes: np.ndarray, width: int, height: int) -> None:
    """Each pixel has a class that the map has there or beside it; where the map shrinks, the nearest one."""
    made = smooth_ids(classes, width, height)
    assert made.shape == (height, width)
    rows, columns = classes.shape
    if width <= columns and height <= rows:
        assert (made == nearest(classes, width, height)).all()
        return
    row = ((np.arange(height) + 0.5) * rows / height).astype(int)
    column = ((np.arange(width) + 0.5) * columns / width).astype(int)
    below = np.ix_(row, column)  # the pixel of the map that is under the middle of each
    for class_id in np.unique(made):
        around = cv2.dilate((classes == class_id).astype(np.uint8), np.ones((3, 3), np.uint8))
        assert (around[below][made == class_id] == 1).all(), class_id


@pytest.mark.parametrize("slope", [0.3, 0.7, 1.0, 1.6])
def test_a_slanted_border_runs_closer_to_the_line_than_blocks_do(slope: float) -> None:
    rows, columns = np.mgrid[0:40, 0:60]
    classes = (rows - 20.3 > slope * (columns - 30)).astype(np.uint8)
    wide, high = 480, 320
    y, x = (np.mgrid[0:high, 0:wide] + 0.5) / 8 - 0.5
    line = (y - 20.3 > slope * (x - 30)).astype(np.uint8)
    wrong_smooth = np.count_nonzero(smooth_ids(classes, wide, high) != line)
    wrong_blocks = np.count_nonzero(nearest(classes, wide, high) != line)
    assert wrong_smooth < 0.75 * wrong_blocks
