"""A picture of another form is fitted into the first one's frame: its shape stays, and its colours."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seg_viewer.core.colour import rgb_to_yuv
from seg_viewer.core.frame import Colours, YuvPlanes
from seg_viewer.media.h264 import H264Track
from seg_viewer.media.scaled_to import Form, fit
from seg_viewer.media.video_reader import VideoReader
from tests.films import Pixels, film, rgb_frame

sides = st.integers(16, 200)
aspects = st.sampled_from([Fraction(1), Fraction(4, 3), Fraction(16, 11), Fraction(3, 4), Fraction(2)])


def _planes(width: int, height: int, aspect: Fraction = Fraction(1), **colours: object) -> YuvPlanes:
    """White all over."""
    half = ((height + 1) // 2, (width + 1) // 2)
    luma = np.full((height, width), 235, np.uint8)
    return YuvPlanes(luma, np.full(half, 90, np.uint8), np.full(half, 160, np.uint8), sample_aspect=aspect, **colours)  # type: ignore[arg-type]


def _box(plane: Pixels, inside: Pixels) -> tuple[int, int, int, int]:
    """Left, top, width and height of what is True, which has to be one rectangle."""
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    left, top, right, bottom = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    assert inside[top:bottom, left:right].all()
    return int(left), int(top), int(right - left), int(bottom - top)


@settings(max_examples=200, deadline=None)
@given(width=sides, height=sides, aspect=aspects, to_width=sides, to_height=sides, to_aspect=aspects)
def test_the_shape_stays_in_the_middle_and_touches_two_edges(
    width: int, height: int, aspect: Fraction, to_width: int, to_height: int, to_aspect: Fraction
) -> None:
    form = Form(to_width, to_height, to_aspect)
    made = fit(_planes(width, height, aspect), form)
    assert Form.of(made) == form and made.u.shape == made.v.shape == ((to_height + 1) // 2, (to_width + 1) // 2)
    left, top, columns, rows = _box(made.y, made.y == 235)
    assert set(np.unique(made.y)) <= {16, 235}
    assert columns == to_width or rows == to_height
    wanted = float(Fraction(width, height) * aspect / to_aspect)
    # what is off is at most a pixel to each side, and nothing is thinner than two
    assert wanted * (rows - 1.01) <= columns + 1.01 or rows == 2
    assert wanted * (rows + 1.01) >= columns - 1.01 or columns == 2
    assert abs(left - (to_width - columns - left)) <= 3 and abs(top - (to_height - rows - top)) <= 3
    chroma = _box(made.u, made.u == 90)
    assert chroma == (left // 2, top // 2, (columns + 1) // 2, (rows + 1) // 2) and left % 2 == top % 2 == 0
    assert np.array_equal(made.u == 90, made.v == 160)


@given(width=sides, height=sides, aspect=aspects)
def test_what_fits_is_left_alone(width: int, height: int, aspect: Fraction) -> None:
    planes = _planes(width, height, aspect)
    assert fit(planes, Form.of(planes)) is planes


MATRICES = ["bt601", "bt709", "bt2020"]


@pytest.mark.parametrize("full_from", [False, True])
@pytest.mark.parametrize("full_to", [False, True])
@pytest.mark.parametrize("matrix_to", MATRICES)
@pytest.mark.parametrize("matrix_from", MATRICES)
@pytest.mark.parametrize("size", [(64, 48), (33, 25)], ids=str)
def test_colours_stay_the_same(
    size: tuple[int, int], matrix_from: str, matrix_to: str, full_from: bool, full_to: bool
) -> None:
    for colour in [(200, 40, 60), (20, 160, 90), (128, 128, 128), (240, 240, 20)]:
        y, u, v = rgb_to_yuv(colour, matrix_from, full_from)
        half = ((size[1] + 1) // 2, (size[0] + 1) // 2)
        planes = YuvPlanes(
            np.full(size[::-1], y, np.uint8), np.full(half, u, np.uint8), np.full(half, v, np.uint8),
            matrix_from, full_from,
        )  # fmt: skip
        made = fit(planes, Form(*size, colours=Colours(matrix_to, full_to)))
        assert (made.matrix, made.full_range) == (matrix_to, full_to)
        seen = [int(plane[plane.shape[0] // 2, plane.shape[1] // 2]) for plane in (made.y, made.u, made.v)]
        assert seen == pytest.approx(rgb_to_yuv(colour, matrix_to, full_to), abs=3)


def _grey(width: int, height: int) -> av.VideoFrame:
    return rgb_frame(np.full((height, width, 3), 150, np.uint8))


def _joined(path: Path, forms: list[tuple[int, int, Fraction]]) -> Path:
    """Transport streams one behind the other."""
    data = b""
    for number, (width, height, aspect) in enumerate(forms):
        part = path.with_name(f"{number}.ts")
        data += film(part, [_grey(width, height)] * 5, sample_aspect=aspect).read_bytes()
    path.write_bytes(data)
    return path


def test_a_size_that_changes_midway_is_told_and_not_stretched(tmp_path: Path) -> None:
    one = Fraction(1)
    reader = VideoReader(_joined(tmp_path / "a.ts", [(96, 64, one), (48, 64, one), (96, 64, one)]))
    pictures = list(reader.pictures())
    assert [picture.width for picture in pictures] == [96] * 5 + [48] * 5 + [96] * 5
    assert len(reader.notes) == 2 and "96×64 to 48×64 at " in reader.notes[0] and "48×64 to 96×64" in reader.notes[1]
    planes = [picture.yuv420() for picture in pictures]
    made = tmp_path / "made.mp4"
    with av.open(str(made), "w") as out:
        track = H264Track(
            out, planes[0], rate=Fraction(25), time_base=Fraction(1, 25), sample_aspect=one, options={"crf": "5"}
        )
        for index, picture in enumerate(planes):
            out.mux(track.encode(picture, index / 25))
        out.mux(track.flush())
    written = [picture.rgb()[..., 1] for picture in VideoReader(made).pictures()]
    assert [picture.shape for picture in written] == [(64, 96)] * 15
    bright = [_box(picture, picture > 100) for picture in written]
    assert bright == [(0, 0, 96, 64)] * 5 + [(24, 0, 48, 64)] * 5 + [(0, 0, 96, 64)] * 5


def test_pixels_that_change_their_shape_midway_are_told(tmp_path: Path) -> None:
    reader = VideoReader(_joined(tmp_path / "a.ts", [(96, 64, Fraction(1)), (96, 64, Fraction(2))]))
    planes = [picture.yuv420() for picture in reader.pictures()]
    aspects = [p.sample_aspect for p in planes]
    # PyAV tells it of the decoder, not of the frame, so it may come with the pictures that the decoder still holds
    assert aspects == sorted(aspects) and 2 <= aspects.count(Fraction(1)) <= 5 and aspects[-1] == 2
    assert len(reader.notes) == 1 and "96×64 to 96×64 (pixels 2:1)" in reader.notes[0]
    fitted = fit(planes[-1], Form.of(planes[0]))
    assert _box(fitted.y, fitted.y > 100) == (0, 16, 96, 32)


def test_many_changes_are_not_told_one_by_one(tmp_path: Path) -> None:
    forms = [(96 - 16 * (number % 2), 64, Fraction(1)) for number in range(12)]
    reader = VideoReader(_joined(tmp_path / "a.ts", forms))
    assert sum(1 for _ in reader.frames()) == 60
    assert len(reader.notes) <= 5 and len(set(reader.notes)) == len(reader.notes)
