"""The whole way from a run folder to a model file: export, quantise, check against Keras, score, write."""

from __future__ import annotations

import copy
import dataclasses
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seg_viewer import __version__
from seg_viewer.core.counted import counted
from seg_viewer.core.errors import ExportError, UsageError
from seg_viewer.core.model_file import ModelSpec
from seg_viewer.core.scores import Scores
from seg_viewer.engines import load_engine
from seg_viewer.engines.float16 import to_float16
from trainer.data.data_set import DataSet
from trainer.data.formats import terms_of
from trainer.export.graph import headed, run_onnx, run_openvino, write_model
from trainer.export.int8 import int8_graph
from trainer.export.margin import add_margin
from trainer.labels.details import Details, details_of
from trainer.labels.named import read_label_map
from trainer.network.backend import start_backend
from trainer.network.build import float_unet, folded
from trainer.network.keras_file import keras_class_map
from trainer.network.names import OWN_LOGITS
from trainer.recipe import Recipe, Source, read_recipe, shipped_name
from trainer.run_folder.ancestor import Ancestor, read_ancestor
from trainer.run_folder.checkpoint import RECIPE, Arrays, load_weights
from trainer.scoring.clips import clip_pictures
from trainer.scoring.evaluate import Measured, MeasuredModel, Predict, measure_all, to_frame, training_frames
from trainer.scoring.flicker import measure_flicker, short
from trainer.scoring.speed import Speed, measure_speed

PRECISIONS = ("float32", "float16", "int8")
LEAST_AGREEMENT = {"float32": 0.9999, "float16": 0.999, "int8": 0.99}
MOST_MIOU_LOSS = 0.005
PARITY_PICTURES = 40


@dataclass
class Report:
    """What an export found out.

    Args:
        step: training step of the weights.
        spec: of the written file.
        parity: engine → share of pixels where the written graph gives the class that Keras gives.
        float_scores: held-out scores of the float32 graph in ONNX Runtime, by set.
        scores: held-out scores of the written graph as the viewer's OpenVINO engine runs it, by set.
        runs_as: what that engine says of itself.
        pictures: how many pictures the parity is from.
        calibration: training pictures that the int8 ranges are from.
        failures: where it falls short of the gate, one line each.
        heights: set → class → bins of the written graph, see `trainer.scoring.heights`.
        flicker: clip → `trainer.scoring.flicker` of the written graph as the viewer runs it.
        float_flicker: of the float32 graph in ONNX Runtime.
        speed: when it was asked for.
        ancestor: the model file that training began with.
    """

    step: int
    spec: ModelSpec
    parity: dict[str, float]
    float_scores: dict[str, Scores]
    scores: dict[str, Scores]
    runs_as: str = ""
    pictures: int = 0
    calibration: int = 0
    failures: list[str] = field(default_factory=list)
    heights: dict[str, Any] = field(default_factory=dict)
    flicker: dict[str, dict[str, Any]] = field(default_factory=dict)
    float_flicker: dict[str, dict[str, Any]] = field(default_factory=dict)
    speed: Speed | None = None
    ancestor: Ancestor | None = None


def export_run(
    recipe: Recipe,
    found: Sequence[tuple[Source, DataSet]],
    run: Path,
    output: Path,
    precision: str,
    note: Callable[[str], None],
    calibration: int = 256,
    size: tuple[int, int] | None = None,
    allow_worse: bool = False,
    clips: Mapping[str, str] | None = None,
    speed: bool = False,
    margin: bool = True,
) -> Report:
    """Export the best weights of a run; nothing is written when the gate finds them changed on the way.

    Args:
        recipe: the recipe that trained them.
        found: its data sets, for parity, calibration and scores.
        run: the run folder.
        output: the .onnx file to write or replace; its stem becomes the model's name.
        precision: "float32", "float16" or "int8".
        note: called with lines of progress.
        calibration: how many training pictures int8 ranges are taken from.
        size: (width, height) of the model's input; the recipe's when None.
        allow_worse: write the file although it falls short, and say by how much.
        clips: name → clip, on which flicker is measured.
        speed: measure milliseconds too.
        margin: give the file the output that says how sure the model is, see `add_margin`.

    Raises:
        UsageError: no weights there, no such precision, or a size the network cannot take.
        ExportError: the graph does not agree with Keras, or the file cannot be written.
        SourceError: data is missing or damaged.
    """
    if precision not in PRECISIONS:
        raise UsageError(f"precision '{precision}': choose {', '.join(PRECISIONS)}")
    start_backend()
    if size:
        recipe = recipe.change(size=size, crop=(0, 0))
    size = recipe.run.size
    sets = [data for _, data in found]
    weights, step = load_weights(run)
    trunk, details = _network(recipe, weights, sets[0], run)
    model = folded(trunk, details)
    with_head = headed(trunk, details)
    plain = with_head(False)
    pictures = parity_pictures(sets, size)
    as_float = MeasuredModel(run_onnx(plain), size, sets[0].labels)
    float_scores = _scores(measure_all(as_float, sets))
    ancestor = read_ancestor(run)
    spec = _spec(output.stem, sets, size, precision, ancestor)
    report = Report(step, spec, {}, float_scores, float_scores, pictures=len(pictures), ancestor=ancestor)
    graph = copy.deepcopy(plain)
    if precision == "float16":
        graph = to_float16(plain)
    elif precision == "int8":
        frames = training_frames(found, size, calibration)
        note(f"int8: ranges from {counted(len(frames), 'training picture')}")
        graph = int8_graph(with_head(True), frames)
        report.calibration = len(frames)
    if margin:
        graph = add_margin(graph)
    _compare(report, graph, model, pictures, sets, as_float, clips or {})
    report.failures = _failures(report)
    _gate(report, output, note, allow_worse)
    if speed:
        report.speed = measure_speed(graph, plain, pictures[0])
    report.spec = write_model(graph, _with_results(report, recipe), output)
    return report


def _network(recipe: Recipe, weights: Arrays, data: DataSet, run: Path) -> tuple[Any, Details]:
    """The network in float32 with the one head of the recipe's classes, and what its logits mean."""
    import keras

    details = details_of(data.labels, data.details, recipe.model.subpixel)
    learned = read_recipe(str(run / RECIPE)).run.labels
    if not details.subpixel or details.folds or learned == recipe.run.labels:
        return float_unet(recipe.model, weights, recipe.run.size, details), details
    # what it learned underneath: the logits of its second head, at half size
    both = details_of(read_label_map(learned).labels, data.details, subpixel=True)
    network = float_unet(recipe.model, weights, recipe.run.size, both)
    head = network.get_layer(OWN_LOGITS).output
    return keras.Model(network.input, head), dataclasses.replace(details, subpixel=False)


def _spec(
    name: str, sets: Sequence[DataSet], size: tuple[int, int], precision: str, ancestor: Ancestor | None
) -> ModelSpec:
    """The spec of the file before anything was measured; `size` is (width, height)."""
    trained_on = dict.fromkeys([data.name for data in sets if data.train] + list(ancestor.terms if ancestor else ()))
    return ModelSpec(
        Path(),
        name,
        sets[0].labels,
        size[1],
        size[0],
        precision,
        trained_on=tuple(trained_on),
        producer=f"seg-trainer {__version__}",
    )


def _scores(found: Mapping[str, Measured]) -> dict[str, Scores]:
    return {name: measured.scores for name, measured in found.items()}


def parity_pictures(sets: Sequence[DataSet], size: tuple[int, int]) -> list[NDArray[np.uint8]]:
    """Up to 40 held-out pictures (training ones where nothing is held out), of every set, at the network's size."""
    held = [(data, pair) for data in sets for pair in data.held_out]
    pairs = held or [(data, pair) for data in sets for pair in data.train]
    chosen = pairs[:: max(1, -(-len(pairs) // PARITY_PICTURES))]
    return [to_frame(data.read(pair)[0], size) for data, pair in chosen]


def _compare(
    report: Report,
    graph: Any,
    model: Any,
    pictures: Sequence[NDArray[np.uint8]],
    sets: Sequence[DataSet],
    as_float: MeasuredModel,
    clips: Mapping[str, str],
) -> None:
    """Parity of the graph with Keras in both runtimes, and its scores and flicker as the viewer will run it."""
    answers = [keras_class_map(model, picture) for picture in pictures]

    def parity(predict: Predict) -> float:
        same = [np.mean(predict(picture) == answer) for picture, answer in zip(pictures, answers, strict=True)]
        return float(np.mean(same))

    report.parity["ONNX Runtime"] = parity(run_onnx(graph))
    report.parity["OpenVINO"] = parity(run_openvino(graph))
    with tempfile.TemporaryDirectory() as folder:
        spec = write_model(graph, report.spec, Path(folder) / "candidate.onnx")
        engine = load_engine(spec, "openvino")
        try:
            report.runs_as = engine.report.line()
            report.parity["OpenVINO as the viewer runs it"] = parity(engine.segment)
            as_seen = MeasuredModel(engine.segment, as_float.size, as_float.labels)
            found = measure_all(as_seen, sets)
            report.scores = _scores(found)
            report.heights = {name: measured.heights for name, measured in found.items() if measured.heights}
            for name, clip in clips.items():
                measured = measure_flicker([as_seen, as_float], clip_pictures(clip))
                report.flicker[name], report.float_flicker[name] = measured
        finally:
            engine.close()


def _failures(report: Report) -> list[str]:
    """One line for each shortfall: agreement with Keras by precision, and mIoU lost against float32."""
    failures = []
    precision = report.spec.precision
    least = LEAST_AGREEMENT[precision]
    for engine, share in report.parity.items():
        # in bfloat16 the viewer's engine may differ more than the graph does; the scores below show what that costs
        if share < least and (precision == "int8" or "viewer" not in engine):
            failures.append(
                f"{precision} in {engine} agrees with Keras on {share:.3%} of the pixels of"
                f" {counted(report.pictures, 'picture')},"
                f" less than {least:.2%}"
            )
    for name, found in report.scores.items():
        lost = report.float_scores[name].miou - found.miou
        if lost > MOST_MIOU_LOSS:
            failures.append(f"{precision} loses {lost * 100:.2f} mIoU on {name}, more than {MOST_MIOU_LOSS * 100:.1f}")
    return failures


def _gate(report: Report, output: Path, note: Callable[[str], None], allow_worse: bool) -> None:
    """Say where a report falls short. Raises: ExportError when it does and may not."""
    for line in report.failures:
        note(f"falls short: {line}")
    if report.failures and not allow_worse:
        raise ExportError(
            f"{output}: not written: {report.failures[0]}; train longer, export another --precision, or accept it with"
            " --allow-worse"
        )


def _with_results(report: Report, recipe: Recipe) -> ModelSpec:
    """The spec of the file with scores and provenance."""
    provenance = {
        "recipe": shipped_name(recipe) or "of its own",
        "network": recipe.model.arch,
        "steps": report.step,
        "batch_size": recipe.run.batch_size,
        "loss": recipe.loss.loss,
        "seed": recipe.run.seed,
        "parity": {name: round(share, 6) for name, share in report.parity.items()},
        "parity_pictures": report.pictures,
        "float32_miou": {name: round(found.miou, 4) for name, found in report.float_scores.items()},
        "falls_short": list(report.failures),
    }
    begun = dict(report.ancestor.terms) if report.ancestor else {}
    provenance["terms"] = {
        name: terms_of(name) or begun.get(name, "terms not known here") for name in report.spec.trained_on
    }
    if report.ancestor:
        provenance["began_with"] = {"file": report.ancestor.name, "sha256": report.ancestor.sha256}
    if report.calibration:
        provenance["calibration_pictures"] = report.calibration
    if report.float_flicker:
        provenance["float32_changed"] = {name: found["changed"] for name, found in report.float_flicker.items()}
    if report.speed:
        provenance["speed"] = report.speed.to_json()
    metrics = {name: found.to_json() for name, found in report.scores.items()}
    flicker = {name: short(found) for name, found in report.flicker.items()}
    measures = {key: part for key, part in (("heights", report.heights), ("calm", flicker)) if part}
    return dataclasses.replace(report.spec, metrics=metrics, measures=measures or None, provenance=provenance)
