"""Which part of a picture is seen: numbers only, for any picture in any room."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from seg_viewer.gui.view.zoom import BLOCKS_FROM, LARGEST, Box, Shape, Zoom

shapes = st.builds(Shape, st.integers(1, 8000), st.integers(1, 8000), st.sampled_from([Fraction(1), Fraction(4, 3)]))
rooms = st.builds(Box, st.integers(0, 900), st.just(0), st.integers(40, 4000), st.integers(40, 3000))
places = st.tuples(st.floats(0, 1), st.floats(0, 1))
scales = st.floats(0.01, 40)


def _share(zoom: Zoom, shape: Shape, room: Box, at: tuple[float, float]) -> tuple[float, float]:
    box = zoom.box(shape, room)
    return (at[0] - box.left) / box.width, (at[1] - box.top) / box.height


@given(shapes, rooms, scales, places)
def test_no_gap_is_wider_than_of_the_fitted_picture(shape: Shape, room: Box, scale: float, at) -> None:
    zoom = Zoom().to(scale, shape, room, (room.left + at[0] * room.width, at[1] * room.height))
    box, fitted = zoom.moved(999, -5, shape, room).box(shape, room), Zoom().box(shape, room)
    for start, size, fitted_start, fitted_size, space in (
        (box.left, box.width, fitted.left, fitted.width, room.left + room.width),
        (box.top, box.height, fitted.top, fitted.height, room.top + room.height),
    ):
        if size > fitted_size:
            assert start <= fitted_start + 1 and start + size >= fitted_start + fitted_size - 1
        else:
            assert abs(start + size / 2 - (fitted_start + fitted_size / 2)) <= 1  # in the middle
        assert start < space


@given(st.integers(400, 4000), st.integers(300, 4000), rooms, st.floats(1.05, 3), st.floats(1, 3), places)
def test_what_is_under_the_pointer_stays_there(
    width: int, height: int, room: Box, first: float, second: float, at
) -> None:
    shape = Shape(width, height)
    fit = shape.fit_scale(room)
    assume(fit * first * second <= LARGEST)
    fitted = Zoom().box(shape, room)
    point = (fitted.left + at[0] * fitted.width, fitted.top + at[1] * fitted.height)
    zoom = Zoom()
    for factor in (first, first * second):
        zoom = zoom.to(fit * factor, shape, room, point)
        box = zoom.box(shape, room)
        there = _share(zoom, shape, room, point)
        assert abs(there[0] - at[0]) * box.width <= 2 * factor + 1  # device pixels; rounding grows with each zoom
        assert abs(there[1] - at[1]) * box.height <= 2 * factor + 1


@given(shapes, rooms)
def test_the_wheel_stops_at_the_ends_and_at_one_to_one(shape: Shape, room: Box) -> None:
    fit = shape.fit_scale(room)
    zoom, seen = Zoom(), [fit]
    for _ in range(60):
        zoom = zoom.by_steps(1, shape, room)
        seen.append(zoom.scale_in(shape, room))
    assert seen == sorted(seen) and seen[-1] == pytest.approx(max(LARGEST, fit))
    if fit < 0.95:
        assert any(scale == 1.0 for scale in seen)
    for _ in range(80):
        zoom = zoom.by_steps(-1, shape, room)
    assert zoom == Zoom()  # fitted again, and stays so when the window changes
    small = Zoom().to(1.0, shape, room)
    assert small.scale_in(shape, room) == pytest.approx(1.0)  # 1:1, also where that is less than fitted


@pytest.mark.parametrize(
    ("scale", "blocks", "name"),
    [
        (None, False, ""),
        (0.5, False, "0.5×"),
        (1.0, False, "1:1"),
        (3.9, False, "3.9×"),
        (BLOCKS_FROM, True, "4×"),
        (16.0, True, "16×"),
    ],
)
def test_names_and_blocks(scale: float | None, blocks: bool, name: str) -> None:
    assert Zoom(scale).is_blocks() is blocks and Zoom(scale).name() == name
