"""Paths as a person types them."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

_FILE_URL = "file://"


def typed_path(text: str | Path) -> Path:
    """A path; `~` at its beginning is a home folder, unless there is a file of that very name or no such person.

    File managers and desktops hand over `file://` addresses: they are the paths that they name.
    """
    path = Path(text)
    if str(text)[: len(_FILE_URL)].lower() == _FILE_URL and not exists(path):
        return _path_of_url(str(text)) or path
    if not str(text).startswith("~") or exists(path):
        return path
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def _path_of_url(url: str) -> Path | None:
    try:
        parts = urlsplit(url)
        named = url2pathname(parts.path)
    except ValueError:
        return None
    return Path(named) if named and parts.netloc in ("", "localhost") else None


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
