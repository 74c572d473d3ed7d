"""Whatever way up a picture is stored, it is seen upright, and its pixels keep their shape."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seg_viewer.media.orientation import UPRIGHT, Orientation, read_matrix
from seg_viewer.media.video_reader import VideoReader
from seg_viewer.sources import VideoFile
from tests.films import film, quadrants, rgb_frame

TURNS = [(degrees, mirrored, False) for degrees in (0, 90, 180, 270) for mirrored in (False, True)]
WIDTH, HEIGHT = 64, 48


def _stored(upright: np.ndarray, turn: tuple[int, bool, bool]) -> np.ndarray:
    """What becomes `upright` when it is turned counter-clockwise and then mirrored."""
    degrees, mirrored, _ = turn
    return np.rot90(upright[:, ::-1] if mirrored else upright, -degrees // 90)


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
@pytest.mark.parametrize("aspect", [Fraction(1), Fraction(4, 3), Fraction(1, 2)], ids=str)
@pytest.mark.parametrize("turn", TURNS, ids=lambda turn: f"{turn[0]}{'m' if turn[1] else ''}")
def test_all_eight_with_any_pixels(tmp_path: Path, turn: tuple[int, bool, bool], aspect: Fraction, suffix: str) -> None:
    stored = _stored(quadrants(WIDTH, HEIGHT), turn)
    path = film(tmp_path / f"a{suffix}", [rgb_frame(stored)] * 3, turn=turn, sample_aspect=aspect)
    source = VideoFile(path)
    pictures = [frame.picture for frame in source]
    assert len(pictures) == 3 and source.warnings == []
    assert (source.info.width, source.info.height) == (WIDTH, HEIGHT)
    wanted = aspect if turn[0] % 180 == 0 else 1 / aspect
    shown = Fraction(WIDTH, HEIGHT) * source.info.sample_aspect
    assert float(shown / (Fraction(WIDTH, HEIGHT) * wanted)) == pytest.approx(1, abs=0.01)
    for picture in pictures:
        assert np.abs(picture.rgb().astype(int) - quadrants(WIDTH, HEIGHT)).mean() < 6
        planes = picture.yuv420()
        assert planes.y.shape == (HEIGHT, WIDTH) and planes.sample_aspect == source.info.sample_aspect
        # the darkest quarter is blue, the lightest white
        means = [planes.y[rows, columns].mean() for rows in _halves(HEIGHT) for columns in _halves(WIDTH)]
        assert np.argsort(means).tolist() == [2, 0, 1, 3]
    source.close()


def _halves(side: int) -> tuple[slice, slice]:
    return slice(0, side // 2), slice(side // 2, side)


@pytest.mark.parametrize("size", [(33, 25), (2, 64)], ids=str)
@pytest.mark.parametrize("turn", TURNS, ids=str)
def test_odd_and_tiny_sizes(tmp_path: Path, turn: tuple[int, bool, bool], size: tuple[int, int]) -> None:
    upright = np.random.default_rng(1).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    path = film(tmp_path / "a.mov", [rgb_frame(_stored(upright, turn), "rgb24")], codec="qtrle", turn=turn)
    (picture,) = VideoReader(path).pictures()
    assert np.array_equal(picture.rgb(), upright)
    assert picture.yuv420().y.shape == upright.shape[:2]


@given(angle=st.floats(-720, 720), mirrored=st.booleans(), across=st.floats(0.1, 8), down=st.floats(0.1, 8))
def test_any_angle_and_scale_means_the_nearest(angle: float, mirrored: bool, across: float, down: float) -> None:
    turn = math.radians(angle)
    a, b, c, d = math.cos(turn), math.sin(turn), -math.sin(turn), math.cos(turn)
    if mirrored:
        a, c = -a, -c
    found = read_matrix((a * across, b * down, c * across, d * down))
    assert found.a * found.d - found.b * found.c == (-1 if mirrored else 1)
    assert found.steps is not None
    off = abs((angle + 45) % 90 - 45)
    if off < 44:
        wanted = 90 * round(angle / 90)
        nearest = round(math.cos(math.radians(wanted))), round(math.sin(math.radians(wanted)))
        assert (found.d, found.b) == nearest
        assert abs(found.off_deg) == pytest.approx(off if off > 1 else 0, abs=1e-6)


@pytest.mark.parametrize("matrix", [(0, 0, 0, 0), (1, 0, 0, 0), (0, 0, 1, 0), (0, 1, 0, 1)])
def test_nonsense_stays_as_it_is(matrix: tuple[float, float, float, float]) -> None:
    found = read_matrix(matrix)
    assert found == UPRIGHT or isinstance(found, Orientation)
    assert found.steps is not None


@pytest.mark.parametrize("degrees", [10, 100, 45])
def test_an_angle_that_is_no_quarter_turn_is_told_once(tmp_path: Path, degrees: int) -> None:
    path = film(tmp_path / "a.mp4", [rgb_frame(quadrants(64, 48))] * 3, turn=(degrees, False, False))
    source = VideoFile(path)
    assert len(list(source)) == 3
    assert len(source.warnings) == 1
    assert "a.mp4: asks to be turned" in source.warnings[0] and "nearest quarter turn" in source.warnings[0]
    source.close()
