"""What a value of a recipe may be: its option with help and range, sums of losses."""

from __future__ import annotations

import math
import numbers
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any

from seg_viewer.core.errors import UsageError

LOSSES = ("ce", "bce", "dice", "focal", "lovasz")


def option(default: Any, text: str, **more: Any) -> Any:
    """A dataclass field that is also a command line option.

    Args:
        default: of the field.
        text: its help.
        more: `choices` and `metavar` as in click; `least`, `most`, `above`, `below`: the range of a number, or of each
            of several.
    """
    return field(default=default, metadata={"help": text, **more})


def share(default: float, text: str) -> Any:
    """An `option` from 0 to 1."""
    return option(default, text, least=0, most=1)


def parse_loss(text: str) -> list[tuple[float, str]]:
    """The sum "ce+0.5*dice" → [(1.0, "ce"), (0.5, "dice")]. Raises: UsageError naming the part that is none."""
    parts = []
    for part in text.replace(" ", "").lower().split("+"):
        match = re.fullmatch(r"(?:(\d*\.?\d+)\*)?([a-z]+)", part)
        if not match or match[2] not in LOSSES:
            raise UsageError(f"loss '{text}': '{part}' is none of {', '.join(LOSSES)} (a sum looks like ce+0.5*dice)")
        weight = float(match[1] or 1.0)
        if not 0 < weight < math.inf:
            raise UsageError(
                f"loss '{text}': nothing is learned from {weight:g} times {match[2]}; give a weight above 0"
            )
        parts.append((weight, match[2]))
    return parts


def fitting(name: str, value: Any, kind: str) -> Any:
    """A value in the type that a recipe keeps it in.

    Args:
        name: of the option.
        value: as somebody wrote it in Python: numbers of NumPy, lists and paths will do.
        kind: "int", "float", "bool", "str", or a tuple of one of these: "tuple[int, int]", "tuple[str, ...]".

    Raises:
        UsageError: it is of another kind.
    """
    if kind.startswith("tuple"):
        inner, _, rest = kind[6:-1].partition(", ")
        whole = isinstance(value, Sequence) and not isinstance(value, str | bytes)
        if not whole or (rest != "..." and len(value) != 2):
            many = "several" if rest == "..." else "two"
            raise UsageError(f"{name} is {value!r}; it must be {many} values, such as {_LIKE[inner]}")
        return tuple(fitting(name, one, inner) for one in value)
    if kind == "str" and isinstance(value, str | os.PathLike):
        return os.fspath(value)
    if kind == "bool" and isinstance(value, bool):
        return value
    if kind == "int" and isinstance(value, numbers.Integral) and not isinstance(value, bool):
        return int(value)
    if kind == "float" and isinstance(value, numbers.Real) and not isinstance(value, bool):
        return float(value)
    raise UsageError(f"{name} is {value!r}; it must be {_KINDS[kind]}")


_KINDS = {"int": "a whole number", "float": "a number", "str": "a text", "bool": "True or False"}
_LIKE = {"int": "(256, 192)", "float": "(0.5, 1.0)", "str": '("car", "person")'}


def typed(key: str, value: Any, kind: str) -> Any:
    """A value read from TOML in the type that a recipe keeps it in.

    Args:
        key: its name.
        value: as tomllib gives it.
        kind: as in `fitting`.

    Raises:
        ValueError: it is of another type.
    """
    if kind.startswith("tuple"):
        inner = kind[6:-1].split(",")
        count = None if "..." in kind else len(inner)
        if not isinstance(value, list) or (count is not None and len(value) != count):
            raise ValueError(f"{key} must be a list of {count or 'some'} values")
        return tuple(typed(key, item, inner[0].strip()) for item in value)
    if kind == "float" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    expected = {"int": int, "float": float, "str": str, "bool": bool}.get(kind)
    if expected and (not isinstance(value, expected) or (expected is int and isinstance(value, bool))):
        raise ValueError(f"{key} = {value!r} is no {kind}")
    return value


def check_range(name: str, value: Any, limits: Mapping[str, Any]) -> None:
    """Look whether a number, or each of several, is in its range.

    Args:
        name: of the option.
        value: of any type; only numbers have ranges.
        limits: may hold `least`, `most`, `above` and `below`.

    Raises:
        UsageError: it is not.
    """
    for number in value if isinstance(value, tuple) else (value,):
        if isinstance(number, bool) or not isinstance(number, int | float):
            continue
        at_ends = limits.get("least", -math.inf) <= number <= limits.get("most", math.inf)
        between = limits.get("above", -math.inf) < number < limits.get("below", math.inf)
        if not (math.isfinite(number) and at_ends and between):
            raise UsageError(f"{name} is {number:g}; it must be {_range_text(limits)}")


def _range_text(limits: Mapping[str, Any]) -> str:
    words = {"least": "at least", "above": "above", "most": "at most", "below": "below"}
    return " and ".join(f"{text} {limits[key]}" for key, text in words.items() if key in limits) or "a number"
