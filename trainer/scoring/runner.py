"""Any trained model as a function picture → class map: run folder, .keras, .onnx on any engine, TensorRT plan."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.errors import ModelFileError, UsageError
from seg_viewer.core.labels import LabelSet
from seg_viewer.core.model_file import ModelSpec, read_model_file
from trainer.network.backend import start_backend
from trainer.scoring.evaluate import Predict


@dataclass
class Runner:
    """A model that is ready.

    Args:
        name: for people.
        predict: (H, W, 3) uint8 RGB of the network's size → (H, W) uint8 class ids.
        size: (width, height) it takes.
        labels: its classes; None where the file does not say.
        runs_as: what runs it, for people.
        close: lets go of it.
    """

    name: str
    predict: Predict
    size: tuple[int, int]
    labels: LabelSet | None
    runs_as: str
    close: Callable[[], None]


def open_model(path: Path, engine: str = "auto") -> Runner:
    """Load a model.

    Args:
        path: run folder (its model.keras), .keras, .onnx or .plan file.
        engine: for .onnx: auto, openvino, onnxruntime or tensorrt.

    Raises:
        UsageError: there is no such file, or it is of another kind.
        ModelFileError, EngineError: it cannot be read or run.
    """
    if path.is_dir():
        path = path / "model.keras"
        if not path.is_file():
            raise UsageError(f"{path.parent}: holds no model.keras; is the run finished?")
    if path.suffix == ".keras":
        return _open_keras(path)
    if path.suffix == ".onnx":
        return _open_engine(path, engine)
    if path.suffix == ".plan":
        return _open_plan(path)
    raise UsageError(f"{path}: give a run folder, a .keras, .onnx or .plan file")


def _open_keras(path: Path) -> Runner:
    start_backend()
    import keras

    from trainer.network.keras_file import keras_class_map, load_keras

    model, labels = load_keras(path)
    _, height, width, _ = model.input_shape

    def predict(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return keras_class_map(model, picture)

    runs_as = f"Keras {keras.__version__} on {keras.backend.backend()}, float32"
    return Runner(path.name, predict, (width, height), labels, runs_as, lambda: None)


def _open_engine(path: Path, engine: str) -> Runner:
    from seg_viewer.engines import load_engine

    running = load_engine(path, engine)
    spec = running.spec
    return Runner(
        spec.name, running.segment, (spec.width, spec.height), spec.labels, running.report.line(), running.close
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
        path.name, running.segment, (spec.width, spec.height), spec.labels, f"{runtime.title} plan {path}", close
    )
