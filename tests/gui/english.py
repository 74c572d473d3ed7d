"""The English lines that the rooms below the window can hand it, read from their source, with marks for values."""

from __future__ import annotations

import ast
import builtins
import importlib
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import seg_viewer

ROOT = Path(seg_viewer.__file__).parent
ROOMS = ("core", "media", "sources", "engines", "pipeline", "sinks", "jobs", "player")

NO_WINDOW = frozenset(
    {
        # what only commands do
        "jobs/bench.py", "jobs/bulk.py", "jobs/bulk_processes.py", "jobs/cluster.py", "jobs/doctor.py",
        "jobs/output_names.py", "jobs/piece.py", "jobs/record.py", "jobs/record_carla.py", "jobs/spread.py",
        "jobs/style.py", "jobs/options.py", "engines/nvidia/ahead.py", "engines/nvidia/explain.py", "core/golden.py",
        "core/carla_tags.py", "core/scores.py", "core/errors.py",
        # what stands in files
        "sinks/report_page.py", "sinks/report_chart.py", "sinks/report_style.py", "sinks/report.py", "sinks/coco.py",
        "sinks/summary.py", "jobs/labelled.py", "core/paint.py",
    }
)  # fmt: skip
"""Modules none of whose sentences a window shows."""

_WORDS = re.compile(r"[A-Za-z][a-z']*(?: [A-Za-z'(][A-Za-z'-]*){2,}")
_COMMANDS = ("pip install", "apt-get install")
_LOGGED = {"debug", "info", "warning", "error", "exception"}
_MARK = "⟦{}⟧"


@dataclass(frozen=True)
class Line:
    """One sentence of the source.

    Args:
        where: file and line.
        parts: what stands around its values; "" on a side where a value begins or ends it.
        values: text of those values that are constants of the module, None for the others; one less than `parts`.
    """

    where: str
    parts: tuple[str, ...]
    values: tuple[str | None, ...]

    def samples(self) -> Iterator[str]:
        """The line with marks for its values; also with some of them empty, as optional halves of a sentence are."""
        free = [number for number, value in enumerate(self.values) if value is None]
        for count in range(min(len(free), 3) + 1):
            for empty in itertools.combinations(free, count):
                yield self.parts[0] + "".join(
                    (value if value is not None else "" if number in empty else _MARK.format(number)) + part
                    for number, (value, part) in enumerate(zip(self.values, self.parts[1:], strict=True))
                )

    def left_in(self, text: str) -> list[str]:
        """What of its English stands in a text still."""
        whole = [value for value in self.values if value is not None]
        english = [words for part in (*self.parts, *whole) for words in _WORDS.findall(part)]
        return [words for words in english if words in text and not words.startswith(_COMMANDS)]


def lines() -> list[Line]:
    """Every sentence of three words or more in the rooms below the window, but for logs and errors of the code."""
    found = []
    for room in ROOMS:
        for file in sorted((ROOT / room).rglob("*.py")):
            name = file.relative_to(ROOT).as_posix()
            if name not in NO_WINDOW:
                found += _lines_of(file, name)
    return found


def _lines_of(file: Path, name: str) -> Iterator[Line]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    module = importlib.import_module("seg_viewer." + name.removesuffix(".py").replace("/", "."))
    skipped = set(_skipped(tree))
    for node in ast.walk(tree):
        if id(node) in skipped or not isinstance(node, ast.Constant | ast.JoinedStr):
            continue
        parts, values = _taken_apart(node, module)
        if any(_WORDS.search(part) for part in parts):
            yield Line(f"{name}:{node.lineno}", parts, values)


def _skipped(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield id(node.value)  # a docstring
        elif isinstance(node, ast.JoinedStr):
            yield from (id(each) for each in node.values)
        elif isinstance(node, ast.Call) and _is_for_nobody(node):
            yield from (id(each) for each in ast.walk(node))
        elif isinstance(node, ast.Assert):
            yield from (id(each) for each in ast.walk(node))


def _is_for_nobody(call: ast.Call) -> bool:
    """A log entry, a pattern, or an error that only code can cause."""
    if isinstance(call.func, ast.Attribute):
        owner = call.func.value
        return (call.func.attr in _LOGGED and "log" in ast.dump(owner)) or ast.unparse(call.func) == "re.compile"
    error = getattr(builtins, call.func.id, None) if isinstance(call.func, ast.Name) else None
    return isinstance(error, type) and issubclass(error, Exception)


def _taken_apart(
    node: ast.Constant | ast.JoinedStr, module: ModuleType
) -> tuple[tuple[str, ...], tuple[str | None, ...]]:
    if isinstance(node, ast.Constant):
        return ((node.value,), ()) if isinstance(node.value, str) else (("",), ())
    parts, values = [""], []
    for each in node.values:
        if isinstance(each, ast.Constant):
            parts[-1] += str(each.value)
        elif isinstance(each, ast.FormattedValue):
            value = vars(module).get(each.value.id) if isinstance(each.value, ast.Name) else None
            values.append(value if isinstance(value, str) else None)
            parts.append("")
    return tuple(parts), tuple(values)
