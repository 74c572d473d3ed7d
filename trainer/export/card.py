"""The model card: what a model was trained on and under which terms, how well it does, how to make it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seg_viewer.core.counted import counted
from seg_viewer.core.errors import UsageError
from seg_viewer.core.labels import DRIVING, LabelSet
from seg_viewer.core.scores import Scores
from trainer.architecture import described
from trainer.data.data_set import DataSet
from trainer.data.formats import terms_of
from trainer.export.release import Report
from trainer.recipe import Recipe, is_model_file, shipped_name
from trainer.scoring.heights import bin_name, percent

MARGIN_LINE = (
    "It also says how sure it is of each pixel: the probability of the class that it names minus that of the next one."
    " These are its own probabilities; nobody has checked how often it is right where it is sure."
)


PEOPLE = {"person", "people", "pedestrian", "rider", "bicyclist", "cyclist"}
CARS = {"car", "cars", "vehicle", "vehicles"}
STREET = {"road", "street", "lane", "pavement"}
"""Names of classes by which a card knows what it speaks of."""


def card_path(model: Path) -> Path:
    """Where the card of a model file lies: driving-fast.onnx → driving-fast.MODEL_CARD.md, beside it."""
    return model.with_name(f"{model.stem}.MODEL_CARD.md")


def read_known(path: Path) -> str:
    """Known failure cases as they go into the card. Raises: UsageError when it cannot be read or says nothing."""
    try:
        text = path.read_text(encoding="utf-8").strip("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is no UTF-8 text"
        raise UsageError(f"{path}: known failures cannot be read: {reason}") from error
    if not text.strip():
        raise UsageError(f"{path}: says nothing; write the known failure cases into it, or leave --known out")
    return text


def card_text(report: Report, recipe: Recipe, sets: Sequence[DataSet], run: Path, known: str = "") -> str:
    """Markdown text of the card.

    Args:
        report: of the export.
        recipe: that trained the weights.
        sets: its data sets.
        run: the run folder; only its name is written.
        known: known failure cases in Markdown, taken over as they are.
    """
    parts = [
        _head(report, recipe),
        _data(sets, report),
        _recipe(report, recipe, run),
        _scores(report),
        _heights(report),
        _flicker(report),
        _checks(report),
        _speed(report),
        _not_for(report),
        _fails(report, known),
    ]
    return "\n".join(line for part in parts for line in part).rstrip("\n") + "\n"


def _head(report: Report, recipe: Recipe) -> list[str]:
    spec = report.spec
    meaning = (
        " Car means any motor vehicle, person means pedestrians and riders, road includes lane lines."
        if spec.labels == DRIVING
        else ""
    )
    sure = f" {MARGIN_LINE}" if spec.has_margin else ""
    return [
        f"# {spec.name}",
        "",
        f"A U-Net ({described(recipe.model)}) that labels each pixel of a picture: "
        f"{', '.join(spec.labels.names)}. Input {spec.width}×{spec.height} RGB, {spec.precision}.{meaning}{sure}",
        "",
        _warning(spec.labels),
        "",
    ]


def _warning(labels: LabelSet) -> str:
    """What it is no use for, in terms of what it looks for."""
    names = set(labels.names)
    what = " and ".join(text for text, known in (("people", PEOPLE), ("cars", CARS)) if names & known)
    if not what:
        return (
            "**No safety function.** It takes pixels for what they are not, most of all at borders and of what is"
            " small, dark or unusual. Look before you rely on it."
        )
    drive = " Never steer, brake or warn by it." if names & STREET else " Look before you rely on it."
    return (
        f"**No safety function.** It misses {what}, most of all small, far, dark or unusual ones, and finds some where"
        f" there are none.{drive}"
    )


def _data(sets: Sequence[DataSet], report: Report) -> list[str]:
    lines = [
        f"- {data.name}, {counted(len(data.train), 'training picture')}: "
        f"{terms_of(data.name) or 'terms not known here'}"
        for data in sets
        if data.train
    ]
    names = {data.name for data in sets if data.train}
    begun = report.ancestor.terms.items() if report.ancestor else ()
    lines += [
        f"- {name}, in the training of the file that it began with: {terms}"
        for name, terms in begun
        if name not in names
    ]
    return ["## Trained on", "", *lines, "", "These terms concern whoever uses the weights.", ""]


def _recipe(report: Report, recipe: Recipe, run: Path) -> list[str]:
    spec, folder = report.spec, f"runs/{run.resolve().name}"
    name = shipped_name(recipe)
    says = f"`{name}` (`trainer/recipes/{name}.toml`)" if name else f"`recipe.toml` of the run `{folder}`"
    train = f"seg-trainer train {name or folder + '/recipe.toml'} --root DATA --run {folder if name else 'runs/again'}"
    made = folder if name else "runs/again"
    begun = "from random weights"
    start, first = Path(recipe.model.start), report.ancestor
    starts = [f"`{start.name}`"] if recipe.model.start and not is_model_file(start) else []
    starts += [f"`{first.name}` (sha256 {first.sha256[:12]}…)"] if first else []
    if starts:
        begun = (
            f"begun with the weights of {', that one with those of '.join(starts)}, the first of all with random ones"
        )
    export = [f"seg-trainer export {made} -o {spec.name}.onnx"]
    export += [f"--precision {spec.precision}"] if spec.precision != "int8" else []
    export += [f"--size {spec.width}x{spec.height}"] if (spec.width, spec.height) != recipe.run.size else []
    export += [] if spec.has_margin else ["--no-margin"]
    return [
        "## Recipe",
        "",
        f"{says}: {report.step} steps of {recipe.run.batch_size} pictures or crops of"
        f" {recipe.crop[0]}×{recipe.crop[1]}, loss {recipe.loss.loss}; {begun}, nothing pre-trained.",
        "",
        "```",
        train,
        " ".join(export),
        "```",
        "",
    ]


def _scores(report: Report) -> list[str]:
    if not report.scores:
        return []
    lines = [
        "## Held-out scores",
        "",
        "Intersection over union in percent, from one confusion matrix per set at the resolution of its masks.",
        "",
        f"This file ({report.runs_as}):",
        "",
        *_table(report.scores),
        "",
    ]
    if report.spec.precision != "float32":
        lines += ["The same weights in float32 (ONNX Runtime):", "", *_table(report.float_scores), ""]
    return lines


def _table(sets: Mapping[str, Scores]) -> list[str]:
    names = [label.name for label in next(iter(sets.values())).labels]
    lines = [f"| set | pictures | mIoU | {' | '.join(names)} |", "|---|---:|---:|" + "---:|" * len(names)]
    for name, found in sets.items():
        cells = [f"{found.iou[label] * 100:.1f}" if label in found.iou else "–" for label in names]
        lines.append(f"| {name} | {found.pictures} | {found.miou * 100:.1f} | {' | '.join(cells)} |")
    return lines


def _heights(report: Report) -> list[str]:
    if not report.heights:
        return []
    bins: Sequence[Mapping[str, Any]] = next(iter(next(iter(report.heights.values())).values()))
    lines = [
        "## By height of objects",
        "",
        "IoU / recall in percent (number of objects), by the height of an object as a share of the picture's. A wrong"
        " pixel counts against the object that its piece of the answer shares most pixels with, else by the height of"
        " that piece. This file:",
        "",
        f"| set | class | {' | '.join(bin_name(one) for one in bins)} |",
        "|---|---|" + "---:|" * len(bins),
    ]
    for name, classes in report.heights.items():
        for label, found in classes.items():
            cells = (f"{percent(one['iou'])} / {percent(one['recall'])} ({one['objects']})" for one in found)
            lines.append(f"| {name} | {label} | {' | '.join(cells)} |")
    return [*lines, ""]


def _flicker(report: Report) -> list[str]:
    if not report.flicker:
        return []
    lines = [
        "## Flicker",
        "",
        "Share of the pixels that change class from one frame to the next although the picture stands still there"
        " (luma changes by at most 2 of 255 grey levels), in percent:",
        "",
        "| clip | frames | still | this file | float32 | most between |",
        "|---|---:|---:|---:|---:|---|",
    ]
    for name, flicker in report.flicker.items():
        values = [percent(flicker["still"]), _fine(flicker["changed"]), _fine(report.float_flicker[name]["changed"])]
        by_classes = flicker["by_classes"].items()
        most = ", ".join(f"{pair.replace('<->', ' and ')} {_fine(share)}" for pair, share in by_classes)
        lines.append(f"| {name} | {flicker['frames']} | {' | '.join(values)} | {most or '–'} |")
    return [*lines, ""]


def _fine(share: float | None) -> str:
    return "–" if share is None else f"{share * 100:.3f}"


def _checks(report: Report) -> list[str]:
    lines = ["## Checks", "", f"Same class as Keras (float32) on {counted(report.pictures, 'picture')}:", ""]
    lines += [f"- {engine}: {share:.3%} of the pixels" for engine, share in report.parity.items()]
    if report.calibration:
        lines.append(f"- int8 ranges from {counted(report.calibration, 'training picture')}")
    return [*lines, ""]


def _speed(report: Report) -> list[str]:
    if report.speed is None:
        return []
    return [
        "## Speed",
        "",
        f"Bare inference, one picture at a time, median of both in turns in one process: {report.speed.line()}.",
        "",
    ]


def _not_for(report: Report) -> list[str]:
    names = set(report.spec.labels.names)
    people = bool(names & PEOPLE)
    whose = "people's safety" if people else "safety"
    drives = " steering, braking, warning," if names & STREET else ""
    places = "Cameras, countries, weather" if names & STREET else "Cameras, places"
    return [
        "## What it is not for",
        "",
        f"- Anything that {whose} hangs on:{drives} proof of what happened.",
        *(["- Counting, recognising or watching people."] if people else []),
        f"- {places} and light that are not in the data above: nothing here says how well it does.",
        "- Uses that the terms of the data rule out.",
        "",
    ]


def _fails(report: Report, known: str) -> list[str]:
    if not known and not report.failures:
        return []
    lines = ["## Where it fails", ""]
    if report.failures:
        lines += [*(f"- falls short: {line}" for line in report.failures), ""]
    return [*lines, *([known, ""] if known else [])]
