"""Builds a TensorRT plan from a model's graph, with TensorRT 10.12+ and 11. Imported only after `require_tensorrt`."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any, SupportsInt, cast

import tensorrt as trt

from seg_viewer.core.errors import EngineError
from seg_viewer.core.model_file import INPUT_NAME, ModelSpec
from seg_viewer.engines.base import LoadProgress, LoadStopped
from seg_viewer.engines.nvidia.options import PlanOptions
from seg_viewer.engines.nvidia.run import LOG, dims_tuple, failure, inspect_layers, load_plan, made

_MIB = 2**20


@dataclass(frozen=True)
class BuiltPlan:
    """What a build gives.

    Args:
        plan: serialised engine.
        layers: what TensorRT's inspector says of its layers, JSON.
        timings: timing cache to use for the next build on this GPU.
        seconds: that the build took.
    """

    plan: bytes
    layers: str
    timings: bytes
    seconds: float


def build_plan(
    graph: bytes, spec: ModelSpec, options: PlanOptions, timings: bytes = b"", progress: LoadProgress | None = None
) -> BuiltPlan:
    """Build on the GPU whose context is current on this thread; takes seconds to minutes.

    Args:
        graph: serialised ONNX model.
        spec: the model it was made from.
        options: of the builder.
        timings: timing cache of an earlier build, or b"".
        progress: called with how far it is, on TensorRT's threads too.

    Raises:
        LoadStopped: `progress` answered False.
        EngineError: TensorRT refuses the graph, with every reason it gives, or cannot build it.
    """
    start_s = time.perf_counter()
    builder = made(lambda: trt.Builder(LOG), "a builder")
    # strongly typed: the graph alone says what is computed in which precision (always so from TensorRT 11 on)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    _parse(network, graph, spec)
    config = builder.create_builder_config()
    _configure(config, options)
    _add_profile(builder, config, network)
    _use_timings(config, timings)
    monitor = _Monitor(progress) if progress is not None else None
    if monitor is not None:
        config.progress_monitor = monitor
    serialized = builder.build_serialized_network(network, config)
    if monitor is not None and monitor.stopped:
        if monitor.error is not None:
            raise monitor.error
        raise LoadStopped(f"building the TensorRT plan of {spec.name} was stopped")
    if serialized is None:
        raise failure(f"{spec.path}: TensorRT cannot build a plan of it", LOG.take())
    plan = _bytes(serialized)
    _runtime, engine = load_plan(plan)
    layers = inspect_layers(engine)
    return BuiltPlan(plan, layers, _bytes(config.get_timing_cache().serialize()), time.perf_counter() - start_s)


def _parse(network: trt.INetworkDefinition, graph: bytes, spec: ModelSpec) -> None:
    parser = made(lambda: trt.OnnxParser(network, LOG), "a parser")
    if parser.parse(graph):
        return
    errors: list[trt.ParserError] = []
    for index in range(parser.num_errors):
        errors.append(parser.get_error(index))  # type: ignore[no-untyped-call]
    reasons = [f"node {error.node_name() or error.node()}: {' '.join(error.desc().split())}" for error in errors]
    raise EngineError(f"{spec.path}: TensorRT cannot read the graph: {'; '.join(reasons) or LOG.take()}")


def _configure(config: trt.IBuilderConfig, options: PlanOptions) -> None:
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, options.workspace_mib * _MIB)
    config.builder_optimization_level = options.optimization_level
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED  # so that the inspector says the precisions


def _add_profile(builder: trt.Builder, config: trt.IBuilderConfig, network: trt.INetworkDefinition) -> None:
    profile = builder.create_optimization_profile()
    for index in range(network.num_inputs):
        tensor = network.get_input(index)
        if tensor.name == INPUT_NAME:
            shape = trt.Dims(dims_tuple(tensor.shape))
            profile.set_shape(tensor.name, shape, shape, shape)
    if config.add_optimization_profile(profile) < 0:
        raise EngineError(f"TensorRT refuses the optimisation profile: {LOG.take()}")


def _use_timings(config: trt.IBuilderConfig, timings: bytes) -> None:
    """Start from earlier timings where TensorRT takes them: those of another version or GPU it refuses."""
    if not (timings and config.set_timing_cache(config.create_timing_cache(timings), ignore_mismatch=False)):
        config.set_timing_cache(config.create_timing_cache(b""), ignore_mismatch=False)
    LOG.take()


def _bytes(memory: trt.IHostMemory) -> bytes:
    return bytes(cast(Any, memory))  # it has the buffer protocol, which its docstrings do not say


@dataclass
class _Phase:
    parent: str | None
    steps: int
    done: int = 0


class _Monitor(trt.IProgressMonitor):
    """Turns TensorRT's nested phases into one share, which never goes back; called on any of its threads."""

    def __init__(self, progress: LoadProgress) -> None:
        trt.IProgressMonitor.__init__(self)
        self.stopped = False
        self.error: BaseException | None = None
        self._progress = progress
        self._lock = threading.Lock()
        self._phases: dict[str, _Phase] = {}
        self._share = 0.0

    def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: SupportsInt) -> None:
        with self._lock:
            self._phases[phase_name] = _Phase(parent_phase, max(1, int(num_steps)))
        self._report(phase_name)

    def step_complete(self, phase_name: str, step: SupportsInt) -> bool:
        with self._lock:
            if phase_name in self._phases:
                self._phases[phase_name].done = int(step) + 1
        self._report(phase_name)
        return not self.stopped

    def phase_finish(self, phase_name: str) -> None:
        with self._lock:
            self._phases.pop(phase_name, None)

    def _report(self, phase_name: str) -> None:
        with self._lock:
            self._share = max(self._share, self._share_of(phase_name))
            share = self._share
        try:
            goes_on = self._progress(f"TensorRT: {phase_name}", share)
        except BaseException as error:  # noqa: BLE001 - must not travel through TensorRT's own frames; raised when they have returned
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
