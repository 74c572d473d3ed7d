"""Registries are data: each module of a room carries one constant that says what it adds, and a list names the modules.

Adding a source, an engine, a sink or a data-set format is one new file and one line in such a list.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Protocol, TypeVar


class Named(Protocol):
    """What a registry holds."""

    @property
    def name(self) -> str: ...


Entry = TypeVar("Entry", bound=Named)


def entries(modules: Sequence[str], constant: str, kind: type[Entry]) -> dict[str, Entry]:
    """Import modules and collect what each says of itself.

    Args:
        modules: full names, in the order that is wanted.
        constant: name of the module's constant that holds its entry.
        kind: what the constant has to be.

    Returns:
        name of each entry → entry, in the order of `modules`.

    Raises:
        TypeError: a module has no such constant, or it is of another kind.
        ValueError: two entries have the same name.
    """
    found: dict[str, Entry] = {}
    for module in modules:
        entry = getattr(importlib.import_module(module), constant, None)
        if not isinstance(entry, kind):
            raise TypeError(f"{module}: needs a constant {constant} that is a {kind.__name__}")
        if entry.name in found:
            raise ValueError(f"{module}: there is a {kind.__name__} '{entry.name}' already")
        found[entry.name] = entry
    return found
