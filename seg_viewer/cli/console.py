"""What the commands show while they work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from seg_viewer.core.console import plain_console
from seg_viewer.core.printable import printable

if TYPE_CHECKING:
    from rich.status import Status


def progress_bar() -> Any:
    """Frames done on standard error, to be started; a task has the field `rate`, in frames per second."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

    return _bar(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:.1f} frames/s"),
        TimeRemainingColumn(),
    )


def bulk_bar() -> Any:
    """The same of many things at once; tasks have the fields `count` and `rate`, both text, and go when it stops."""
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn

    return _bar(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[count]}", markup=False),
        TextColumn("{task.fields[rate]}", markup=False),
        TimeRemainingColumn(),
        transient=True,
    )


def _bar(*columns: Any, transient: bool = False) -> Any:
    from rich.progress import Progress

    class Bar(Progress):
        def stop(self) -> None:
            if self.live.is_started:  # else it would print an empty line where there is no terminal
                super().stop()

    return Bar(*columns, console=plain_console(stderr=True), transient=transient)


class StatusLine:
    """A line on standard error that says what goes on; nothing is drawn before `show`.

    Args:
        text: to begin with.
    """

    def __init__(self, text: str) -> None:
        # a spinner reads markup in a `str` whatever its console is set to
        self._status: Status = plain_console(stderr=True).status(Text(text))

    def show(self, text: str) -> None:
        """Draw the line, or draw it anew."""
        self._status.start()
        self._status.update(Text(text))

    def stop(self) -> None:
        """Remove the line; again is fine."""
        self._status.stop()


def say(line: str) -> None:
    """Print what came of a command, on one line whatever its files are called."""
    click.echo(printable(line))


def warn(line: str) -> None:
    """Print what a person has to know of it, likewise."""
    click.echo(printable(f"warning: {line}"), err=True)
