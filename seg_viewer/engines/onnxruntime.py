"""ONNX Runtime: the reference that runs everywhere, and with its GPU build the second way to NVIDIA GPUs."""

from __future__ import annotations

import tempfile
import time
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from seg_viewer.core.counted import counted
from seg_viewer.core.errors import EngineError
from seg_viewer.core.frame import ByteArray
from seg_viewer.core.installing import extra
from seg_viewer.core.model_file import INPUT_NAME, ModelSpec, read_model_file
from seg_viewer.engines.base import (
    DeviceFailure,
    EngineKind,
    EngineReport,
    check_picture,
    is_one_of,
    output_names,
    same_model,
    summarize_precision,
    to_class_map,
)

_PROVIDERS = {"CPU": "CPUExecutionProvider", "CUDA": "CUDAExecutionProvider", "TENSORRT": "TensorrtExecutionProvider"}
_BEHIND = {"CPU": (), "CUDA": ("CPU",), "TENSORRT": ("CUDA", "CPU")}
"""Who takes the nodes that a device does not."""
_WARNINGS, _FATAL = 2, 4
_INTEGER_CONVOLUTIONS = {"QLinearConv", "QLinearConvTranspose", "ConvInteger"}
_FLOAT_CONVOLUTIONS = {"Conv", "FusedConv", "ConvTranspose", "NhwcFusedConv"}


def import_onnxruntime() -> Any:
    """Raises: EngineError when it is not installed."""
    try:
        import onnxruntime
    except ImportError:
        raise EngineError(f"ONNX Runtime is not installed: {extra('onnxruntime')}") from None
    return onnxruntime


def devices() -> list[str]:
    """Devices whose execution provider is installed: ["CPU"], or with a GPU build ["CPU", "CUDA", "TENSORRT"].

    Installed does not mean that it works: without a GPU, its driver or CUDA's libraries, ONNX Runtime falls back.
    """
    installed = import_onnxruntime().get_available_providers()
    return [name for name, provider in _PROVIDERS.items() if provider in installed]


class OnnxRuntimeEngine:
    """See `Engine`.

    Args:
        model: the model file.
        device: "CPU", "CUDA" or "TENSORRT" (TensorRT within ONNX Runtime), or None for CPU.
        mode: this runtime works on one frame at a time, with all threads; with one of them as "background".

    Raises:
        ModelFileError: the file is no model of ours.
        EngineError: ONNX Runtime is missing, has no such device, or cannot load the model.
    """

    def __init__(self, model: str | Path | ModelSpec, device: str | None = None, mode: str = "throughput") -> None:
        ort = import_onnxruntime()
        self.spec = model if isinstance(model, ModelSpec) else read_model_file(model)
        wanted = (device or "CPU").upper()
        present = devices()
        if wanted not in present:
            raise EngineError(f"ONNX Runtime has no device {wanted} here; there is {', '.join(present)}")
        self.slots = 1
        self._session, precision = _open_session(ort, self.spec, wanted, present, alone=mode == "background")
        used = _device(self._session.get_providers()[0])
        self._on_gpu = used != "CPU"
        fallback = "" if used == wanted else f"{_explain_fallback(ort, wanted, used)}; {same_model(self.spec)}"
        self._results: deque[tuple[list[ByteArray], float]] = deque()
        self._outputs = list(output_names(self.spec))
        self.inference_s = 0.0
        self.margin: ByteArray | None = None
        self.wake: Callable[[], None] = lambda: None
        self.report = EngineReport(
            name="onnxruntime",
            version=str(ort.__version__),
            device=used,
            precision=precision,
            note=_left_over(self._session, used),
            fallback=fallback,
        )

    def submit(self, rgb: ByteArray, *, alone: bool = False) -> None:
        check_picture(self.spec, rgb)
        if len(self._results) >= self.slots:
            raise EngineError(f"more than {counted(self.slots, 'frame')} in flight")
        start_s = time.perf_counter()
        try:
            outputs = self._session.run(self._outputs, {INPUT_NAME: rgb[None]})
        except Exception as error:  # as above
            kind = DeviceFailure if self._on_gpu else EngineError
            raise kind(f"ONNX Runtime stopped while it ran: {error}") from error
        self._results.append(([to_class_map(output) for output in outputs], time.perf_counter() - start_s))

    def ready(self) -> bool:
        return bool(self._results)

    def collect(self) -> ByteArray:
        if not self._results:
            raise EngineError("no frame is in flight")
        (classes, *more), self.inference_s = self._results.popleft()
        self.margin = more[0] if more else None
        return classes

    def segment(self, rgb: ByteArray) -> ByteArray:
        self.submit(rgb)
        return self.collect()

    def close(self) -> None:
        self._results.clear()
        self._session = None


def _open_session(ort: Any, spec: ModelSpec, wanted: str, present: list[str], *, alone: bool) -> tuple[Any, str]:
    """The session, and the precision of the graph that it runs; `alone`: on one thread."""
    names = [wanted, *(name for name in _BEHIND[wanted] if name in present)]
    options = ort.SessionOptions()
    options.log_severity_level = 3
    if alone:
        options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")  # older versions ignore it
    ort.set_default_logger_severity(_FATAL)  # what misses is named by `_explain_fallback`, once
    with tempfile.TemporaryDirectory(prefix="seg-viewer-") as folder:
        optimized = Path(folder) / "optimized.onnx"
        try:
            while True:
                if names[0] != "TENSORRT":  # what that compiles cannot be written down
                    options.optimized_model_filepath = str(optimized)  # the graph that runs, to read precisions from
                providers = [(_PROVIDERS[name], _provider_options(name)) for name in names]
                try:
                    session = ort.InferenceSession(str(spec.path), options, providers=providers, enable_fallback=False)
                    return session, _precision(optimized)
                except Exception as error:  # its own errors share no public base class
                    if len(names) == 1:
                        raise EngineError(f"{spec.path}: ONNX Runtime cannot load it: {_line(error)}") from error
                    names.pop(0)  # left to itself it would do the same, and print what it thinks of it
        finally:
            ort.set_default_logger_severity(_WARNINGS)


def _explain_fallback(ort: Any, wanted: str, used: str) -> str:
    version = getattr(ort, "cuda_version", "")
    needs = f"CUDA {version} with cuDNN" if version else "CUDA with cuDNN"
    return (
        f"ONNX Runtime fell back from {wanted} to {used}: {wanted} needs an NVIDIA GPU and {needs}"
        + (", and TensorRT's libraries" if wanted == "TENSORRT" else "")
        + ", of which something is missing here"
    )


def _provider_options(name: str) -> dict[str, str]:
    if name != "TENSORRT":
        return {}
    folder = str(user_cache_path("seg-viewer") / "onnxruntime-tensorrt")
    return {
        "trt_engine_cache_enable": "1",
        "trt_engine_cache_path": folder,
        "trt_timing_cache_enable": "1",
        "trt_timing_cache_path": folder,
    }


def _device(provider: str) -> str:
    """ "CUDA" for "CUDAExecutionProvider"."""
    return next((name for name, known in _PROVIDERS.items() if known == provider), provider)


def _left_over(session: Any, used: str) -> str:
    """Which nodes run elsewhere than the session's first provider, as it says itself; "" when none."""
    if used == "CPU" or not hasattr(session, "get_provider_graph_assignment_info"):
        return ""
    counts: Counter[str] = Counter()
    for part in session.get_provider_graph_assignment_info():
        counts[_device(str(part.ep_name))] += len(part.get_nodes())
    others = [f"{count} on {name}" for name, count in counts.items() if name != used]
    return f"of {counts.total()} nodes {', '.join(others)}" if others else ""


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def _precision(optimized: Path) -> str:
    """Counted in the graph after the session's own optimisations."""
    import onnx

    if not optimized.exists():
        return "unknown"
    counts: Counter[str] = Counter()
    graph = onnx.load(str(optimized), load_external_data=False).graph
    halves = {item.name for item in graph.initializer if item.data_type == onnx.TensorProto.FLOAT16}
    for node in graph.node:
        if node.op_type in _INTEGER_CONVOLUTIONS:
            counts["int8"] += 1
        elif node.op_type in _FLOAT_CONVOLUTIONS:
            # where a processor has no kernels for float16, the weights were widened before
            counts["float16" if halves & set(node.input) else "float32"] += 1
    return summarize_precision(counts)


ENGINE = EngineKind(
    "onnxruntime",
    "ONNX Runtime",
    "onnxruntime",
    devices,
    lambda spec, device, mode, _progress: OnnxRuntimeEngine(spec, device, mode),
    lambda device: is_one_of(device, ("CUDA", "TENSORRT")),
)
