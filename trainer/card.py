"""The model card: what a model was trained on, under which terms, and how well it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from seg_viewer.core.labels import DRIVING
from trainer.datasets import DataSet
from trainer.metrics import Scores
from trainer.recipe import Recipe
from trainer.ship import Report
from trainer.unet import stage_widths

TERMS = {
    "camvid": "CamVid (Brostow et al.), Cambridge streets: CC BY-NC 4.0, not for commercial use",
    "idd": "IDD-Lite (Varma et al.), Indian streets: research terms of the India Driving Dataset",
    "carla": "CARLA simulator drives",
    "cityscapes": "Cityscapes (Cordts et al.): its own terms, not for commercial use",
    "oxford_pets": "Oxford-IIIT Pet (Parkhi et al.): CC BY-SA 4.0",
    "penn_fudan": "Penn-Fudan pedestrians: academic use; only people are annotated, the rest was ignored",
    "carvana": "Carvana studio cars: rules of its Kaggle competition",
    "rendered": "frames rendered for this project from its own Blender scene",
}


def _table(sets: Mapping[str, Scores]) -> list[str]:
    names = [label.name for label in next(iter(sets.values())).labels]
    lines = [f"| set | pictures | mIoU | {' | '.join(names)} |", "|---|---:|---:|" + "---:|" * len(names)]
    for name, found in sets.items():
        cells = [f"{found.iou[label] * 100:.1f}" if label in found.iou else "–" for label in names]
        lines.append(f"| {name} | {found.pictures} | {found.miou * 100:.1f} | {' | '.join(cells)} |")
    return lines


def card_text(report: Report, recipe: Recipe, sets: Sequence[DataSet]) -> str:
    """Markdown text of the card."""
    spec = report.spec
    widths = "-".join(map(str, stage_widths(recipe.model)))
    meaning = (
        " Car means any motor vehicle, person means pedestrians and riders, road includes lane lines."
        if spec.labels == DRIVING
        else ""
    )
    lines = [
        f"# {spec.name}",
        "",
        f"A U-Net ({recipe.model.arch}, widths {widths}) that labels each pixel of a picture: "
        f"{', '.join(spec.labels.names)}. Input {spec.width}×{spec.height} RGB, {spec.precision}.{meaning}",
        "",
        "**No safety function.** It misses people and cars, most of all small, far, dark or unusual ones, and finds"
        " some where there are none. Never steer, brake or warn by it.",
        "",
        "## Trained on",
        "",
        *(
            f"- {data.name}, {len(data.train)} pictures: {TERMS.get(data.name, 'terms not known here')}"
            for data in sets
        ),
        "",
        "These terms concern whoever uses the weights.",
        "",
        f"{report.step} steps of {recipe.run.batch_size} pictures or crops of {recipe.crop[0]}×{recipe.crop[1]},"
        f" loss {recipe.loss.loss}; from random weights, nothing pre-trained.",
        "",
    ]
    if report.scores:
        lines += [
            "## Held-out scores",
            "",
            "Intersection over union in percent, from one confusion matrix per set at the resolution of its masks.",
            "",
            f"This file ({report.runs_as}):",
            "",
            *_table(report.scores),
            "",
        ]
        if spec.precision != "float32":
            lines += ["The same weights in float32 (ONNX Runtime):", "", *_table(report.float_scores), ""]
    lines += ["## Checks", "", f"Same class as Keras (float32) on {report.pictures} pictures:", ""]
    lines += [f"- {engine}: {share:.3%} of the pixels" for engine, share in report.parity.items()]
    if report.calibration:
        lines.append(f"- int8 ranges from {report.calibration} training pictures")
    lines += [f"- falls short: {line}" for line in report.failures]
    return "\n".join([*lines, ""])
