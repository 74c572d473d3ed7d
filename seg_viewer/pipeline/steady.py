"""Steady masks between a segmenter and a pipeline: see `seg_viewer.core.steady`."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from seg_viewer.core.class_map import ClassMap
from seg_viewer.core.frame import ByteArray, Frame, FrameId, Size
from seg_viewer.core.steady import Steadied, blurred_luma, steadied
from seg_viewer.engines.base import EngineReport
from seg_viewer.pipeline.segmenter import Segmenter, TakesTurns

REMEMBERED = 24
"""Frames whose class maps are shown as before when somebody goes back to them."""


def _nobody() -> None: ...


def one_part(_frame: Frame) -> int:
    """All frames are of the same part."""
    return 0


class SteadySegmenter:
    """See `Segmenter`: the class maps of another segmenter, calm where the picture stands still.

    Each model's maps are made calm by themselves; `margin` stays what the model says. It begins anew with a frame that
    does not follow the one before: after a jump, another size, a gap. Of the last frames it remembers what it made of
    them, so that a step back shows what was shown.

    Args:
        inner: answers; a cache before it keeps its own maps.
        on: see `is_on`.
        part_of: number of the part that a frame is in; with each part it begins anew, whatever came before.
    """

    def __init__(self, inner: Segmenter, *, on: bool = True, part_of: Callable[[Frame], int] = one_part) -> None:
        self.inner = inner
        self.is_on = on
        """Whether maps are made calm; may be changed at any time, from any thread, and counts from the next map on."""
        self.sizes: tuple[Size, ...] = inner.sizes
        self.wake: Callable[[], None] = _nobody
        self._part_of = part_of
        self._flying: deque[tuple[Frame, Sequence[ByteArray]]] = deque()
        self._part = 0
        self._last: tuple[Steadied, ...] = ()
        self._made: OrderedDict[FrameId, tuple[Steadied, ...]] = OrderedDict()

    @property
    def slots(self) -> int:
        return self.inner.slots

    @property
    def inference_s(self) -> float:
        """Of the model alone."""
        return self.inner.inference_s

    @property
    def report(self) -> EngineReport:
        return self.inner.report

    def open(self) -> None:
        """Raises: EngineError."""
        self.inner.open()
        self.inner.wake = self._woken

    def interrupt(self) -> None:
        self.inner.interrupt()

    def may_submit(self) -> bool:
        """See `TakesTurns`; where `inner` takes no turns, always."""
        return self.inner.may_submit() if isinstance(self.inner, TakesTurns) else True

    def submit(self, frame: Frame, pictures: Sequence[ByteArray], *, alone: bool = False) -> None:
        self.inner.submit(frame, pictures, alone=alone)
        self._flying.append((frame, pictures))

    def ready(self) -> bool:
        return self.inner.ready()

    def collect(self) -> tuple[ClassMap, ...]:
        maps = self.inner.collect()
        frame, pictures = self._flying.popleft()
        if not self.is_on:
            self._forget()
            return maps
        made = self._steadied(frame, pictures, maps)
        return tuple(replace(map_, ids=one.ids) for map_, one in zip(maps, made, strict=True))

    def close(self) -> None:
        self._flying.clear()
        self._forget()
        self.inner.close()
        self.inner.wake = _nobody  # what it holds would hold it

    def _steadied(
        self, frame: Frame, pictures: Sequence[ByteArray], maps: tuple[ClassMap, ...]
    ) -> tuple[Steadied, ...]:
        part = self._part_of(frame)
        if part != self._part:
            self._forget()
        follows = all(
            one.comes_before(frame.time_s, map_.ids.shape) for one, map_ in zip(self._last, maps, strict=False)
        )
        made = None if self._last and follows else self._as_before(frame, pictures)
        if made is None:
            before = self._last or (None,) * len(maps)
            made = tuple(
                steadied(one, map_.ids, picture, frame.time_s)
                for one, map_, picture in zip(before, maps, pictures, strict=True)
            )
        self._part, self._last = part, made
        self._made[frame.id] = made
        self._made.move_to_end(frame.id)
        if len(self._made) > REMEMBERED:
            self._made.popitem(last=False)
        return made

    def _as_before(self, frame: Frame, pictures: Sequence[ByteArray]) -> tuple[Steadied, ...] | None:
        """What was made of a frame that somebody goes back to."""
        made = self._made.get(frame.id)
        if made is None or not all(
            np.array_equal(one.luma, blurred_luma(picture)) for one, picture in zip(made, pictures, strict=True)
        ):
            return None
        return made

    def _forget(self) -> None:
        self._last = ()
        self._made.clear()

    def _woken(self) -> None:
        self.wake()
