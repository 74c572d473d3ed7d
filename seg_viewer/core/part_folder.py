"""Folders of work that goes on: hidden, locked by whoever works, found again after they were killed.

A folder `.NAME.<8 hexadecimal digits>.parts` lies beside the file that it is for. Its lock is a file inside.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import weakref
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from seg_viewer.core.errors import ExportError
from seg_viewer.core.part_file import explain, short_name

try:
    import fcntl
except ImportError:  # Windows, where a folder with an open file cannot be renamed: that is the lock
    fcntl = None  # type: ignore[assignment]

_PARTS = re.compile(r"\.(?P<name>.+)\.[0-9a-f]{8}\.parts")
_LOCK = "lock"


class PartFolder:
    """A folder for a file under way; locked until `remove` or `leave`.

    Args:
        path: the file that it is for.

    Attributes:
        path: of the folder.

    Raises:
        ExportError: it cannot be made.
    """

    def __init__(self, path: Path) -> None:
        digits = secrets.token_hex(4)
        name = short_name(path.name, len(f"..{digits}.parts"))
        self.path = path.with_name(f".{name}.{digits}.parts")
        made = path.with_name(f".{name}.{digits}.new")  # under its name it is locked from the first moment
        self._lock: int | None = None
        # it goes with this object, even if Ctrl-C came just after it was made
        self._litter: weakref.finalize[..., PartFolder] | None = weakref.finalize(self, _remove, made, self.path)
        try:
            made.mkdir()
            lock = _lock(made)
            if fcntl is None:
                os.close(lock or 0)
            made.rename(self.path)
            self._lock = _lock(self.path) if fcntl is None else lock
        except OSError as error:
            raise ExportError(explain(path, error)) from error

    @classmethod
    def adopt(cls, folder: Path) -> PartFolder | None:
        """One that was left behind; None while somebody works in it."""
        if fcntl is None:
            try:
                folder.rename(folder)
            except OSError:
                return None
        lock = _lock(folder)
        if lock is None:
            return None
        adopted = cls.__new__(cls)
        adopted.path, adopted._lock, adopted._litter = folder, lock, None  # noqa: SLF001
        return adopted

    def leave(self) -> None:
        """Let it lie for whoever goes on; again is fine."""
        if self._litter is not None:
            self._litter.detach()
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)

    def remove(self) -> None:
        """With all that is in it; again is fine."""
        if fcntl is None:
            self.leave()
        _remove(self.path)
        self.leave()


def folders_left_behind(path: Path) -> Iterator[Path]:
    """Those that were made for a file, newest first; also those that somebody works in."""
    name = short_name(path.name, len("..01234567.parts"))
    found = []
    with suppress(OSError):
        for entry in os.scandir(path.parent):
            match = _PARTS.fullmatch(entry.name)
            if match is not None and match["name"] == name and entry.is_dir(follow_symlinks=False):
                found.append((entry.stat().st_mtime, Path(entry.path)))
    for _time, folder in sorted(found, reverse=True):
        yield folder


def _remove(*folders: Path) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _lock(folder: Path) -> int | None:
    try:
        descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError:
        return None
    if fcntl is not None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return None
    return descriptor
