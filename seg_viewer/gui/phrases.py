"""Lines with values in them, in another language: what comes from below the window is English, and whole by then.

The rooms below know no language. They raise and note plain English lines, which the command line prints as they are.
The window holds each line against templates, "{path}: no such file or folder", and says it by the German of the one
that fits. A line that fits none stays English: it is better read in English than not at all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from string import Formatter

TEXTS = frozenset({"why", "what", "more", "where", "one"})
"""Fields of these names hold words, which are put into the other language themselves; others stay as they are."""
FIGURES = frozenset({"s", "rate", "percent", "size", "figure"})
"""Fields of these names hold a figure, which gets the other language's decimal sign."""
_FEW_LETTERS = 3
_FIGURE = re.compile(r"-?\d+\.\d+")


class Phrases:
    """Templates of one language.

    Args:
        entries: English template → the other language's, with the same fields.
        point: the other language's decimal sign.
    """

    def __init__(self, entries: Mapping[str, str], point: str = ".") -> None:
        self._point = point
        self._whole = {text: other for text, other in entries.items() if "{" not in text}
        templates = [(*_split(text), other) for text, other in entries.items() if "{" in text]
        # what says most goes first: "{path}: {why}" fits nearly all
        self._templates = sorted(templates, key=lambda each: -sum(map(len, each[0])))
        self.say = lru_cache(512)(self._say)

    def _say(self, line: str) -> str:
        """A line in the other language; as it is where nobody has said how."""
        if line in self._whole:
            return self._whole[line]
        for parts, names, other in self._templates:
            values = _values(parts, line)
            if values is None:
                continue
            fields = {name: self._field(name, value) for name, value in zip(names, values, strict=True)}
            if _only_joins(parts) and list(fields.values()) == values:
                continue  # nothing of it is known
            return other.format(**fields)
        return line

    def _field(self, name: str, value: str) -> str:
        kind = name.rstrip("0123456789")
        if kind in TEXTS:
            return self._say(value)
        return value.replace(".", self._point) if kind in FIGURES and _FIGURE.fullmatch(value) else value


def _split(template: str) -> tuple[list[str], list[str]]:
    """What stands around the fields, one more than there are; and their names."""
    parts, names, text = [], [], ""
    for literal, name, _spec, _conversion in Formatter().parse(template):
        text += literal
        if name is not None:
            parts.append(text)
            names.append(name)
            text = ""
    return [*parts, text], names


def _only_joins(parts: list[str]) -> bool:
    """Whether a template has hardly a letter of its own: it fits too much to be taken on trust."""
    return sum(letter.isalpha() for part in parts for letter in part) <= _FEW_LETTERS


def _values(parts: list[str], line: str) -> list[str] | None:
    """What stands in the fields, none of them empty, the first ones as short as can be; None where a line does not fit.

    Takes time in proportion to the line, whatever stands in it.
    """
    if not line.startswith(parts[0]) or not line.endswith(parts[-1]):
        return None
    place, end = len(parts[0]), len(line) - len(parts[-1])
    values = []
    for part in parts[1:-1]:
        found = line.find(part, place + 1, end)
        if found < 0:
            return None
        values.append(line[place:found])
        place = found + len(part)
    if place >= end:
        return None
    return [*values, line[place:end]]
