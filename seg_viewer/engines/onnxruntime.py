"""ONNX Runtime: the reference that runs everywhere."""

from __future__ import annotations

import tempfile
import time
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from seg_viewer.core.errors import EngineError
from seg_viewer.core.frame import ByteArray
from seg_viewer.core.model_file import INPUT_NAME, OUTPUT_NAME, ModelSpec, read_model_file
from seg_viewer.engines.base import EngineReport, check_picture, summarize_precision, to_class_map

_PROVIDERS = {"CPU": "CPUExecutionProvider", "CUDA": "CUDAExecutionProvider"}
_INTEGER_CONVOLUTIONS = {"QLinearConv", "QLinearConvTranspose", "ConvInteger"}
_FLOAT_CONVOLUTIONS = {"Conv", "FusedConv", "ConvTranspose", "NhwcFusedConv"}


def import_onnxruntime() -> Any:
    """Raises: EngineError when it is not installed."""
    try:
        import onnxruntime
    except ImportError:
        raise EngineError("ONNX Runtime is not installed: pip install 'seg-viewer[onnxruntime]'") from None
    return onnxruntime


def devices() -> list[str]:
    """Devices whose execution provider is installed: ["CPU"], or with a GPU build ["CPU", "CUDA"]."""
    installed = import_onnxruntime().get_available_providers()
    return [name for name, provider in _PROVIDERS.items() if provider in installed]


class OnnxRuntimeEngine:
    """See `Engine`.

    Args:
        model: the model file.
        device: "CPU" or "CUDA", or None for CPU.
        mode: accepted for the protocol; this runtime works on one frame at a time with all threads.

    Raises:
        ModelFileError: the file is no model of ours.
        EngineError: ONNX Runtime is missing, has no such device, or cannot load the model.
    """

    slots = 1

    def __init__(self, model: str | Path | ModelSpec, device: str | None = None, mode: str = "throughput") -> None:
        ort = import_onnxruntime()
        self.spec = model if isinstance(model, ModelSpec) else read_model_file(model)
        wanted = (device or "CPU").upper()
        present = devices()
        if wanted not in present:
            raise EngineError(f"ONNX Runtime has no device {wanted} here; there is {', '.join(present)}")
        providers = [_PROVIDERS[wanted]] + ([_PROVIDERS["CPU"]] if wanted != "CPU" else [])
        options = ort.SessionOptions()
        options.log_severity_level = 3
        with tempfile.TemporaryDirectory(prefix="seg-viewer-") as folder:
            optimized = Path(folder) / "optimized.onnx"
            options.optimized_model_filepath = str(optimized)  # the graph that really runs, to read precisions from
            try:
                self._session = ort.InferenceSession(str(self.spec.path), options, providers=providers)
            except Exception as error:  # its own errors share no public base class
                raise EngineError(f"{self.spec.path}: ONNX Runtime cannot load it: {error}") from error
            precision = _precision(optimized)
        used = self._session.get_providers()[0]
        note = "" if used == providers[0] else f"{wanted} was asked for, but ONNX Runtime fell back to {used}"
        self._results: deque[tuple[ByteArray, float]] = deque()
        self.inference_s = 0.0
        self.wake: Callable[[], None] = lambda: None
        self.report = EngineReport(
            name="onnxruntime",
            version=str(ort.__version__),
            device=used.removesuffix("ExecutionProvider"),
            precision=precision,
            note=note,
        )

    def submit(self, rgb: ByteArray) -> None:
        check_picture(self.spec, rgb)
        if len(self._results) >= self.slots:
            raise EngineError(f"more than {self.slots} frames in flight")
        start_s = time.perf_counter()
        try:
            (output,) = self._session.run([OUTPUT_NAME], {INPUT_NAME: rgb[None]})
        except Exception as error:  # as above
            raise EngineError(f"ONNX Runtime stopped while it ran: {error}") from error
        self._results.append((to_class_map(output), time.perf_counter() - start_s))

    def ready(self) -> bool:
        return bool(self._results)

    def collect(self) -> ByteArray:
        if not self._results:
            raise EngineError("no frame is in flight")
        classes, self.inference_s = self._results.popleft()
        return classes

    def segment(self, rgb: ByteArray) -> ByteArray:
        self.submit(rgb)
        return self.collect()

    def close(self) -> None:
        self._results.clear()
        self._session = None


def _precision(optimized: Path) -> str:
    """Counted in the graph after the session's own optimisations."""
    import onnx

    if not optimized.exists():
        return "unknown"
    counts: Counter[str] = Counter()
    for node in onnx.load(str(optimized), load_external_data=False).graph.node:
        if node.op_type in _INTEGER_CONVOLUTIONS:
            counts["int8"] += 1
        elif node.op_type in _FLOAT_CONVOLUTIONS:
            counts["float32"] += 1
    return summarize_precision(counts)
