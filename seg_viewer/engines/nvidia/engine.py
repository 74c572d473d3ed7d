"""NVIDIA GPUs through TensorRT or TensorRT for RTX: which of the two is a value, the way is one.

TensorRT builds the plan of a model on the GPU that it is for. TensorRT for RTX makes one ahead, without a GPU, for
all RTX cards, and compiles the kernels when the plan first runs on a card. Either way the plan is verified on the
card, and kept in the user's cache.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from seg_viewer.core.frame import ByteArray
from seg_viewer.core.model_file import ModelSpec, read_model_file
from seg_viewer.engines.base import EngineReport, LoadProgress
from seg_viewer.engines.nvidia.graph import prepare_graph
from seg_viewer.engines.nvidia.library import NvidiaRuntime, require
from seg_viewer.engines.nvidia.options import PlanOptions
from seg_viewer.engines.nvidia.plan_cache import PlanCache
from seg_viewer.engines.nvidia.plans import Opening, RunningPlan
from seg_viewer.engines.nvidia.verify import check_precisions, layer_precisions

if TYPE_CHECKING:
    from seg_viewer.engines.nvidia.cuda import Gpu

_SLOTS = {"throughput": 2, "latency": 1, "background": 1}


class NvidiaEngine:
    """See `Engine`. A plan that is neither in the cache nor beside the model is built and verified first.

    Args:
        runtime: TensorRT, which builds for seconds to minutes, or TensorRT for RTX, which takes seconds.
        model: the model file.
        device: "GPU.0", "GPU.1", …, or None for the first GPU.
        mode: one of `MODES`.
        progress: called with how far the build is; its answer False stops it.
        options: of the builder.
        cache: the user's by default.

    Raises:
        ModelFileError: the file is no model of ours.
        EngineError: the runtime is missing, there is no such GPU, or no plan can be made.
        DeviceFailure: the GPU has no memory for it.
    """

    def __init__(
        self,
        runtime: NvidiaRuntime,
        model: str | Path | ModelSpec,
        device: str | None = None,
        mode: str = "throughput",
        progress: LoadProgress | None = None,
        options: PlanOptions | None = None,
        cache: PlanCache | None = None,
    ) -> None:
        require(runtime)
        from seg_viewer.engines.nvidia.cuda import Gpu

        self.spec = model if isinstance(model, ModelSpec) else read_model_file(model)
        self.slots = _SLOTS[mode]
        self.inference_s = 0.0
        self.margin: ByteArray | None = None
        options = options or PlanOptions()
        gpu = Gpu(device)
        try:
            running = Opening(runtime, self.spec, options, gpu, cache or PlanCache(), self.slots, progress).open()
            self._runner = running.runner
            precision = _running_precision(runtime, running, self.spec, options)
        except BaseException:
            gpu.close()
            raise
        self._gpu: Gpu | None = gpu
        self.report = EngineReport(
            name=runtime.name,
            version=running.key.tensorrt,
            device=f"{gpu.label} ({gpu.name})",
            precision=precision,
            note=running.note,
        )

    @property
    def wake(self) -> Callable[[], None]:
        return self._runner.wake

    @wake.setter
    def wake(self, call: Callable[[], None]) -> None:
        self._runner.wake = call

    def submit(self, rgb: ByteArray, *, alone: bool = False) -> None:
        self._runner.submit(rgb)

    def ready(self) -> bool:
        return self._runner.ready()

    def collect(self) -> ByteArray:
        classes = self._runner.collect()
        self.inference_s, self.margin = self._runner.inference_s, self._runner.margin
        return classes

    def segment(self, rgb: ByteArray) -> ByteArray:
        self.submit(rgb)
        return self.collect()

    def close(self) -> None:
        """Plan first, the GPU's context last; again is fine."""
        self._runner.close()
        if self._gpu is not None:
            self._gpu.close()
            self._gpu = None


def _running_precision(runtime: NvidiaRuntime, running: RunningPlan, spec: ModelSpec, options: PlanOptions) -> str:
    """Asked of the plan that was loaded, not of its sidecar."""
    convolutions = prepare_graph(spec, options.precision).convolutions
    counts = layer_precisions(running.runner.layers(), convolutions)
    return check_precisions(counts, running.key.precision, spec.name, title=runtime.title, fused=runtime.ahead)
