"""Between pipeline and engine: a frame in, one class map for each model out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from seg_viewer.core.class_map import ClassMap
from seg_viewer.core.errors import EngineError
from seg_viewer.core.frame import ByteArray, Frame, Size
from seg_viewer.core.model_file import ModelSpec
from seg_viewer.engines.base import Engine, EngineReport


class Segmenter(Protocol):
    """Turns frames into class maps, in order.

    It can be made on any thread and knows its `sizes` from then on, so that frames can be scaled before it is ready.
    All else happens on one thread: `open`, then `submit` and `collect`, then `close`.
    """

    sizes: tuple[Size, ...]
    """What a frame has to be scaled to, once for each model."""
    wake: Callable[[], None]
    """Called, on any thread, when a frame in flight may have become ready; set it to be told."""

    @property
    def slots(self) -> int:
        """How many frames may be in flight between `submit` and `collect`; known once it is open."""
        ...

    @property
    def inference_s(self) -> float:
        """Seconds spent on the frame collected last; waiting in line is not counted. NaN where nothing was computed."""
        ...

    @property
    def report(self) -> EngineReport:
        """What really runs; once it is open."""
        ...

    def open(self) -> None:
        """Load what it needs; takes as long as that takes. Raises: EngineError."""
        ...

    def interrupt(self) -> None:
        """End an `open` that takes long, from any thread; it then raises."""
        ...

    def submit(self, frame: Frame, pictures: Sequence[ByteArray], *, alone: bool = False) -> None:
        """Start on a frame.

        Args:
            frame: which one.
            pictures: its picture in each of `sizes`, shape (height, width, 3), uint8, RGB, contiguous; not to be
                changed before `collect`.
            alone: somebody waits for this frame, and none follows it closely, as after a jump.

        Raises: EngineError.
        """
        ...

    def ready(self) -> bool:
        """Whether `collect` would return at once."""
        ...

    def collect(self) -> tuple[ClassMap, ...]:
        """Wait for the oldest frame in flight; returns its class maps, one for each of `sizes`. Raises: EngineError."""
        ...

    def close(self) -> None:
        """Let go of everything; again, or without `open`, is fine."""
        ...


@runtime_checkable
class TakesTurns(Protocol):
    """A segmenter that others share the engine of: a picture is handed over when its turn has come, not before."""

    def may_submit(self) -> bool:
        """Asked, on any thread, while there is a picture; after a no, `wake` is called when it may be a yes."""
        ...


def _nothing() -> None: ...


class EngineSegmenter:
    """See `Segmenter`: one model on one engine.

    Args:
        spec: of the model.
        make: makes the engine, when the segmenter is opened.
        interrupt: ends a `make` that takes long.
    """

    def __init__(
        self, spec: ModelSpec, make: Callable[[], Engine], *, interrupt: Callable[[], None] = _nothing
    ) -> None:
        self.spec = spec
        self.sizes: tuple[Size, ...] = (Size(spec.width, spec.height),)
        self.wake: Callable[[], None] = _nothing
        self._make = make
        self._interrupt = interrupt
        self._engine: Engine | None = None

    @property
    def slots(self) -> int:
        return self._engine.slots if self._engine is not None else 1

    @property
    def inference_s(self) -> float:
        return self._engine.inference_s if self._engine is not None else 0.0

    @property
    def report(self) -> EngineReport:
        return self._opened().report

    def open(self) -> None:
        self._engine = self._make()
        self._engine.wake = self._woken

    def interrupt(self) -> None:
        self._interrupt()

    def submit(self, frame: Frame, pictures: Sequence[ByteArray], *, alone: bool = False) -> None:
        self._opened().submit(pictures[0], alone=alone)

    def ready(self) -> bool:
        return self._opened().ready()

    def collect(self) -> tuple[ClassMap, ...]:
        engine = self._opened()
        return (ClassMap(engine.collect(), self.spec.labels, self.spec.sha256, engine.margin),)

    def close(self) -> None:
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()

    def _opened(self) -> Engine:
        if self._engine is None:
            raise EngineError(f"model '{self.spec.name}' is not loaded")
        return self._engine

    def _woken(self) -> None:
        self.wake()
