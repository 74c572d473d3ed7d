"""The classes of a class map: id, name and colour of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

IGNORE_ID = 255
"""Class id of pixels that nobody labelled; never trained on, never counted, never painted."""

MAX_CLASSES = IGNORE_ID


@dataclass(frozen=True)
class Label:
    """One class.

    Args:
        id: value of its pixels in a class map, 0…254.
        name: lower-case word a person would use.
        color: (red, green, blue), each 0…255.
        painted: whether the overlay colours it; the background is not painted.
    """

    id: int
    name: str
    color: tuple[int, int, int]
    painted: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.id < MAX_CLASSES:
            raise ValueError(f"class id {self.id} of '{self.name}' is outside 0…{MAX_CLASSES - 1}")
        if not self.name:
            raise ValueError(f"class {self.id} has no name")
        if len(self.color) != 3 or any(not 0 <= int(c) <= 255 for c in self.color):
            raise ValueError(f"colour {self.color} of class '{self.name}' is not three values of 0…255")


class LabelSet(Sequence[Label]):
    """The classes of a model or data set, in the order of their ids, which are 0, 1, 2, … without a gap.

    Raises:
        ValueError: an id is missing or given twice, a name is given twice, or there are more than 255 classes.
    """

    def __init__(self, labels: Sequence[Label]) -> None:
        self._labels = tuple(sorted(labels, key=lambda label: label.id))
        if not self._labels:
            raise ValueError("a label set needs at least one class")
        if len(self._labels) > MAX_CLASSES:
            raise ValueError(f"{len(self._labels)} classes; at most {MAX_CLASSES} fit (255 means 'ignore')")
        ids = [label.id for label in self._labels]
        if ids != list(range(len(ids))):
            raise ValueError(f"class ids must be 0…{len(ids) - 1} without a gap, but are {ids}")
        names = [label.name for label in self._labels]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"class name '{name}' is given twice")

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, index: Any) -> Any:
        return self._labels[index]

    def __iter__(self) -> Iterator[Label]:
        return iter(self._labels)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LabelSet) and self._labels == other._labels

    def __hash__(self) -> int:
        return hash(self._labels)

    def __repr__(self) -> str:
        return f"LabelSet({', '.join(self.names)})"

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(label.name for label in self._labels)

    def by_name(self, name: str) -> Label:
        """Raises: KeyError when no class has that name; the text lists the names there are."""
        for label in self._labels:
            if label.name == name:
                return label
        raise KeyError(f"no class '{name}'; there are {', '.join(self.names)}")

    def palette(self) -> NDArray[np.uint8]:
        """Colour of every class id, shape (256, 3), uint8, RGB; ids without a class are black."""
        table = np.zeros((256, 3), np.uint8)
        for label in self._labels:
            table[label.id] = label.color
        return table

    def to_json(self) -> list[dict[str, Any]]:
        """A list of plain dicts, as stored in a model file."""
        return [
            {"id": label.id, "name": label.name, "color": list(label.color), "painted": label.painted}
            for label in self._labels
        ]

    @classmethod
    def from_json(cls, items: Any) -> LabelSet:
        """The opposite of `to_json`.

        Raises:
            ValueError: the value is no list of classes; the text says which entry is wrong.
        """
        if not isinstance(items, list):
            raise ValueError("labels are not a list")
        if len(items) > MAX_CLASSES:
            raise ValueError(f"{len(items)} classes; at most {MAX_CLASSES} fit (255 means 'ignore')")
        labels = []
        for position, item in enumerate(items):
            try:
                red, green, blue = (int(c) for c in item["color"])
                labels.append(
                    Label(int(item["id"]), str(item["name"]), (red, green, blue), bool(item.get("painted", True)))
                )
            except (TypeError, KeyError, AttributeError) as error:
                raise ValueError(f"label {position} needs 'id', 'name' and 'color': {item!r}") from error
        return cls(labels)


DRIVING = LabelSet(
    [
        Label(0, "background", (0, 0, 0), painted=False),
        Label(1, "road", (0, 190, 90)),
        Label(2, "car", (30, 110, 255)),
        Label(3, "person", (255, 35, 45)),
    ]
)
"""Our classes: road (lane lines included), car (any motor vehicle), person (pedestrians and riders)."""
