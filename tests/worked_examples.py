"""The worked examples of docs/contributing.md: the new file, the one line, and a copy of the project that has both."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "contributing.md"


@dataclass(frozen=True)
class Example:
    """What a section of the page adds.

    Args:
        file: path of the new file within the project.
        text: what is in it.
        registry: path of the file that gets one more line.
        line: that line, with its end.
    """

    file: str
    text: str
    registry: str
    line: str


def example(title: str) -> Example:
    """The one of the section "## {title}"."""
    page = PAGE.read_text(encoding="utf-8")
    section = page[page.index(f"## {title}\n") :].split("\n## ")[0]
    (file,) = re.findall(r"[Tt]he new file,\s`([^`]+)`", section)
    (registry,) = re.findall(r"The one line, in `MODULES` of `([^`]+)`", section)
    text = re.findall(r"^```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)[0]
    (line,) = re.findall(r"^```diff\n\+(.*\n)```$", section, re.MULTILINE)
    return Example(file, text, registry, line)


def copy_with(folder: Path, added: Example) -> Path:
    """Copies the package that an example adds to, with its file and its line and nothing else changed.

    Returns:
        the folder to import from.
    """
    package = Path(added.file).parts[0]
    shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "assets").symlink_to(ROOT / "assets")
    (folder / added.file).write_text(added.text, encoding="utf-8")
    registry = folder / added.registry
    text = registry.read_text(encoding="utf-8")
    assert text.count("MODULES = [\n") == 1
    registry.write_text(text.replace("MODULES = [\n", "MODULES = [\n" + added.line), encoding="utf-8")
    return folder


def run(imported_from: Path, *arguments: str, code: int = 0) -> str:
    """Runs Python with a copy in the place of the project. Returns what it printed; asserts its exit code."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(imported_from), str(ROOT))), "COLUMNS": "200"}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=imported_from, env=environment, capture_output=True, encoding="utf-8",
        timeout=200, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr
