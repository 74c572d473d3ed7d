"""The command line's side of a recipe: one option for each of its values, made from the dataclasses themselves."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from seg_viewer.core.counted import counted
from seg_viewer.engines import engine_names
from trainer.commands.help import option
from trainer.data import formats
from trainer.pairs import SPLITS
from trainer.recipe import SECTIONS, SIZE

GROUPS = {
    "run": "Run (how long, on what size, from which seed)",
    "model": "Network",
    "optimizer": "Optimizer (how the weights move)",
    "loss": "Loss (what is minimised)",
    "augment": "Augmentation (of training pictures only)",
}
"""Section of a recipe → heading of its options in the help."""

DATA = "Data"

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
            like = (
                "is not a size such as 512x288"
                if self._size
                else f"holds {counted(len(values), 'value')}, not {self._count}"
            )
            self.fail(f"'{value}' {like}", param, ctx)
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
    for section, kind in reversed(SECTIONS.items()):
        for f in reversed(dataclasses.fields(kind)):
            name = f.name.replace("_", "-")
            shown = f"  [default: {_shown(f)}]"
            if f.type == "bool":
                names, more = f"--{name}/--no-{name}", {"default": None}
            else:
                names, more = f"--{name}", {"type": _type_of(f), "metavar": f.metadata.get("metavar")}
            command = option(GROUPS[section], names, f.name, help=f.metadata["help"] + shown, **more)(command)
    return command


def _shown(f: dataclasses.Field[Any]) -> str:
    value = f.default
    if isinstance(value, tuple):
        return ("x" if f.metadata.get("metavar") == SIZE else ",").join(map(str, value)) or "none"
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value) or "none"


def data_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that name data sets and their split."""
    return option(
        DATA,
        "--data",
        multiple=True,
        metavar="[FORMAT=]FOLDER[@WEIGHT]",
        help="A data set; give it again to mix several. The format is recognised if not given; a file is what"
        f" 'seg-trainer pack' wrote; {formats.TFDS}={'|'.join(formats.fetched_names())} comes through"
        " tensorflow_datasets.",
    )(split_options(command))


def split_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that say where data sets lie and what of them is held out."""
    options = (
        option(
            DATA, "--root", type=FOLDER, multiple=True, help="Folder that holds what a recipe's relative paths name."
        ),
        option(
            DATA,
            "--validation-split",
            type=click.FloatRange(0, 0.9),
            help="Share of each data set to hold out, 0 for none.",
        ),
        option(
            DATA,
            "--split",
            "split_by",
            type=click.Choice(SPLITS),
            help="given: its own lists; random: by seed; blocks: the end of each drive; groups: whole drives.",
        ),
        option(DATA, "--split-gap", type=click.IntRange(0), help="Pairs before a block that are in neither part."),
        option(
            DATA,
            "--own-bonnet",
            type=click.Choice(["ignore", "keep", "background"]),
            help="CARLA: pixels of the car that films; background: in training only, scores ignore them."
            "  [default: background, or the recipe's]",
        ),
    )
    for one in reversed(options):
        command = one(command)
    return command


def foreign_options(group: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Options that say how a network from elsewhere takes its pictures."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        pixels = option(
            group,
            "--pixels",
            type=click.Choice(["auto", "byte", "unit", "signed"]),
            default="auto",
            show_default=True,
            help="What a .keras or .h5 file from elsewhere was trained on: byte: 0…255, unit: 0…1, signed: −1…1;"
            " auto: byte where the network scales its pictures itself, else unit.",
        )
        size = option(
            group, "--size", type=Values(int, 2, size=True), metavar=SIZE, help="For a network that takes any size."
        )
        return pixels(size(command))

    return decorate
