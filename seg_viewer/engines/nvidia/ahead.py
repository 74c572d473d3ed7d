"""What TensorRT for RTX has and TensorRT has not: plans made ahead for several cards, kernels compiled on the card."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from seg_viewer.core.errors import EngineError, UsageError
from seg_viewer.engines.nvidia.library import NvidiaRuntime
from seg_viewer.engines.nvidia.log import log_of
from seg_viewer.engines.nvidia.plan_cache import KernelFile

if TYPE_CHECKING:
    import tensorrt_rtx as trt

CAPABILITIES = {"7.5": "SM75", "8.0": "SM80", "8.6": "SM86", "8.9": "SM89", "12.0": "SM120"}
"""Compute capabilities that a plan can be made for, and what the API calls them: Turing, Ampere (2), Ada, Blackwell."""

_log = logging.getLogger(__name__)


def serves(capabilities: Sequence[str], card: str) -> bool:
    """Whether a plan made for some capabilities runs on a card: on those, and on what follows the newest of them.

    Args:
        capabilities: as "8.6".
        card: compute capability of the card.
    """
    newest = max((_number(text) for text in capabilities), default=(0, 0))
    return card in capabilities or _number(card) > newest


def serve(runtime: NvidiaRuntime, config: trt.IBuilderConfig, capabilities: Sequence[str]) -> None:
    """Have a builder configuration make a plan for these cards.

    Raises:
        UsageError: there is no such capability.
        EngineError: the runtime refuses one.
    """
    trt = runtime.module()
    unknown = [text for text in capabilities if text not in CAPABILITIES]
    if unknown or not capabilities:
        raise UsageError(f"compute capability {', '.join(unknown) or 'missing'}: choose of {', '.join(CAPABILITIES)}")
    config.num_compute_capabilities = len(capabilities)
    for index, text in enumerate(capabilities):
        if not config.set_compute_capability(getattr(trt.ComputeCapability, CAPABILITIES[text]), index):
            raise EngineError(f"{runtime.title} builds nothing for compute capability {text}: {log_of(runtime).take()}")


_WORDS = {
    "VERSION_MISMATCH": "it was built by another version",
    "UNSUPPORTED_CC": "this card is not among those that it was built for",
    "OLD_CUDA_DRIVER": "the NVIDIA driver is too old for it: update the driver",
    "OLD_CUDA_RUNTIME": "the CUDA runtime is too old for it",
    "INSUFFICIENT_GPU_MEMORY": "the GPU's memory is used up (out of memory)",
    "MALFORMED_ENGINE": "it is damaged",
    "CUDA_ERROR": "CUDA error: the driver cannot be used",
}


def why_invalid(loader: trt.Runtime, plan: bytes) -> str:
    """Why the runtime will not load a plan, in words; "" where it gives no reason.

    Args:
        loader: the runtime's `Runtime`.
        plan: serialised engine.
    """
    _, diagnostics = loader.get_engine_validity(plan)
    return "; ".join(_WORDS[name] for name in _names(diagnostics))


def _names(diagnostics: Any) -> list[str]:
    """Of a set of flags, which the bindings give as a number."""
    bits = int(diagnostics)
    return [name for number, name in enumerate(_WORDS) if bits & (1 << number)]


class Kernels:
    """Kernels that are compiled on the card when a plan first runs there, kept for the next start.

    Args:
        runtime: TensorRT for RTX.
        kept: where they are kept.
    """

    def __init__(self, runtime: NvidiaRuntime, kept: KernelFile) -> None:
        self._nvidia, self._kept = runtime, kept
        self._cache: trt.IRuntimeCache | None = None
        self._before = b""

    def context(self, engine: trt.ICudaEngine) -> trt.IExecutionContext | None:
        """An execution context that starts from what is kept; None where the runtime makes none."""
        trt = self._nvidia.module()
        config = engine.create_runtime_config()
        if self._cache is None:
            self._cache = cast(Any, config).create_runtime_cache()
            self._before = self._kept.load()
            if self._before and not self._cache.deserialize(self._before):
                _log.debug("%s: kernels of another version or driver are compiled again", self._kept.path)
                self._before = b""
        config.set_runtime_cache(self._cache)
        # the shapes are fixed and frames follow each other: one launch for the whole graph
        config.cuda_graph_strategy = trt.CudaGraphStrategy.WHOLE_GRAPH_CAPTURE
        # nothing is compiled behind the back of a frame
        config.dynamic_shapes_kernel_specialization_strategy = trt.DynamicShapesKernelSpecializationStrategy.EAGER
        return engine.create_execution_context(config)

    def close(self) -> None:
        """Keep what was compiled; a full disk is no reason to fail. Again is fine."""
        cache, self._cache = self._cache, None
        if cache is None:
            return
        try:
            compiled = bytes(cast(Any, cache.serialize()))
            if compiled and compiled != self._before:
                self._kept.store(compiled)
        except EngineError as error:
            _log.warning("%s", error)


def _number(capability: str) -> tuple[int, int]:
    major, _, minor = capability.partition(".")
    return int(major), int(minor or 0)
