"""The whole way from a run folder to a model file: export, quantise, score on held-out pictures, write, tell."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seg_viewer.core.errors import UsageError
from seg_viewer.core.labels import DRIVING
from seg_viewer.core.model_file import ModelSpec
from seg_viewer.engines import load_engine
from trainer.evaluate import found_sets, score_all, training_frames
from trainer.export import (
    agreement,
    check_parity,
    float_model,
    float_unet,
    make_spec,
    run_onnx,
    trunk_to_onnx,
    write_model,
)
from trainer.fit import load_weights
from trainer.head import add_head
from trainer.metrics import Scores
from trainer.quantize import activation_ranges, observe, quantize, split_joins
from trainer.recipe import Recipe

PARITY_PICTURES = 40
MOST_MIOU_LOSS = 0.005


@dataclass
class Report:
    """What an export found out.

    Args:
        step: training step of the weights.
        spec: of the written file.
        parity: share of pixels where the float32 graph in ONNX Runtime gives the class that Keras gives.
        float_scores: held-out scores of the float32 graph in ONNX Runtime, by set.
        scores: held-out scores of the written graph, by set.
        engines: for int8, share of pixels where OpenVINO and ONNX Runtime give the same class.
        kept: for int8, share of pixels where it gives the class that the float32 graph gives.
        calibration: pictures that the ranges are from.
        warnings: what falls short.
    """

    step: int
    spec: ModelSpec
    parity: float
    float_scores: dict[str, Scores]
    scores: dict[str, Scores]
    engines: float | None = None
    kept: float | None = None
    calibration: int = 0
    warnings: list[str] = field(default_factory=list)


def export_run(
    recipe: Recipe,
    roots: Sequence[Path],
    run: Path,
    output: Path,
    precision: str,
    note: Callable[[str], None],
    calibration: int = 256,
) -> Report:
    """Export the averaged weights of a run.

    Args:
        recipe: the recipe that trained them.
        roots: data folders, for parity, calibration and scores.
        run: the run folder.
        output: the .onnx file to write or replace; its stem becomes the model's name.
        precision: "float32" or "int8".
        note: called with lines of progress.
        calibration: how many training pictures int8 ranges are taken from.

    Raises:
        UsageError: no weights there, or no such precision.
        ExportError: the graph does not agree with Keras, or the file cannot be written.
        SourceError: data is missing or damaged.
    """
    if precision not in ("float32", "int8"):
        raise UsageError(f"precision '{precision}': choose float32 or int8")
    weights, step = load_weights(run)
    size = recipe.augment.frame
    model = float_unet(recipe.widths, weights, size, len(DRIVING))
    plain = float_model(model)
    frames = training_frames(recipe, roots, calibration)
    parity = check_parity(model, plain, frames[:: max(1, len(frames) // PARITY_PICTURES)])
    note(f"step {step}: float32 graph agrees with Keras on {parity:.4%} of the pixels")
    float_scores = score_all(run_onnx(plain), recipe, roots, DRIVING)
    trained_on = [found.name for found in found_sets(recipe, roots)]
    report = Report(step, make_spec(output.stem, size, precision, trained_on, {}), parity, float_scores, float_scores)
    graph = plain
    if precision == "int8":
        graph = split_joins(add_head(trunk_to_onnx(model), "phases"))
        graph = quantize(graph, activation_ranges(observe(graph, frames)))
        report.calibration = len(frames)
        _judge_int8(report, graph, plain, recipe, roots, frames)
    metrics = {name: found.to_json() for name, found in report.scores.items()}
    report.spec = write_model(graph, make_spec(output.stem, size, precision, trained_on, metrics), output)
    for line in report.warnings:
        note(f"falls short: {line}")
    return report


def _judge_int8(
    report: Report, graph: Any, plain: Any, recipe: Recipe, roots: Sequence[Path], frames: Sequence[Any]
) -> None:
    """Score the int8 graph as OpenVINO runs it, and compare engines and precisions on real pictures."""
    with tempfile.TemporaryDirectory() as folder:
        spec = write_model(graph, report.spec, Path(folder) / "candidate.onnx")
        engine = load_engine(spec, "openvino")
        try:
            report.scores = score_all(engine.segment, recipe, roots, DRIVING)
            some = frames[:: max(1, len(frames) // PARITY_PICTURES)]
            report.engines = agreement(engine.segment, run_onnx(graph), some)
            report.kept = agreement(engine.segment, run_onnx(plain), some)
        finally:
            engine.close()
    for name, found in report.scores.items():
        lost = report.float_scores[name].miou - found.miou
        if lost > MOST_MIOU_LOSS:
            report.warnings.append(f"int8 loses {lost * 100:.2f} mIoU on {name}, more than {MOST_MIOU_LOSS * 100:.1f}")
