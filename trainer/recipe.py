"""A recipe: everything that decides what a training run makes, as read from TOML."""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seg_viewer.core.errors import UsageError
from seg_viewer.core.labels import DRIVING
from trainer.augment import Augment

SHIPPED = Path(__file__).parent / "recipes"


@dataclass(frozen=True)
class Source:
    """One data set of a mix.

    Args:
        kind: format, a key of `trainer.datasets.FORMATS`.
        path: folder, relative to the data folder.
        weight: share of the training pictures drawn from it, against the sum of all weights.
        name: what to call it; the format's name when empty.
        optional: skipped with a note when its folder is missing or empty.
    """

    kind: str
    path: str
    weight: float = 1.0
    name: str = ""
    optional: bool = False


@dataclass(frozen=True)
class Recipe:
    """See `recipes/first.toml` for what each value means."""

    data: tuple[Source, ...]
    augment: Augment
    steps: int
    batch: int = 16
    seed: int = 0
    policy: str = "float32"
    checkpoint_every: int = 200
    widths: tuple[int, ...] = (16, 32, 64, 128, 192)
    learning_rate: float = 2e-3
    warmup: int = 100
    weight_decay: float = 0.01
    ema: float = 0.998
    class_weights: tuple[float, ...] = (1.0,) * len(DRIVING)
    dice: float = 0.5

    def replace(self, **changes: Any) -> Recipe:
        return dataclasses.replace(self, **changes)


def read_recipe(name: str) -> Recipe:
    """Read a recipe.

    Args:
        name: path of a TOML file, or the name of one that ships, such as "first".

    Raises:
        UsageError: there is no such file, it is no TOML, or it holds a key or value that means nothing.
    """
    path = Path(name)
    if not path.suffix and not path.exists():
        path = SHIPPED / f"{name}.toml"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        ships = ", ".join(sorted(file.stem for file in SHIPPED.glob("*.toml")))
        raise UsageError(f"{path}: recipe cannot be read ({error.strerror}); there ship: {ships}") from error
    try:
        return _from_tables(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, TypeError, ValueError, KeyError) as error:
        raise UsageError(f"{path}: not a recipe: {error}") from error


def _from_tables(tables: dict[str, Any]) -> Recipe:
    tables = dict(tables)
    augment = tables.pop("augment", {})
    size = {"crop": tuple(tables.pop("crop")), "frame": tuple(tables.pop("frame"))}
    pairs = {key: tuple(value) if isinstance(value, list) else value for key, value in augment.items()}
    data = tuple(Source(**item) for item in tables.pop("data"))
    values: dict[str, Any] = {}
    for section in ("model", "optimizer", "loss"):
        values.update(tables.pop(section, {}))
    values.update(tables)
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    recipe = Recipe(data=data, augment=Augment(**size, **pairs), **values)
    if len(recipe.class_weights) != len(DRIVING):
        raise ValueError(f"{len(recipe.class_weights)} class weights for {len(DRIVING)} classes")
    return recipe
