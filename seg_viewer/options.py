"""What a person chooses for one run: model, engine, look."""

from __future__ import annotations

from dataclasses import dataclass, field

from seg_viewer.core.assets import find_model
from seg_viewer.core.model_file import ModelSpec, read_model_file
from seg_viewer.core.overlay import OverlayStyle
from seg_viewer.engines import Engine, load_engine


@dataclass(frozen=True)
class RunOptions:
    """
    Args:
        model: name of a shipped model, or path of an .onnx file; None for the default.
        engine: "auto" or a name of `seg_viewer.engines.ENGINE_NAMES`.
        device: as the engine calls it, or None for its default.
        style: how classes are painted.
    """

    model: str | None = None
    engine: str = "auto"
    device: str | None = None
    style: OverlayStyle = field(default_factory=OverlayStyle)

    def read_spec(self) -> ModelSpec:
        """Raises: ModelFileError."""
        return read_model_file(find_model(self.model))

    def load(self, spec: ModelSpec, mode: str = "throughput") -> Engine:
        """See `load_engine`."""
        return load_engine(spec, self.engine, self.device, mode)
