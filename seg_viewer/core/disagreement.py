"""Where two models see different classes in the same picture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.class_map import ClassMap
from seg_viewer.core.labels import LabelSet


@dataclass(frozen=True)
class Disagreement:
    """Where two class maps differ.

    Args:
        where: True where the first map's class has another name than the second's, shape of the first map (h, w).
        share: of the picture, 0…1.
    """

    where: NDArray[np.bool_]
    share: float


def disagreement(first: ClassMap, second: ClassMap) -> Disagreement:
    """Compare two maps of one picture by the names of their classes.

    A class that one model has and the other has not differs from everything that the other says. The second map is
    brought to the size of the first: each pixel takes the one under its middle.
    """
    height, width = first.ids.shape
    ids: NDArray[np.integer] = first.ids
    other: NDArray[np.integer] = second.ids
    if first.labels.names != second.labels.names:
        numbers = _numbers(first.labels, second.labels)
        ids, other = numbers[0][ids], numbers[1][other]
    where = ids != _under(other, width, height)
    return Disagreement(where, float(np.count_nonzero(where)) / where.size if where.size else 0.0)


@lru_cache(maxsize=16)
def _numbers(first: LabelSet, second: LabelSet) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """For each of two label sets a number of the name of each id, the same for the same name, shape (256,).

    Ids that no class has are numbers of their own, 512 and more, the same in both.
    """
    known = {name: number for number, name in enumerate(dict.fromkeys([*first.names, *second.names]))}
    tables = []
    for labels in (first, second):
        table = np.arange(512, 768, dtype=np.uint16)
        for label in labels:
            table[label.id] = known[label.name]
        tables.append(table)
    return tables[0], tables[1]


def _under(ids: NDArray[np.integer], width: int, height: int) -> NDArray[np.integer]:
    """A class map at another size: each pixel takes the one under its middle."""
    if ids.shape == (height, width):
        return ids
    return ids.take(_places(ids.shape[0], height), axis=0).take(_places(ids.shape[1], width), axis=1)


@lru_cache(maxsize=16)
def _places(there: int, wanted: int) -> NDArray[np.intp]:
    """Which of `there` pixels lies under the middle of each of `wanted` ones."""
    return ((2 * np.arange(wanted) + 1) * there // (2 * wanted)).astype(np.intp)
