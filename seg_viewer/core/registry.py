"""Registries are data: each module of a room carries one constant that says what it adds, and a list names the modules.

Adding a source, an engine, a sink or a data-set format is one new file and one line in such a list.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from typing import Protocol, TypeVar


class Named(Protocol):
    """What a registry holds."""

    @property
    def name(self) -> str: ...


Entry = TypeVar("Entry", bound=Named)


def each(modules: Sequence[str], constant: str, kind: type[Entry]) -> Iterator[Entry]:
    """Import modules one after the other, as far as they are asked for, and yield what each says of itself.

    Args:
        modules: full names, in the order that is wanted.
        constant: name of the module's constant that holds its entry.
        kind: what the constant has to be.

    Raises:
        TypeError: a module has no such constant, or it is of another kind.
        ValueError: two entries have the same name.
    """
    names: set[str] = set()
    for module in modules:
        entry = getattr(importlib.import_module(module), constant, None)
        if not isinstance(entry, kind):
            raise TypeError(f"{module}: needs a constant {constant} that is a {kind.__name__}")
        if entry.name in names:
            raise ValueError(f"{module}: there is a {kind.__name__} '{entry.name}' already")
        names.add(entry.name)
        yield entry


def entries(modules: Sequence[str], constant: str, kind: type[Entry]) -> dict[str, Entry]:
    """All of `each`: name of each entry → entry, in the order of `modules`."""
    return {entry.name: entry for entry in each(modules, constant, kind)}
