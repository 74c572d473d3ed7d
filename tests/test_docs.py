"""What the docs name is there: files, commands, options."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from seg_viewer.cli.main import cli as viewer
from tests.house import ROOT
from trainer.cli import main as trainer

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PROGRAMS: dict[str, click.Group] = {"seg-viewer": viewer, "seg-trainer": trainer}
NEW = re.compile(r"new file, `([^`]+)`")
"""What contributing.md has a reader make."""


def _files() -> set[str]:
    return {str(path.relative_to(ROOT)) for top in ("seg_viewer", "trainer", "tests", "benchmarks", "assets", "docs")
            for path in (ROOT / top).rglob("*")}  # fmt: skip


def _missing(text: str, here: Path) -> list[str]:
    """Links, and files and modules in backticks, that lead nowhere."""
    files = _files()
    made = {path for page in PAGES for path in NEW.findall(page.read_text(encoding="utf-8").replace("\n", " "))}
    links = [link for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text) if "://" not in link]
    lost = [link for link in links if not (here / link).exists()]
    for named in re.findall(r"`([\w./-]+\.py|(?:seg_viewer|trainer|tests|benchmarks)/[\w./-]+)`", text):
        path = named.rstrip("/")
        if path not in made and not any(file == path or file.endswith(f"/{path}") for file in files):
            lost.append(named)
    for module in re.findall(r"python -m ((?:tests|benchmarks)[\w.]*)", text):
        path = module.replace(".", "/")
        if not {f"{path}.py", f"{path}/__main__.py"} & files:
            lost.append(module)
    return lost


def _unknown(text: str) -> list[str]:
    """Command lines of our programs whose command or option there is not."""
    lost = []
    for program, words in re.findall(r"(seg-viewer|seg-trainer) ([^`#\n]+)", re.sub(r"\s+# .*", "", text)):
        command: click.Command = PROGRAMS[program]
        first = words.split()[0]
        if isinstance(command, click.Group) and re.fullmatch(r"[a-z][a-z-]+", first):
            command = command.commands.get(first, click.Command("none"))
        elif program == "seg-viewer":  # a source: the same as its command view
            command = click.Command("seg-viewer", params=[*command.params, *viewer.commands["view"].params])
        known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)} | {"--help"}
        lost += [f"{program} {words}: {name}" for name in re.findall(r"(?<!\S)\[?(--?[a-z][a-z-]*)", words)
                 if name not in known]  # fmt: skip
        if command.name == "none":
            lost.append(f"{program} {first}")
    every = {name for group in PROGRAMS.values() for command in group.commands.values() for option in command.params
             for name in (*option.opts, *option.secondary_opts)}  # fmt: skip
    lost += [name for name in re.findall(r"`(--[a-z][a-z-]+)[ `]", text) if name not in every | {"--help"}]
    return lost


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_names_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert _missing(text, page.parent) == []
    assert _unknown(text) == []


def test_what_is_gone_is_found() -> None:
    text = "[x](gone.md) `gone.py` `trainer/gone/` `seg-viewer view --gone` `seg-trainer gone x` `--gone 3`"
    assert len(_missing(text, ROOT)) == 3 and len(_unknown(text)) == 3
    assert _missing("python -m benchmarks.gone", ROOT) == ["benchmarks.gone"]


def test_pictures_of_the_window_are_small_and_shown() -> None:
    pictures = {path.name: path.stat().st_size for path in (ROOT / "docs" / "images").iterdir()}
    shown = {
        name
        for page in PAGES
        for name in re.findall(r"!\[[^\]]+\]\((?:docs/)?images/([^)]+)\)", page.read_text("utf-8"))
    }
    script = (ROOT / "docs" / "take_screenshots.py").read_text("utf-8")
    taken = {f"{name}.png" for name in re.findall(r'picture\("([a-z-]+)"', script)}
    assert set(pictures) == shown == taken
    assert {name: size for name, size in pictures.items() if size > 200_000} == {}
