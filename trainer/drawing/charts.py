"""Charts of a data set and of a run, drawn with matplotlib: class shares, curves, IoU bars, confusion matrix."""

from __future__ import annotations

import importlib.util
import io
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.labels import LabelSet
from seg_viewer.core.part_file import write_bytes
from seg_viewer.core.scores import Scores

INK, GRID = "#2b2f36", "#d9dce1"
ONE, TWO = "#1f77b4", "#e4572e"


def missing() -> list[str]:
    """Names of the packages that drawing needs, and that are not installed."""
    packages = {"matplotlib": "matplotlib", "PIL": "pillow"}
    return [name for module, name in packages.items() if importlib.util.find_spec(module) is None]


def _figure(width: float, height: float) -> Any:
    """A figure without pyplot, which would keep it and may look for a display."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=110, layout="constrained")


def _tidy(axes: Any) -> None:
    axes.grid(True, color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def save(figure: Any, path: Path) -> Path:
    """Write a figure as PNG. Raises: ExportError."""
    write_bytes(path, _png(figure))
    return path


def _png(figure: Any) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    data = io.BytesIO()
    canvas: Any = FigureCanvasAgg(figure)
    canvas.print_png(data)  # the picture of savefig, which draws all of it twice
    return data.getvalue()


def _color(labels: LabelSet, class_id: int) -> tuple[float, float, float]:
    """Colour of a class for a chart; black and near-white ones become grey."""
    red, green, blue = (value / 255 for value in labels[class_id].color)
    return (red, green, blue) if 0.15 <= red + green + blue <= 2.85 else (0.55, 0.57, 0.6)


def shares(labels: LabelSet, by_part: Mapping[str, NDArray[np.float64]], path: Path) -> Path:
    """Bars of each class's share of the pixels (logarithmic), one bar for each part."""
    figure = _figure(8, 1.2 + 0.3 * len(labels) * len(by_part))
    axes = figure.add_subplot()
    height = 0.8 / len(by_part)
    for place, (part, values) in enumerate(by_part.items()):
        y = np.arange(len(labels)) + place * height
        percent = np.asarray(values) * 100
        colors = [_color(labels, index) for index in range(len(labels))]
        axes.barh(y, np.maximum(percent, 1e-4), height, color=colors, alpha=1.0 if place == 0 else 0.5, label=part)
        for at, value in zip(y, percent, strict=True):
            axes.text(max(value, 1e-4) * 1.1, at, f"{value:.2f} %  {part}", va="center", fontsize=7, color=INK)
    axes.set_yticks(np.arange(len(labels)) + height * (len(by_part) - 1) / 2, labels.names)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlim(1e-3, 1000)
    axes.set_xlabel("share of the labelled pixels, % (logarithmic)")
    _tidy(axes)
    return save(figure, path)


def curves(history: Sequence[Mapping[str, float]], path: Path) -> Path:
    """`curves_png` as a file. Raises: ExportError."""
    write_bytes(path, curves_png(history))
    return path


def curves_png(history: Sequence[Mapping[str, float]]) -> bytes:
    """Loss, accuracy, mIoU and learning rate over the epochs, training against validation, as a PNG."""
    figure = _figure(11, 6.5)
    plots = (
        ("loss", "loss", (("loss", "training", ONE), ("val_loss", "validation", TWO))),
        ("pixel accuracy, %", "accuracy", (("accuracy", "training", ONE), ("val_accuracy", "validation", TWO))),
        ("mean IoU, %", "", (("val_miou", "validation", TWO),)),
        ("learning rate", "", (("learning_rate", "", INK),)),
    )
    for place, (title, _, lines) in enumerate(plots, 1):
        axes = figure.add_subplot(2, 2, place)
        scale = 100 if "%" in title else 1
        for key, name, color in lines:
            points = [(row["epoch"], row[key] * scale) for row in history if key in row]
            if points:
                x, y = zip(*points, strict=True)
                axes.plot(x, y, color=color, label=name, marker="o" if len(points) < 30 else None, markersize=3)
        axes.set_title(title, fontsize=10, loc="left")
        axes.set_xlabel("epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        if len(lines) > 1:
            axes.legend(frameon=False)
        if not axes.lines:
            axes.text(0.5, 0.5, "nothing held out", ha="center", transform=axes.transAxes, color=INK)
        _tidy(axes)
    return _png(figure)


def iou_bars(scores: Scores, path: Path) -> Path:
    """IoU of each class that occurs."""
    found = scores.iou
    figure = _figure(8, 1.2 + 0.32 * max(1, len(found)))
    axes = figure.add_subplot()
    values = [value * 100 for value in found.values()]
    colors = [_color(scores.labels, scores.labels.by_name(name).id) for name in found]
    axes.barh(list(found), values, color=colors)
    for place, value in enumerate(values):
        axes.text(value + 0.8, place, f"{value:.1f}", va="center", fontsize=8, color=INK)
    axes.invert_yaxis()
    axes.set_xlim(0, 108)
    axes.set_xlabel("intersection over union, %")
    axes.set_title(f"mean {scores.miou * 100:.1f} over {len(found)} classes", fontsize=10, loc="left")
    _tidy(axes)
    return save(figure, path)


def confusion(scores: Scores, path: Path) -> Path:
    """Confusion matrix, each row (truth) in percent."""
    matrix = scores.matrix / np.maximum(scores.matrix.sum(1, keepdims=True), 1) * 100
    names, count = scores.labels.names, len(scores.labels)
    side = max(3.6, 1.6 + 0.42 * count)
    figure = _figure(side + 0.6, side)
    axes = figure.add_subplot()
    axes.imshow(matrix, cmap="Blues", vmin=0, vmax=100)
    for row, column in np.ndindex(count, count):
        value = matrix[row, column]
        if value >= 0.5:
            color = "white" if value > 55 else INK
            axes.text(column, row, f"{value:.0f}", ha="center", va="center", fontsize=7, color=color)
    axes.set_xticks(range(count), names, rotation=60, ha="right", fontsize=8)
    axes.set_yticks(range(count), names, fontsize=8)
    axes.set_xlabel("predicted")
    axes.set_ylabel("truth (rows sum to 100 %)")
    return save(figure, path)


def architecture(model: Any, path: Path) -> Path:
    """The network as a U: a box for each map, as high as the map is large and as wide as it has channels."""
    from matplotlib.patches import FancyArrowPatch, Rectangle

    boxes = _maps(model)
    largest = max(height for _, height, _, _ in boxes)
    figure = _figure(max(8.0, 0.62 * len(boxes)), 5.2)
    axes = figure.add_subplot()
    x = 0.0
    middle: list[tuple[float, float, int, float]] = []  # left, y, height of the map, right
    ends: dict[int, tuple[float, float]] = {}
    for name, height, width, channels in boxes:
        level = np.log2(largest / height)
        tall, wide = 2.2 * (height / largest) ** 0.6, 0.12 + 0.05 * np.sqrt(channels)
        y = -1.5 * level
        face = "#8fbbe8" if name.startswith("down") else "#f2b38a" if name.startswith("up") else "#b6d7a8"
        axes.add_patch(Rectangle((x, y - tall / 2), wide, tall, facecolor=face, edgecolor=INK, linewidth=0.8))
        axes.text(x + wide / 2, y + tall / 2 + 0.08, str(channels), ha="center", fontsize=7, color=INK)
        if not middle or middle[-1][2] != height:
            axes.text(x + wide / 2, y - tall / 2 - 0.28, f"{width}×{height}", ha="center", fontsize=6, color=INK)
        middle.append((x, y, height, x + wide))
        if name.startswith("down"):
            ends[height] = (x + wide, y)
        x += wide + 0.55
    for before, after in itertools.pairwise(middle):
        arrow = FancyArrowPatch(
            (before[3], before[1]), (after[0], after[1]), arrowstyle="->", mutation_scale=8, color=INK
        )
        axes.add_patch(arrow)
    joined = set()
    for (name, height, _, _), (left, y, _, _) in zip(boxes, middle, strict=True):
        if name.startswith("up") and height in ends and height not in joined:
            joined.add(height)
            axes.annotate(
                "", (left, y + 0.1), (ends[height][0], ends[height][1] + 0.1),
                arrowprops={"arrowstyle": "->", "color": TWO, "linestyle": "--", "linewidth": 1},
            )  # fmt: skip
    axes.set_xlim(-0.5, x)
    axes.set_ylim(min(y for _, y, _, _ in middle) - 1.6, 1.9)
    axes.axis("off")
    axes.set_title(
        f"{model.name}: {model.count_params():,} parameters; numbers: channels, width×height; dashed: skip connections",
        fontsize=9,
        loc="left",
    )
    return save(figure, path)


def _maps(model: Any) -> list[tuple[str, int, int, int]]:
    """(block, height, width, channels) of the input, of each block's ReLU and of the logits, in order."""
    found = [("frame", *model.input_shape[1:3], 3)]
    for layer in model.layers:
        if layer.name.endswith("_relu") or layer.name == "logits":
            _, height, width, channels = layer.output.shape
            found.append((layer.name, height, width, channels))
    return found if len(found) > 2 else _maps_of_others(model)


def _maps_of_others(model: Any) -> list[tuple[str, int, int, int]]:
    """The same of a network that was not built here: what comes out of each layer with an activation.

    Blocks before the smallest map are called "down…", the ones behind it "up…".
    """
    found = []
    for layer in model.layers:
        active = getattr(getattr(layer, "activation", None), "__name__", "linear") != "linear"
        if (active or type(layer).__name__ in ("ReLU", "LeakyReLU", "PReLU")) and len(layer.output.shape) == 4:
            found.append(tuple(layer.output.shape[1:]))
    found = [shape for shape in found if shape[0]]
    smallest = min(range(len(found)), key=lambda place: found[place][0], default=0)
    names = ["down" if place < smallest else "up" if found[place][0] > found[smallest][0] else "middle"
             for place in range(len(found))]  # fmt: skip
    ends = [("frame", *model.input_shape[1:3], 3), ("logits", *model.output_shape[1:])]
    return [ends[0], *((name, *shape) for name, shape in zip(names, found, strict=True)), ends[1]]
