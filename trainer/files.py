"""Files that appear under their name only when they are whole."""

from __future__ import annotations

from pathlib import Path

from seg_viewer.core.errors import ExportError
from seg_viewer.core.part_file import part_file


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file that is there whole or not at all. Raises: ExportError."""
    with part_file(path) as part:
        part.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """As `write_bytes`, UTF-8. Raises: ExportError."""
    write_bytes(path, text.encode())


def make_folder(path: Path) -> Path:
    """The folder, made when missing. Raises: ExportError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExportError(f"{path}: folder cannot be made: {error.strerror}") from error
    return path
