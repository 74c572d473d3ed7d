"""Decoded pairs, kept for the next time they are asked for: by one process, or by several in memory that they share."""

from __future__ import annotations

import mmap
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

Key = tuple[int, int]
"""Data set and pair."""

_ALIGNED = 64
_HEAD = 16
"""Bytes before a pair in shared memory: 1 once it is there, and how many points it has; both uint64."""


@dataclass(frozen=True)
class Held:
    """A decoded pair, no larger than it is needed.

    Args:
        picture: (H, W, 3) uint8 RGB.
        mask: (H, W) uint8 ids of `Details`.
        points: (n, 2) uint16 of x, y: pixels of rare classes.
    """

    picture: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    points: NDArray[np.uint16]

    @property
    def nbytes(self) -> int:
        """Bytes that it takes."""
        return self.picture.nbytes + self.mask.nbytes + self.points.nbytes


class Kept(Protocol):
    """Where decoded pairs stay."""

    def fetch(self, key: Key, make: Callable[[], Held]) -> Held:
        """The pair of a key: kept before, or made now, and kept where it fits. Its arrays must not be changed."""
        ...


class OwnKept:
    """In this process' own memory; for threads.

    Args:
        most: bytes; what does not fit any more is made again each time.
    """

    def __init__(self, most: int) -> None:
        self._most, self._bytes = most, 0
        self._pairs: dict[Key, Held] = {}
        self._lock = threading.Lock()

    def fetch(self, key: Key, make: Callable[[], Held]) -> Held:
        """As in `Kept`."""
        held = self._pairs.get(key)
        if held is None:
            held = make()
            with self._lock:
                if key not in self._pairs and self._bytes + held.nbytes <= self._most:
                    self._pairs[key] = held
                    self._bytes += held.nbytes
        return held


@dataclass(frozen=True)
class Shelf:
    """Where each pair lies in shared memory, known before any is decoded, so that nobody has to hand out room.

    Args:
        places: key → first byte, (width, height), largest number of points.
        nbytes: of all of them.
        left_out: pairs that do not fit.
    """

    places: Mapping[Key, tuple[int, tuple[int, int], int]]
    nbytes: int
    left_out: int = 0


def plan_shelf(sizes: Mapping[Key, tuple[int, int]], points: int, most: int) -> Shelf:
    """Give every pair a place, in the order given, while there is room.

    Args:
        sizes: (width, height) of each decoded pair.
        points: largest number of points of each.
        most: bytes in all.
    """
    places: dict[Key, tuple[int, tuple[int, int], int]] = {}
    taken = 0
    for key, (width, height) in sizes.items():
        needed = -(-(_HEAD + points * 4 + width * height * 4) // _ALIGNED) * _ALIGNED
        if taken + needed <= most:
            places[key] = (taken, (width, height), points)
            taken += needed
    return Shelf(places, taken, len(sizes) - len(places))


class SharedKept:
    """In memory that several forked processes share: what one decodes, all have. For one thread of each.

    Args:
        file: descriptor of a file in memory, of `shelf.nbytes`.
        shelf: where the pairs lie.
    """

    def __init__(self, file: int, shelf: Shelf) -> None:
        self._file, self._shelf = file, shelf
        self._numbers = {key: number for number, key in enumerate(shelf.places)}
        self._bytes = np.frombuffer(mmap.mmap(file, shelf.nbytes), np.uint8) if shelf.nbytes else np.zeros(0, np.uint8)

    def fetch(self, key: Key, make: Callable[[], Held]) -> Held:
        """As in `Kept`; where another process is making it, waits for that one."""
        place = self._shelf.places.get(key)
        if place is None:
            return make()
        start, (width, height), most = place
        head = self._bytes[start : start + _HEAD].view(np.uint64)
        points = self._bytes[start + _HEAD :][: most * 4].view(np.uint16).reshape(most, 2)
        picture = self._bytes[start + _HEAD + most * 4 :][: width * height * 3].reshape(height, width, 3)
        mask = self._bytes[start + _HEAD + most * 4 + picture.size :][: width * height].reshape(height, width)
        # a lock of the system goes with the process that holds it, and puts writing and reading in order
        fcntl.lockf(self._file, fcntl.LOCK_EX, 1, self._numbers[key])
        try:
            if head[0]:
                return Held(picture, mask, points[: int(head[1])])
            held = make()
            if held.picture.shape == picture.shape and held.mask.shape == mask.shape and len(held.points) <= most:
                picture[:], mask[:], points[: len(held.points)] = held.picture, held.mask, held.points
                head[:] = 1, len(held.points)
            return held
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, self._numbers[key])


def memory_file(nbytes: int) -> int:
    """Descriptor of a file in memory without a name: it is gone with the last process that has it. Linux only."""
    file = os.memfd_create("seg-trainer")
    os.ftruncate(file, max(1, nbytes))
    return file
