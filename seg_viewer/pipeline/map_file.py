"""Class maps of one source by one model on disk, so that they come back the next time.

Two files that only grow: NAME.maps, packed maps one behind the other, and NAME.index, a head and one row of the same
length for each map. A map is written before its row, under a lock, so that whoever reads finds whole maps only, however
a process ends: half a row at the end is cut off, and a row whose map is not there, or another one, is of no account.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.frame import ByteArray
from seg_viewer.core.map_codec import pack_map, unpack_map

_MAGIC = b"segmaps1"
_MOST_FACTS = 1 << 20
_NO_LOCK_BYTE = 1 << 40
Rows = NDArray[np.void]
"""Fields: pts, time_s (seconds), shares (of each class, 0…1), and where the map is."""


class DamagedError(ValueError):
    """The head of the index is none of ours."""


class GoneError(OSError):
    """Somebody has removed the files meanwhile."""


@dataclass(frozen=True)
class KeptMap:
    """What is kept of one frame.

    Args:
        pts: of the frame, in units of the source's time base.
        time_s: of the frame, seconds.
        ids: its class map, shape (h, w), uint8.
    """

    pts: int
    time_s: float
    ids: ByteArray


def row_type(classes: int) -> np.dtype[np.void]:
    """Of one map in the index; `classes`: of the model."""
    place = [("offset", "<u8"), ("length", "<u4"), ("crc", "<u4")]
    return np.dtype([("pts", "<i8"), *place, ("time_s", "<f8"), ("shares", "<f4", (classes,))])


def shares_of(ids: ByteArray, classes: int) -> NDArray[np.float32]:
    """Share of the picture that each class covers, 0…1, shape (classes,). `ids`: shape (h, w), uint8."""
    counts = np.bincount(ids.ravel(), minlength=classes)[:classes]
    return (counts / max(1, ids.size)).astype(np.float32)


class MapFile:
    """Safe from any thread, and with other processes at the same files.

    Args:
        stem: path of both files without their ends.
        facts: what the head says when it has to be made: "classes" (their number) and what else is of use. None: the
            files have to be there.

    Raises:
        FileNotFoundError: they are not there.
        DamagedError: the index is none.
        OSError: they cannot be read, or made.
    """

    def __init__(self, stem: Path, facts: Mapping[str, Any] | None = None) -> None:
        self.stem = stem
        self._lock = threading.Lock()
        self._places: dict[int, tuple[int, int, int]] = {}
        self._rows: list[Rows] = []
        self.read_only = False
        index, data = index_path(stem), data_path(stem)
        if facts is None and not index.exists():
            raise FileNotFoundError(str(index))
        try:
            self._index, self._data = _opened(index, data, "a+b")
        except PermissionError:
            if facts is not None:
                raise
            self.read_only = True
            self._index, self._data = _opened(index, data, "rb")
        try:
            _share(self._index)
            with _locked(self._data, self.read_only):
                self.facts, self._read_to = self._head(facts)
                self._type = row_type(int(self.facts["classes"]))
                self._refresh()
        except BaseException:
            self.close()
            raise
        with suppress(OSError):
            os.utime(index)  # it was used

    def __len__(self) -> int:
        return len(self._places)

    @property
    def closed(self) -> bool:
        return self._data.closed

    def has(self, pts: int) -> bool:
        return pts in self._places

    def get(self, pts: int) -> ByteArray | None:
        """The class map of a frame, the caller's own; None where none is kept, or what is kept is damaged."""
        with self._lock:
            place = self._places.get(pts)
            if place is None or self._data.closed:
                return None
            offset, length, crc = place
            self._data.seek(offset)
            packed = self._data.read(length) or b""
            if _check(pts, packed) != crc:
                del self._places[pts]
                return None
        try:
            return unpack_map(packed)
        except ValueError:
            return None

    def rows(self) -> Rows:
        """Of all maps, in the order in which they came."""
        with self._lock:
            return np.concatenate(self._rows) if self._rows else np.zeros(0, self._type)

    def append(self, maps: Sequence[KeptMap]) -> int:
        """Write those that are not kept yet. Returns how many bytes. Raises: OSError; GoneError."""
        packed = [(each, pack_map(each.ids)) for each in maps]
        with self._lock, _locked(self._data, self.read_only):
            if _is_gone(self._data):
                raise GoneError(str(self.stem))
            self._refresh()
            new = [(each, body) for each, body in packed if each.pts not in self._places]
            if not new:
                return 0
            rows = np.zeros(len(new), self._type)
            offset = self._data.seek(0, os.SEEK_END)
            for number, (each, body) in enumerate(new):
                shares = shares_of(each.ids, self._type["shares"].shape[0])
                rows[number] = (each.pts, offset, len(body), _check(each.pts, body), each.time_s, shares)
                offset += len(body)
            _write(self._data, b"".join(body for _each, body in new))
            _write(self._index, rows.tobytes())
            self._refresh()
            return int(rows["length"].sum()) + rows.nbytes

    def close(self) -> None:
        """Again is fine."""
        with self._lock:
            self._index.close()
            self._data.close()

    def _head(self, facts: Mapping[str, Any] | None) -> tuple[dict[str, Any], int]:
        """What the head says, and where the rows begin; made where there is none."""
        self._index.seek(0)
        fixed = self._index.read(len(_MAGIC) + 8) or b""
        if not fixed and facts is not None:
            body = json.dumps(dict(facts)).encode()
            head = _MAGIC + len(body).to_bytes(4, "little") + zlib.crc32(body).to_bytes(4, "little") + body
            _write(self._index, head)
            return dict(facts), len(head)
        length = int.from_bytes(fixed[8:12], "little")
        if not fixed.startswith(_MAGIC) or len(fixed) < 16 or length > _MOST_FACTS:
            raise DamagedError(str(self.stem))
        body = self._index.read(length) or b""
        try:
            told = json.loads(body)
            if zlib.crc32(body) != int.from_bytes(fixed[12:16], "little") or not 0 < int(told["classes"]) < 256:
                raise DamagedError(str(self.stem))
        except (ValueError, KeyError, TypeError) as error:
            raise DamagedError(str(self.stem)) from error
        return told, 16 + length

    def _refresh(self) -> None:
        """Read the rows that have come since, of other processes too; cut off half a row at the end."""
        self._index.seek(self._read_to)
        found = self._index.readall() or b""
        whole = len(found) - len(found) % self._type.itemsize
        if whole < len(found) and not self.read_only:
            self._index.truncate(self._read_to + whole)
        self._read_to += whole
        rows = np.frombuffer(found, self._type, whole // self._type.itemsize)
        end = self._data.seek(0, os.SEEK_END)
        there = (rows["offset"] <= end) & (rows["offset"] + rows["length"] <= end) & np.isfinite(rows["time_s"])
        rows = rows[there]
        if not len(rows):
            return
        self._rows.append(rows)
        places = zip(rows["offset"].tolist(), rows["length"].tolist(), rows["crc"].tolist(), strict=True)
        self._places.update(zip(rows["pts"].tolist(), places, strict=True))


def index_path(stem: Path) -> Path:
    return stem.with_name(f"{stem.name}.index")


def data_path(stem: Path) -> Path:
    return stem.with_name(f"{stem.name}.maps")


def remove(stem: Path, *, in_use: bool = False) -> bool:
    """Remove both files; those in use only where that is wanted. Returns whether they are gone."""
    index, data = index_path(stem), data_path(stem)
    try:
        if not in_use and index.exists():
            with index.open("r+b", buffering=0) as file:
                if not _alone(file):
                    return False
        index.unlink(missing_ok=True)
        data.unlink(missing_ok=True)
    except OSError:
        return False
    return True


def _check(pts: int, packed: bytes) -> int:
    """The pts counts too, so that a damaged row never leads to the map of another frame."""
    return zlib.crc32(packed, zlib.crc32(pts.to_bytes(8, "little", signed=True)))


def _opened(index: Path, data: Path, mode: str) -> tuple[FileIO, FileIO]:
    first = FileIO(index, mode.replace("b", ""))
    try:
        return first, FileIO(data, mode.replace("b", ""))
    except BaseException:
        first.close()
        raise


def _write(file: FileIO, data: bytes) -> None:
    file.seek(0, os.SEEK_END)
    view = memoryview(data)
    while view:  # an unbuffered file may take less than it is given
        view = view[file.write(view) :]


def _is_gone(file: FileIO) -> bool:
    return sys.platform != "win32" and os.fstat(file.fileno()).st_nlink == 0


if sys.platform == "win32":
    import msvcrt

    @contextmanager
    def _locked(file: FileIO, read_only: bool) -> Iterator[None]:
        """Nobody else writes meanwhile: a byte far behind the end is the lock."""
        if read_only:
            yield
            return
        file.seek(_NO_LOCK_BYTE)
        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
        try:
            yield
        finally:
            file.seek(_NO_LOCK_BYTE)
            msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

    def _share(file: FileIO) -> None:
        """An open file cannot be removed: that is enough."""

    def _alone(file: object) -> bool:
        return True

else:
    import fcntl

    @contextmanager
    def _locked(file: FileIO, read_only: bool) -> Iterator[None]:
        """Nobody else writes meanwhile."""
        fcntl.flock(file.fileno(), fcntl.LOCK_SH if read_only else fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(file.fileno(), fcntl.LOCK_UN)

    def _share(file: FileIO) -> None:
        """As long as it is open, it is in use; a file system without locks cannot say so."""
        with suppress(OSError):
            fcntl.flock(file.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)

    def _alone(file: Any) -> bool:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
