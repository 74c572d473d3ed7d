"""The classes of a run, kept beside its weights: what they mean can be told without its data."""

from __future__ import annotations

import json
from pathlib import Path

from seg_viewer.core.errors import UsageError
from seg_viewer.core.labels import LabelSet
from seg_viewer.core.part_file import write_text
from seg_viewer.core.printable import printable_all
from trainer.labels.details import Details

CLASSES = "classes.json"


def write_classes(run: Path, details: Details) -> None:
    """Keep what the logits of a run mean in its folder. Raises: ExportError."""
    kept = {
        "labels": details.labels.to_json(),
        "names": details.names,
        "unions": details.unions,
        "groups": details.groups,
        "subpixel": details.subpixel,
    }
    write_text(run / CLASSES, json.dumps(kept, indent=2) + "\n")


def read_classes(run: Path) -> Details | None:
    """What `write_classes` kept, None where there is none. Raises: UsageError when it is damaged."""
    path = run / CLASSES
    if not path.is_file():
        return None
    try:
        kept = printable_all(json.loads(path.read_text(encoding="utf-8")))
        return Details(
            LabelSet.from_json(kept["labels"]),
            tuple(kept["names"]),
            tuple(tuple(members) for members in kept["unions"]),
            tuple(tuple(members) for members in kept["groups"]),
            bool(kept["subpixel"]),
        )
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UsageError(f"{path}: is damaged ({error}); the same command of training writes it anew") from error
