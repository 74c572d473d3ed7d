"""Builds a plan from a model's graph, with TensorRT 10.12+, 11, or TensorRT for RTX, which needs no GPU for it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, SupportsInt, cast

from seg_viewer.core.errors import EngineError
from seg_viewer.core.model_file import INPUT_NAME, ModelSpec
from seg_viewer.engines.base import LoadProgress, LoadStopped
from seg_viewer.engines.nvidia.ahead import serve
from seg_viewer.engines.nvidia.library import NvidiaRuntime
from seg_viewer.engines.nvidia.log import dims_tuple, failure, log_of, made
from seg_viewer.engines.nvidia.options import PlanOptions

if TYPE_CHECKING:
    import tensorrt as trt

_MIB = 2**20


@dataclass(frozen=True)
class BuiltPlan:
    """What a build gives.

    Args:
        plan: serialised engine.
        timings: timing cache to use for the next build on this GPU; b"" of a build ahead, which times nothing.
        layers: of the network, as the parser made it.
        seconds: that the build took.
    """

    plan: bytes
    timings: bytes
    layers: int
    seconds: float


def build_plan(
    runtime: NvidiaRuntime,
    graph: bytes,
    spec: ModelSpec,
    options: PlanOptions,
    timings: bytes = b"",
    progress: LoadProgress | None = None,
) -> BuiltPlan:
    """Build on the GPU whose context is current on this thread, or ahead for the cards in `options.capabilities`.

    Takes seconds to minutes on a GPU; about a second ahead.

    Args:
        runtime: that builds.
        graph: serialised ONNX model.
        spec: the model it was made from.
        options: of the builder.
        timings: timing cache of an earlier build, or b"".
        progress: called with how far it is, on the runtime's threads too.

    Raises:
        LoadStopped: `progress` answered False.
        EngineError: the runtime refuses the graph, with every reason it gives, or cannot build it.
    """
    trt = runtime.module()
    log = log_of(runtime)
    start_s = time.perf_counter()
    builder = made(runtime, lambda: trt.Builder(log.logger), "a builder")
    # strongly typed: the graph alone says what is computed in which precision (always so from TensorRT 11 on)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    _parse(runtime, network, graph, spec)
    config = builder.create_builder_config()
    _configure(runtime, config, options)
    _add_profile(runtime, builder, config, network)
    if runtime.ahead:
        serve(runtime, config, options.capabilities)
    else:
        _use_timings(runtime, config, timings)
    monitor = new_monitor(runtime, progress) if progress is not None else None
    if monitor is not None:
        config.progress_monitor = monitor
    layers = int(network.num_layers)
    serialized = builder.build_serialized_network(network, config)
    if monitor is not None and monitor.phases.stopped:
        if monitor.phases.error is not None:
            raise monitor.phases.error
        raise LoadStopped(f"building the {runtime.title} plan of {spec.name} was stopped")
    if serialized is None:
        raise failure(f"{spec.path}: {runtime.title} cannot build a plan of it", log.take())
    learnt = b"" if runtime.ahead else _bytes(config.get_timing_cache().serialize())
    return BuiltPlan(_bytes(serialized), learnt, layers, time.perf_counter() - start_s)


def _parse(runtime: NvidiaRuntime, network: trt.INetworkDefinition, graph: bytes, spec: ModelSpec) -> None:
    trt = runtime.module()
    log = log_of(runtime)
    parser = made(runtime, lambda: trt.OnnxParser(network, log.logger), "a parser")
    if parser.parse(graph):
        return
    errors = _errors(parser)
    reasons = [f"node {error.node_name() or error.node()}: {' '.join(error.desc().split())}" for error in errors]
    raise EngineError(f"{spec.path}: {runtime.title} cannot read the graph: {'; '.join(reasons) or log.take()}")


def _errors(parser: trt.OnnxParser) -> list[trt.ParserError]:
    errors = []
    for index in range(parser.num_errors):
        errors.append(parser.get_error(index))  # type: ignore[no-untyped-call]
    return errors


def _configure(runtime: NvidiaRuntime, config: trt.IBuilderConfig, options: PlanOptions) -> None:
    trt = runtime.module()
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, options.workspace_mib * _MIB)
    config.builder_optimization_level = options.optimization_level
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED  # so that the inspector says the precisions


def _add_profile(
    runtime: NvidiaRuntime, builder: trt.Builder, config: trt.IBuilderConfig, network: trt.INetworkDefinition
) -> None:
    trt = runtime.module()
    profile = builder.create_optimization_profile()
    for index in range(network.num_inputs):
        tensor = network.get_input(index)
        if tensor.name == INPUT_NAME:
            shape = trt.Dims(dims_tuple(tensor.shape))
            profile.set_shape(tensor.name, shape, shape, shape)
    if config.add_optimization_profile(profile) < 0:
        raise EngineError(f"{runtime.title} refuses the optimisation profile: {log_of(runtime).take()}")


def _use_timings(runtime: NvidiaRuntime, config: trt.IBuilderConfig, timings: bytes) -> None:
    """Start from earlier timings where TensorRT takes them: those of another version or GPU it refuses."""
    if not (timings and config.set_timing_cache(config.create_timing_cache(timings), ignore_mismatch=False)):
        config.set_timing_cache(config.create_timing_cache(b""), ignore_mismatch=False)
    log_of(runtime).take()


def _bytes(memory: trt.IHostMemory) -> bytes:
    return bytes(cast(Any, memory))  # it has the buffer protocol, which its docstrings do not say


@dataclass
class _Phase:
    """A part of a build, and how many of its steps are done."""

    parent: str | None
    steps: int
    done: int = 0


class Phases:
    """Turns a builder's nested phases into one share, which never goes back; told of on any of its threads.

    Args:
        title: of the runtime.
        progress: called with how far it is.
    """

    def __init__(self, title: str, progress: LoadProgress) -> None:
        self.stopped = False
        self.error: BaseException | None = None
        self._title, self._progress = title, progress
        self._lock = threading.Lock()
        self._phases: dict[str, _Phase] = {}
        self._share = 0.0

    def start(self, name: str, parent: str | None, steps: int) -> None:
        with self._lock:
            self._phases[name] = _Phase(parent, max(1, steps))
        self._report(name)

    def complete(self, name: str, step: int) -> bool:
        """Returns whether to go on."""
        with self._lock:
            if name in self._phases:
                self._phases[name].done = step + 1
        self._report(name)
        return not self.stopped

    def finish(self, name: str) -> None:
        with self._lock:
            self._phases.pop(name, None)

    def _report(self, name: str) -> None:
        with self._lock:
            self._share = max(self._share, self._share_of(name))
            share = self._share
        try:
            goes_on = self._progress(f"{self._title}: {name}", share)
        except BaseException as error:  # noqa: BLE001 - must not travel through the builder's own frames; raised when they have returned
            self.error = self.error or error
            goes_on = False
        if not goes_on:
            self.stopped = True

    def _share_of(self, name: str) -> float:
        phase = self._phases.get(name)
        share = 0.0
        while phase is not None:
            share = min(1.0, (phase.done + share) / phase.steps)
            phase = self._phases.get(phase.parent) if phase.parent else None
        return share


def new_monitor(runtime: NvidiaRuntime, progress: LoadProgress) -> Any:
    """An `IProgressMonitor` of the runtime; its `phases` say how it went."""
    trt = runtime.module()

    class Monitor(trt.IProgressMonitor):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)
            self.phases = Phases(runtime.title, progress)

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: SupportsInt) -> None:
            self.phases.start(phase_name, parent_phase, int(num_steps))

        def step_complete(self, phase_name: str, step: SupportsInt) -> bool:
            return self.phases.complete(phase_name, int(step))

        def phase_finish(self, phase_name: str) -> None:
            self.phases.finish(phase_name)

    return Monitor()
