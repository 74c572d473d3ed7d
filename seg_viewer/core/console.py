"""What programs print to: names are shown as they are, where rich would take `[red]` for a colour."""

from __future__ import annotations

import io
import sys

from rich.console import Console


def print_any_letter() -> None:
    """Let standard output and error show "?" for letters that they have not, instead of failing at the first.

    A pipe or a file gets the system's old encoding: on Windows one without "✓", "→" and "■", in the locale "C" one
    without "×".
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            can_all = stream.encoding.lower().replace("-", "") == "utf8"  # but for half pairs, as in odd file names
            if not can_all or stream.errors == "strict":
                stream.reconfigure(errors="replace")


def plain_console(*, stderr: bool = False, soft_wrap: bool = False) -> Console:
    """A console without markup, emoji and highlighting; colours come by `rich.text.Text`.

    Args:
        stderr: write to standard error.
        soft_wrap: leave it to the terminal to break long lines.
    """
    # a notebook would get each line as a block of its own
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False, soft_wrap=soft_wrap, force_jupyter=False)
