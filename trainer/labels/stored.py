"""Label maps as plain values, for a file that must be read without the files that they came from."""

from __future__ import annotations

from typing import Any

from seg_viewer.core.labels import LabelSet
from trainer.labels.label_map import LabelMap


def label_map_to_json(label_map: LabelMap) -> dict[str, Any]:
    """All of a label map, as `json.dumps` takes it."""
    return {
        "name": label_map.name,
        "title": label_map.title,
        "labels": label_map.labels.to_json(),
        "values": list(label_map.values.items()),
        "colors": [[list(color), class_id] for color, class_id in label_map.colors.items()],
        "rest": label_map.rest,
        "read": label_map.read,
        "tolerance": label_map.tolerance,
        "unions": label_map.unions,
        "folds": label_map.folds,
        "threshold": label_map.threshold,
    }


def label_map_from_json(stored: dict[str, Any]) -> LabelMap:
    """The opposite of `label_map_to_json`. Raises: ValueError, KeyError, TypeError for something else."""
    return LabelMap(
        name=str(stored["name"]),
        title=str(stored["title"]),
        labels=LabelSet.from_json(stored["labels"]),
        values={int(value): int(class_id) for value, class_id in stored["values"]},
        colors={(int(r), int(g), int(b)): int(class_id) for (r, g, b), class_id in stored["colors"]},
        rest=int(stored["rest"]),
        read=str(stored["read"]),
        tolerance=int(stored["tolerance"]),
        unions=tuple((str(name), tuple(members)) for name, members in stored["unions"]),
        folds={
            coarse: {name: tuple(members) for name, members in fold.items()} for coarse, fold in stored["folds"].items()
        },
        threshold=int(stored["threshold"]),
    )
