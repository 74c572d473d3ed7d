"""What `seg-viewer` makes of its first word: a command, or a source for the window."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

import click

from seg_viewer.core.errors import UsageError
from seg_viewer.core.redact import redact
from seg_viewer.core.typed_path import exists, typed_path

_OPENS = "view"
_LIKE_A_PATH = re.compile(r"[./\\~]")


class CommandOrSource(click.Group):
    """A group that hands what is none of its commands, but can be opened, to the command `view`.

    The name of a command wins over a file of that name, which can be written `./NAME`.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `view` before the first word that is no command. Raises: UsageError when it is no source, either."""
        place = self._first_word(ctx, args)
        if place is not None and args[place] not in self.commands:
            if args[place] == "-" or not args[place].startswith("-"):
                self._check_source(args[place])
            args = [*args[:place], _OPENS, *args[place:]]
        return super().parse_args(ctx, args)

    def _first_word(self, ctx: click.Context, args: list[str]) -> int | None:
        """Place of the first argument that is no option of this group itself; None where there is none."""
        own = {name for option in self.get_params(ctx) for name in (*option.opts, *option.secondary_opts)}
        return next((place for place, text in enumerate(args) if text not in own), None)

    def _check_source(self, text: str) -> None:
        from seg_viewer.sources import source_kinds  # takes PyAV along, which --help can do without

        if exists(typed_path(text)):
            return
        kinds = [kind for kind in source_kinds().values() if kind.matches(text)]
        if kinds[0].live or not kinds[0].suffixes:  # the demo has none
            return
        if _LIKE_A_PATH.search(text):
            raise UsageError(f"{redact(text)}: no such file or folder{_nearest_file(text)}")
        raise UsageError(f"no such command or file: {text}{self._nearest(text)}")

    def _nearest(self, text: str) -> str:
        if text.isdecimal():
            return f"; did you mean camera:{text}?"
        near = difflib.get_close_matches(text.lower(), sorted(self.commands), 1)
        return f"; did you mean {near[0]}?" if near else " (seg-viewer --help lists the commands)"


def _nearest_file(text: str) -> str:
    path = Path(text)
    try:
        names = [each.name for each in path.parent.iterdir()] if path.name else []
    except OSError:
        return ""
    near = difflib.get_close_matches(path.name, names, 1)
    return f"; did you mean {path.with_name(near[0])}?" if near else ""
