"""What the trainer's commands show while they work."""

from __future__ import annotations

from rich.console import Console
from rich.progress import Progress, TextColumn


def progress_bar(console: Console) -> Progress:
    """A bar in a terminal, nothing elsewhere; what it counts has names from outside, which are shown as they are."""
    _, *others = Progress.get_default_columns()
    name = TextColumn("{task.description}", style="progress.description", markup=False)
    return Progress(name, *others, console=console, transient=True, disable=not console.is_terminal)
