"""Two models look at the same frame: what a comparison is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from seg_viewer.core.class_map import ClassMap
from seg_viewer.core.errors import EngineError
from seg_viewer.core.frame import ByteArray, Frame, Size
from seg_viewer.engines.base import EngineReport
from seg_viewer.pipeline.segmenter import Segmenter


def _nothing() -> None: ...


class PairSegmenter:
    """See `Segmenter`: a frame's maps are those of the first segmenter, then those of the second.

    Both begin with a frame at once and share the processor as its system lets them; the answer is there when the slower
    one has its own. Both are opened or neither: where one cannot be, what the other holds is given back.

    Args:
        first: whose map is painted.
        second: what it is compared with.
        names: of their models, to say which of them failed.
    """

    def __init__(self, first: Segmenter, second: Segmenter, names: tuple[str, str] = ("model A", "model B")) -> None:
        self.first, self.second = first, second
        self.names = names
        self.sizes: tuple[Size, ...] = (*first.sizes, *second.sizes)
        self.wake: Callable[[], None] = _nothing

    @property
    def parts(self) -> tuple[Segmenter, Segmenter]:
        """The first and the second."""
        return self.first, self.second

    @property
    def slots(self) -> int:
        """As many frames as both can have in flight."""
        return min(self.first.slots, self.second.slots)

    @property
    def inference_s(self) -> float:
        """Of both together: each was timed by its own runtime, while the other one worked beside it."""
        return self.first.inference_s + self.second.inference_s

    @property
    def report(self) -> EngineReport:
        """Where they differ, both are named, the first model's part first."""
        return joined_report(self.first.report, self.second.report, self.names)

    def open(self) -> None:
        for segmenter, name in zip((self.first, self.second), self.names, strict=True):
            try:
                segmenter.open()
            except EngineError as error:
                self.close()
                if name in str(error):
                    raise
                raise EngineError(f"{name}: {error}") from error
            except BaseException:
                self.close()
                raise
            segmenter.wake = self._woken

    def interrupt(self) -> None:
        self.first.interrupt()
        self.second.interrupt()

    def submit(self, frame: Frame, pictures: Sequence[ByteArray], *, alone: bool = False) -> None:
        """See `Segmenter`; of two, none is alone."""
        own = len(self.first.sizes)
        self.first.submit(frame, pictures[:own])
        self.second.submit(frame, pictures[own:])

    def ready(self) -> bool:
        return self.first.ready() and self.second.ready()

    def collect(self) -> tuple[ClassMap, ...]:
        return (*self.first.collect(), *self.second.collect())

    def close(self) -> None:
        try:
            self.first.close()
        finally:
            self.second.close()
            self.first.wake = self.second.wake = _nothing  # what they hold would hold them

    def _woken(self) -> None:
        self.wake()


def joined_report(first: EngineReport, second: EngineReport, names: tuple[str, str]) -> EngineReport:
    """What runs two models: said once where it is the same, else "first + second"; notes with the model's name."""

    def both(one: str, other: str) -> str:
        return one if one == other else f"{one} + {other}"

    def named(one: str, other: str) -> str:
        return "; ".join(f"{name}: {text}" for name, text in zip(names, (one, other), strict=True) if text)

    return EngineReport(
        name=both(first.name, second.name),
        version=both(first.version, second.version),
        device=both(first.device, second.device),
        precision=both(first.precision, second.precision),
        note=named(first.note, second.note),
        fallback=named(first.fallback, second.fallback),
    )
