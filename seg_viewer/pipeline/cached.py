"""A cache of class maps before a segmenter: what was computed once is not computed again."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace

from seg_viewer.core.class_map import ClassMap
from seg_viewer.core.frame import ByteArray, Frame, Size
from seg_viewer.core.model_file import ModelSpec
from seg_viewer.engines.base import EngineReport
from seg_viewer.media.sized_picture import SizedPicture
from seg_viewer.pipeline.map_cache import MapCache
from seg_viewer.pipeline.segmenter import Segmenter
from seg_viewer.sources.base import SourceInfo

FROM_CACHE = "from the cache"


def _nobody() -> None: ...


class CachedSegmenter:
    """See `Segmenter`: answers from the cache where it can, and lets another segmenter answer the rest, in order.

    What that one answers is kept. Kept maps have no `margin`; who needs it sets `wants_margin`. A picture that was put
    into a frame of another shape is not the one that the cache knows.

    Where all frames of the source are in the cache, `inner` is opened when one is missing nevertheless, not before.

    Args:
        inner: for frames that are not in the cache; of one model.
        cache: closed by whoever made it.
        spec: of the model of `inner`.
        key: of the maps in the cache, see `map_key`.
        info: of the source.
    """

    def __init__(self, inner: Segmenter, cache: MapCache, spec: ModelSpec, key: str, info: SourceInfo) -> None:
        self.inner, self.cache, self.spec, self.key = inner, cache, spec, key
        self.sizes: tuple[Size, ...] = inner.sizes
        self.wake: Callable[[], None] = lambda: None
        self.wants_margin = False
        """Frames are to be computed even if they are known; may be changed at any time, from any thread."""
        self.known = 0
        """How many frames were answered from the cache."""
        self.computed = 0
        """How many frames were answered by `inner`."""
        self.inference_s = 0.0
        self._info = info
        self._is_open = False
        self._computed_by: EngineReport | None = None
        self._flying: deque[tuple[Frame, ClassMap | None]] = deque()

    @property
    def slots(self) -> int:
        return self.inner.slots if self._is_open else 1

    @property
    def computed_by(self) -> EngineReport:
        """What computed the maps, now or earlier."""
        if self._computed_by is None:
            self._computed_by = self.cache.computed_by(self._info.fingerprint, self.key)
        return self._computed_by or EngineReport("cache", "", "", self.spec.precision)

    @property
    def report(self) -> EngineReport:
        """What computes, or computed; its note says what came from the cache."""
        if not self._is_open:
            report = self.computed_by
            return replace(report, precision=f"{report.precision} · {FROM_CACHE}", note=self.note)
        report = self.inner.report
        return replace(report, note="; ".join(filter(None, [report.note, self.note])))

    @property
    def note(self) -> str:
        """How many class maps came from the cache, "" for none."""
        of = f" of {self.known + self.computed}" if self.computed else ""
        return f"{self.known}{of} class maps {FROM_CACHE}" if self.known else ""

    def open(self) -> None:
        """Raises: EngineError."""
        frames = self._info.frame_count
        if frames is None or self.cache.count(self._info.fingerprint, self.key) < frames:
            self._open_inner()

    def interrupt(self) -> None:
        self.inner.interrupt()

    def submit(self, frame: Frame, pictures: Sequence[ByteArray], *, alone: bool = False) -> None:
        found = None if self.wants_margin else self._kept(frame)
        if found is None:
            if not self._is_open:
                self._open_inner()
            self.inner.submit(frame, pictures, alone=alone)
        self._flying.append((frame, found))

    def ready(self) -> bool:
        if not self._flying:
            return False
        _frame, found = self._flying[0]
        return found is not None or self.inner.ready()

    def collect(self) -> tuple[ClassMap, ...]:
        frame, found = self._flying[0]
        if found is None:
            maps = self.inner.collect()
            self.inference_s = self.inner.inference_s
            self.computed += 1
            self._computed_by = self.inner.report
            if _is_as_in_source(frame):
                self.cache.put(frame, self.key, maps[0], self._computed_by)
        else:
            maps = (found,)
            self.inference_s = math.nan
            self.known += 1
        self._flying.popleft()
        return maps

    def close(self) -> None:
        self._flying.clear()
        self.inner.close()
        self.inner.wake = _nobody  # what it holds would hold it

    def _kept(self, frame: Frame) -> ClassMap | None:
        ids = self.cache.get(frame.id, self.key) if _is_as_in_source(frame) else None
        if ids is None or ids.shape != (self.spec.height, self.spec.width):
            return None
        return ClassMap(ids, self.spec.labels, self.spec.sha256)

    def _open_inner(self) -> None:
        self.inner.open()
        self.inner.wake = self._woken
        self._is_open = True

    def _woken(self) -> None:
        self.wake()


def is_cacheable(info: SourceInfo) -> bool:
    """Whether the maps of a source are worth keeping: the same source can be opened again."""
    return not info.live and info.path is not None and bool(info.fingerprint)


def _is_as_in_source(frame: Frame) -> bool:
    return not (isinstance(frame.picture, SizedPicture) and frame.picture.is_framed)
