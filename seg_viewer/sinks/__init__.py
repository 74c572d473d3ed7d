"""Where shots go: context managers with `write(shot)`. Masks and tables have their place here next to video."""

from __future__ import annotations

from typing import Protocol

from seg_viewer.core.frame import Shot

__all__ = ["PRESETS", "Sink"]

PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow")
"""x264's speeds: faster makes larger files."""


class Sink(Protocol):
    """Takes shots in order. Leaving the `with` block well finishes the file; an error leaves nothing behind."""

    def __enter__(self) -> Sink: ...

    def __exit__(self, *details: object) -> None: ...

    def write(self, shot: Shot) -> None:
        """Raises: ExportError when it cannot be stored."""
        ...
