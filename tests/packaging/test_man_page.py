"""The man page says what `--help` says."""

from __future__ import annotations

import re
import shutil
import subprocess

import click
import pytest

from assets.packaging.man_page import escape, man_page
from seg_viewer.cli.main import cli


@pytest.fixture(scope="module")
def page() -> str:
    return man_page(cli, "1.2.3")


def _plain(page: str) -> str:
    return re.sub(r"\\f[BRI]|\\&", "", page).replace("\\-", "-").replace("\\(dq", '"').replace("\\e", "\\")


def test_every_command_and_option_is_on_it(page: str) -> None:
    sections = re.split(r'^\.SH "SEG-VIEWER (\S+)"$', _plain(page), flags=re.MULTILINE)
    by_name = dict(zip(sections[1::2], sections[2::2], strict=True))
    assert set(by_name) == {name.upper() for name in cli.commands} and len(by_name) > 8
    for name, command in cli.commands.items():
        options = [option for option in command.params if isinstance(option, click.Option) and not option.hidden]
        missing = [option.opts[0] for option in options if not re.search(rf"{option.opts[0]}\b", by_name[name.upper()])]
        assert missing == []
        assert "-h, --help" in by_name[name.upper()]


def test_what_commands_add_to_their_help_is_on_it(page: str) -> None:
    plain = _plain(page)
    assert "carla://" in plain and "rtsp://" in plain  # sources of `view`
    assert ".parquet" in plain  # outputs of `export`
    assert "seg-viewer 1.2.3" in plain


def test_lines_of_text_are_no_macros(page: str) -> None:
    macros = {line.split()[0] for line in page.splitlines() if line.startswith((".", "'"))}
    assert macros == {".TH", ".SH", ".SS", ".PP", ".TP", ".br", ".ad", ".nh"}
    assert escape(".mp4 \\ -o") == "\\&.mp4 \\e \\-o"


@pytest.mark.skipif(not shutil.which("groff"), reason="groff is not installed")
def test_it_is_roff(page: str) -> None:
    command = ["groff", "-man", "-K", "utf8", "-T", "utf8", "-wmac", "-wsyntax", "-Wbreak"]
    done = subprocess.run(command, input=page, check=True, capture_output=True, encoding="utf-8")
    assert done.stderr == "" and "SEG-VIEWER EXPORT" in re.sub(".\b", "", done.stdout)
