"""Any trained model as a function picture → class map: run folder, .keras, .h5, .onnx on any engine, TensorRT plan."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from seg_viewer.core.errors import ModelFileError, UsageError
from seg_viewer.core.model_file import ModelSpec, read_model_file
from trainer.network.h5_file import SUFFIXES as H5
from trainer.scoring.keras_models import SAVED_MODEL, Runner, open_folder, open_keras

KERAS = (".keras", *H5)

__all__ = ["Runner", "check_foreign", "is_keras_file", "open_model"]


def open_model(path: Path, engine: str = "auto", pixels: str = "auto", size: tuple[int, int] | None = None) -> Runner:
    """Load a model.

    Args:
        path: run folder, .keras, .h5, .onnx or .plan file.
        engine: for .onnx: auto, openvino, onnxruntime or tensorrt.
        pixels: how a .keras or .h5 file from elsewhere takes its pictures, see `trainer.network.foreign.adapt`.
        size: (width, height) for one that takes any.

    Raises:
        UsageError: there is no such file, or it is of another kind.
        ModelFileError, EngineError: it cannot be read or run.
    """
    if path.is_dir():
        return open_folder(path)
    kind = path.suffix.lower()
    if kind in KERAS:
        return open_keras(path, pixels, size)
    if kind == ".onnx":
        return _open_engine(path, engine)
    if kind == ".plan":
        return _open_plan(path)
    if path.name == SAVED_MODEL:
        return open_folder(path.parent)
    raise UsageError(f"{path}: give a run folder, a .keras, .h5, .onnx or .plan file")


def is_keras_file(path: Path) -> bool:
    """Whether it is one that may come from elsewhere."""
    return path.suffix.lower() in KERAS


def check_foreign(models: Sequence[Path], pixels: str, size: tuple[int, int] | None) -> None:
    """Raises: UsageError when `pixels` or `size` is given, and none of the models takes it."""
    given = "--size" if size else "--pixels" if pixels != "auto" else ""
    if given and not any(map(is_keras_file, models)):
        raise UsageError(f"{given} is for .keras and .h5 files from elsewhere; {models[0]} says itself what it takes")


def _open_engine(path: Path, engine: str) -> Runner:
    from seg_viewer.engines import load_engine

    running = load_engine(path, engine)
    spec = running.spec
    return Runner(
        spec.name,
        running.segment,
        (spec.width, spec.height),
        spec.labels,
        len(spec.labels),
        running.report.line(),
        running.close,
    )


def _model_beside(plan: Path, sha256: str) -> ModelSpec | None:
    """The model file beside a plan that has this hash."""
    for file in sorted(plan.parent.glob("*.onnx")):
        with contextlib.suppress(ModelFileError):
            spec = read_model_file(file)
            if spec.sha256 == sha256:
                return spec
    return None


def _open_plan(path: Path) -> Runner:
    """A plan as `seg-trainer build-engine -o` writes it, its sidecar and the model it was built from beside it."""
    from seg_viewer.engines.nvidia.library import RTX, TENSORRT, require

    try:
        plan = path.read_bytes()
        beside = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        whole, built_from = beside["sha256"] == hashlib.sha256(plan).hexdigest(), beside["key"]["model_sha256"]
        runtime = {kind.name: kind for kind in (TENSORRT, RTX)}[beside["key"].get("runtime", TENSORRT.name)]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{path}: the plan and its {path.stem}.json cannot be read ({error}); build it again"
        ) from error
    if not whole:
        raise UsageError(f"{path}: is not the plan that {path.stem}.json describes; build it again")
    spec = _model_beside(path, built_from)
    if spec is None:
        raise UsageError(f"{path}: the .onnx file that it was built from must lie beside it (for classes and size)")
    require(runtime)
    from seg_viewer.engines.nvidia.cuda import Gpu
    from seg_viewer.engines.nvidia.run import PlanRunner

    gpu = Gpu(None)
    try:
        running = PlanRunner(runtime, plan, spec, gpu, 1)
    except BaseException:
        gpu.close()
        raise

    def close() -> None:
        running.close()
        gpu.close()

    return Runner(
        path.name,
        running.segment,
        (spec.width, spec.height),
        spec.labels,
        len(spec.labels),
        f"{runtime.title} plan {path}",
        close,
    )
