"""Which engines work here, how fast, whether they agree with the reference, and which one "auto" takes."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass
from itertools import repeat, takewhile
from pathlib import Path

import cv2
import numpy as np

from seg_viewer.core.errors import SegViewerError
from seg_viewer.core.frame import ByteArray
from seg_viewer.core.golden import golden_frame
from seg_viewer.core.installing import extra
from seg_viewer.core.model_file import ModelSpec, read_model_file
from seg_viewer.engines import LoadProgress, available_engines, load_engine
from seg_viewer.engines.base import Engine, segment_all

AGREEMENT_NEEDED = 0.985
"""Share of pixels that must have the reference's class; below it an engine computes something else."""

_MEASURE_S = 1.0


@dataclass(frozen=True)
class EngineCheck:
    """How one engine does on one device.

    Args:
        name: of the engine.
        works: it segmented the golden frame and agrees with the reference (where there is one).
        line: what runs, or why nothing does.
        rate: frames per second of inference alone, 0 when it does not work.
        agreement: share of the golden frame's pixels with the reference's class, or None without a reference.
        chosen: "auto" takes it.
    """

    name: str
    works: bool
    line: str
    rate: float = 0.0
    agreement: float | None = None
    chosen: bool = False


def golden_classes(spec: ModelSpec) -> tuple[ByteArray, str] | None:
    """The reference's answer on the golden frame, and whose it is; None when there is none.

    For models that ship, the class map that ONNX Runtime gave when the file was made lies beside it.
    """
    stored = spec.path.with_suffix(".golden.png")
    if stored.exists():
        classes = cv2.imread(str(stored), cv2.IMREAD_GRAYSCALE)
        if classes is not None and classes.shape == (spec.height, spec.width):
            return np.asarray(classes, np.uint8), "stored answer of ONNX Runtime"
    try:
        engine = load_engine(spec, "onnxruntime", "CPU")
    except SegViewerError:
        return None
    with closing(engine):
        return engine.segment(golden_frame(spec)), "ONNX Runtime on this machine"


def check_engines(
    spec: ModelSpec, device: str | None = None, progress: LoadProgress | None = None
) -> tuple[list[EngineCheck], str]:
    """Try every engine. Returns the checks in the order of "auto", and what the reference was.

    Args:
        spec: the model to try them with.
        device: as the engines call it, or None for all that there are.
        progress: told how far an engine is that takes long to make ready.
    """
    frame = golden_frame(spec)
    golden = golden_classes(spec)
    checks: list[EngineCheck] = []
    for choice in available_engines():
        if choice.problem:
            checks.append(EngineCheck(choice.name, False, choice.problem))
            continue
        for name in choice.devices if device is None else (device,):
            check = _check(choice.name, name, spec, frame, golden[0] if golden else None, progress)
            first = check.works and not any(other.chosen for other in checks)
            checks.append(EngineCheck(**{**check.__dict__, "chosen": first}))
    return checks, golden[1] if golden else f"none; to have one, {extra('onnxruntime')}"


def _check(
    name: str,
    device: str,
    spec: ModelSpec,
    frame: ByteArray,
    golden: ByteArray | None,
    progress: LoadProgress | None,
) -> EngineCheck:
    try:
        with closing(load_engine(spec, name, device, progress=progress)) as engine:
            classes = engine.segment(frame)
            rate = _measure(engine, frame)
            line = " · ".join(filter(None, [engine.report.line(), engine.report.notes()]))
            if engine.report.fallback:
                return EngineCheck(name, False, engine.report.fallback)
    except SegViewerError as error:
        return EngineCheck(name, False, str(error))
    agreement = None if golden is None else float(np.mean(classes == golden))
    works = agreement is None or agreement >= AGREEMENT_NEEDED
    return EngineCheck(name, works, line, rate, agreement)


def check_model(path: Path, engine: str, device: str | None = None, progress: LoadProgress | None = None) -> str:
    """Whether an engine gives a model's golden answer, see `golden_classes`; one line, also when something is wrong.

    Args:
        path: the model file.
        engine: one of `engine_names`.
        device: as the engine calls it, or None for its default.
        progress: told how far an engine is that takes long to make ready.
    """
    try:
        spec = read_model_file(path)
        golden = golden_classes(spec)
        if golden is None:
            return f"✗ {spec.name}: no answer is stored beside it, and ONNX Runtime is not here to give one"
        with closing(load_engine(spec, engine, device, progress=progress)) as running:
            classes = running.segment(golden_frame(spec))
        fallback = running.report.fallback
    except SegViewerError as error:
        return f"✗ {path.stem}: {error}"
    share = float(np.mean(classes == golden[0]))
    mark, needed = (
        ("✓", "") if share >= AGREEMENT_NEEDED else ("✗", f", less than the {100 * AGREEMENT_NEEDED:g} % needed")
    )
    ran = f"{running.report.name} ({fallback})" if fallback else running.report.name
    return f"{mark} {spec.name}: {ran} agrees with the {golden[1]} on {100 * share:.2f} % of the pixels{needed}"


def _measure(engine: Engine, frame: ByteArray) -> float:
    """Frames per second over about a second."""
    start_s = time.perf_counter()
    pictures = takewhile(lambda _: time.perf_counter() - start_s < _MEASURE_S, repeat(frame))
    done = sum(1 for _ in segment_all(engine, pictures))
    return done / (time.perf_counter() - start_s)


def write_golden(spec: ModelSpec) -> Path:
    """Store ONNX Runtime's answer on the golden frame beside a model file, for `golden_classes`.

    Raises: EngineError without ONNX Runtime.
    """
    with closing(load_engine(spec, "onnxruntime", "CPU")) as engine:
        classes = engine.segment(golden_frame(spec))
    path = spec.path.with_suffix(".golden.png")
    cv2.imwrite(str(path), classes)
    return path
