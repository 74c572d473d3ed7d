"""The same network with a smaller input: less exact, and quicker."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from seg_viewer.core.errors import EngineError, ModelFileError
from seg_viewer.core.model_file import INPUT_NAME, ModelSpec, read_model_file
from seg_viewer.core.onnx_messages import onnx_messages
from seg_viewer.engines.openvino import output_shapes

_SHARE = 0.7
"""Of each side: half of the pixels."""
_STEP = 32
"""Sides are multiples of it, as networks halve their input up to five times."""
_MOST_KEPT = 8
_OF = "smaller_of"


def smaller_size(spec: ModelSpec) -> tuple[int, int] | None:
    """Width and height of about half the pixels, pixels; None where there is no smaller size."""
    width, height = (max(_STEP, round(_SHARE * side / _STEP) * _STEP) for side in (spec.width, spec.height))
    is_smaller = width <= spec.width and height <= spec.height and width * height < spec.width * spec.height
    return (width, height) if is_smaller else None


def smaller_network(spec: ModelSpec, folder: Path | None = None) -> ModelSpec:
    """The file of the same weights for a smaller picture; made once and kept in the user's cache folder.

    Its scores are unknown: those in the file of `spec` are of the full size, and are not taken over.

    Args:
        spec: of a network that takes any size: nothing in it but its input and outputs says one.
        folder: where it is kept; the user's cache folder by default.

    Raises:
        ModelFileError: there is no smaller size, the network only runs at its own, or the file cannot be written.
    """
    size = smaller_size(spec)
    if size is None:
        raise ModelFileError(f"{spec.path}: its input, {spec.width}×{spec.height}, is too small for a smaller one")
    folder = folder or user_cache_path("seg-viewer") / "smaller"
    path = folder / f"{spec.path.stem[:40]}-{spec.sha256[:16]}-{size[0]}x{size[1]}.onnx"
    with suppress(ModelFileError):
        kept = read_model_file(path)
        if kept.provenance.get(_OF) == spec.sha256:
            return kept
    data = _with_input(spec, *size).SerializeToString()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(suffix=".part", dir=folder)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(part, path)
        _keep_few(folder)
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be written: {error.strerror or error}") from error
    return read_model_file(path)


def _with_input(spec: ModelSpec, width: int, height: int) -> Any:
    """Raises: ModelFileError."""
    model = onnx_messages().ModelProto.FromString(spec.path.read_bytes())
    shape = next(value for value in model.graph.input if value.name == INPUT_NAME).type.tensor_type.shape
    shape.dim[1].dim_value, shape.dim[2].dim_value = height, width
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")
    del model.graph.value_info[:]
    one_size = ModelFileError(f"{spec.path}: only runs at {spec.width}×{spec.height}")
    try:
        shapes = output_shapes(model.SerializeToString())
    except EngineError as error:
        raise one_size from error
    if any(shape != [1, height, width] for shape in shapes):
        raise one_size
    for value in model.graph.output:
        for size in (1, height, width):
            value.type.tensor_type.shape.dim.add(dim_value=size)
    small = replace(
        spec,
        width=width,
        height=height,
        metrics={},
        measures=None,
        provenance={**spec.provenance, _OF: spec.sha256},
    )
    others = {prop.key: prop.value for prop in model.metadata_props if not prop.key.startswith("seg_viewer.")}
    del model.metadata_props[:]
    for key, text in (others | small.metadata()).items():
        model.metadata_props.add(key=key, value=text)
    return model


def _keep_few(folder: Path) -> None:
    """What was made longest ago goes first."""
    made = sorted(folder.glob("*.onnx"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in made[_MOST_KEPT:]:
        with suppress(OSError):
            path.unlink()
