"""What every engine is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.errors import EngineError
from seg_viewer.core.frame import ByteArray
from seg_viewer.core.model_file import MARGIN_NAME, OUTPUT_NAME, ModelSpec

MODES = ("throughput", "latency", "background")
"""throughput: several frames in flight, for files and exports; latency: one frame as fast as possible, for live;
background: one frame on one thread, for what must not slow down anything else."""

LoadProgress = Callable[[str, float], bool]
"""Called, on any thread, with what is being made ready and which share (0…1) is done; its answer False stops that."""

READY = "ready"
"""What a `LoadProgress` is called with last, with the share 1, when it was called at all."""


class LoadWatch:
    """A `LoadProgress` that can be stopped from any thread.

    Args:
        progress: called in turn; its answer False stops too.
    """

    def __init__(self, progress: LoadProgress | None = None) -> None:
        self._progress = progress
        self._stopped = False

    def __call__(self, what: str, share: float) -> bool:
        return not self._stopped and (self._progress is None or self._progress(what, share))

    def stop(self) -> None:
        self._stopped = True


def same_model(spec: ModelSpec) -> str:
    """What a fallback says of the model: it may be one that was chosen for the device that failed."""
    return f"the model stays {spec.name}"


class DeviceFailure(EngineError):
    """A device ran out of memory, was lost or refused to go on; another engine may still run the model."""


class LoadStopped(EngineError):
    """Making an engine ready was stopped through its `LoadProgress`."""


@dataclass(frozen=True)
class EngineReport:
    """What really runs, as the runtime says after the model was compiled.

    Args:
        name: "openvino", "onnxruntime", "tensorrt-rtx" or "tensorrt".
        version: version of the runtime.
        device: processor that runs the model, with its product name.
        precision: what the convolutions really compute in, e.g. "int8" or "int8 (22 of 24 convolutions, bf16 2)".
        note: anything a person should know, e.g. why a device was not taken; empty otherwise.
        fallback: why something else runs than was asked for; empty otherwise. It must be shown.
    """

    name: str
    version: str
    device: str
    precision: str
    note: str = ""
    fallback: str = ""

    def line(self) -> str:
        return f"{self.name} {self.version} · {self.device} · {self.precision}"

    def notes(self) -> str:
        """Fallback and note, "" when there is nothing to say."""
        return "; ".join(filter(None, [self.fallback, self.note]))


class Engine(Protocol):
    """A compiled model. Made, used and closed on one thread.

    Args of all pictures: shape (H, W, 3), uint8, RGB, contiguous, with the H and W of `spec`.
    Class maps: shape (H, W), uint8, the caller's own.
    """

    spec: ModelSpec
    report: EngineReport
    slots: int
    """How many frames may be in flight between `submit` and `collect`; more only make latency longer."""
    inference_s: float
    """Seconds that the runtime worked on the frame collected last; waiting in line is not counted."""
    margin: ByteArray | None
    """How sure the model is of each pixel of the frame collected last, shape (H, W), uint8, see `ModelSpec.has_margin`;
    the caller's own. None where the model does not say."""
    wake: Callable[[], None]
    """Called, on any thread, when a frame in flight may have become ready; set it to hear of that."""

    def submit(self, rgb: ByteArray, *, alone: bool = False) -> None:
        """Start on a picture, which must not change until its `collect`. At most `slots` may be in flight.

        Args:
            alone: somebody waits for this one, and none follows it closely: it may have the whole device.

        Raises: EngineError.
        """
        ...

    def ready(self) -> bool:
        """Whether `collect` would return at once."""
        ...

    def collect(self) -> ByteArray:
        """Wait for the oldest picture in flight and return its class map. Raises: EngineError."""
        ...

    def segment(self, rgb: ByteArray) -> ByteArray:
        """`submit` and `collect` of one picture."""
        ...

    def close(self) -> None: ...


def segment_all(engine: Engine, pictures: Iterable[ByteArray]) -> Iterator[ByteArray]:
    """Class maps of pictures, in order, with as many in flight as the engine takes. Raises: EngineError."""
    flying = 0
    for rgb in pictures:
        if flying == engine.slots:
            yield engine.collect()
            flying -= 1
        engine.submit(rgb)
        flying += 1
    for _ in range(flying):
        yield engine.collect()


def check_picture(spec: ModelSpec, rgb: ByteArray) -> None:
    """Raises: EngineError when a picture is not what the model takes."""
    expected = (spec.height, spec.width, 3)
    if rgb.shape != expected or rgb.dtype != np.uint8:
        raise EngineError(f"model '{spec.name}' takes uint8 pictures of shape {expected}, got {rgb.dtype} {rgb.shape}")


def to_class_map(output: NDArray[np.generic]) -> ByteArray:
    """Network output [1, H, W] of any integer dtype to an own (H, W) uint8 array."""
    return np.array(output[0], dtype=np.uint8, order="C")


def output_names(spec: ModelSpec) -> tuple[str, ...]:
    """What an engine has to ask of a model: its class map and, where it has one, its margin."""
    return (OUTPUT_NAME, MARGIN_NAME) if spec.has_margin else (OUTPUT_NAME,)


def summarize_precision(counts: dict[str, int]) -> str:
    """ "int8", or the most frequent first with counts: "int8 (22 of 24 convolutions; bf16 2)"."""
    if not counts:
        return "unknown"
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    main, number = ordered[0]
    if len(ordered) == 1:
        return main
    others = ", ".join(f"{name} {count}" for name, count in ordered[1:])
    return f"{main} ({number} of {sum(counts.values())} convolutions; {others})"


@dataclass(frozen=True)
class EngineKind:
    """A runtime that can be asked for; each engine's module carries one, named ENGINE.

    Args:
        name: what --engine calls it.
        title: what its makers call it.
        package: whose presence means that the runtime is installed.
        devices: its devices here. Raises: EngineError that says what is missing and how to install it.
        make: compiles a model on a device (None: its default) in a mode of `MODES`. Raises: EngineError.
        is_gpu: whether a run on a device (None: its default) goes to a GPU; a processor then takes over where it fails.
        may_run: whether "auto" tries it, and says why where it fails; cheap.
    """

    name: str
    title: str
    package: str
    devices: Callable[[], Sequence[str]]
    make: Callable[[ModelSpec, str | None, str, LoadProgress | None], Engine]
    is_gpu: Callable[[str | None], bool]
    may_run: Callable[[], bool] = lambda: True


def is_one_of(device: str | None, names: Collection[str]) -> bool:
    """Whether a device is of a kind: "GPU.1" is a "GPU"; None is of none."""
    return device is not None and device.upper().split(".")[0] in names
