"""OpenVINO: Intel and other processors, Intel GPUs and NPUs."""

from __future__ import annotations

import sys
import threading
import weakref
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from seg_viewer.core.counted import counted
from seg_viewer.core.errors import EngineError
from seg_viewer.core.frame import ByteArray
from seg_viewer.core.installing import again
from seg_viewer.core.model_file import MARGIN_NAME, OUTPUT_NAME, ModelSpec, read_model_file
from seg_viewer.engines.base import (
    EngineKind,
    EngineReport,
    check_picture,
    is_one_of,
    output_names,
    summarize_precision,
    to_class_map,
)

_PRECISIONS = {"u8": "int8", "i8": "int8", "f32": "float32", "f16": "float16", "bf16": "bf16"}
_LET_GO_S = 2.0
_CONVOLUTIONS = {"Convolution", "Deconvolution", "GroupConvolution", "convolution", "deconvolution"}


_CPU_INFO = Path("/proc/cpuinfo")
_CPU_FOLDERS = Path("/sys/devices/system/cpu")


def import_openvino() -> Any:
    """Raises: EngineError when it is not installed, or would not come back."""
    # its library asks for the processor's caches while it is loaded, else reads to the end of a file that it did not
    # open (2026.4, lin_system_conf.cpp): for ever in a chroot with neither
    if sys.platform == "linux" and not (_can_be_read(_CPU_INFO) or any(_CPU_FOLDERS.glob("cpu[0-9]*/cache/index0"))):
        raise EngineError(f"OpenVINO needs {_CPU_INFO}, which cannot be read here; mount it")
    # OpenVINO's converter tools report their use to its maker when this package is there; without it they do not
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    try:
        import openvino
    except ImportError as error:
        raise EngineError(f"OpenVINO is not installed ({error}): {again('openvino')}") from None
    return openvino


def _can_be_read(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            return bool(opened.read(1))
    except OSError:
        return False


def devices() -> list[str]:
    """Device names as OpenVINO calls them, e.g. ["CPU", "GPU"]."""
    return list(import_openvino().Core().available_devices)


class OpenVinoEngine:
    """See `Engine`.

    Args:
        model: the model file.
        device: "CPU", "GPU", "NPU", …, or None for CPU.
        mode: one of `MODES`.

    Raises:
        ModelFileError: the file is no model of ours.
        EngineError: OpenVINO is missing, has no such device, or cannot compile the model.
    """

    def __init__(self, model: str | Path | ModelSpec, device: str | None = None, mode: str = "throughput") -> None:
        ov = import_openvino()
        self.spec = model if isinstance(model, ModelSpec) else read_model_file(model)
        core = ov.Core()
        wanted = (device or "CPU").upper()
        present = list(core.available_devices)
        if wanted.split(".")[0] not in {name.split(".")[0] for name in present}:
            raise EngineError(f"OpenVINO has no device {wanted} here; there is {', '.join(present) or 'none'}")
        note = _use_cache(core)
        self._compiled = _compile(ov, core, self.spec, wanted, mode)
        optimal = int(self._compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        # one more than run at a time, so that a processor finds the next frame waiting when it is done with one
        self.slots = optimal + 1 if mode == "throughput" else 1
        self.wake: Callable[[], None] = lambda: None
        self._free = [_Request(self._compiled.create_infer_request(), self) for _ in range(self.slots)]
        self._busy: deque[_Request] = deque()
        # a picture alone is in work on one stream only, which has a part of the processor
        makes_alone = mode == "throughput" and optimal > 1 and wanted.startswith("CPU")
        self._alone = _Alone(partial(_compile, ov, core, self.spec, wanted, "latency"), self) if makes_alone else None
        self._tensor = ov.Tensor
        self.inference_s = 0.0
        self.margin: ByteArray | None = None
        self.report = EngineReport(
            name="openvino",
            version=str(ov.__version__).split("-")[0],
            device=f"{wanted} ({core.get_property(wanted, 'FULL_DEVICE_NAME').strip()})",
            precision=self._precision(),
            note=note,
        )

    def _precision(self) -> str:
        names = convolution_precisions(self._compiled).values()
        return summarize_precision(Counter(_PRECISIONS.get(name, name) for name in names))

    def submit(self, rgb: ByteArray, *, alone: bool = False) -> None:
        check_picture(self.spec, rgb)
        if len(self._busy) >= self.slots:
            raise EngineError(f"more than {counted(self.slots, 'frame')} in flight")
        whole = self._alone.request() if alone and self._alone is not None and not self._busy else None
        request = whole or self._free[-1]
        try:
            request.start(self._tensor(rgb[None], shared_memory=True), rgb)
        except RuntimeError as error:
            raise _stopped(error) from error
        if request is not whole:
            self._free.pop()
        self._busy.append(request)

    def ready(self) -> bool:
        return bool(self._busy) and self._busy[0].done

    def collect(self) -> ByteArray:
        if not self._busy:
            raise EngineError("no frame is in flight")
        request = self._busy.popleft()
        try:
            request.native.wait()
        except RuntimeError as error:
            raise _stopped(error) from error
        finally:
            self._let_go(request)
        self.inference_s = float(request.native.latency) / 1000
        if self.spec.has_margin:
            self.margin = to_class_map(request.native.get_tensor(MARGIN_NAME).data)
        return to_class_map(request.native.get_tensor(OUTPUT_NAME).data)

    def segment(self, rgb: ByteArray) -> ByteArray:
        self.submit(rgb)
        return self.collect()

    def close(self) -> None:
        while self._busy:
            self._let_go(self._busy.popleft())
        let_go = [request.release() for request in self._free]
        if self._alone is not None:
            let_go += self._alone.close()
        self._free.clear()
        for released in let_go:
            released.wait(_LET_GO_S)
        self._compiled = None

    def _let_go(self, request: _Request) -> None:
        if self._alone is None or request is not self._alone.made:
            self._free.append(request)


def _compile(ov: Any, core: Any, spec: ModelSpec, device: str, mode: str) -> Any:
    try:
        return core.compile_model(read_graph(ov, core, spec), device, settings(device, mode))
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise EngineError(f"{spec.path}: OpenVINO cannot compile it for {device}: {reason}") from error


def settings(device: str, mode: str) -> dict[str, Any]:
    """What the engine compiles with, on a device ("CPU", "GPU", …) in a mode of `MODES`."""
    chosen: dict[str, Any] = {"PERFORMANCE_HINT": "THROUGHPUT" if mode == "throughput" else "LATENCY"}
    if mode == "background":
        chosen["INFERENCE_NUM_THREADS"] = 1
    if device.startswith("CPU"):
        # bound to its core, a worker holds up whichever decoder is there while another core has nothing to do
        chosen["ENABLE_CPU_PINNING"] = False
    return chosen


def read_graph(ov: Any, core: Any, spec: ModelSpec) -> Any:
    """The graph of a model file, its class map and its margin as uint8."""
    pre = ov.preprocess.PrePostProcessor(core.read_model(str(spec.path)))
    for name in output_names(spec):
        pre.output(name).tensor().set_element_type(ov.Type.u8)
    return pre.build()


def output_shapes(model: bytes) -> list[list[int] | None]:
    """The shapes of a graph's outputs, as they follow from its input's; None for one that depends on the picture.

    Args:
        model: what an .onnx file holds. Nothing is compiled.

    Raises:
        EngineError: OpenVINO is not installed, or the graph does not fit its input.
    """
    ov = import_openvino()
    try:
        shapes = [output.get_partial_shape() for output in ov.Core().read_model(model).outputs]
    except RuntimeError as error:
        raise EngineError(str(error).strip().splitlines()[-1]) from error
    return [list(shape.to_shape()) if shape.is_static else None for shape in shapes]


def convolution_precisions(compiled: Any) -> dict[str, str]:
    """Name of each convolution that the runtime executes → what it computes in, as the runtime calls it ("u8")."""
    found = {}
    for operation in compiled.get_runtime_model().get_ops():
        info = operation.get_rt_info()
        if str(info["layerType"].value if "layerType" in info else "") in _CONVOLUTIONS:
            found[operation.get_friendly_name()] = str(info["runtimePrecision"].value)
    return found


class _Request:
    """One inference request and what it works on."""

    def __init__(self, native: Any, engine: OpenVinoEngine) -> None:
        self.native = native
        self.done = False
        self._engine = weakref.ref(engine)
        self._rgb: ByteArray | None = None
        self._call_back = _CallBack(self)
        native.set_callback(self._call_back, None)

    def start(self, tensor: Any, rgb: ByteArray) -> None:
        self.done = False
        self._rgb = rgb  # kept: the request reads its memory
        self.native.set_input_tensor(tensor)
        self.native.start_async()

    def release(self) -> threading.Event:
        """Wait for what still runs and let go of it; the event is set once OpenVINO has let go of the call-back too.

        Its worker does so a little after a request is done and needs Python's lock for it, while the compiled model
        waits for its workers with the lock held: freed too early, the two wait for each other for ever.
        """
        released = threading.Event()
        weakref.finalize(self._call_back, released.set)
        self.native.wait()
        self.native = None
        del self._call_back
        return released

    def finish(self) -> None:
        """On a thread of OpenVINO's."""
        self.done = True
        engine = self._engine()
        if engine is not None:
            engine.wake()


class _Alone:
    """The model once more, compiled so that one picture has the whole processor.

    It is made on a thread of its own when it is first asked for: who never jumps needs none.

    Args:
        compile_it: compiles.
        engine: that the request is of.

    Attributes:
        made: the request, once there is one.
    """

    def __init__(self, compile_it: Callable[[], Any], engine: OpenVinoEngine) -> None:
        self.made: _Request | None = None
        self._compile = compile_it
        self._engine = weakref.ref(engine)
        self._native: Any = None
        self._thread: threading.Thread | None = None

    def request(self) -> _Request | None:
        """On the engine's thread: for one picture; None until it is compiled, or where that fails."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="seg-alone", daemon=True)
            self._thread.start()
        engine = self._engine()
        if self.made is None and self._native is not None and engine is not None:
            self.made, self._native = _Request(self._native, engine), None
        return self.made

    def _run(self) -> None:
        with suppress(EngineError, RuntimeError):  # pictures alone then wait as the others do
            self._native = self._compile().create_infer_request()

    def close(self) -> list[threading.Event]:
        """See `_Request.release`."""
        if self._thread is not None:
            self._thread.join()
        let_go = [self.made.release()] if self.made is not None else []
        self.made = self._native = None
        return let_go


class _CallBack:
    """What OpenVINO calls when a request is done, an object of its own so that its end can be seen."""

    def __init__(self, request: _Request) -> None:
        self._request = weakref.ref(request)

    def __call__(self, _userdata: object) -> None:
        request = self._request()
        if request is not None:
            request.finish()


def _stopped(error: RuntimeError) -> EngineError:
    return EngineError(f"OpenVINO stopped while it ran: {str(error).strip().splitlines()[-1]}")


def _use_cache(core: Any) -> str:
    """Compiled models are kept in the user's cache folder; returns a note when that cannot be."""
    folder = user_cache_path("seg-viewer") / "openvino"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return f"no cache of compiled models: {folder}: {error.strerror}"
    core.set_property({"CACHE_DIR": str(folder)})
    return ""


ENGINE = EngineKind(
    "openvino",
    "OpenVINO",
    "openvino",
    devices,
    lambda spec, device, mode, _progress: OpenVinoEngine(spec, device, mode),
    lambda device: is_one_of(device, ("GPU",)),
)
