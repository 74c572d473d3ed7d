"""What each drive of this user leaves in simulators, noted on disk while it lasts: it may be killed with all around it.

A note is a small file in the user's cache, `TOKEN.json`, which the process of the drive keeps open and locked. One that
nobody holds is of a drive that ended without cleaning up. The token is part of the role name of all that it spawned.
"""

from __future__ import annotations

import json
import os
import platform
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from seg_viewer.sources.carla.cleanup import Leftovers

try:
    import fcntl
except ImportError:  # Windows, where an open file cannot be renamed: that is the lock
    fcntl = None  # type: ignore[assignment]

_OLDEST_S = 30 * 86_400
_ROLE = re.compile(r"seg-viewer(\.hero)?\.(?P<token>[0-9a-f]{12})@(?P<host>.+)")


def this_machine() -> str:
    """Its name, as far as it can be part of a role name."""
    return re.sub(r"[^\w.-]", "_", platform.node())[:40] or "unknown"


def role_name(token: str, *, hero: bool = False) -> str:
    """Of what a drive spawns. CARLA keeps large maps loaded around cars in whose role name there is "hero"."""
    return f"seg-viewer{'.hero' if hero else ''}.{token}@{this_machine()}"


def is_hero(role: str) -> bool:
    """Whether it is the role name of a car of ours that carries cameras."""
    match = _ROLE.fullmatch(role)
    return match is not None and match[1] is not None


def drive_of(role: str) -> tuple[str, str] | None:
    """Token and machine of the drive that spawned what has this role name; None for what is not ours."""
    match = _ROLE.fullmatch(role)
    return (match["token"], match["host"]) if match else None


@dataclass(frozen=True)
class Note:
    """What a drive noted.

    Args:
        where: host and port of the simulator.
        leftovers: in it.
    """

    where: str
    leftovers: Leftovers


class Journal:
    """The note of one drive: locked as long as this lives, or its process does.

    Args:
        where: host and port of the simulator.
    """

    def __init__(self, where: str) -> None:
        self.token = secrets.token_hex(6)
        self.problem = ""
        """Why nothing can be noted, one line; role names still say whose the actors are."""
        self._where = where
        self._path = _folder() / f"{self.token}.json"
        self._file: Any = None
        try:
            _folder().mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("w+", encoding="utf-8")
            if fcntl is not None:
                fcntl.flock(self._file, fcntl.LOCK_EX)  # somebody who looks holds it for a moment
            self.note(Leftovers())
        except OSError as error:
            self.problem = f"{self._path}: cannot be written: {error.strerror or error}"

    def note(self, leftovers: Leftovers) -> None:
        """In place of what was noted before."""
        if self._file is None:
            return
        text = json.dumps({"where": self._where, **asdict(leftovers)})
        with suppress(OSError):  # a full disk: the role names are left
            self._file.seek(0)
            self._file.write(text)
            self._file.truncate()
            self._file.flush()

    def close(self, *, clean: bool) -> None:
        """Let it go; `clean`: nothing is left of the drive, so that there is nothing to note."""
        file, self._file = self._file, None
        if file is not None:
            with suppress(OSError):
                if clean and fcntl is not None:
                    self._path.unlink()  # before the lock goes: nobody else may take it for left behind
                file.close()
                if clean and fcntl is None:
                    self._path.unlink()


def is_running(token: str) -> bool | None:
    """Whether the drive still runs; None where this machine knows nothing of it."""
    path = _folder() / f"{token}.json"
    try:
        with path.open("r+", encoding="utf-8") as file:
            if fcntl is not None:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return True
                except OSError:
                    return None  # a file system without locks says nothing
                return False
        os.rename(path, path)
    except FileNotFoundError:
        return None
    except OSError:
        return True if fcntl is None else None
    return False


def noted(token: str) -> Note | None:
    """What the drive noted last; None where there is nothing that can be read."""
    try:
        said = json.loads((_folder() / f"{token}.json").read_text(encoding="utf-8"))
        where = str(said.pop("where"))
        return Note(where, Leftovers(**said | {"actors": tuple(said["actors"])}))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def ended(where: str) -> Iterator[str]:
    """Tokens of drives in this simulator that have ended without cleaning up."""
    for path in sorted(_folder().glob("*.json")):
        note = noted(path.stem)
        if note is not None and note.where == where and is_running(path.stem) is False:
            yield path.stem


def forget(token: str) -> None:
    """Nothing is left of that drive."""
    with suppress(OSError):
        (_folder() / f"{token}.json").unlink()


def forget_old() -> None:
    """Notes of simulators that nobody went back to for a month."""
    for path in _folder().glob("*.json"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > _OLDEST_S and is_running(path.stem) is False:
                path.unlink()


def _folder() -> Path:
    return user_cache_path("seg-viewer") / "carla-drives"
