"""Frames through FFmpeg's filters, with the times that they came with."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import cast

import av
import av.error
import av.filter

Step = tuple[str, Mapping[str, str]]
"""A filter and its options."""


class FilterChain:
    """A chain of filters in which every frame that goes in comes out once, in the same order.

    Args:
        like: a frame of the size and pixel format that all have.
        steps: the filters, in order.
    """

    def __init__(self, like: av.VideoFrame, steps: Sequence[Step]) -> None:
        self._waiting: deque[av.VideoFrame] = deque()
        self._graph = av.filter.Graph()
        self._graph.threads = 1  # the pipeline's own threads keep the cores busy
        # any unit of time does: the frames get their own back
        nodes = [
            self._graph.add_buffer(
                width=like.width, height=like.height, format=like.format, time_base=Fraction(1, 1_000_000)
            )
        ]
        nodes += [self._graph.add(name, None, **options) for name, options in steps]
        self._graph.link_nodes(*nodes, self._graph.add("buffersink")).configure()

    def push(self, frame: av.VideoFrame) -> list[tuple[av.VideoFrame, av.VideoFrame]]:
        """Put a frame in. Returns what is ready: each frame as it went in, and as it came out."""
        self._waiting.append(frame)
        self._graph.push(frame)
        return self._ready()

    def flush(self) -> list[tuple[av.VideoFrame, av.VideoFrame]]:
        """What a filter has kept back; nothing can be put in after."""
        self._graph.push(None)
        return self._ready()

    def _ready(self) -> list[tuple[av.VideoFrame, av.VideoFrame]]:
        ready = []
        while self._waiting:
            try:
                made = cast(av.VideoFrame, self._graph.pull())
            except (av.error.BlockingIOError, av.error.EOFError):
                break
            given = self._waiting.popleft()
            made.pts, made.dts, made.duration = given.pts, given.dts, given.duration
            if given.time_base is not None:
                made.time_base = given.time_base
            ready.append((given, made))
        return ready
