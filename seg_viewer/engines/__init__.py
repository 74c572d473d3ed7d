"""Runtimes that turn a picture into a class map; one file each."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from seg_viewer.core.errors import EngineError, UsageError
from seg_viewer.core.model_file import ModelSpec, read_model_file
from seg_viewer.core.registry import each
from seg_viewer.engines.base import (
    MODES,
    Engine,
    EngineKind,
    EngineReport,
    LoadProgress,
    LoadStopped,
    LoadWatch,
)
from seg_viewer.engines.fallback import FallbackEngine

__all__ = [
    "MODES",
    "MODULES",
    "Engine",
    "EngineChoice",
    "EngineKind",
    "EngineReport",
    "LoadProgress",
    "LoadStopped",
    "LoadWatch",
    "available_engines",
    "each_engine",
    "engine_kinds",
    "engine_names",
    "installed_engines",
    "is_installed",
    "load_engine",
]

# in the order in which "auto" tries them: where there is an NVIDIA card, what starts on it in seconds comes first
MODULES = [
    "seg_viewer.engines.nvidia.rtx",
    "seg_viewer.engines.nvidia.tensorrt",
    "seg_viewer.engines.openvino",
    "seg_viewer.engines.onnxruntime",
]


@dataclass(frozen=True)
class EngineChoice:
    """One engine and whether it can be had here.

    Args:
        name: one of `engine_names`.
        devices: its devices here; empty when it cannot run.
        problem: why it cannot run and what to install, or "".
    """

    name: str
    devices: tuple[str, ...]
    problem: str = ""


def each_engine() -> Iterator[EngineKind]:
    """Every engine in the order of "auto"; a module is imported when its turn comes."""
    return each(MODULES, "ENGINE", EngineKind)


def engine_kinds() -> dict[str, EngineKind]:
    """Every engine by its name, in the order of "auto"."""
    return {kind.name: kind for kind in each_engine()}


def engine_names() -> tuple[str, ...]:
    """What can be asked for, in the order in which "auto" tries them."""
    return tuple(engine_kinds())


def available_engines() -> list[EngineChoice]:
    """Every engine in the order of "auto", asked of the runtimes themselves."""
    return [_inspect(kind) for kind in engine_kinds().values()]


def installed_engines() -> tuple[str, ...]:
    """Engines whose runtime is installed, in the order of "auto". Looked up, not imported: fast, and no promise."""
    return tuple(kind.name for kind in each_engine() if is_installed(kind))


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
        prefer: "auto" or one of `engine_names`.
        device: name as the runtime calls it ("CPU", "GPU", …), or None for its default.
        mode: one of `MODES`.
        progress: called with how far an engine is that takes long to make ready; its answer False stops that.

    Raises:
        UsageError: no such engine or mode.
        ModelFileError: the file is no model of ours.
        EngineError: the runtime is missing or refuses; with "auto", none works, with the reason of each.
        LoadStopped: `progress` answered False.
    """
    if mode not in MODES:
        raise UsageError(f"mode '{mode}': choose one of {', '.join(MODES)}")
    if prefer != "auto" and prefer not in engine_names():
        raise UsageError(f"engine '{prefer}': choose one of auto, {', '.join(engine_names())}")
    spec = model if isinstance(model, ModelSpec) else read_model_file(model)
    if prefer != "auto":
        return _make(engine_kinds()[prefer], spec, device, mode, progress)
    reasons = []
    for kind in each_engine():
        if not kind.may_run():
            continue
        try:
            engine = _make(kind, spec, device, mode, progress)
        except LoadStopped:
            raise
        except EngineError as error:
            reasons.append(f"{kind.name}: {error}")
            continue
        if reasons:
            engine.report = replace(engine.report, note="; ".join(filter(None, [*reasons, engine.report.note])))
        return engine
    raise EngineError("no engine can run this model here. " + "; ".join(reasons))


def _make(kind: EngineKind, spec: ModelSpec, device: str | None, mode: str, progress: LoadProgress | None) -> Engine:
    def make() -> Engine:
        return kind.make(spec, device, mode, progress)

    return _with_spare(make, spec, mode) if kind.is_gpu(device) else make()


def _with_spare(make: Callable[[], Engine], spec: ModelSpec, mode: str) -> Engine:
    """On the GPU, and on the processor when the GPU fails."""

    def make_spare() -> Engine:
        reasons = []
        for kind in each_engine():
            if kind.is_gpu(None):
                continue
            try:
                return kind.make(spec, "CPU", mode, None)
            except EngineError as error:
                reasons.append(f"{kind.name}: {error}")
        raise EngineError("; ".join(reasons))

    return FallbackEngine(make, make_spare)


def _inspect(kind: EngineKind) -> EngineChoice:
    try:
        return EngineChoice(kind.name, tuple(kind.devices()))
    except EngineError as error:
        return EngineChoice(kind.name, (), str(error))


def is_installed(kind: EngineKind) -> bool:
    """Whether its runtime is there; looked up, not imported."""
    try:
        return find_spec(kind.package) is not None
    except ValueError:  # imported, but without a spec
        return kind.package in sys.modules
