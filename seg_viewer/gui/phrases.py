"""Lines with values in them, in another language: what comes from below the window is English, and whole by then.

The rooms below know no language. They raise and note plain English lines, which the command line prints as they are.
The window holds each line against templates, "{path}: no such file or folder", and says it by the German of the one
that explains most of it. A line that fits none stays English: it is better read in English than not at all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from string import Formatter
from typing import NamedTuple

TEXTS = frozenset({"why", "what", "more", "where", "one"})
"""Fields of these names hold words, which are put into the other language themselves; others stay as they are."""
FIGURES = frozenset({"s", "rate", "percent", "size", "figure"})
"""Fields of these names hold a figure, which gets the other language's decimal sign."""
_LONGEST = 1000  # characters; the window has no time for more
_LIST = ", "
_FEW_LETTERS = 2
"""Known by no more, a line fits by chance: " at ", ", "."""
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
        split = [(*_split(text), other) for text, other in entries.items() if "{" in text]
        split.sort(key=lambda each: -sum(map(_letters, each[0])))  # of two that explain as much, the plainer one
        self._templates = [(max(parts, key=len), parts, names, other) for parts, names, other in split]
        self._best = lru_cache(1024)(self._find)

    def say(self, line: str) -> str:
        """A line in the other language; as it is where nobody has said how."""
        return self._best(line, False).text if len(line) <= _LONGEST else line

    def _find(self, line: str, nested: bool) -> _Said:
        """By the template that explains most of the line, the words in its fields included."""
        if line in self._whole:
            return _Said(self._whole[line], _letters(line))
        best = _Said(line, _FEW_LETTERS)
        for longest, parts, names, other in self._templates:
            values = _values(parts, line) if longest in line else None  # the quick look first
            if values is None or (longest == _LIST and not nested):  # names of files have commas as well
                continue
            fields, known = {}, sum(map(_letters, parts))
            for name, value in zip(names, values, strict=True):
                fields[name], more = self._field(name, value)
                known += more
            if known > best.known:
                best = _Said(other.format(**fields), known)
        return best if best.known > _FEW_LETTERS else _Said(line, 0)

    def _field(self, name: str, value: str) -> tuple[str, int]:
        """What is put in for a value, and how much of it is known."""
        if name in TEXTS:
            return self._best(value, True)
        if name in FIGURES and _FIGURE.fullmatch(value):
            return value.replace(".", self._point), len(value)
        return value, 0


class _Said(NamedTuple):
    """A line in the other language, and how many letters of the English one are words that are known."""

    text: str
    known: int


def _letters(text: str) -> int:
    return sum(map(str.isalpha, text))


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
