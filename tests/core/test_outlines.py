"""Polygons hold what the class map holds."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seg_viewer.core.frame import Size
from seg_viewer.core.outlines import Piece, pieces
from tests.sinks.shots import CAR, street

FINE = 8


def _drawn(found: list[Piece], size: Size) -> np.ndarray:
    """Share of each pixel that the rings cover, by drawing them eight times as large."""
    big = np.zeros((size.height * FINE, size.width * FINE), np.uint8)
    for piece in found:
        # fillPoly draws its edge, too: half a fine pixel each side, so corners are moved to centres of fine pixels
        cv2.fillPoly(big, [np.rint(piece.ring * FINE - 0.5).astype(np.int32)], 1)
    return big.reshape(size.height, FINE, size.width, FINE).mean(axis=(1, 3))


def test_a_box_is_exact_also_at_the_edge_and_in_another_size() -> None:
    classes = np.zeros((32, 64), np.uint8)
    classes[0:4, 58:64] = CAR
    (piece,) = pieces(classes, CAR, Size(128, 96))
    assert sorted(map(tuple, piece.ring.tolist())) == [(116, 0), (116, 12), (128, 0), (128, 12)]
    assert (piece.area, piece.box) == (4 * 6 * 2 * 3, (116, 0, 12, 12))


def test_each_car_is_a_piece_and_noise_is_none() -> None:
    found = pieces(street(cars=3), CAR, Size(64, 32))
    assert sorted(piece.box for piece in found) == [(2, 14, 6, 4), (10, 14, 6, 4), (18, 14, 6, 4)]
    assert pieces(street(cars=0), CAR, Size(64, 32)) == [] == pieces(street(), 9, Size(64, 32))


def test_holes_are_cut_out() -> None:
    classes = np.zeros((40, 40), np.uint8)
    classes[5:35, 5:35] = CAR
    classes[10:20, 10:20] = classes[24:30, 22:32] = 0
    (piece,) = pieces(classes, CAR, Size(40, 40))
    covered = _drawn([piece], Size(40, 40)) > 0.5
    assert (covered != (classes == CAR)).sum() <= 12  # corners of the holes, and the lines to them
    assert piece.area == 900 - 100 - 60


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 100_000), st.integers(2, 9))
def test_blobs_come_back(seed: int, smooth: int) -> None:
    rng = np.random.default_rng(seed)
    field = cv2.GaussianBlur(rng.random((48, 64)), (0, 0), smooth / 2)
    classes = (field > np.median(field)).astype(np.uint8) * CAR
    size = Size(64, 48)
    found = pieces(classes, CAR, size)
    covered = _drawn(found, size) > 0.5
    noise = sum(int(m[4]) for m in cv2.connectedComponentsWithStats(classes)[2][1:] if m[4] < 4)
    both, either = (covered & (classes > 0)).sum(), (covered | (classes > 0)).sum()
    assert (both + noise) / either > 0.85
    assert sum(piece.area for piece in found) == (classes > 0).sum() - noise
    for piece in found:
        left, top, width, height = piece.box
        low, high = piece.ring.min(axis=0), piece.ring.max(axis=0)
        assert np.abs(low - (left, top)).max() <= 1 and np.abs(high - (left + width, top + height)).max() <= 1


@pytest.mark.parametrize("pixels", [4, 5, 9])
def test_thin_pieces_have_polygons_too(pixels: int) -> None:
    classes = np.zeros((16, 16), np.uint8)
    classes[3, 2 : 2 + pixels] = CAR
    classes[6 : 6 + pixels, 4] = CAR
    found = pieces(classes, CAR, Size(16, 16))
    assert [piece.area for piece in found] == [pixels, pixels] and all(len(piece.ring) == 4 for piece in found)
