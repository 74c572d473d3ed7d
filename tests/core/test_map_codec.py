"""Class maps come back as they were, and what is damaged is refused."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from seg_viewer.core.map_codec import pack_map, unpack_map

MAPS = arrays(
    np.uint8,
    array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=40),
    elements=st.sampled_from([0, 1, 2, 3, 254, 255]),
    fill=st.integers(0, 255),
)


@given(MAPS)
def test_every_map_comes_back(ids: np.ndarray) -> None:
    found = unpack_map(pack_map(ids))
    assert found.dtype == np.uint8 and found.shape == ids.shape and (found == ids).all()
    found[0, 0] ^= 1  # the caller's own


@pytest.mark.parametrize("length", [1, 254, 255, 256, 511, 70_000])
def test_runs_of_any_length(length: int) -> None:
    ids = np.zeros((3, length), np.uint8)
    ids[1] = 7
    ids[2, : length // 2] = 3
    assert (unpack_map(pack_map(ids[:, :65_535])) == ids[:, :65_535]).all()


def test_what_is_the_same_from_row_to_row_is_small() -> None:
    """Lanes run towards the viewer: every row has the same many runs."""
    ids = np.tile(np.arange(512, dtype=np.uint8) // 3 % 4, (288, 1))
    assert len(pack_map(ids)) < 700


@given(MAPS, st.data())
def test_what_is_cut_off_or_changed_never_comes_back_as_a_map_of_another_size(
    ids: np.ndarray, data: st.DataObject
) -> None:
    packed = bytearray(pack_map(ids))
    place = data.draw(st.integers(9, len(packed) - 1))
    if data.draw(st.booleans()):
        del packed[place:]
    else:
        packed[place] ^= data.draw(st.integers(1, 255))
    try:
        found = unpack_map(bytes(packed))
    except ValueError:
        return
    assert found.shape == ids.shape


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x00" * 9, b"\x05" + pack_map(np.ones((4, 4), np.uint8))[1:]])
def test_what_is_no_map_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="no class map"):
        unpack_map(data)


@given(MAPS)
def test_maps_of_earlier_versions_come_back(ids: np.ndarray) -> None:
    """Runs of what differs from the row above: written until changes were, and still in caches."""
    differences = ids.copy()
    differences[1:] ^= ids[:-1]
    starts = np.flatnonzero(np.append(True, np.diff(differences.ravel().astype(int)) != 0))
    lengths = np.diff(starts, append=ids.size)
    long = lengths >= 255
    body = np.where(long, 255, lengths).astype(np.uint8).tobytes() + lengths[long].astype("<u4").tobytes()
    packed = zlib.compress(body + differences.ravel()[starts].tobytes())
    assert (unpack_map(struct.pack("<BHHI", 1, *ids.shape, len(starts)) + packed) == ids).all()


def test_rough_outlines_cost_less_than_their_runs() -> None:
    """Forty people and cars whose borders are as a network makes them."""
    rng = np.random.default_rng(5)
    ids = np.zeros((288, 512), np.uint8)
    rows, columns = np.mgrid[:288, :512]
    for number in range(40):
        row, column, wide, high = rng.integers((60, 0, 4, 10), (280, 512, 30, 45))
        rough = 1 + 0.1 * np.sin(columns / 3 + number) + 0.1 * np.cos(rows / 4)
        ids[((columns - column) / wide) ** 2 + ((rows - row) / high) ** 2 < rough] = 1 + number % 3
    flat = ids.ravel()
    starts = np.flatnonzero(np.append(True, flat[1:] != flat[:-1]))
    runs = np.minimum(np.diff(starts, append=flat.size), 255).astype(np.uint8)
    assert len(pack_map(ids)) < 0.9 * len(zlib.compress(runs.tobytes() + flat[starts].tobytes(), 9))
