"""The terminal for what commands print: names are shown as they are, where rich would take `[red]` for a colour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from rich.status import Status


def plain_console(*, stderr: bool = False) -> Console:
    """A console without markup, emoji and highlighting; colours come by `rich.text.Text`."""
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False)


def progress_bar() -> Any:
    """Frames done on standard error, to be started; a task has the field `rate`, in frames per second."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    class Bar(Progress):
        def stop(self) -> None:
            if self.live.is_started:  # else it would print an empty line where there is no terminal
                super().stop()

    return Bar(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:.1f} frames/s"),
        TimeRemainingColumn(),
        console=plain_console(stderr=True),
    )


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
