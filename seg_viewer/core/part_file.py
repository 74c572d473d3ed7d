"""Files that appear under their final name only when they are whole."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from seg_viewer.core.errors import ExportError, UsageError


def check_target(path: Path, *, overwrite: bool, sources: tuple[Path, ...] = ()) -> None:
    """Raises: UsageError when `path` is one of the inputs, exists and may not be overwritten, or has no folder."""
    for source in sources:
        if path.exists() and source.exists() and path.samefile(source):
            raise UsageError(f"{path}: is the input itself; choose another output")
    if path.is_dir():
        raise UsageError(f"{path}: is a folder; give a file name")
    if path.exists() and not overwrite:
        raise UsageError(f"{path}: exists already; choose another name or allow overwriting (--overwrite)")
    if not path.parent.is_dir():
        raise UsageError(f"{path.parent}: no such folder; make it first")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise ExportError(f"{path.parent}: no permission to write into this folder")


@contextmanager
def part_file(path: Path) -> Iterator[Path]:
    """A name beside `path` to write to; renamed to `path` when the block ends well, removed when it does not.

    Raises:
        ExportError: for an OSError inside the block that a person can mend, naming the file.
    """
    part = path.with_name(f".{path.stem}.{secrets.token_hex(4)}.part{path.suffix}")
    try:
        part.touch(exist_ok=False)
        yield part
        _sync(part)
        os.replace(part, path)
    except OSError as error:
        raise ExportError(explain(path, error)) from error
    finally:
        part.unlink(missing_ok=True)


def explain(path: Path, error: OSError) -> str:
    """One line for an error while writing."""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return f"{path}: the disk is full; free some space or choose another folder"
        case errno.EFBIG:
            return f"{path}: the file may not grow further (file size limit); choose another disk or lift the limit"
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return f"{path}: no permission to write there; choose another folder"
    return f"{path}: cannot be written: {error.strerror or error}"


def _sync(part: Path) -> None:
    """Reach the disk before the rename does, so that a crash leaves the old file or the whole new one."""
    with part.open("rb") as file:
        os.fsync(file.fileno())


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file that is there whole or not at all. Raises: ExportError."""
    with part_file(path) as part:
        part.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """As `write_bytes`, UTF-8 with the line ends of `text`. Raises: ExportError."""
    write_bytes(path, text.encode())
