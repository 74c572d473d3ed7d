"""Paths as a person types them."""

from __future__ import annotations

from pathlib import Path


def typed_path(text: str | Path) -> Path:
    """A path; `~` at its beginning is a home folder, unless there is a file of that very name or no such person."""
    path = Path(text)
    if not str(text).startswith("~") or exists(path):
        return path
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def exists(path: Path) -> bool:
    """Whether something has this name; False for what can be no name at all."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def is_file(text: str | Path) -> bool:
    """Whether a file has this very name, after `typed_path`."""
    try:
        return typed_path(text).is_file()
    except (OSError, ValueError):
        return False
