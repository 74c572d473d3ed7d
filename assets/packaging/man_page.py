"""The man page, made of what `--help` says.

python -m assets.packaging.man_page > seg-viewer.1
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable

import click

PROGRAM = "seg-viewer"
_END = """.SH "EXIT STATUS"
0: done. 1: it failed; one line says why. 2: a wrong option or argument. 130: stopped by Ctrl+C.
"""


class Roff(click.HelpFormatter):
    """Takes what click writes as help and writes it as roff.

    Args:
        heading: macro of section headings, ".SH" or ".SS".
    """

    def __init__(self, heading: str) -> None:
        super().__init__(width=10_000)
        self._heading = heading

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        self.write(f"{self._heading} {self._titled('Synopsis')}\n\\fB{escape(prog)}\\fR {escape(args)}\n")

    def write_heading(self, heading: str) -> None:
        self.write(f'{self._heading} "{escape(self._titled(heading))}"\n')

    def _titled(self, heading: str) -> str:
        return heading.upper() if self._heading == ".SH" else heading

    def write_paragraph(self) -> None:
        self.write(".PP\n")

    def write_text(self, text: str) -> None:
        for paragraph in re.split(r"\n\s*\n", text.strip()):
            self.write(f".PP\n{escape(' '.join(paragraph.split()))}\n")

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        for term, text in rows:
            self.write(f".TP\n\\fB{escape(term)}\\fR\n{escape(' '.join(text.split())) or '.br'}\n")


def escape(text: str) -> str:
    """Text as roff takes it."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq")
    text = text.replace("&", "&\\:")  # a line may end there
    return f"\\&{text}" if text[:1] in (".", "'") else text


def man_page(group: click.Group, version: str) -> str:
    """The page of a program and all its commands."""
    context = click.Context(group, info_name=PROGRAM, **group.context_settings)
    name = group.get_short_help_str(200).rstrip(".")
    out = [
        f'.TH {escape(PROGRAM.upper())} 1 "" "{escape(PROGRAM)} {escape(version)}" "User Commands"\n',
        ".ad l\n.nh\n",  # what options take has no blanks to stretch, and must not be hyphenated
        f".SH NAME\n{escape(PROGRAM)} \\- {escape(name[0].lower() + name[1:])}\n",
        _help(group, context, ".SH"),
    ]
    for word, command in group.commands.items():
        inner = click.Context(command, info_name=word, parent=context)
        out += [f'.SH "{escape(PROGRAM.upper())} {escape(word.upper())}"\n', _help(command, inner, ".SS")]
    return "".join((*out, _END))


def _help(command: click.Command, context: click.Context, heading: str) -> str:
    formatter = Roff(heading)
    command.format_usage(context, formatter)
    formatter.write_heading("Description")
    command.format_help_text(context, formatter)
    command.format_options(context, formatter)
    command.format_epilog(context, formatter)
    return formatter.getvalue()


if __name__ == "__main__":
    from seg_viewer import __version__
    from seg_viewer.cli.main import cli

    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    sys.stdout.write(man_page(cli, __version__))
