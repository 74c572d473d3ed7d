"""Label maps as TOML files; `seg-trainer datasets` says what may stand in one."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seg_viewer.core.errors import UsageError
from seg_viewer.core.labels import DRIVING, IGNORE_ID, Label, LabelSet
from seg_viewer.core.printable import printable_all
from trainer.labels.label_map import STRAY, LabelMap

SHIPPED = Path(__file__).parent / "labelmaps"
IGNORE = "ignore"
KEYS = frozenset(
    {"title", "target", "read", "threshold", "rest", "tolerance", "values", "colors", "classes", "unions", "folds"}
)


def read_map_file(path: Path, name: str) -> LabelMap:
    """Read a label map.

    Args:
        path: the TOML file.
        name: what to call it.

    Raises:
        UsageError: there is none, or it says something that means nothing.
    """
    try:
        tables = printable_all(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise UsageError(
            f"{name}: no such label map ({error.strerror}); 'seg-trainer datasets' lists the ones that ship"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not a label map: {error}") from error
    try:
        return _from_tables(name, tables)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"{path}: not a label map: {error}") from error


def _from_tables(name: str, tables: dict[str, Any]) -> LabelMap:
    known = {
        "title",
        "target",
        "read",
        "rest",
        "tolerance",
        "values",
        "colors",
        "classes",
        "unions",
        "folds",
        "threshold",
    }
    unknown = set(tables) - known
    if unknown:
        raise ValueError(f"'{sorted(unknown)[0]}' means nothing here")
    target = tables.get("target", "driving")
    if target not in ("driving", "streets"):
        raise ValueError("target can only be 'driving' or 'streets'; give [classes] for other classes")
    if ("target" in tables) == ("classes" in tables):
        raise ValueError('give either target = "driving" or [classes] with a colour for each class')
    read = tables.get("read", "ids")
    if read not in ("ids", "otsu", "threshold"):
        raise ValueError(f"read = '{read}'; choose ids, otsu or threshold")
    if ("threshold" in tables) != (read == "threshold"):
        raise ValueError('read = "threshold" and threshold = LEVEL go together')
    unions: tuple[tuple[str, tuple[int, ...]], ...] = ()
    folds: Mapping[str, Mapping[str, tuple[int, ...]]] = {}
    if target == "streets":
        streets = read_map_file(SHIPPED / "streets.toml", "streets")
        labels, unions, folds = streets.labels, streets.unions, streets.folds
    else:
        labels = DRIVING if "target" in tables else _labels(tables["classes"])
        unions = tuple((name, _members(labels, members)) for name, members in tables.get("unions", {}).items())
        folds = {
            name: {coarse: _members(labels, members) for coarse, members in classes.items()}
            for name, classes in tables.get("folds", {}).items()
        }
    if read != "ids" and len(labels) < 2:
        raise ValueError(f"read = '{read}' splits masks in two; give two [classes]")
    ids = {label.name: label.id for label in labels} | {IGNORE: IGNORE_ID}
    ids |= {name: len(labels) + index for index, (name, _) in enumerate(unions)}
    values = _ids_by(ids, tables.get("values", {}), lambda value: _in_range(int(value)))
    colors = _ids_by(ids, tables.get("colors", {}), lambda color: tuple(_in_range(int(c)) for c in color))
    rest = tables.get("rest")
    return LabelMap(
        name,
        str(tables.get("title", name)),
        labels,
        values,
        colors,
        STRAY if rest is None else _class_id(ids, rest),
        read,
        int(tables.get("tolerance", 0)),
        unions,
        folds,
        _in_range(int(tables.get("threshold", 128))),
    )


def _labels(classes: Mapping[str, Sequence[int]]) -> LabelSet:
    painted = {name: name not in ("background", "sky", "unlabeled") for name in classes}
    colors = {name: tuple(int(c) for c in color) for name, color in classes.items()}
    return LabelSet([Label(i, name, colors[name], painted[name]) for i, name in enumerate(classes)])  # type: ignore[arg-type]


def _members(labels: LabelSet, names: Sequence[str]) -> tuple[int, ...]:
    return tuple(_class_id({label.name: label.id for label in labels}, name) for name in names)


def _class_id(ids: Mapping[str, int], name: str) -> int:
    if name not in ids:
        raise ValueError(f"no class '{name}'; there are {', '.join(ids)}")
    return ids[name]


def _ids_by(ids: Mapping[str, int], lists: Mapping[str, Sequence[Any]], clean: Any) -> dict[Any, int]:
    out: dict[Any, int] = {}
    for name, items in lists.items():
        class_id = _class_id(ids, name)
        for item in items:
            if out.setdefault(clean(item), class_id) != class_id:
                raise ValueError(f"{item} is given to two classes")
    return out


def _in_range(value: int) -> int:
    if not 0 <= value <= 255:
        raise ValueError(f"{value} is outside 0…255")
    return value
