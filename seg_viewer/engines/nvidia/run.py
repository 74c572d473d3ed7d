"""Runs a TensorRT plan. Imported only after `require_tensorrt`."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import tensorrt as trt
from numpy.typing import DTypeLike

from seg_viewer.core.counted import counted
from seg_viewer.core.errors import EngineError
from seg_viewer.core.frame import ByteArray
from seg_viewer.core.model_file import INPUT_NAME, ModelSpec
from seg_viewer.engines.base import DeviceFailure, check_picture, output_names, to_class_map
from seg_viewer.engines.nvidia.cuda import EventWaiter, FrameLane, Gpu

_OUTPUT_TYPES: dict[str, DTypeLike] = {"UINT8": np.uint8, "INT32": np.int32, "INT64": np.int64}
_Made = TypeVar("_Made")
_log = logging.getLogger(__name__)


class TensorRtLog(trt.ILogger):
    """Keeps what TensorRT complains of, to say it where a call only answers None or False."""

    def __init__(self) -> None:
        trt.ILogger.__init__(self)
        self._lock = threading.Lock()
        self._errors: deque[str] = deque(maxlen=8)

    def log(self, severity: trt.ILogger.Severity, msg: str) -> None:
        text = " ".join(str(msg).split())
        if severity in (trt.ILogger.Severity.INTERNAL_ERROR, trt.ILogger.Severity.ERROR):
            with self._lock:
                self._errors.append(text)
            _log.debug("TensorRT: %s", text)
        elif severity == trt.ILogger.Severity.WARNING:
            _log.debug("TensorRT warns: %s", text)

    def take(self) -> str:
        """What was complained of since the last time, one line; "no reason given" when nothing."""
        with self._lock:
            texts = list(dict.fromkeys(self._errors))
            self._errors.clear()
        return "; ".join(texts) or "no reason given"


LOG = TensorRtLog()
"""TensorRT keeps to the first logger that a process shows it."""


def dims_tuple(dims: trt.Dims) -> tuple[int, ...]:
    """A shape of TensorRT as numpy has it."""
    return tuple(int(dims[index]) for index in range(len(dims)))


class PlanRefused(EngineError):
    """TensorRT cannot load a plan, or the plan is not the model's: build it again."""


def failure(text: str, reason: str) -> EngineError:
    """The error of a call that TensorRT refused; one of the device where the reason says so."""
    lowered = reason.lower()
    gone = any(
        word in lowered
        for word in ("out of memory", "outofmemory", "cuda error", "cuda failure", "cuda runtime", "cuda init")
    )
    return (DeviceFailure if gone else EngineError)(f"{text}: {reason}")


def made(make: Callable[[], _Made], what: str) -> _Made:
    """What a constructor of TensorRT's gives. Raises: EngineError, or DeviceFailure where the GPU is the reason.

    Where CUDA cannot be used it gives nothing, which the bindings report as a TypeError.
    """
    LOG.take()
    try:
        return make()
    except TypeError as error:
        raise failure(f"TensorRT cannot make {what}", LOG.take()) from error


def load_plan(plan: bytes) -> tuple[trt.Runtime, trt.ICudaEngine]:
    """Raises: PlanRefused; DeviceFailure when the GPU is the reason."""
    runtime = made(lambda: trt.Runtime(LOG), "a runtime")
    engine = runtime.deserialize_cuda_engine(plan)
    if engine is None:
        error = failure("TensorRT cannot load the plan", LOG.take())
        raise error if isinstance(error, DeviceFailure) else PlanRefused(str(error))
    return runtime, engine


def inspect_layers(engine: trt.ICudaEngine) -> str:
    """What the layers of a plan compute in, as TensorRT's inspector says: JSON."""
    inspector = engine.create_engine_inspector()
    return str(inspector.get_engine_information(trt.LayerInformationFormat.JSON))


@dataclass
class _Lane:
    """One frame in flight: an execution context and its memory."""

    context: trt.IExecutionContext | None
    frame: FrameLane


class PlanRunner:
    """Frames in, class maps out, in order; made, used and closed on the thread that has the GPU's context.

    Each frame in flight has a lane of its own (stream, memory, execution context), so that the copies of one overlap
    the computation of another.

    Args:
        plan: serialised TensorRT engine.
        spec: the model it was built from.
        gpu: where it runs.
        slots: frames in flight.

    Raises:
        PlanRefused: the plan cannot be loaded or is of another model.
        DeviceFailure: the GPU has no memory for it.
    """

    def __init__(self, plan: bytes, spec: ModelSpec, gpu: Gpu, slots: int) -> None:
        self.spec = spec
        self.slots = slots
        self.inference_s = 0.0
        self.margin: ByteArray | None = None
        self.wake: Callable[[], None] = lambda: None
        self._free: list[_Lane] = []
        self._busy: deque[_Lane] = deque()
        self._runtime: trt.Runtime | None = None
        self._engine: trt.ICudaEngine | None = None
        self._runtime, self._engine = load_plan(plan)
        self._waiter: EventWaiter | None = None
        try:
            dtypes = self._check_tensors(self._engine)
            self._free = []
            for _ in range(slots):
                self._free.append(self._make_lane(self._engine, dtypes))
            self._waiter = EventWaiter(gpu, lambda: self.wake())
        except BaseException:
            self.close()
            raise

    def layers(self) -> str:
        """See `inspect_layers`."""
        assert self._engine is not None
        return inspect_layers(self._engine)

    def _check_tensors(self, engine: trt.ICudaEngine) -> list[DTypeLike]:
        """What each of `output_names` consists of."""
        spec, outputs = self.spec, output_names(self.spec)
        names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
        inputs = [name for name in names if engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT]
        if inputs != [INPUT_NAME] or not set(outputs) <= set(names):
            of_model = " and ".join((INPUT_NAME, *outputs))
            raise PlanRefused(f"the plan has the tensors {', '.join(names)}, the model {of_model}")
        shapes = {name: (1, spec.height, spec.width) for name in outputs}
        for name, expected in ({INPUT_NAME: (1, spec.height, spec.width, 3)} | shapes).items():
            shape = dims_tuple(engine.get_tensor_shape(name))
            if shape != expected:
                raise PlanRefused(f"the plan's '{name}' is {shape}, the model's {expected}")
        if engine.get_tensor_dtype(INPUT_NAME) != trt.DataType.UINT8:
            raise PlanRefused(f"the plan's '{INPUT_NAME}' is not uint8")
        dtypes = {name: str(engine.get_tensor_dtype(name).name) for name in outputs}
        for name, dtype in dtypes.items():
            if dtype not in _OUTPUT_TYPES:
                raise PlanRefused(f"the plan's '{name}' is {dtype.lower()}, not an integer that holds class ids")
        return [_OUTPUT_TYPES[dtype] for dtype in dtypes.values()]

    def _make_lane(self, engine: trt.ICudaEngine, dtypes: Sequence[DTypeLike]) -> _Lane:
        LOG.take()
        context = engine.create_execution_context()
        if context is None:
            raise DeviceFailure(f"TensorRT cannot make an execution context: {LOG.take()}")
        shape = (1, self.spec.height, self.spec.width)
        lane = _Lane(context, FrameLane((*shape, 3), shape, *dtypes))
        for name, address in zip((INPUT_NAME, *output_names(self.spec)), lane.frame.addresses, strict=True):
            if not context.set_tensor_address(name, address):
                lane.frame.release()
                raise EngineError(f"TensorRT refuses the address of '{name}': {LOG.take()}")
        return lane

    def submit(self, rgb: ByteArray) -> None:
        """Start on a picture; it may change as soon as this returns. Raises: EngineError."""
        check_picture(self.spec, rgb)
        if not self._free or self._waiter is None:
            raise EngineError(f"more than {counted(self.slots, 'frame')} in flight")
        lane = self._free.pop(0)
        try:
            lane.frame.upload(rgb)
            assert lane.context is not None
            if not lane.context.execute_async_v3(lane.frame.stream_handle):
                raise DeviceFailure(f"TensorRT could not run the model: {LOG.take()}")
            lane.frame.download()
        except BaseException:
            self._free.append(lane)
            raise
        self._busy.append(lane)
        self._waiter.watch(lane.frame)

    def ready(self) -> bool:
        return bool(self._busy) and self._busy[0].frame.done

    def collect(self) -> ByteArray:
        """Class map of the oldest picture in flight. Raises: EngineError."""
        if not self._busy:
            raise EngineError("no frame is in flight")
        lane = self._busy.popleft()
        try:
            (classes, *more), self.inference_s = lane.frame.wait()
            self.margin = to_class_map(more[0]) if more else None
            return to_class_map(classes)
        finally:
            self._free.append(lane)

    def segment(self, rgb: ByteArray) -> ByteArray:
        self.submit(rgb)
        return self.collect()

    def close(self) -> None:
        """Release everything in order: the thread, contexts, engine, runtime, then the memory they used."""
        if self._waiter is not None:
            self._waiter.close()
            self._waiter = None
        lanes: list[Any] = [*self._busy, *self._free]
        self._busy.clear()
        self._free.clear()
        for lane in lanes:
            lane.frame.finish()
        for lane in lanes:
            lane.context = None
        self._engine = None
        self._runtime = None
        for lane in lanes:
            lane.frame.release()
