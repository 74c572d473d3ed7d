"""Folders that are made, and held for one process."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from seg_viewer.core.errors import ExportError, UsageError
from seg_viewer.core.part_file import check_target


def make_folder(path: Path) -> Path:
    """The folder, made when missing. Raises: ExportError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExportError(f"{path}: folder cannot be made ({error.strerror}); choose another") from error
    return path


def shipped_or_own(name: str, shipped: Path) -> Path:
    """Path of a TOML file: `name` itself, or the one of that name in the folder `shipped`.

    One that ships is found beside a folder of its name, too, such as a data set or a run.
    """
    path, ours = Path(name), shipped / f"{name}.toml"
    is_ours = not path.suffix and not path.is_file() and (ours.is_file() or not path.exists())
    return ours if is_ours else path


def check_output(path: Path, *, overwrite: bool, sources: tuple[Path, ...] = ()) -> None:
    """As `check_target`, of a file whose folder is made where it is missing. Raises: UsageError, ExportError."""
    make_folder(path.parent)
    check_target(path, overwrite=overwrite, sources=sources)


LOCK = ".lock"


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder that exists for this process alone; a lock of a process that died is none.

    On a file system that knows no locks nothing is held.

    Raises:
        UsageError: another process holds it.
    """
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(_lock(folder / LOCK))
        except BlockingIOError as error:
            raise UsageError(
                f"{folder}: another training works in this folder; let it end, or give another --run folder"
            ) from error
        except (OSError, NotImplementedError):
            pass  # writing there says what is wrong with the folder
        yield


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Hold a lock. Raises: BlockingIOError when somebody else does; OSError, NotImplementedError: there are none."""
    try:
        from filelock import FileLock, Timeout
    except ImportError:  # a checkout with few packages: the same lock as filelock takes on Linux and macOS
        import fcntl

        with path.open("w", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        return
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(FileLock(path, timeout=0))
        except Timeout as error:
            raise BlockingIOError from error
        yield
