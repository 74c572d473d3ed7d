"""A class map as few bytes: where it changes, deflated. Lossless; about 0.5 ms at 512×288."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.frame import ByteArray

_HEAD = struct.Struct("<BHHI")
"""Method, rows, columns, number of runs or changes."""
_PLAIN, _ROWS, _CHANGES = 0, 1, 2
"""Runs; runs of what differs from the row above, which is only read any more; pixels that differ from the row above."""
_LONG = 255
"""Stands for a length that takes more than a byte; it follows behind all others."""
_LEVEL, _BEST = 6, 9


def pack_map(ids: ByteArray) -> bytes:
    """A class map as bytes.

    Either its runs along the rows, or the pixels that differ from those above them (exclusive or) and the gaps between
    these; what is smaller is kept.

    Args:
        ids: shape (h, w), uint8; up to 65,535 rows and columns.
    """
    rows, columns = ids.shape
    differences = ids.copy()
    differences[1:] ^= ids[:-1]
    packed = [(_PLAIN, *_packed(ids)), (_CHANGES, *_packed_changes(differences))]
    method, runs, body = min(packed, key=lambda each: len(each[2]))
    return _HEAD.pack(method, rows, columns, runs) + body


def unpack_map(data: bytes) -> ByteArray:
    """The opposite of `pack_map`; shape (h, w), uint8, the caller's own. Raises: ValueError when it is damaged."""
    try:
        method, rows, columns, count = _HEAD.unpack_from(data)
        body = data[_HEAD.size :]
        if method == _CHANGES:
            flat = _unpacked_changes(body, count, rows * columns)
        else:
            flat = _unpacked(zlib.decompress(body), count, rows * columns)
    except (struct.error, zlib.error) as error:
        raise ValueError(f"no class map: {error}") from error
    ids = flat.reshape(rows, columns)
    if method in (_ROWS, _CHANGES):
        np.bitwise_xor.accumulate(ids, axis=0, out=ids)
    elif method != _PLAIN:
        raise ValueError(f"no class map: packed by method {method}")
    return ids


def _packed(values: ByteArray) -> tuple[int, bytes]:
    """Number of runs, and these deflated: short lengths, long lengths, values."""
    flat = values.ravel()
    starts = np.concatenate(([0], np.flatnonzero(flat[1:] != flat[:-1]) + 1)) if flat.size else np.zeros(0, np.intp)
    lengths = np.diff(starts, append=flat.size)
    return len(starts), zlib.compress(_short_and_long(lengths) + flat[starts].tobytes(), _LEVEL)


def _short_and_long(lengths: NDArray[np.integer]) -> bytes:
    long = lengths >= _LONG
    return np.where(long, _LONG, lengths).astype(np.uint8).tobytes() + lengths[long].astype("<u4").tobytes()


def _packed_changes(differences: ByteArray) -> tuple[int, bytes]:
    """Number of pixels that are not 0, and these: the gaps before them, deflated, and their values, deflated.

    Apart, because the two are like themselves only; gaps of neighbouring rows nearly agree (Z_FILTERED).
    """
    flat = differences.ravel()
    places = np.flatnonzero(flat)
    gaps = np.diff(places, prepend=-1) - 1
    filtered = zlib.compressobj(_BEST, zlib.DEFLATED, -zlib.MAX_WBITS, 9, zlib.Z_FILTERED)
    plain = zlib.compressobj(_BEST, zlib.DEFLATED, -zlib.MAX_WBITS, 9)
    body = filtered.compress(_short_and_long(gaps)) + filtered.flush()
    return len(places), body + plain.compress(flat[places].tobytes()) + plain.flush()


def _unpacked_changes(body: bytes, count: int, size: int) -> ByteArray:
    first = zlib.decompressobj(-zlib.MAX_WBITS)
    second = zlib.decompressobj(-zlib.MAX_WBITS)
    # no more than there can be, whatever a damaged file says
    lengths = first.decompress(body, 5 * count + 1)
    values = second.decompress(first.unused_data, count + 1)
    gaps, taken = _lengths(lengths, count)
    if taken != len(lengths) or len(values) != count or not (first.eof and second.eof) or second.unused_data:
        raise ValueError("no class map: changes are missing")
    places = np.cumsum(gaps + 1) - 1
    if count and int(places[-1]) >= size:
        raise ValueError("no class map: its changes lie beyond its end")
    flat = np.zeros(size, np.uint8)
    flat[places] = np.frombuffer(values, np.uint8)
    return flat


def _unpacked(body: bytes, runs: int, size: int) -> ByteArray:
    lengths, taken = _lengths(body[: len(body) - runs], runs)
    if taken != len(body) - runs:
        raise ValueError("no class map: runs are missing")
    if int(lengths.sum()) != size:
        raise ValueError("no class map: its runs are not as long as it is")
    return np.repeat(np.frombuffer(body, np.uint8, runs, taken), lengths)


def _lengths(body: bytes, count: int) -> tuple[NDArray[np.int64], int]:
    """What `_short_and_long` has packed, and how many bytes it took. Raises: ValueError."""
    if len(body) < count:
        raise ValueError("no class map: lengths are missing")
    lengths = np.frombuffer(body, np.uint8, count).astype(np.int64)
    long = np.flatnonzero(lengths == _LONG)
    taken = count + 4 * len(long)
    if len(body) < taken:
        raise ValueError("no class map: lengths are missing")
    lengths[long] = np.frombuffer(body, "<u4", len(long), count)
    return lengths, taken
