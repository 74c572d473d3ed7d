"""Runtimes that turn a picture into a class map; one file each."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from seg_viewer.core.errors import EngineError, UsageError
from seg_viewer.core.model_file import ModelSpec, read_model_file
from seg_viewer.engines.base import MODES, Engine, EngineReport, LoadProgress, LoadStopped, LoadWatch

__all__ = [
    "ENGINE_NAMES",
    "MODES",
    "PROCESSOR_ENGINES",
    "Engine",
    "EngineChoice",
    "EngineReport",
    "LoadProgress",
    "LoadStopped",
    "LoadWatch",
    "available_engines",
    "installed_engines",
    "load_engine",
]

ENGINE_NAMES = ("openvino", "onnxruntime", "tensorrt")
"""In the order in which "auto" tries them; TensorRT last, because its first start builds for minutes."""

PROCESSOR_ENGINES = ("openvino", "onnxruntime")
"""Those that run on the processor unless a device is named."""


@dataclass(frozen=True)
class EngineChoice:
    """One engine and whether it can be had here.

    Args:
        name: one of ENGINE_NAMES.
        devices: its devices here; empty when it cannot run.
        problem: why it cannot run and what to install, or "".
    """

    name: str
    devices: tuple[str, ...]
    problem: str = ""


def available_engines() -> list[EngineChoice]:
    """Every engine in the order of "auto", asked of the runtimes themselves."""
    return [_inspect(name) for name in ENGINE_NAMES]


def installed_engines() -> tuple[str, ...]:
    """Engines whose runtime is installed, in the order of "auto". Looked up, not imported: fast, and no promise."""
    return tuple(name for name in ENGINE_NAMES if _is_installed(name))


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ValueError:  # imported, but without a spec
        return package in sys.modules


def _inspect(name: str) -> EngineChoice:
    try:
        devices = _devices(name)
    except EngineError as error:
        return EngineChoice(name, (), str(error))
    return EngineChoice(name, tuple(devices))


def _devices(name: str) -> list[str]:
    if name == "openvino":
        from seg_viewer.engines import openvino

        return openvino.devices()
    if name == "onnxruntime":
        from seg_viewer.engines import onnxruntime

        return onnxruntime.devices()
    from seg_viewer.engines.nvidia import engine as tensorrt

    return tensorrt.devices()


def _maker(name: str, progress: LoadProgress | None = None) -> Callable[[ModelSpec, str | None, str], Engine]:
    if name == "openvino":
        from seg_viewer.engines.openvino import OpenVinoEngine

        return OpenVinoEngine
    if name == "onnxruntime":
        return _make_onnxruntime
    return lambda spec, device, mode: _make_tensorrt(spec, device, mode, progress)


def _make_onnxruntime(spec: ModelSpec, device: str | None, mode: str) -> Engine:
    from seg_viewer.engines.onnxruntime import OnnxRuntimeEngine

    if (device or "CPU").upper() == "CPU":
        return OnnxRuntimeEngine(spec, device, mode)
    return _with_spare(lambda: OnnxRuntimeEngine(spec, device, mode), spec, mode)


def _make_tensorrt(spec: ModelSpec, device: str | None, mode: str, progress: LoadProgress | None) -> Engine:
    from seg_viewer.engines.nvidia.engine import TensorRtEngine

    return _with_spare(lambda: TensorRtEngine(spec, device, mode, progress), spec, mode)


def _with_spare(make: Callable[[], Engine], spec: ModelSpec, mode: str) -> Engine:
    """On the GPU, and on the processor when the GPU fails."""
    from seg_viewer.engines.fallback import FallbackEngine

    def make_spare() -> Engine:
        reasons = []
        for name in PROCESSOR_ENGINES:
            try:
                return _maker(name)(spec, "CPU", mode)
            except EngineError as error:
                reasons.append(f"{name}: {error}")
        raise EngineError("; ".join(reasons))

    return FallbackEngine(make, make_spare)


def load_engine(
    model: str | Path | ModelSpec,
    prefer: str = "auto",
    device: str | None = None,
    mode: str = "throughput",
    progress: LoadProgress | None = None,
) -> Engine:
    """Compile a model for the runtime asked for, or with "auto" for the first one that works.

    Args:
        model: file, or what `read_model_file` said of it.
        prefer: "auto" or one of ENGINE_NAMES.
        device: name as the runtime calls it ("CPU", "GPU", …), or None for its default.
        mode: "throughput" or "latency".
        progress: called with how far an engine is that takes long to make ready; its answer False stops that.

    Raises:
        UsageError: no such engine or mode.
        ModelFileError: the file is no model of ours.
        EngineError: the runtime is missing or refuses; with "auto", none works, with the reason of each.
        LoadStopped: `progress` answered False.
    """
    if mode not in MODES:
        raise UsageError(f"mode '{mode}': choose one of {', '.join(MODES)}")
    if prefer not in ("auto", *ENGINE_NAMES):
        raise UsageError(f"engine '{prefer}': choose one of auto, {', '.join(ENGINE_NAMES)}")
    spec = model if isinstance(model, ModelSpec) else read_model_file(model)
    if prefer != "auto":
        return _maker(prefer, progress)(spec, device, mode)
    reasons = []
    for name in ENGINE_NAMES:
        try:
            engine = _maker(name, progress)(spec, device, mode)
        except LoadStopped:
            raise
        except EngineError as error:
            reasons.append(f"{name}: {error}")
            continue
        if reasons:
            engine.report = replace(engine.report, note="; ".join(filter(None, [*reasons, engine.report.note])))
        return engine
    raise EngineError("no engine can run this model here. " + "; ".join(reasons))
