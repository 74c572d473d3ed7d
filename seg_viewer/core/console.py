"""The terminal for what programs print: names are shown as they are, where rich would take `[red]` for a colour."""

from __future__ import annotations

from rich.console import Console


def plain_console(*, stderr: bool = False, soft_wrap: bool = False) -> Console:
    """A console without markup, emoji and highlighting; colours come by `rich.text.Text`.

    Args:
        stderr: write to standard error.
        soft_wrap: leave it to the terminal to break long lines.
    """
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False, soft_wrap=soft_wrap)
