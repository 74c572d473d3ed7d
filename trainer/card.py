"""The model card: what a shipped model was trained on, under which terms, and how well it does."""

from __future__ import annotations

from trainer.metrics import Scores
from trainer.recipe import Recipe
from trainer.ship import Report

TERMS = {
    "camvid": "CamVid (Brostow et al.), Cambridge streets, 367 training pictures: CC BY-NC 4.0, not for commercial use",
    "idd": "IDD-Lite (Varma et al.), Indian streets: research terms of the India Driving Dataset",
    "carla": "one drive through a CARLA 0.8 town (Lyft-Udacity challenge data): no terms stated",
    "penn_fudan": "Penn-Fudan pedestrians: academic use; only people are annotated, the rest was ignored",
    "carvana": "Carvana studio cars: rules of its Kaggle competition",
    "rendered": "frames rendered for this project from its own Blender scene",
}


def _table(sets: dict[str, Scores]) -> list[str]:
    names = [label.name for label in next(iter(sets.values())).labels]
    lines = [f"| set | pictures | mIoU | {' | '.join(names)} |", "|---|---:|---:|" + "---:|" * len(names)]
    for name, found in sets.items():
        cells = [f"{found.iou[label] * 100:.1f}" if label in found.iou else "–" for label in names]
        lines.append(f"| {name} | {found.pictures} | {found.miou * 100:.1f} | {' | '.join(cells)} |")
    return lines


def card_text(report: Report, recipe: Recipe, recipe_name: str) -> str:
    """Markdown text of the card."""
    spec = report.spec
    lines = [
        f"# {spec.name}",
        "",
        f"A small U-Net ({len(recipe.widths)} stages, widths {'-'.join(map(str, recipe.widths))}, plain 3×3"
        f" convolutions) that labels each pixel of a driving picture: {', '.join(spec.labels.names)}."
        f" Input {spec.width}×{spec.height} RGB, {spec.precision}. Car means any motor vehicle, person means"
        " pedestrians and riders, road includes lane lines.",
        "",
        "**No safety function.** It misses people and cars, most of all small, far, dark or unusual ones, and finds"
        " some where there are none. Never steer, brake or warn by it.",
        "",
        "## Trained on",
        "",
        *(f"- {TERMS.get(name, name)}" for name in spec.trained_on),
        "",
        "These terms concern whoever uses the weights: as a whole they are for research and private use, not",
        "commercial.",
        "No picture of these sets is part of this project.",
        "",
        f"Recipe: `trainer/recipes/{recipe_name}.toml`, {report.step} steps of {recipe.batch} crops of"
        f" {recipe.augment.crop[0]}×{recipe.augment.crop[1]}; from random weights, nothing pre-trained."
        f" `seg-trainer train {recipe_name} --data DIR --run runs/{recipe_name}`, then `seg-trainer export`.",
        "",
        "## Held-out scores",
        "",
        "Intersection over union in percent, from one confusion matrix per set at the resolution of its masks. CamVid:",
        "its `val` list; IDD: every fifth drive; CARLA: the last 15 % of the drive, 12 frames apart from the training",
        "frames; carvana: every tenth car; rendered: the last 15 % of our own Blender frames. CARLA and rendered",
        "frames are of the same town and scenes as the training frames: expect less elsewhere.",
        "",
        f"This file ({spec.precision}):",
        "",
        *_table(report.scores),
        "",
    ]
    if spec.precision != "float32":
        lines += ["The same weights in float32 (ONNX Runtime):", "", *_table(report.float_scores), ""]
    lines += [
        "## Checks",
        "",
        f"- float32 graph in ONNX Runtime against Keras: same class on {report.parity:.3%} of pixels",
    ]
    if report.kept is not None and report.engines is not None:
        lines += [
            f"- {spec.precision} against float32: same class on {report.kept:.2%} of pixels"
            f" (ranges from {report.calibration} training pictures)",
            f"- {spec.precision} in OpenVINO against ONNX Runtime: same class on {report.engines:.3%} of pixels",
        ]
    lines += [f"- falls short: {line}" for line in report.warnings]
    return "\n".join([*lines, ""])
