"""Reads what comes before the frames that a video file keeps, for steps back."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from seg_viewer.core.frame import Frame
from seg_viewer.sources.file_frames import FileFrames
from seg_viewer.sources.frame_ring import FrameRing

_SOON = 8
"""Frames before the one on the screen that are read before all others."""


class Filling:
    """Goes on little by little; what raises is what `beside` and the reading of a file do.

    Args:
        beside: makes a place of reading of its own.
    """

    def __init__(self, beside: Callable[[], FileFrames]) -> None:
        self._beside = beside
        self._head: FileFrames | None = None
        self._reads: Iterator[list[Frame] | None] | None = None
        self._for: Frame | None = None

    @staticmethod
    def is_urgent(ring: FrameRing) -> bool:
        """Whether very few steps back find their frame."""
        return ring.behind < _SOON

    def is_worth(self, ring: FrameRing, wants: int) -> bool:
        """Whether to go on; for a few frames more, a whole group of pictures is not decoded before they are urgent."""
        return wants >= _SOON or (wants > 0 and self.is_urgent(ring))

    def go_on(self, ring: FrameRing, wants: int) -> int:
        """Decode one frame more; returns how many are kept more.

        Args:
            ring: that keeps them; not empty.
            wants: how many it would keep.
        """
        if self._head is None:
            self._head = self._beside()
            return 0
        first = ring.first
        assert first is not None
        if self._reads is None or self._for is not first:
            # the next few first: they cost less by themselves, and a step may be waiting for them
            count = min(wants, _SOON) if self.is_urgent(ring) else wants
            self._for, self._reads = first, self._head.before(first, max(1, count))
        found = next(self._reads, [])
        if found is None:
            return 0
        self._reads = None
        if found:
            return ring.prepend(found)
        ring.at_start = True
        return 0

    def close(self) -> None:
        """Let the file go."""
        self._reads = None
        if self._head is not None:
            self._head.close()
