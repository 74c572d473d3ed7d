"""What a model file that a run begins with was trained on: its data and their terms concern the new weights too."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from seg_viewer.core.errors import UsageError
from seg_viewer.core.model_file import read_model_file
from seg_viewer.core.part_file import write_text
from trainer.recipe import is_model_file

ANCESTOR = "begins_with.json"


@dataclass(frozen=True)
class Ancestor:
    """A model file that training began with.

    Args:
        name: file name.
        sha256: of the file, hexadecimal.
        terms: each data set that it was trained on → terms.
    """

    name: str
    sha256: str
    terms: Mapping[str, str] = field(default_factory=dict)


def write_ancestor(start: str, run: Path) -> None:
    """Keep in a run folder which model file it, or the run that it begins with, begins with, if any does.

    Args:
        start: as in the recipe.
        run: the run folder.

    Raises:
        ModelFileError: the file cannot be read.
        ExportError: the folder cannot be written to.
    """
    if not start:
        return
    if is_model_file(Path(start)):
        spec = read_model_file(Path(start))
        known = (spec.provenance or {}).get("terms", {})
        terms = {name: str(known.get(name, "terms not known here")) for name in spec.trained_on}
        write_text(run / ANCESTOR, json.dumps(asdict(Ancestor(Path(start).name, spec.sha256, terms)), indent=2) + "\n")
    elif (Path(start) / ANCESTOR).is_file():
        write_text(run / ANCESTOR, (Path(start) / ANCESTOR).read_text(encoding="utf-8"))


def read_ancestor(run: Path) -> Ancestor | None:
    """What `write_ancestor` kept, None where there is none. Raises: UsageError when it is damaged."""
    path = run / ANCESTOR
    if not path.is_file():
        return None
    try:
        return Ancestor(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(f"{path}: is damaged ({error}); remove it, and say in the card what the start knew") from error
