"""TOML of the values that recipes and label maps are made of; reading it is Python's own (tomllib)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def toml_text(tables: Mapping[str, Any]) -> str:
    """The document: values first, then tables, then lists of tables (TOML 1.0.0).

    Args:
        tables: texts, whole numbers, numbers, booleans, lists of these, mappings, lists of mappings.
    """
    return "\n".join(_lines(tables, ())).lstrip("\n") + "\n"


def _lines(tables: Mapping[str, Any], above: tuple[str, ...]) -> list[str]:
    out = [f"{_key(key)} = {_value(value)}" for key, value in tables.items() if not _is_table(value)]
    for key, value in tables.items():
        name = ".".join(map(_key, (*above, key)))
        if isinstance(value, Mapping):
            out += ["", f"[{name}]", *_lines(value, (*above, key))]
        elif _is_table(value):
            for item in value:
                out += ["", f"[[{name}]]", *_lines(item, (*above, key))]
    return out


def _is_table(value: Any) -> bool:
    several = isinstance(value, list) and bool(value) and all(isinstance(item, Mapping) for item in value)
    return isinstance(value, Mapping) or several


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _text(key)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
        return repr(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    raise TypeError(f"{value!r} has no place in a TOML file")


def _text(text: str) -> str:
    """A basic string: JSON's, whose escapes TOML knows too, but for DEL, which TOML wants escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")
