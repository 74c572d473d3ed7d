"""Files that appear under their name only when they are whole."""

from __future__ import annotations

import os
from pathlib import Path

from seg_viewer.core.errors import ExportError


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file under another name beside it, then put it in place. Raises: ExportError."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(data)
        os.replace(part, path)
    except OSError as error:
        raise ExportError(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)


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
