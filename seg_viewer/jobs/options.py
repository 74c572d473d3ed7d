"""What a person chooses for one run: model, engine, look."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from seg_viewer.core.assets import FAST_MODEL, FINE_MODEL, find_model, shipped_models
from seg_viewer.core.errors import EngineError, ModelFileError
from seg_viewer.core.model_file import ModelSpec, read_model_file
from seg_viewer.core.overlay import OverlayStyle
from seg_viewer.engines import (
    Engine,
    EngineKind,
    LoadProgress,
    LoadWatch,
    each_engine,
    engine_kinds,
    engine_names,
    is_installed,
    load_engine,
)

if TYPE_CHECKING:
    from seg_viewer.core.frame import Frame
    from seg_viewer.pipeline import EngineSegmenter, Segmenter
    from seg_viewer.pipeline.map_cache import MapCache
    from seg_viewer.sources.base import SourceInfo


@dataclass(frozen=True)
class DefaultModel:
    """Which model runs where nobody names one.

    Args:
        name: of the shipped model that runs where nobody names one.
        why: that one, half a sentence.
    """

    name: str
    why: str


def default_model(
    engine: str, device: str | None, shipped: Sequence[str], installed: Container[str] | None = None
) -> DefaultModel:
    """The finer model where a GPU will run it, the fast one on a processor, whichever ships where only one does.

    Decided by what is asked for, before anything starts: should a GPU then fail and the processor take over, the model
    stays the same.

    Args:
        engine: "auto" or a name of `seg_viewer.engines.engine_names`.
        device: as the engine calls it, or None for its default.
        shipped: names of the models that ship.
        installed: names of the engines that run here; None: each is looked up, as far as that is needed.

    Raises:
        ModelFileError: none ships.
    """
    if not shipped:
        raise ModelFileError(
            "no model came with this installation; install seg-viewer again, or name a file by --model"
        )
    where = gpu_asked_for(engine, device, installed)
    wanted, reason = (FINE_MODEL, f"a GPU runs it ({where})") if where else (FAST_MODEL, "a processor runs it")
    if wanted in shipped:
        other = "" if where or FINE_MODEL not in shipped else f"; on a GPU (--engine or --device) it is {FINE_MODEL}"
        return DefaultModel(wanted, reason + other)
    if len(shipped) == 1:
        return DefaultModel(shipped[0], "no other ships")
    return DefaultModel(shipped[0], f"{wanted} does not ship")


def gpu_asked_for(engine: str, device: str | None, installed: Container[str] | None = None) -> str:
    """By what a run goes to a GPU, e.g. "--engine tensorrt"; "" when it stays on a processor (or an NPU)."""
    if engine != "auto" and engine in engine_names() and engine_kinds()[engine].is_gpu(None):
        return f"--engine {engine}"
    if device is not None:
        return f"--device {device}" if any(kind.is_gpu(device) for kind in each_engine()) else ""
    if engine != "auto":
        return ""
    for kind in each_engine():
        if _runs_here(kind) if installed is None else kind.name in installed:
            return f"{kind.title}" if kind.is_gpu(None) else ""
    return ""


def _runs_here(kind: EngineKind) -> bool:
    """Whether "auto" takes an engine, as far as that shows before a model is loaded."""
    if not (is_installed(kind) and kind.may_run()):
        return False
    try:
        return not kind.is_gpu(None) or bool(kind.devices())
    except EngineError:
        return False


def default_text(shipped: Sequence[str]) -> str:
    """The default as a help text says it; for the names of the models that ship."""
    if FAST_MODEL in shipped and FINE_MODEL in shipped:
        return f"{FAST_MODEL}; on a GPU {FINE_MODEL}"
    return shipped[0] if shipped else "none ships"


@dataclass(frozen=True)
class RunOptions:
    """What runs, and how it looks.

    Args:
        model: name of a shipped model, or path of an .onnx file; None for `default_model`.
        engine: "auto" or a name of `seg_viewer.engines.engine_names`.
        device: as the engine calls it, or None for its default.
        style: how classes are painted.
        cache: class maps that were computed before are used again, and those that are computed are kept.
        hwaccel: "auto" has hardware decode video files where that works, "off" never; "" where nobody has said, which
            is "off".
        steady: class maps stay calm where the picture stands still, see `seg_viewer.core.steady`; None where nobody has
            said.
    """

    model: str | None = None
    engine: str = "auto"
    device: str | None = None
    style: OverlayStyle = field(default_factory=OverlayStyle)
    cache: bool = True
    hwaccel: str = ""
    steady: bool | None = None

    @property
    def hardware(self) -> bool:
        """Hardware decodes where that works."""
        return self.hwaccel == "auto"

    def default_model(self) -> DefaultModel:
        """What runs where `model` is None. Raises: ModelFileError."""
        names = [path.stem for path in shipped_models()]
        return default_model(self.engine, self.device, names)

    def model_path(self) -> Path:
        """Raises: UsageError for an unknown name, ModelFileError where none ships."""
        return find_model(self.model if self.model is not None else self.default_model().name)

    def read_spec(self) -> ModelSpec:
        """Raises: UsageError, ModelFileError."""
        return read_model_file(self.model_path())

    def with_model(self, model: str) -> RunOptions:
        """The same with another model."""
        return replace(self, model=model)

    def load(self, spec: ModelSpec, mode: str = "throughput", progress: LoadProgress | None = None) -> Engine:
        """See `load_engine`."""
        return load_engine(spec, self.engine, self.device, mode, progress)

    def map_key(self, spec: ModelSpec) -> str:
        """What class maps are kept by, beside the frame."""
        from seg_viewer.pipeline.map_cache import map_key

        return map_key(spec.sha256, self.engine, self.device)

    def with_cache(self, inner: Segmenter, spec: ModelSpec, info: SourceInfo, cache: MapCache) -> Segmenter:
        """The same behind a cache, where that is wanted and of use.

        Args:
            inner: computes what is not in the cache.
            spec: of its model.
            info: of the source whose frames it gets.
            cache: closed by whoever made it.
        """
        from seg_viewer.pipeline.cached import CachedSegmenter, is_cacheable

        if not self.cache or not is_cacheable(info):
            return inner
        return CachedSegmenter(inner, cache, spec, self.map_key(spec), info)

    def with_steady(self, inner: Segmenter, part_of: Callable[[Frame], int] | None = None) -> Segmenter:
        """The same with calm class maps, where that is wanted; outside of a cache, which keeps what the model says.

        Args:
            inner: of one model or of two.
            part_of: see `SteadySegmenter`; None for one part.
        """
        from seg_viewer.pipeline.steady import SteadySegmenter, one_part

        return SteadySegmenter(inner, part_of=part_of or one_part) if self.steady else inner

    def segmenter(
        self, spec: ModelSpec, mode: str = "throughput", progress: LoadProgress | None = None
    ) -> EngineSegmenter:
        """What a pipeline takes; it loads the engine once it is opened, see `load_engine`."""
        from seg_viewer.pipeline import EngineSegmenter  # takes PyAV along, which --help can do without

        watch = LoadWatch(progress)
        return EngineSegmenter(spec, lambda: self.load(spec, mode, watch), interrupt=watch.stop)
