"""Runs a plan of TensorRT, or of TensorRT for RTX. Imported only after `require`."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from seg_viewer.core.counted import counted
from seg_viewer.core.errors import EngineError
from seg_viewer.core.frame import ByteArray
from seg_viewer.core.model_file import INPUT_NAME, ModelSpec
from seg_viewer.engines.base import DeviceFailure, check_picture, output_names, to_class_map
from seg_viewer.engines.nvidia.ahead import Kernels, why_invalid
from seg_viewer.engines.nvidia.cuda import EventWaiter, FrameLane, Gpu
from seg_viewer.engines.nvidia.library import NvidiaRuntime
from seg_viewer.engines.nvidia.log import PlanRefused, dims_tuple, failure, log_of, made

if TYPE_CHECKING:
    import tensorrt as trt

_OUTPUT_TYPES: dict[str, DTypeLike] = {"UINT8": np.uint8, "INT32": np.int32, "INT64": np.int64}


def load_plan(runtime: NvidiaRuntime, plan: bytes) -> tuple[trt.Runtime, trt.ICudaEngine]:
    """The runtime's `Runtime` and `ICudaEngine`. Raises: PlanRefused; DeviceFailure when the GPU is the reason."""
    trt = runtime.module()
    log = log_of(runtime)
    loader = made(runtime, lambda: trt.Runtime(log.logger), "a runtime")
    engine = loader.deserialize_cuda_engine(plan)
    if engine is None:
        reason = why_invalid(loader, plan) if runtime.ahead else ""
        error = failure(f"{runtime.title} cannot load the plan", reason or log.take())
        raise error if isinstance(error, DeviceFailure) else PlanRefused(str(error))
    return loader, engine


def inspect_layers(runtime: NvidiaRuntime, engine: trt.ICudaEngine) -> str:
    """What the layers of a plan compute in, as the runtime's inspector says: JSON."""
    trt = runtime.module()
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
        runtime: that the plan is of.
        plan: serialised engine.
        spec: the model it was built from.
        gpu: where it runs.
        slots: frames in flight.
        kernels: what earlier runs of the plan on this GPU have compiled, and where what this one compiles is kept;
            None where the runtime compiles nothing when it runs.

    Raises:
        PlanRefused: the plan cannot be loaded or is of another model.
        DeviceFailure: the GPU has no memory for it.
    """

    def __init__(
        self, runtime: NvidiaRuntime, plan: bytes, spec: ModelSpec, gpu: Gpu, slots: int, kernels: Kernels | None = None
    ) -> None:
        self._nvidia = runtime
        self._log = log_of(runtime)
        self.spec = spec
        self.slots = slots
        self.inference_s = 0.0
        self.margin: ByteArray | None = None
        self.wake: Callable[[], None] = lambda: None
        self._free: list[_Lane] = []
        self._busy: deque[_Lane] = deque()
        self._kernels = kernels
        self._runtime: trt.Runtime | None = None
        self._engine: trt.ICudaEngine | None = None
        self._runtime, self._engine = load_plan(runtime, plan)
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
        return inspect_layers(self._nvidia, self._engine)

    def _check_tensors(self, engine: trt.ICudaEngine) -> list[DTypeLike]:
        """What each of `output_names` consists of."""
        trt = self._nvidia.module()
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
        self._log.take()
        context = self._kernels.context(engine) if self._kernels else engine.create_execution_context()
        if context is None:
            raise DeviceFailure(f"{self._nvidia.title} cannot make an execution context: {self._log.take()}")
        shape = (1, self.spec.height, self.spec.width)
        lane = _Lane(context, FrameLane((*shape, 3), shape, *dtypes))
        for name, address in zip((INPUT_NAME, *output_names(self.spec)), lane.frame.addresses, strict=True):
            if not context.set_tensor_address(name, address):
                lane.frame.release()
                raise EngineError(f"{self._nvidia.title} refuses the address of '{name}': {self._log.take()}")
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
                raise DeviceFailure(f"{self._nvidia.title} could not run the model: {self._log.take()}")
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
        if self._kernels is not None:
            self._kernels.close()
        self._engine = None
        self._runtime = None
        for lane in lanes:
            lane.frame.release()
