"""Two runs side by side: where their recipes differ, and the pictures that both may be scored on."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from seg_viewer.core.counted import counted
from seg_viewer.core.errors import SourceError, UsageError
from seg_viewer.core.labels import LabelSet
from trainer.data.data_set import DataSet
from trainer.pairs import Pair
from trainer.recipe import SECTIONS, Recipe, Source, read_recipe
from trainer.run_folder.checkpoint import RECIPE

Difference = tuple[str, str, str]
"""Name of a value, what the first recipe says, what the second one says."""

NOTHING = "–"

Found = Sequence[tuple[Source, DataSet]]


class Common(NamedTuple):
    """What two runs may both be scored on.

    Args:
        sets: data sets whose held-out pictures neither run trained on.
        sources: where they come from, in the same order.
        notes: what was left out, for people.
    """

    sets: list[DataSet]
    sources: list[Source]
    notes: list[str]


def recipe_of(run: Path) -> Recipe:
    """The recipe of a run folder. Raises: UsageError when it is none."""
    if not run.is_dir():
        raise UsageError(f"{run}: is no run folder; files are compared by: seg-trainer evaluate MODEL --against OTHER")
    if not (run / RECIPE).is_file():
        raise UsageError(f"{run}: holds no {RECIPE}; give a folder that 'seg-trainer train' made")
    return read_recipe(str(run / RECIPE))


def differences(one: Recipe, other: Recipe) -> list[Difference]:
    """What two recipes say differently: each value, then each data set and what is said of it."""
    found = [
        (f.name, _shown(getattr(getattr(one, section), f.name)), _shown(getattr(getattr(other, section), f.name)))
        for section, kind in SECTIONS.items()
        for f in dataclasses.fields(kind)
        if getattr(getattr(one, section), f.name) != getattr(getattr(other, section), f.name)
    ]
    sources = [_by_name(recipe.data) for recipe in (one, other)]
    for name in dict.fromkeys([*sources[0], *sources[1]]):
        first, second = (named.get(name) for named in sources)
        if first and second:
            found += [
                (f"data {name}: {f.name}", _shown(getattr(first, f.name)), _shown(getattr(second, f.name)))
                for f in dataclasses.fields(Source)
                if getattr(first, f.name) != getattr(second, f.name)
            ]
        else:
            found.append((f"data {name}", _source(first), _source(second)))
    return found


def _by_name(sources: Sequence[Source]) -> dict[str, Source]:
    """Name → source; of sources of the same name the further ones get a number."""
    named: dict[str, Source] = {}
    for source in sources:
        base = source.name or Path(source.path).name
        number = next(n for n in range(1, len(sources) + 2) if (base if n == 1 else f"{base} {n}") not in named)
        named[base if number == 1 else f"{base} {number}"] = source
    return named


def _source(source: Source | None) -> str:
    if source is None:
        return NOTHING
    return source.path + (f", weight {source.weight:g}" if source.weight else "")


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_shown(part)}" for key, part in value.items()) or NOTHING
    if isinstance(value, tuple | list):
        return ", ".join(map(_shown, value)) or NOTHING
    return f"{value:g}" if isinstance(value, float) else str(value) or NOTHING


def difference_text(found: Sequence[Difference], names: Sequence[str]) -> list[str]:
    """Lines of a table."""
    if not found:
        return ["the recipes are the same"]
    heads = ("recipe", *names)
    widths = [max(len(row[column]) for row in [heads, *found]) for column in range(2)]
    return [
        f"  {name:{widths[0]}}  {one:{widths[1]}}  {other}".rstrip() for name, one, other in [heads, *found]
    ]  # fmt: skip


def common_sets(
    own: Sequence[Found], given: Found | None, names: Sequence[str], labels: LabelSet | None = None
) -> Common:
    """The held-out pictures of two runs, without those that one of them trained on.

    Args:
        own: data sets of each run; empty where they are not there any more.
        given: score on these instead of the runs' own.
        names: of the runs.
        labels: classes of both models, where they say them.

    Raises:
        SourceError: nothing is left.
        UsageError: a data set has other classes than the models.
    """
    trained = [{_key(pair) for _, data in found for pair in data.train} for found in own]
    common = Common([], [], [])
    seen: set[tuple[Path, Path]] = set()
    taken: dict[str, int] = {}
    for source, data in [each for found in own for each in found] if given is None else given:
        if labels and data.labels.names != labels.names:
            raise UsageError(
                f"{data.name}: has the classes {', '.join(data.labels.names)} by now, the models"
                f" {', '.join(labels.names)}; give data with those by --data FOLDER"
            )
        held_out = [pair for pair in data.held_out if _key(pair) not in seen]
        kept = tuple(pair for pair in held_out if not any(_key(pair) in learned for learned in trained))
        seen |= {_key(pair) for pair in held_out}
        for name, learned in zip(names, trained, strict=True):
            if count := sum(_key(pair) in learned for pair in held_out):
                common.notes.append(
                    f"{data.name}: {count} of {counted(len(held_out), 'held-out picture')} left out,"
                    f" {name} trained on them"
                )
        if kept:
            taken[data.name] = taken.get(data.name, 0) + 1
            name = data.name if taken[data.name] == 1 else f"{data.name} {taken[data.name]}"
            common.sets.append(dataclasses.replace(data, name=name, held_out=kept))
            common.sources.append(source)
    if not common.sets:
        why = f" ({'; '.join(common.notes)})" if common.notes else ""
        raise SourceError(f"no held-out picture that neither run trained on{why}: give others with --data FOLDER")
    return common


def _key(pair: Pair) -> tuple[Path, Path]:
    return pair.picture.resolve(), pair.mask.resolve()


def find_of_run(run: Path, find: Callable[[Recipe], Found], note: Callable[[str], None]) -> Found:
    """The data sets of a run; none, with a note, where they are not there any more."""
    try:
        return find(recipe_of(run))
    except SourceError as error:
        note(f"{run}: what it trained on is not there to compare with ({error})")
        return []
