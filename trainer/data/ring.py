"""What the process that trains and those that make samples for it agree on: slots in shared memory, and messages."""

from __future__ import annotations

import mmap
import signal
import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.data.kept import Shelf

HEAD = struct.Struct("<iiqi")
"""Of a message with work: slot, row of its first sample, epoch, samples. Behind it an `ENTRY` for each."""

ENTRY = struct.Struct("<qii")
"""Position in the epoch, data set, pair."""

DONE = struct.Struct("<i")
"""Of an answer: the slot. Behind it nothing, or an error as JSON; slot −1: a process has died."""

MESSAGE = 1 << 16
"""Most bytes of a message."""


@dataclass(frozen=True)
class Ring:
    """The slots that batches are made in.

    Args:
        slots: batches that have room.
        batch: pictures of one.
        part: pictures of it that one process makes at a time.
        crop: (width, height) of a picture.
        stride: masks are smaller by this.
    """

    slots: int
    batch: int
    part: int
    crop: tuple[int, int]
    stride: int

    @property
    def nbytes(self) -> int:
        """Bytes of all slots."""
        return self.slots * self.batch * (self._picture + self._mask)

    @property
    def _picture(self) -> int:
        return self.crop[0] * self.crop[1] * 3

    @property
    def _mask(self) -> int:
        return (self.crop[0] // self.stride) * (self.crop[1] // self.stride)

    def views(self, file: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Pictures (slots, N, h, w, 3) and masks (slots, N, h / stride, w / stride) of a file in memory."""
        memory = np.frombuffer(mmap.mmap(file, self.nbytes), np.uint8)
        (width, height), stride = self.crop, self.stride
        split = self.slots * self.batch * self._picture
        return (
            memory[:split].reshape(self.slots, self.batch, height, width, 3),
            memory[split:].reshape(self.slots, self.batch, height // stride, width // stride),
        )


@dataclass(frozen=True)
class Work:
    """All that the processes need to know, besides the samples.

    Args:
        processes: how many.
        ring: the slots, in the file `slots`.
        shelf: where decoded pairs lie in the file `kept`.
        slots, kept, tasks, done: descriptors.
    """

    processes: int
    ring: Ring
    shelf: Shelf
    slots: int
    kept: int
    tasks: int
    done: int


def how_it_ended(code: int) -> str:
    """How a process ended, by its exit code, negative for a signal."""
    if code >= 0:
        return f"ended with code {code}"
    return f"was killed ({signal.Signals(-code).name}{', perhaps for want of memory' if code == -9 else ''})"
