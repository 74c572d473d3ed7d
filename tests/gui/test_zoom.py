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
def test_nothing_is_empty_that_the_picture_could_fill(shape: Shape, room: Box, scale: float, at) -> None:
    zoom = (
        Zoom().to(scale, shape, room, (room.left + at[0] * room.width, at[1] * room.height)).moved(999, -5, shape, room)
    )
    box = zoom.box(shape, room)
    for start, size, begin, space in (
        (box.left, box.width, room.left, room.width), (box.top, box.height, room.top, room.height)
    ):  # fmt: skip
        if size >= space:
            assert start <= begin and start + size >= begin + space
        else:
            assert abs((start - begin) - (space - size) / 2) <= 1  # in the middle


@given(st.integers(400, 4000), st.integers(300, 4000), rooms, st.floats(1.05, 3), places)
def test_what_is_under_the_pointer_stays_there(width: int, height: int, room: Box, factor: float, at) -> None:
    shape = Shape(width, height)
    point = (room.left + at[0] * room.width, room.top + at[1] * room.height)
    covering = max(room.width / width, room.height / height)
    assume(factor * covering * 1.1 <= LARGEST)
    first = Zoom().to(1.1 * covering, shape, room)
    second = first.to(1.1 * covering * factor, shape, room, point)
    before, after = (_share(zoom, shape, room, point) for zoom in (first, second))
    box = first.box(shape, room)
    assert abs(before[0] - after[0]) <= 2 / box.width and abs(before[1] - after[1]) <= 2 / box.height  # rounding


@given(shapes, rooms, st.integers(1, 60))
def test_the_wheel_stops_at_the_ends_and_at_one_to_one(shape: Shape, room: Box, notches: int) -> None:
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
    assert zoom.scale_in(shape, room) == pytest.approx(min(1.0, fit))
    if fit <= 1:
        assert zoom == Zoom()  # fitted again, and stays so when the window changes


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
