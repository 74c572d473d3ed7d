"""Scores by how high an object stands in the picture: far people are few pixels high, and a mean hides them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.frame_stats import countable_names
from seg_viewer.core.labels import IGNORE_ID, LabelSet

EDGES = (0.0, 0.05, 0.1, 0.2, 0.4)
"""Lower ends of the bins, as shares of the picture's height; the last bin has no upper end."""

Bins = Sequence[Mapping[str, Any]]
"""One class: {"from", "to", "objects", "iou", "recall", "precision"} of each bin.

Shares of 1; None where there is nothing to take a share of.
"""


class Heights:
    """Pixels that are right, wrong and missed, by class and by height of the object that they belong to.

    An object is an 8-connected component of its class in the truth; its height is the rows of its box ÷ the rows of
    the picture. Right and missed pixels belong to the object they lie on. A wrong pixel belongs to the object that its
    component of the answer shares most pixels with (of equals the one whose box begins higher, then further left), and
    where that component meets no object, to the bin of the component's own height. Ignored pixels count nowhere, also
    in heights; but a component of the answer goes on through them, because a border that nobody labelled cuts nothing
    in two.

    Args:
        labels: classes of the masks; those that come in pieces are counted (`frame_stats.is_countable`), or where there
            are none, all that are painted.

    Attributes:
        counts: class name → right, wrong, missed pixels and objects by bin, shape (4, bins), int64.
    """

    def __init__(self, labels: LabelSet) -> None:
        names = countable_names(labels) or tuple(label.name for label in labels if label.painted)
        self._ids = {name: labels.by_name(name).id for name in names}
        self.counts = {name: np.zeros((4, len(EDGES)), np.int64) for name in self._ids}

    def add(self, truth: NDArray[np.uint8], predicted: NDArray[np.uint8]) -> None:
        """Count one picture.

        Args:
            truth: (H, W) class ids, 255 where ignored.
            predicted: (H, W) class ids.

        Raises:
            ValueError: the shapes differ.
        """
        if truth.shape != predicted.shape:
            raise ValueError(f"truth is {truth.shape}, predicted {predicted.shape}")
        known = truth != IGNORE_ID
        for name, class_id in self._ids.items():
            self.counts[name] += _count(truth == class_id, predicted == class_id, known)

    def to_json(self) -> dict[str, list[dict[str, Any]]]:
        """Class name → its `Bins`, for classes that have objects; values rounded to 4 places."""
        return {name: _bins(counts) for name, counts in self.counts.items() if counts[3].any()}


def _bins(counts: NDArray[np.int64]) -> list[dict[str, Any]]:
    def share(part: int, whole: int) -> float | None:
        return round(part / whole, 4) if whole else None

    out = []
    for place, start in enumerate(EDGES):
        right, wrong, missed, objects = (int(value) for value in counts[:, place])
        out.append(
            {
                "from": start,
                "to": EDGES[place + 1] if place + 1 < len(EDGES) else None,
                "objects": objects,
                "iou": share(right, right + wrong + missed),
                "recall": share(right, right + missed),
                "precision": share(right, right + wrong),
            }
        )
    return out


def _bin_of(rows: NDArray[np.integer], height: int) -> NDArray[np.intp]:
    """Bin of each number of rows in a picture of `height` rows; a height on an edge is in the bin that starts there."""
    # the smallest share above rounding: 10 of 100 rows is 0.1, whatever the division makes of it
    return np.searchsorted(EDGES, rows / height + 1e-9, side="right") - 1


def _count(truth: NDArray[np.bool_], predicted: NDArray[np.bool_], known: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Right, wrong, missed pixels and objects of one class by bin, shape (4, bins)."""
    height = truth.shape[0]
    _, objects, boxes, _ = cv2.connectedComponentsWithStats(truth.view(np.uint8), connectivity=8)
    bins = _bin_of(boxes[:, cv2.CC_STAT_HEIGHT], height)  # [0] is what is no object, and means nothing
    right = bins[objects[truth & predicted]]
    missed = bins[objects[truth & ~predicted]]
    place = np.argsort(np.lexsort((boxes[:, cv2.CC_STAT_LEFT], boxes[:, cv2.CC_STAT_TOP])))
    wrong = _wrong(objects, bins, place, predicted, predicted & ~truth & known)
    return np.stack([np.bincount(part, minlength=len(EDGES)) for part in (right, wrong, missed, bins[1:])])


def _wrong(
    objects: NDArray[np.int32],
    bins: NDArray[np.intp],
    place: NDArray[np.intp],
    predicted: NDArray[np.bool_],
    wrong: NDArray[np.bool_],
) -> NDArray[np.intp]:
    """Bin of each wrong pixel.

    Args:
        objects: (H, W) number of the truth's object, 0 where there is none.
        bins: bin of each object.
        place: of each object, from the top left.
        predicted: (H, W) pixels of the class in the answer.
        wrong: (H, W) those that are wrong.
    """
    if not wrong.any():
        return np.zeros(0, np.intp)
    count, parts = cv2.connectedComponents(predicted.view(np.uint8), connectivity=8)
    rows, columns = np.nonzero(wrong)
    part_of = parts[rows, columns]
    # by own height first: the rows of its wrong pixels, which where no object is met are all of its known ones
    low, high = np.full(count, objects.shape[0]), np.full(count, -1)
    np.minimum.at(low, part_of, rows)
    np.maximum.at(high, part_of, rows)
    of_part = _bin_of(np.maximum(high - low + 1, 1), objects.shape[0])
    shared = (objects > 0) & predicted
    pairs, sizes = np.unique(np.stack([parts[shared], objects[shared]], 1), axis=0, return_counts=True)
    # in this order the last entry of a part is the object it shares most with, of equals the first from the top left
    order = np.lexsort((-place[pairs[:, 1]], sizes, pairs[:, 0]))
    of_part[pairs[order, 0]] = bins[pairs[order, 1]]
    return of_part[part_of]


def heights_text(columns: Mapping[str, Mapping[str, Bins]]) -> list[str]:
    """Lines of a table, in percent.

    Args:
        columns: model's name → `Heights.to_json` of the same pictures; names are shown where there are several.
    """
    first = next(iter(columns.values()))
    if not first:
        return []
    width = max([15, *(len(name) for name in columns)])
    lines = [f"  {'by height':14} {'of picture':>10} {'objects':>8}" + f" {'IoU':>7} {'recall':>7}" * len(columns)]
    if len(columns) > 1:
        lines.insert(0, " " * 36 + "".join(f" {name:>{width}}" for name in columns))
        lines[1] = lines[1][:36] + "".join(f" {'IoU':>{width - 8}} {'recall':>7}" for _ in columns)
    iou_width = width - 8 if len(columns) > 1 else 7
    for name, bins in first.items():
        for place, one in enumerate(bins):
            cells = [heights[name][place] for heights in columns.values()]
            shown = "".join(f" {percent(cell['iou'], iou_width)} {percent(cell['recall'], 7)}" for cell in cells)
            lines.append(f"  {name:14} {bin_name(one):>10} {one['objects']:8}" + shown)
    return lines


def bin_name(one: Mapping[str, Any]) -> str:
    """As "5-10 %", "40 % and up"."""
    start = f"{one['from'] * 100:g}"
    return f"{start} % up" if one["to"] is None else f"{start}-{one['to'] * 100:g} %"


def percent(value: float | None, width: int = 0) -> str:
    """A share of 1 in percent with one place, right-aligned; – for None."""
    return f"{'–':>{width}}" if value is None else f"{value * 100:{width}.1f}"
