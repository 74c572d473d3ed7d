"""An engine on a device that may fail, with one on the processor behind it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from seg_viewer.core.errors import EngineError
from seg_viewer.core.frame import ByteArray
from seg_viewer.core.model_file import ModelSpec
from seg_viewer.engines.base import DeviceFailure, Engine, EngineReport, same_model


class FallbackEngine:
    """See `Engine`. When the device fails, the frames in flight are done again on the processor, and it stays there.

    What runs is always what `report` says, and after a failure its note says why.

    Args:
        make: makes the engine on the device.
        make_spare: makes the one on the processor; called only after a failure.

    Raises:
        EngineError: `make` failed otherwise than by its device, or both failed.
    """

    spec: ModelSpec
    report: EngineReport

    def __init__(self, make: Callable[[], Engine], make_spare: Callable[[], Engine]) -> None:
        self._make_spare = make_spare
        self._wake: Callable[[], None] = lambda: None
        self._flying: deque[ByteArray] = deque()
        self._again: deque[tuple[ByteArray, float, ByteArray | None]] = deque()
        self._spare = False
        self.inference_s = 0.0
        self.margin: ByteArray | None = None
        try:
            self._engine = make()
        except DeviceFailure as error:
            self._change(error)
        else:
            self.report = self._engine.report
        self.slots = self._engine.slots
        self.spec = self._engine.spec

    @property
    def wake(self) -> Callable[[], None]:
        return self._wake

    @wake.setter
    def wake(self, call: Callable[[], None]) -> None:
        self._wake = self._engine.wake = call

    def submit(self, rgb: ByteArray, *, alone: bool = False) -> None:
        if self._again:
            self._do_again(rgb)
            return
        try:
            self._engine.submit(rgb, alone=alone)
        except DeviceFailure as error:
            self._fall_back(error)
            self._do_again(rgb)
            return
        self._flying.append(rgb)

    def ready(self) -> bool:
        return bool(self._again) or self._engine.ready()

    def collect(self) -> ByteArray:
        if not self._again:
            try:
                classes = self._engine.collect()
            except DeviceFailure as error:
                self._fall_back(error)
            else:
                self._flying.popleft()
                self.inference_s, self.margin = self._engine.inference_s, self._engine.margin
                return classes
        if not self._again:
            raise EngineError("no frame is in flight")
        classes, self.inference_s, self.margin = self._again.popleft()
        return classes

    def segment(self, rgb: ByteArray) -> ByteArray:
        self.submit(rgb)
        return self.collect()

    def close(self) -> None:
        self._flying.clear()
        self._again.clear()
        self._engine.close()

    def _fall_back(self, error: DeviceFailure) -> None:
        """Leave the device and do what it had in flight again."""
        if self._spare:
            raise error
        with suppress(EngineError):
            self._engine.close()
        self._change(error)
        while self._flying:
            self._do_again(self._flying.popleft())

    def _do_again(self, rgb: ByteArray) -> None:
        classes = self._engine.segment(rgb)
        self._again.append((classes, self._engine.inference_s, self._engine.margin))
        self._wake()

    def _change(self, error: DeviceFailure) -> None:
        try:
            self._engine = self._make_spare()
        except EngineError as second:
            raise EngineError(f"{error}; and no engine on the processor could take over: {second}") from error
        self._spare = True
        self.slots = self._engine.slots
        self._engine.wake = self._wake
        self.report = replace(
            self._engine.report, fallback=f"fell back to the processor: {error}; {same_model(self._engine.spec)}"
        )
