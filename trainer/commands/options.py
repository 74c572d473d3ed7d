"""The command line's side of a recipe: one option for each of its values, made from the dataclasses themselves."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from seg_viewer.engines import engine_names
from trainer.data import formats
from trainer.pairs import SPLITS
from trainer.recipe import SECTIONS, SIZE

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path)
ENGINES = click.Choice(["auto", *engine_names()])


class Values(click.ParamType):  # type: ignore[type-arg]  # no generic class before click 8.2
    """A tuple written as 1,2,3, or as WIDTHxHEIGHT."""

    def __init__(self, inner: type, count: int | None, size: bool) -> None:
        self._inner, self._count, self._size = inner, count, size
        self.name = SIZE if size else "VALUES"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The tuple of a text; a tuple stays as it is."""
        if isinstance(value, tuple):
            return value
        parts = re.split(r"[x×,]" if self._size else ",", value.strip())
        try:
            values = tuple(self._inner(part.strip()) for part in parts)
        except ValueError:
            self.fail(
                f"'{value}' is not {'a size such as 512x288' if self._size else 'a list such as 1,2,3'}", param, ctx
            )
        if self._count and len(values) != self._count:
            self.fail(f"'{value}' holds {len(values)} values, not {self._count}", param, ctx)
        return values


def _type_of(f: dataclasses.Field[Any]) -> Any:
    choices = f.metadata.get("choices")
    if choices:
        return click.Choice(choices)
    kind = str(f.type)
    if kind.startswith("tuple"):
        inner = {"int": int, "float": float, "str": str}[kind[6:].split(",")[0].split("]")[0]]
        return Values(inner, None if "..." in kind else 2, f.metadata.get("metavar") == SIZE)
    return {"int": int, "float": float, "str": str}[kind]


def recipe_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a click command an option for every value of a recipe; those that are not given arrive as None."""
    for kind in reversed(SECTIONS.values()):
        for f in reversed(dataclasses.fields(kind)):
            name = f.name.replace("_", "-")
            shown = f"  [default: {_shown(f.default)}]"
            if f.type == "bool":
                option = click.option(f"--{name}/--no-{name}", f.name, default=None, help=f.metadata["help"] + shown)
            else:
                metavar = f.metadata.get("metavar")
                option = click.option(
                    f"--{name}", f.name, type=_type_of(f), metavar=metavar, help=f.metadata["help"] + shown
                )
            command = option(command)
    return command


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, value)) if value else "none"
    return {True: "on", False: "off"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def data_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that name data sets and their split."""
    options = (
        click.option(
            "--data",
            multiple=True,
            metavar="[FORMAT=]FOLDER[@WEIGHT]",
            help="A data set; give it again to mix several. The format is recognised if not given;"
            f" {formats.TFDS}={'|'.join(formats.fetched_names())} comes through tensorflow_datasets.",
        ),
        click.option(
            "--root", type=FOLDER, multiple=True, help="Folder that holds what a recipe's relative paths name."
        ),
        click.option(
            "--validation-split", type=click.FloatRange(0, 0.9), help="Share of each data set to hold out, 0 for none."
        ),
        click.option(
            "--split",
            "split_by",
            type=click.Choice(SPLITS),
            help="given: its own lists; random: by seed; blocks: the end of each drive; groups: whole drives.",
        ),
        click.option("--split-gap", type=click.IntRange(0), help="Pairs before a block that are in neither part."),
        click.option(
            "--own-bonnet",
            type=click.Choice(["ignore", "keep", "background"]),
            help="CARLA: pixels of the car that films; background: in training only, scores ignore them.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command
