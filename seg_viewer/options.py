"""What a person chooses for one run: model, engine, look."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from seg_viewer.core.assets import find_model
from seg_viewer.core.model_file import ModelSpec, read_model_file
from seg_viewer.core.overlay import OverlayStyle
from seg_viewer.engines import Engine, LoadProgress, load_engine


@dataclass(frozen=True)
class RunOptions:
    """
    Args:
        model: name of a shipped model, or path of an .onnx file; None for the default.
        engine: "auto" or a name of `seg_viewer.engines.ENGINE_NAMES`.
        device: as the engine calls it, or None for its default.
        style: how classes are painted.
        on_loading: told how far an engine is that takes long to make ready; its answer False stops that.
    """

    model: str | None = None
    engine: str = "auto"
    device: str | None = None
    style: OverlayStyle = field(default_factory=OverlayStyle)
    on_loading: LoadProgress | None = field(default=None, compare=False, repr=False)

    def read_spec(self) -> ModelSpec:
        """Raises: ModelFileError."""
        return read_model_file(find_model(self.model))

    def load(self, spec: ModelSpec, mode: str = "throughput") -> Engine:
        """See `load_engine`."""
        return load_engine(spec, self.engine, self.device, mode, self.on_loading)

    def watched(self, on_loading: LoadProgress) -> RunOptions:
        """The same choice, with somebody else told how far an engine is."""
        return replace(self, on_loading=on_loading)
