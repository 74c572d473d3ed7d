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


def _ill_shown(text: str) -> list[str]:
    """What GitHub shows and the site does not: lists without an empty line before, or one within another by too little.

    And what both show, but nobody wants to read: file names for links to pages.
    """
    bad = re.findall(r"\[[\w./-]+\.md\]\(.*?\)", text)
    before, fenced = "", False
    for line in text.splitlines():
        fence = line.lstrip().startswith("```")
        if not fenced and not fence and (found := re.match(r"( *)(?:[-*]|\d+\.) ", line)):
            within = re.match(r" *(?:[-*]|\d+\.) |  +\S", before) if before != "```" else None
            if (before and not within) or len(found[1]) % 4:
                bad.append(line)
        fenced, before = fenced ^ fence, "```" if fence else line.rstrip()
    return bad


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_names_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert _missing(text, page.parent) == []
    assert _unknown(text) == []
    assert "changelog.d" in page.parts or _ill_shown(text) == []


def test_what_is_gone_is_found() -> None:
    text = "[x](gone.md) `gone.py` `trainer/gone/` `seg-viewer view --gone` `seg-trainer gone x` `--gone 3`"
    assert len(_missing(text, ROOT)) == 3 and len(_unknown(text)) == 3
    assert _missing("python -m benchmarks.gone", ROOT) == ["benchmarks.gone"]


@pytest.mark.parametrize(
    ("text", "bad"),
    [
        ("Words\n- one\n- two", ["- one"]),
        ("Words\n\n- one\n  goes on\n- two\n\n1. a\n    - b", []),
        ("```\ncode\n```\n- one", ["- one"]),
        ("1. a\n   - b", ["   - b"]),
        ("```\nwords\n- no list\n```", []),
        ("see [live.md](live.md#x) and [Live](live.md)", ["[live.md](live.md#x)"]),
    ],
)
def test_what_the_site_shows_otherwise_is_found(text: str, bad: list[str]) -> None:
    assert _ill_shown(text) == bad


def test_every_command_begins_with_a_sentence_and_every_option_says_what_it_is() -> None:
    """The page of commands, the man page and the list of commands take the first line alone."""
    commands = {f"{name} {key}": one for name, group in PROGRAMS.items() for key, one in group.commands.items()}
    assert [key for key, one in commands.items() if not (one.help or "").split("\n")[0].rstrip().endswith(".")] == []
    options = [(key, one) for key, command in commands.items() for one in command.params]
    assert [(key, one.name) for key, one in options if isinstance(one, click.Option) and not one.help] == []


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
