"""Files that appear under their final name only when they are whole.

Until then they are written under a hidden name beside it, `.NAME.<8 hexadecimal digits>.part.SUFFIX`, which the process
that writes keeps locked: what lies there unlocked was left behind by one that was killed. A NAME that would be too long
with all that is cut.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from seg_viewer.core.errors import ExportError, UsageError
from seg_viewer.core.long_names import joined

try:
    import fcntl
except ImportError:  # Windows, where an open file cannot be renamed: that is the lock
    fcntl = None  # type: ignore[assignment]

_PART = re.compile(r"\.(?P<stem>.+)\.[0-9a-f]{8}\.part(?P<suffix>\.[^.]+)?")

_PART_BYTES = len("..01234567.part")


def check_new(path: Path) -> None:
    """Look whether a file may be made where nothing is ever overwritten. Raises: as `check_target`."""
    if is_there(path):
        raise UsageError(f"{path}: exists already; choose another name")
    check_target(path, overwrite=False)


def is_there(path: Path) -> bool:
    """Whether there is such a file or folder. Raises: ExportError for a name that no disk takes."""
    try:
        return path.exists()
    except OSError as error:
        raise ExportError(explain(path, error)) from error


def check_target(path: Path, *, overwrite: bool, sources: tuple[Path, ...] = (), folder: bool = False) -> None:
    """Look whether a file, or a folder, may be made.

    Args:
        path: its name.
        overwrite: it may be there already.
        sources: the inputs, files or folders.
        folder: it is to be a folder; an empty one may be there.

    Raises:
        UsageError: it is one of the inputs or holds one, exists and may not be overwritten, or has no folder.
        ExportError: there is no permission to write beside it.
    """
    for source in sources:
        if is_there(path) and source.exists() and path.samefile(source):
            raise UsageError(f"{path}: is the input itself; choose another output")
        if folder and source.resolve().is_relative_to(path.resolve()):
            raise UsageError(f"{path}: holds the input {source}; choose another folder")
    if is_there(path) and path.is_dir() and not folder:
        raise UsageError(f"{path}: is a folder; give a file name")
    if folder and path.exists() and not path.is_dir():
        raise UsageError(f"{path}: is a file; choose another name for the folder")
    if path.exists() and not overwrite and not (folder and not any(path.iterdir())):
        raise UsageError(f"{path}: exists already; choose another name or allow overwriting (--overwrite)")
    if not path.parent.is_dir():
        raise UsageError(f"{path.parent}: no such folder; make it first")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise ExportError(f"{path.parent}: no permission to write into this folder")


def short_name(name: str, more: int) -> str:
    """A file name that leaves room for `more` bytes beside it; cut, with a mark of its own, where it is too long."""
    return joined(name, "", more)


class PartFile:
    """A file under way: `part` is where to write, `path` the name that `commit` gives it.

    Args:
        path: the name.
        overwrite: a file that has this name by then is replaced; otherwise it stays, and this one gets a free name.
        keep: what was written has a worth of its own, so that the part is left where nobody ended it; otherwise it goes
            with this object, even if Ctrl-C came just after it was made.

    Raises:
        ExportError: it cannot be made.
    """

    def __init__(self, path: Path, *, overwrite: bool, keep: bool = False) -> None:
        self.path = path
        self._overwrite = overwrite
        self._keep = keep
        self._litter: weakref.finalize[[Path], PartFile] | None = None
        self._ended = False
        self._lock: int | None = None
        try:
            self._make()
        except OSError as error:
            raise ExportError(explain(path, error)) from error

    def _make(self) -> None:
        while True:
            suffix = self.path.suffix
            stem = short_name(self.path.stem, _PART_BYTES + len(os.fsencode(suffix)))
            self.part = self.path.with_name(f".{stem}.{secrets.token_hex(4)}.part{suffix}")
            if not self._keep:
                self._litter = weakref.finalize(self, _remove, self.part)
            self._lock = _made_locked(self.part)
            if self._lock is not None:
                return
            self.part.touch(exist_ok=False)
            self._lock = _lock(self.part, wait=True)
            if self.part.exists():
                return
            self._unlock()  # somebody who tidies up was quicker than the lock

    @classmethod
    def adopt(cls, part: Path, path: Path) -> PartFile | None:
        """One that was left behind, to be named `path` or discarded; None while somebody writes it."""
        lock = _lock(part, wait=False)
        if lock is None and (fcntl is not None or not _can_be_renamed(part)):
            return None
        adopted = cls.__new__(cls)
        adopted.part, adopted.path, adopted._lock = part, path, lock  # noqa: SLF001
        adopted._overwrite = adopted._ended = False  # noqa: SLF001
        adopted._litter = None  # noqa: SLF001
        return adopted

    def commit(self, path: Path | None = None) -> Path:
        """Give it its name. Returns the name it really has: a free one, `NAME_2`, where the other is taken.

        Args:
            path: instead of the one it was made for.

        Raises: ExportError when it cannot have one; it stays under `part` then, and the text says so.
        """
        path = path or self.path
        self._end()
        if fcntl is None:
            self._unlock()
        try:
            if self._overwrite:
                os.replace(self.part, path)
                return path
            return _take_free_name(self.part, path)
        except OSError as error:
            reason = error.strerror or str(error)
            text = f"{path}: cannot have this name ({reason}); what was written is in {self.part}"
            raise ExportError(text) from error
        finally:
            self._unlock()

    def discard(self) -> None:
        """Remove it, unless `commit` was called; again is fine."""
        self._unlock()
        if not self._ended:
            self._end()
            _remove(self.part)

    def leave(self) -> None:
        """Let it lie as it is."""
        self._end()
        self._unlock()

    def _end(self) -> None:
        self._ended = True
        if self._litter is not None:
            self._litter.detach()

    def _unlock(self) -> None:
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)


@contextmanager
def part_file(path: Path, *, overwrite: bool = True) -> Iterator[Path]:
    """A name beside `path` to write to; it becomes `path` when the block ends well, and is removed when it does not.

    Args:
        path: the name. What a killed process left behind for it is removed.
        overwrite: a file that has this name by then is replaced; otherwise it stays, this one gets a free name, and
            the error says which.

    Raises:
        ExportError: for an OSError inside the block that a person can mend, naming the file.
    """
    remove_left_behind(path)
    file = PartFile(path, overwrite=overwrite)
    try:
        yield file.part
        sync(file.part)
        taken = file.commit()
    except OSError as error:
        raise ExportError(explain(path, error)) from error
    finally:
        file.discard()
    if taken != path:
        raise ExportError(f"{path}: exists by now and was left alone; what was written is in {taken}")


def make_folder(path: Path) -> Path:
    """Make a folder, and those above it, unless it is there. Raises: ExportError, which names the way out."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = "is no folder" if isinstance(error, FileExistsError | NotADirectoryError) else "cannot be made"
        text = f"{path}: this folder {what}: {error.strerror or error}; choose another one"
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT):
            text = explain(path, error)
        raise ExportError(text) from error
    return path


def write_bytes(path: Path, data: bytes, *, overwrite: bool = True) -> None:
    """Write a file that is there whole or not at all; `overwrite` as for `part_file`. Raises: ExportError."""
    with part_file(path, overwrite=overwrite) as part:
        part.write_bytes(data)


def write_text(path: Path, text: str, *, overwrite: bool = True) -> None:
    r"""As `write_bytes`, UTF-8, with the line ends of `text`; what is no Unicode as `\udcNN`. Raises: ExportError."""
    write_bytes(path, text.encode("utf-8", "backslashreplace"), overwrite=overwrite)


def left_behind(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Parts in a folder, each with the name it was for, cut if it was too long; also those that are being written."""
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if entry.name.startswith("."))
    except OSError:
        return
    for name in names:
        match = _PART.fullmatch(name)
        if match is not None:
            yield folder / name, folder / f"{match['stem']}{match['suffix'] or ''}"


def remove_left_behind(path: Path) -> None:
    """Remove what killed processes left behind for a name; never what is being written."""
    mine = path.with_name(short_name(path.stem, _PART_BYTES + len(os.fsencode(path.suffix))) + path.suffix)
    for part, name in left_behind(path.parent):
        if name == mine and (file := PartFile.adopt(part, name)) is not None:
            file.discard()


def explain(path: Path, error: Exception) -> str:
    """One line for an error while writing: an OSError, or FFmpeg's, which has a number and a text too."""
    match getattr(error, "errno", None):
        case errno.ENOSPC | errno.EDQUOT:
            return f"{path}: the disk is full; free some space or choose another folder"
        case errno.EFBIG:
            return f"{path}: the file may not grow further (file size limit); choose another disk or lift the limit"
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return f"{path}: no permission to write there; choose another folder"
        case errno.ENOENT:
            return f"{path}: its folder is gone, or takes no files; choose another folder"
        case errno.ENAMETOOLONG:
            return f"{path}: the name is too long for this disk; choose a shorter one"
        case None:
            return f"{path}: cannot be written: {error}"
    return f"{path}: cannot be written: {getattr(error, 'strerror', None) or error}; choose another folder"


def sync(part: Path) -> None:
    """Reach the disk before the name does, so that a crash leaves the old file or the whole new one."""
    with part.open("rb") as file:
        os.fsync(file.fileno())


def _remove(part: Path) -> None:
    with suppress(OSError):
        part.unlink(missing_ok=True)


def _names(path: Path) -> Iterator[Path]:
    yield path
    for number in count(2):
        yield path.with_name(joined(path.stem, f"_{number}{path.suffix}"))


def _take_free_name(part: Path, path: Path) -> Path:
    """Link, which fails where there is something, rather than look first: two may come at the same time."""
    for name in _names(path):
        try:
            try:
                os.link(part, name)
            except FileExistsError:
                raise
            except OSError:  # a file system without hard links
                os.close(os.open(name, os.O_CREAT | os.O_EXCL))
                try:
                    os.replace(part, name)
                except OSError:
                    name.unlink()
                    raise
                return name
        except FileExistsError:
            continue
        with suppress(OSError):  # it has its name; under the other one it is only litter
            part.unlink()
        return name
    raise AssertionError("names never end")


def _made_locked(part: Path) -> int | None:
    """Make a file that is locked before it has a name; None where the system or the file system cannot."""
    if fcntl is None or not hasattr(os, "O_TMPFILE"):
        return None
    try:
        descriptor = os.open(part.parent, os.O_TMPFILE | os.O_RDWR, 0o666)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.link(f"/proc/self/fd/{descriptor}", part, src_dir_fd=descriptor)  # else link(2): it follows no link
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _lock(part: Path, *, wait: bool) -> int | None:
    """A descriptor that holds the lock until it is closed; None where there is none to be had."""
    if fcntl is None:
        return None
    try:
        descriptor = os.open(part, os.O_RDWR)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # held, or a file system that knows no locks: then nobody may take it for left behind
        os.close(descriptor)
        return None
    return descriptor


def _can_be_renamed(part: Path) -> bool:
    """On Windows: nobody has it open."""
    try:
        os.rename(part, part)
    except OSError:
        return False
    return True
