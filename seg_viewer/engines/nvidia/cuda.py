"""All that is asked of CUDA, through PyCUDA or NVIDIA's own bindings. Imported only after `require`.

Everything here belongs to the thread that made it; only `EventWaiter` has a thread of its own.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from seg_viewer.core.errors import EngineError
from seg_viewer.core.frame import ByteArray
from seg_viewer.engines.base import DeviceFailure
from seg_viewer.engines.nvidia.library import cuda_driver

if TYPE_CHECKING:
    import pycuda.driver as cuda
else:
    cuda = cuda_driver()

_KERNEL_DRIVER = Path("/sys/module/nvidia/version")


@contextmanager
def cuda_step(what: str) -> Iterator[None]:
    """Any CUDA error inside becomes one that names the step. Raises: DeviceFailure."""
    try:
        yield
    except cuda.MemoryError as error:
        raise DeviceFailure(f"the GPU's memory is used up: CUDA could not {what} ({_line(error)})") from error
    except cuda.Error as error:
        raise DeviceFailure(f"CUDA could not {what}: {_line(error)}") from error


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def gpu_names() -> list[str]:
    """ "GPU.0", "GPU.1", …; CUDA's own order. Raises: EngineError when there is none."""
    try:
        cuda.init()
        count = int(cuda.Device.count())
    except cuda.Error as error:
        raise EngineError(f"CUDA finds no NVIDIA GPU here ({_line(error)})") from error
    if count == 0:
        raise EngineError("CUDA finds no NVIDIA GPU here")
    return [f"GPU.{number}" for number in range(count)]


class Gpu:
    """The primary context of one GPU, current on this thread until `close`; TensorRT works in the same one.

    Args:
        device: "GPU.0", "GPU.1", …, or None or "GPU" for the first.

    Raises:
        EngineError: there is no such GPU.
        DeviceFailure: its context cannot be made.
    """

    def __init__(self, device: str | None = None) -> None:
        present = gpu_names()
        wanted = (device or "GPU").upper()
        self.label = present[0] if wanted == "GPU" else wanted
        if self.label not in present:
            raise EngineError(f"TensorRT has no device {wanted} here; there is {', '.join(present)}")
        self.number = present.index(self.label)
        with cuda_step(f"start {self.label}"):
            native = cuda.Device(self.number)
            self.name = str(native.name()).strip()
            self.capability = "{}.{}".format(*native.compute_capability())
            self._context: Any = native.retain_primary_context()
            self._context.push()

    @property
    def driver(self) -> str:
        """Version of the CUDA that the driver speaks and, where the system says it, of the driver itself."""
        number = int(cuda.get_driver_version())
        text = f"CUDA {number // 1000}.{number % 1000 // 10}"
        with suppress(OSError):
            return f"{_KERNEL_DRIVER.read_text(encoding='utf-8').strip()}, {text}"
        return text

    def memory(self) -> tuple[int, int]:
        """Bytes of the GPU's memory: free, all."""
        with cuda_step("ask for the GPU's memory"):
            free, total = cuda.mem_get_info()
        return int(free), int(total)

    def close(self) -> None:
        """Let go of the context; again is fine. Everything made in it must have been released."""
        if self._context is not None:
            with suppress(cuda.Error):
                cuda.Context.pop()
            self._context = None


class FrameLane:
    """One frame's way over the GPU: its own stream, pinned memory here, memory there.

    What is asked of it happens in that order on its stream, while other lanes' copies and kernels go on.

    Args:
        picture: shape of the picture, uint8.
        answer: shape of each of the network's outputs.
        dtypes: of the network's outputs, the class map first.

    Raises:
        DeviceFailure: the memory cannot be had.
    """

    def __init__(self, picture: tuple[int, ...], answer: tuple[int, ...], *dtypes: DTypeLike) -> None:
        with cuda_step("make a stream"):
            self._stream = cuda.Stream()
            self._begun, self._computed, self._down = cuda.Event(), cuda.Event(), cuda.Event()
        with cuda_step("allocate pinned memory"):
            self._picture: NDArray[np.uint8] = cuda.pagelocked_empty(picture, np.uint8)
            self._answers: list[NDArray[Any]] = [cuda.pagelocked_empty(answer, dtype) for dtype in dtypes]
        with cuda_step("allocate the GPU's memory"):
            self._picture_there = cuda.mem_alloc(self._picture.nbytes)
            self._answers_there = [cuda.mem_alloc(answer.nbytes) for answer in self._answers]
        self.done = False
        """All that was asked for has happened, or has failed."""

    @property
    def addresses(self) -> tuple[int, ...]:
        """Of the picture and of each output in the GPU's memory."""
        return tuple(int(there) for there in (self._picture_there, *self._answers_there))

    @property
    def stream_handle(self) -> int:
        return int(self._stream.handle)

    def upload(self, rgb: ByteArray) -> None:
        """Start to copy a picture there. Raises: DeviceFailure."""
        self.done = False
        np.copyto(self._picture, rgb.reshape(self._picture.shape))
        with cuda_step("copy a picture to the GPU"):
            cuda.memcpy_htod_async(self._picture_there, self._picture, self._stream)
            self._begun.record(self._stream)

    def download(self) -> None:
        """Start to copy the outputs back. Raises: DeviceFailure."""
        with cuda_step("copy a class map from the GPU"):
            self._computed.record(self._stream)
            for here, there in zip(self._answers, self._answers_there, strict=True):
                cuda.memcpy_dtoh_async(here, there, self._stream)
            self._down.record(self._stream)

    def wait(self) -> tuple[list[NDArray[Any]], float]:
        """Wait until the outputs are here.

        Returns:
            The outputs, in memory that the next frame overwrites, and the seconds from the end of the upload to the end
            of the computation on the GPU's own clock.

        Raises: DeviceFailure.
        """
        with cuda_step("run the model"):
            self._down.synchronize()
            return self._answers, float(self._begun.time_till(self._computed)) / 1000

    def synchronize_anywhere(self) -> None:
        """As `wait`, on a thread that has a context of its own; what goes wrong is left for `wait` to raise."""
        with suppress(cuda.Error):
            self._down.synchronize()
        self.done = True

    def finish(self) -> None:
        """Wait for whatever is under way; what goes wrong does not matter any more."""
        with suppress(cuda.Error):
            self._stream.synchronize()

    def release(self) -> None:
        """Give all memory back; nothing may be under way."""
        for there in (self._picture_there, *self._answers_there):
            with suppress(cuda.Error):
                there.free()
        for here in (self._picture, *self._answers):
            with suppress(cuda.Error):
                here.base.free()  # type: ignore[union-attr]
        del self._picture, self._answers, self._begun, self._computed, self._down, self._stream


class EventWaiter:
    """A thread that waits for lanes and says when one is done: CUDA itself calls nobody back through PyCUDA.

    Args:
        gpu: whose lanes they are.
        on_done: called on the waiter's thread.
    """

    def __init__(self, gpu: Gpu, on_done: Callable[[], None]) -> None:
        self._number = gpu.number
        self._on_done = on_done
        self._lanes: queue.SimpleQueue[FrameLane | None] = queue.SimpleQueue()  # no more than there are lanes
        self._thread = threading.Thread(target=self._run, name="seg-cuda-wait", daemon=True)
        self._thread.start()

    def watch(self, lane: FrameLane) -> None:
        self._lanes.put(lane)

    def close(self) -> None:
        """End the thread; again is fine."""
        self._lanes.put(None)
        self._thread.join()

    def _run(self) -> None:
        context = None
        try:
            # PyCUDA ties a context object to the thread that made it, so this thread takes its own hold of the context
            context = cuda.Device(self._number).retain_primary_context()
            context.push()
        except cuda.Error:
            pass  # then waiting fails at once, and the engine's thread meets the same error and raises it
        try:
            while (lane := self._lanes.get()) is not None:
                lane.synchronize_anywhere()
                self._on_done()
                del lane
        finally:
            if context is not None:
                with suppress(cuda.Error):
                    cuda.Context.pop()
