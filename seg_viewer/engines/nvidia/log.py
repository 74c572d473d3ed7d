"""What NVIDIA's runtimes say: their complaints kept, and made into errors. Asks nothing of CUDA."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from seg_viewer.core.errors import EngineError
from seg_viewer.engines.base import DeviceFailure
from seg_viewer.engines.nvidia.library import NvidiaRuntime

if TYPE_CHECKING:
    import tensorrt as trt

_Made = TypeVar("_Made")
_log = logging.getLogger(__name__)


class Complaints:
    """What a runtime complains of, to say it where a call only answers None or False."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._errors: deque[str] = deque(maxlen=8)

    def note(self, text: str) -> None:
        with self._lock:
            self._errors.append(text)

    def take(self) -> str:
        """What was complained of since the last time, one line; "no reason given" when nothing."""
        with self._lock:
            texts = list(dict.fromkeys(self._errors))
            self._errors.clear()
        return "; ".join(texts) or "no reason given"


@dataclass(frozen=True)
class Log:
    """The logger that a runtime gets, and what it was told.

    Args:
        logger: as the runtime takes it.
        complaints: errors.
    """

    logger: Any
    complaints: Complaints

    def take(self) -> str:
        """See `Complaints`."""
        return self.complaints.take()


@cache
def log_of(runtime: NvidiaRuntime) -> Log:
    """The one logger of a runtime: it keeps to the first that a process shows it."""
    trt = runtime.module()
    complaints = Complaints()

    class TensorRtLog(trt.ILogger):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)

        def log(self, severity: Any, msg: str) -> None:
            text = " ".join(str(msg).split())
            if severity in (trt.ILogger.Severity.INTERNAL_ERROR, trt.ILogger.Severity.ERROR):
                complaints.note(text)
                _log.debug("%s: %s", runtime.title, text)
            elif severity == trt.ILogger.Severity.WARNING:
                _log.debug("%s warns: %s", runtime.title, text)

    return Log(TensorRtLog(), complaints)


def dims_tuple(dims: trt.Dims) -> tuple[int, ...]:
    """A `Dims` of the runtime as numpy has it."""
    return tuple(int(dims[index]) for index in range(len(dims)))


class PlanRefused(EngineError):
    """TensorRT cannot load a plan, or the plan is not the model's: build it again."""


def failure(text: str, reason: str) -> EngineError:
    """The error of a call that TensorRT refused; one of the device where the reason says so."""
    lowered = reason.lower()
    gone = any(
        word in lowered
        for word in ("out of memory", "outofmemory", "cuda error", "cuda failure", "cuda runtime", "cuda init")
    )
    return (DeviceFailure if gone else EngineError)(f"{text}: {reason}")


def made(runtime: NvidiaRuntime, make: Callable[[], _Made], what: str) -> _Made:
    """What a constructor of the runtime's gives. Raises: EngineError, or DeviceFailure where the GPU is the reason.

    Where CUDA cannot be used it gives nothing, which the bindings report as a TypeError.
    """
    log = log_of(runtime)
    log.take()
    try:
        return make()
    except TypeError as error:
        raise failure(f"{runtime.title} cannot make {what}", log.take()) from error
