"""Label maps in words, and files of them to fill in: so that nobody must guess what a mask value was taken for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from seg_viewer.core.errors import SourceError
from seg_viewer.core.labels import IGNORE_ID
from trainer.labels.label_map import STRAY, LabelMap, plain_map


class LabelsNeeded(SourceError):
    """Nobody said what the values of masks mean, and they do not say it themselves.

    Args:
        text: one line.
        proposal: a label map as TOML to fill in, or "".
    """

    def __init__(self, text: str, proposal: str = "") -> None:
        super().__init__(text)
        self.proposal = proposal


def ranges(values: Sequence[int]) -> str:
    """Whole numbers as 0, 2…5, 9."""
    ordered = sorted(values)
    parts: list[list[int]] = []
    for value in ordered:
        if parts and value == parts[-1][-1] + 1:
            parts[-1].append(value)
        else:
            parts.append([value])
    shown = []
    for part in parts:
        shown += [str(value) for value in part] if len(part) < 3 else [f"{part[0]}…{part[-1]}"]
    return ", ".join(shown)


def meaning(label_map: LabelMap) -> str:
    """Which mask values each class comes of: "background ← 0; car ← 10, 12…14; ignored ← 255; else: an error"."""
    names = [*label_map.labels.names, *(name for name, _ in label_map.unions)]
    if label_map.read == "otsu":
        return f"{names[0]} ← the darker part of each mask; {names[1]} ← the brighter part (Otsu)"
    if label_map.read == "threshold":
        return f"{names[0]} ← below {label_map.threshold}; {names[1]} ← from {label_map.threshold}"
    of: dict[int, list[int]] = {}
    for value, class_id in label_map.values.items():
        of.setdefault(class_id, []).append(value)
    colors: dict[int, list[str]] = {}
    for color, class_id in label_map.colors.items():
        colors.setdefault(class_id, []).append(f"{color}")
    parts = []
    for class_id in (*range(len(names)), IGNORE_ID):
        name = "ignored" if class_id == IGNORE_ID else names[class_id]
        if class_id in of:
            parts.append(f"{name} ← {ranges(of[class_id])}")
        elif not of and class_id in colors:
            parts.append(f"{name} ← {', '.join(colors[class_id])}")
    if of and colors:
        parts.append("or the colours of these classes")
    if label_map.rest != STRAY:
        rest = "ignored" if label_map.rest == IGNORE_ID else names[label_map.rest]
        parts.append(f"anything else: {rest}")
    return "; ".join(parts)


def proposal_of_values(shares: Mapping[int, float], smoothed: float = 0.0) -> str:
    """A label map to fill in, as TOML.

    Args:
        shares: raw value → share of the pixels of all masks.
        smoothed: share of the pixels with other values, which the map ignores.
    """
    values = sorted(shares)
    names = [_name(value, f"value_{value}") for value in values]
    lines = ['title = "my classes"']
    if smoothed:
        lines.append(f'rest = "ignore"  # {smoothed:.1%} of the pixels have other values')
    lines += ["", "[values]  # give the classes names; ignore = [255] leaves a value out"]
    lines += [f"{name} = [{v}]  # {shares[v]:.2%} of the pixels" for v, name in zip(values, names, strict=True)]
    return "\n".join([*lines, "", *_classes(names)])


def proposal_of_colors(shares: Mapping[tuple[int, int, int], float]) -> str:
    """A label map to fill in of masks that are colour pictures: (red, green, blue) → share of the pixels."""
    colors = sorted(shares, key=lambda color: -shares[color])
    names = [_name(sum(color), "color_{:02x}{:02x}{:02x}".format(*color)) for color in colors]
    lines = ['title = "my classes"', "", "[colors]  # red, green, blue; give the classes names"]
    lines += [f"{n} = [{list(c)}]  # {shares[c]:.2%} of the pixels" for c, n in zip(colors, names, strict=True)]
    return "\n".join([*lines, "", "[classes]  # the colour is what the overlay paints"]) + "".join(
        f"\n{n} = {list(c)}" for c, n in zip(colors, names, strict=True)
    )


def proposal_of_split() -> str:
    """A label map that splits grey masks in two, as TOML."""
    lines = ['title = "background and object"', 'read = "otsu"  # or: read = "threshold", threshold = 128', ""]
    return "\n".join([*lines, *_classes(["background", "object"])])


def _name(value: int, otherwise: str) -> str:
    return "background" if value == 0 else otherwise


def _classes(names: Sequence[str]) -> list[str]:
    painted = plain_map(max(1, len(names))).labels
    colors = [(0, 0, 0) if name == "background" else painted[i].color for i, name in enumerate(names)]
    return ["[classes]  # the colour is what the overlay paints"] + [
        f"{name} = {np.array(color).tolist()}" for name, color in zip(names, colors, strict=True)
    ]
