"""What somebody asks for, as a recipe: data sets written as texts, their split, options by name."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seg_viewer.core.errors import UsageError
from trainer.architecture import Model
from trainer.data import formats
from trainer.data.pack import is_pack
from trainer.recipe import Recipe, Source, read_recipe


def parse_data(text: str) -> Source:
    """The source that a text such as camvid=DIR@0.4 means. Raises: UsageError when there is no such format."""
    kind, found, path = text.partition("=")
    if not found or (kind not in formats.FORMATS and kind not in (formats.TFDS, formats.AUTO, formats.PACK)):
        if found and re.fullmatch(r"[a-z0-9_]+", kind) and not Path(text).exists():
            known = ", ".join([*sorted(formats.FORMATS), formats.TFDS, formats.PACK])
            raise UsageError(f"--data {text}: no format '{kind}'; there are {known}")
        kind, path = formats.AUTO, text
    match = re.fullmatch(r"(.+)@(\d*\.?\d+)", path)
    weight = 0.0
    if match and not Path(path).exists():
        path, weight = match[1], float(match[2])
        if not weight:
            raise UsageError(f"--data {text}: a data set of weight 0 is never drawn: leave it out")
    return Source(kind, path, weight)


def with_split(source: Source, by: str | None, held_out: float | None, gap: int | None, seed: int) -> Source:
    """A source whose split is changed as far as options say."""
    if by is None and held_out is None and gap is None:
        return source
    split = dict(source.split)
    if "by" not in split and by is None:
        split["by"] = "given" if held_out is None else formats.usual_split(source.kind, Path(source.path))
    if by is not None:
        split["by"] = by
    if held_out is not None:
        split["held_out"] = held_out
        split["by"] = "random" if split["by"] == "given" else split["by"]
    if gap is not None:
        split["gap"] = gap
    split.setdefault("seed", seed)
    return dataclasses.replace(source, split=split)


def refuse_beside_network(given: Mapping[str, Any]) -> None:
    """Raises: UsageError for an option that would build a network, where one is given as it is."""
    for f in dataclasses.fields(Model):
        if f.name in given and f.name not in ("network", "start", "subpixel"):  # a recipe says more of those two
            raise UsageError(f"{f.name}: describes a network to be built, and one is given: leave it out")


def make_recipe(name: str | None, data: Sequence[str], options: dict[str, Any]) -> Recipe:
    """The recipe that a command means: a file's (or an empty one), changed by the options that were given.

    Args:
        name: recipe file, name of a shipped one, or None.
        data: values of --data; they replace the recipe's data sets.
        options: all other values of `recipe_options` and `data_options`.

    Raises:
        UsageError: something cannot be.
    """
    recipe = read_recipe(name) if name else Recipe(())
    given = {key: value for key, value in options.items() if value is not None}
    by, held_out = given.pop("split_by", None), given.pop("validation_split", None)
    gap, bonnet = given.pop("split_gap", None), given.pop("own_bonnet", None)
    sources = tuple(parse_data(text) for text in data) or recipe.data
    if not sources:
        raise UsageError("no data set: give --data FOLDER, or a recipe that names some ('seg-trainer datasets' helps)")
    if given.get("network"):
        refuse_beside_network(given)
    seed = given.get("seed", recipe.run.seed)
    sources = tuple(with_split(source, by, held_out, gap, seed) for source in sources)
    if bonnet:
        packed = next((source for source in sources if is_pack(Path(source.path))), None)
        if packed:
            raise UsageError(f"--own-bonnet: {packed.path} was packed with it: leave it out, or pack again")
        sources = tuple(dataclasses.replace(source, own_bonnet=bonnet) for source in sources)
    return recipe.change(data=sources, **given)
