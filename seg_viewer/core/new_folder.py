"""Folders that appear under their final name only when they are whole.

Until then they are filled under a hidden name beside it, `.NAME.<8 hexadecimal digits>.part`, which the process that
fills it keeps locked: what lies there unlocked was left behind by one that was killed, and goes with the next folder of
that name. A folder that is replaced is first set aside as `.NAME.<8 hexadecimal digits>.old`; should the process be
killed just then, it gets its name back.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

from seg_viewer.core.errors import ExportError, UsageError
from seg_viewer.core.part_file import check_target, explain, short_name

try:
    import fcntl
except ImportError:  # Windows, where a folder with an open file in it cannot be renamed: that is the lock
    fcntl = None  # type: ignore[assignment]

_HIDDEN = re.compile(r"\.(?P<name>.+)\.[0-9a-f]{8}\.(?P<kind>part|old)")
_LOCK = ".being-written"  # Windows only
_LITTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
"""What file managers put into every folder they show."""
_TAKEN = {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR, errno.EISDIR}


class NewFolder:
    """A folder under way: `part` is where to write, `path` the name that `commit` gives it.

    Args:
        path: the name. An empty folder that has it is used.
        overwrite: a folder of that name is replaced once the new one is whole, if all in it is `ours`.
        ours: told the path, within the folder, of a file in it: whether a folder of this kind holds such a file.

    Raises:
        UsageError: there is something of that name that may not be replaced.
        ExportError: it cannot be made.
    """

    def __init__(self, path: Path, *, overwrite: bool, ours: Callable[[Path], bool]) -> None:
        path = path.resolve() if path.is_symlink() else path
        self.path = path
        self._overwrite, self._ours = overwrite, ours
        self._ended = False
        self._lock: int | None = None
        _tidy(path)
        self._check()
        try:
            self._make()
        except OSError as error:
            raise ExportError(explain(path, error)) from error

    def _check(self) -> None:
        check_target(self.path, overwrite=self._overwrite, folder=True)
        if (foreign := next(self._foreign(), None)) is not None:
            raise UsageError(f"{self.path}: also holds {foreign}, which would be lost; choose another folder")

    def _foreign(self) -> Iterator[Path]:
        for folder, _folders, files in os.walk(self.path):
            for name in files:
                within = (Path(folder) / name).relative_to(self.path)
                if name not in _LITTER and not self._ours(within):
                    yield within

    def _make(self) -> None:
        self.part = _hidden(self.path, "part")
        made = self.part.with_suffix(".new")  # under the other name it is locked from the first moment
        self._litter = weakref.finalize(self, _remove, made, self.part)
        made.mkdir()
        if fcntl is None:
            made.rename(self.part)
            self._lock = _lock(self.part)
        else:
            self._lock = _lock(made)
            made.rename(self.part)

    def commit(self) -> Path:
        """Give it its name. Returns the name it really has: a free one, `NAME_2`, where the other is taken.

        Raises: ExportError when it cannot have one; it stays under `part` then, and the text says so.
        """
        self._ended = True
        self._litter.detach()
        if fcntl is None:
            self._unlock()
            (self.part / _LOCK).unlink(missing_ok=True)
        if hasattr(os, "sync"):
            os.sync()  # one for all files: thousands of them would take minutes one by one
        try:
            return self._take_name()
        except OSError as error:
            reason = error.strerror or str(error)
            text = f"{self.path}: cannot have this name ({reason}); what was written is in {self.part}"
            raise ExportError(text) from error
        finally:
            self._unlock()

    def _take_name(self) -> Path:
        if self._overwrite and self.path.is_dir() and not _is_empty(self.path) and not any(self._foreign()):
            old = _hidden(self.path, "old")
            os.rename(self.path, old)
            try:
                taken = not _renamed(self.part, self.path)
            except OSError:
                os.rename(old, self.path)
                raise
            if not taken:
                shutil.rmtree(old, ignore_errors=True)
                return self.path
        for number in count(2):
            name = self.path if number == 2 else self.path.with_name(f"{self.path.stem}_{number - 1}{self.path.suffix}")
            if _renamed(self.part, name):
                return name
        raise AssertionError("names never end")

    def discard(self) -> None:
        """Remove it, unless `commit` was called; again is fine."""
        self._unlock()
        if not self._ended:
            self._ended = True
            self._litter()

    def _unlock(self) -> None:
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)


def _remove(*folders: Path) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _is_empty(folder: Path) -> bool:
    return not any(os.scandir(folder))


def _hidden(path: Path, kind: str) -> Path:
    return path.with_name(f".{_short(path)}.{secrets.token_hex(4)}.{kind}")


def _short(path: Path) -> str:
    return short_name(path.name, len("..01234567.part"))


def _renamed(part: Path, name: Path) -> bool:
    """Give a folder a name that nothing, or only an empty folder, has; False where it is taken."""
    with suppress(OSError):
        name.rmdir()  # empty ones only
    if os.path.lexists(name):
        return False
    try:
        os.rename(part, name)
    except OSError as error:
        if error.errno in _TAKEN:
            return False
        raise
    return True


def _lock(part: Path) -> int | None:
    """A descriptor that holds the lock until it is closed; None where somebody has it, or there is none to be had."""
    try:
        if fcntl is None:
            return os.open(part / _LOCK, os.O_CREAT | os.O_RDWR)
        descriptor = os.open(part, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _tidy(path: Path) -> None:
    """Look after what killed processes left behind for a name; never what is being written."""
    try:
        names = sorted(entry.name for entry in os.scandir(path.parent) if entry.name.startswith("."))
    except OSError:
        return
    for name in names:
        match = _HIDDEN.fullmatch(name)
        hidden = path.with_name(name)
        if match is None or match["name"] != _short(path) or not hidden.is_dir():
            continue
        if match["kind"] == "old" and (not path.exists() or match["name"] != path.name):
            with suppress(OSError):
                if match["name"] == path.name:
                    os.rename(hidden, path)
            continue
        if fcntl is None:
            with suppress(OSError):
                os.rename(hidden, hidden)
                (hidden / _LOCK).unlink(missing_ok=True)
                shutil.rmtree(hidden, ignore_errors=True)
        elif (lock := _lock(hidden)) is not None:
            shutil.rmtree(hidden, ignore_errors=True)
            os.close(lock)
