"""The pictures that a model does worst on: which they are, and what they look like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.part_file import write_bytes
from seg_viewer.core.scores import Scores
from trainer.data.data_set import DataSet
from trainer.drawing.legend import Legend
from trainer.drawing.pictures import Rgb, fit, overlay, tiles
from trainer.pairs import Pair

MOST_BYTES = 1_500_000
"""A sheet is made smaller until its file is below this."""

WIDTHS = range(320, 31, -16)


@dataclass(frozen=True)
class Rated:
    """One picture and how well it went.

    Args:
        pair: its files.
        scores: of this picture alone.
        class_map: the answer at the network's size, (H, W) uint8.
    """

    pair: Pair
    scores: Scores
    class_map: NDArray[np.uint8]

    @property
    def name(self) -> str:
        """Folder and file; file names alone repeat in some sets."""
        return f"{self.pair.picture.parent.name}/{self.pair.picture.name}"

    def to_json(self) -> dict[str, Any]:
        """{"name", "miou", "iou" by class}, shares of 1, rounded to 4 places."""
        scores = self.scores.to_json()
        return {"name": self.name, "miou": scores["miou"], "iou": scores["iou"]}


class Worst:
    """Keeps the worst pictures by mean IoU over the classes that occur in their truth.

    Pictures in which nothing is labelled have no score and are left out. Of equal ones the first stays first.

    Args:
        count: how many are kept.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self.found: list[Rated] = []
        """The worst first."""

    def add(self, rated: Rated) -> None:
        """Look at one picture."""
        if not self._count or not rated.scores.iou:
            return
        self.found.append(rated)
        self.found.sort(key=lambda rated: rated.scores.miou)
        del self.found[self._count :]


class Apart:
    """Keeps the pictures on which two models differ most, by mean IoU over the classes that occur in the truth.

    Pictures in which nothing is labelled are left out, and those on which both score the same.

    Args:
        count: how many are kept.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self.found: list[tuple[DataSet, Rated, Rated]] = []
        """The set and what the first and the second model make of a picture; those furthest apart first."""

    def add(self, data: DataSet, rated: Sequence[Rated]) -> None:
        """Look at one picture of a set: what the first and the last model make of it."""
        one, other = rated[0], rated[-1]
        if one.scores.iou and one.scores.miou != other.scores.miou:
            self.found.append((data, one, other))
            self.found.sort(key=lambda each: -abs(each[1].scores.miou - each[2].scores.miou))
            del self.found[self._count :]


def apart_text(found: Sequence[tuple[DataSet, Rated, Rated]], names: Sequence[str]) -> list[str]:
    """Lines of a table, in percent: both mean IoUs, the change, the picture."""
    if not found:
        return []
    heads = [f"{name:>{max(7, len(name))}}" for name in names]
    lines = ["pictures where they differ most, mIoU", f"  {' '.join(heads)} {'change':>8}"]
    for data, one, other in found:
        both = one.scores.miou, other.scores.miou
        shown = " ".join(f"{value * 100:{len(head)}.1f}" for value, head in zip(both, heads, strict=True))
        lines.append(f"  {shown} {(both[1] - both[0]) * 100:+8.1f}  {data.name}: {one.name}")
    return lines


def worst_text(found: Sequence[Rated], model: str = "") -> list[str]:
    """Lines of a table, in percent, the worst first; with a model's name where there are several."""
    lines = [f"  worst pictures{' of ' + model if model else ''}, mIoU"]
    for rated in found:
        classes = "  ".join(f"{label} {value * 100:.1f}" for label, value in rated.scores.iou.items())
        lines.append(f"  {rated.scores.miou * 100:6.1f}  {rated.name}  {classes}")
    return lines if found else []


def write_gallery(path: Path, data: DataSet, found: Sequence[Rated]) -> Path:
    """Draw picture, truth and answer of each picture side by side, as one PNG of less than 1.5 MB.

    Args:
        path: the .png file to write or replace.
        data: the set that the pictures are of.
        found: the pictures, in the order to draw; at least one.

    Raises:
        SourceError: a file is damaged.
        ExportError: it cannot be written.
    """
    rows: list[list[Rgb]] = []
    captions: list[str] = []
    for rated in found:
        picture, mask = data.read(rated.pair)
        class_map = cv2.resize(rated.class_map, picture.shape[1::-1], interpolation=cv2.INTER_NEAREST_EXACT)
        parts = (picture, overlay(picture, mask, data.labels), overlay(picture, class_map, data.labels))
        widest = rows[0][0].shape[1::-1] if rows else _size(picture, WIDTHS[0])
        rows.append([fit(part, widest) for part in parts])
        captions.append(f"{rated.scores.miou * 100:.1f}  {rated.name}")
    encoded = b""
    for width in WIDTHS:
        small = [[fit(part, _size(part, width)) for part in row] for row in rows]
        sheet = tiles(small, captions, Legend(data.labels, painted=True), ("picture", "truth", "prediction"))
        encoded = cv2.imencode(".png", np.ascontiguousarray(sheet[:, :, ::-1]))[1].tobytes()
        if len(encoded) < MOST_BYTES:
            break
    write_bytes(path, encoded)
    return path


def _size(picture: NDArray[np.uint8], width: int) -> tuple[int, int]:
    return width, max(1, round(width * picture.shape[0] / picture.shape[1]))
