"""Where a person wants to be in a source, as steps and jumps one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seg_viewer.core.frame import Frame
from seg_viewer.sources.base import Source, Stepping


@dataclass(frozen=True)
class Seek:
    """To the frame on the screen at a time, seconds."""

    time_s: float


@dataclass(frozen=True)
class SeekBy:
    """So many seconds on, or back where negative, from the frame before."""

    delta_s: float


@dataclass(frozen=True)
class Step:
    """So many frames on, or back where negative, from the frame before."""

    count: int


Move = Seek | SeekBy | Step


def go(source: Source, base: Frame | None, moves: Sequence[Move]) -> None:
    """Make all moves, so that the next frame of a source is the one that they lead to.

    Args:
        source: to be iterated anew afterwards.
        base: where they begin; None for wherever the source is.
        moves: beyond an end of the source, each leads to that end.
    """
    at = base
    for number, move in enumerate(moves):
        if number:
            at = next(iter(source), at)
        if isinstance(move, Seek):
            source.seek(max(0.0, move.time_s))
        elif at is None:
            continue
        elif isinstance(move, SeekBy):
            source.seek(max(0.0, at.time_s + move.delta_s))
        elif isinstance(source, Stepping):
            source.step(at, move.count)
        else:
            _step(source, at, move.count)


def _step(source: Source, base: Frame, count: int) -> None:
    """As `Stepping.step`, for a source that can only jump."""
    tick_s = float(source.info.time_base or 0.001)
    frame = base
    if count < 0:
        for _ in range(-count):
            source.seek(max(0.0, frame.time_s - 0.75 * tick_s))
            frame = next(iter(source), frame)
    else:
        source.seek(base.time_s)
        frames = iter(source)
        for _ in range(count + 1):
            frame = next(frames, frame)
    source.seek(frame.time_s)
