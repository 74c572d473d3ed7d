"""Names from outside, fit to be shown: a terminal obeys control characters, and a line break makes a second line."""

from __future__ import annotations

from typing import Any, TypeVar

_Value = TypeVar("_Value")


def printable(text: str) -> str:
    """One line: line breaks and tabs become spaces, control and format characters the replacement character."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in text)


def printable_all(value: _Value) -> _Value:
    """Every text in what `json.loads` gives, keys included, as `printable` makes it."""
    made: Any = value
    if isinstance(value, str):
        made = printable(value)
    elif isinstance(value, dict):
        made = {printable_all(key): printable_all(part) for key, part in value.items()}
    elif isinstance(value, list):
        made = [printable_all(part) for part in value]
    return made
