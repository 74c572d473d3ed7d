"""The packed file: many small files and an index in one, or in parts of a size; read where they lie (memory-mapped).

Each part begins with a header: magic, version, number of the part, how many there are, where the index lies in the
first, its length and CRC-32, and 16 bytes that all parts of a pack share. Of a pack in one file the index stands last;
of one in parts it has the first, NAME.pack, to itself, and what it lists lies in NAME.pack.001 and so on. The index is
JSON, compressed (zlib); a record is found by part, offset, length and CRC-32.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import struct
import zlib
from pathlib import Path
from typing import Any, NamedTuple

from seg_viewer.core.counted import counted
from seg_viewer.core.errors import ExportError, SourceError, UsageError
from seg_viewer.core.part_file import PartFile, explain, remove_left_behind, sync

SUFFIX = ".pack"
VERSION = 1
_MAGIC = b"segpack\n"
_HEADER = struct.Struct("<8sIIIQQI16s")


class Record(NamedTuple):
    """Where some bytes of a pack lie: number of the part, first byte, length, CRC-32."""

    part: int
    offset: int
    length: int
    crc: int


def part_path(path: Path, number: int) -> Path:
    """A part of a pack: the first has the name of the pack."""
    return path.with_name(f"{path.name}.{number:03}") if number else path


class PackWriter:
    """Writes a pack; a context manager. Nothing has its name before all is written, the first part comes last.

    Args:
        path: of the pack.
        part_bytes: most bytes of a part; 0: all in one file.
        name: 16 bytes that no other pack has.

    Raises:
        ExportError: it cannot be written.
        UsageError: a record, or the index, is larger than a part.
    """

    def __init__(self, path: Path, part_bytes: int, name: bytes) -> None:
        self._path, self._most, self._name = path, part_bytes, name
        self._parts: list[PartFile] = []
        self._sizes: list[int] = []
        self._file: Any = None

    def __enter__(self) -> PackWriter:
        self._next()
        if self._most:
            self._next()
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()
        for part in self._parts:
            part.discard()

    def add(self, data: bytes) -> Record:
        """Write a record."""
        self._check(data, "a picture or mask")
        if self._most and self._sizes[-1] + len(data) > self._most:
            self._next()
        return self._write(data)

    def finish(self, index: dict[str, Any]) -> list[Path]:
        """Write the index, and give all parts their names. Returns: the parts."""
        count = len(self._parts)
        index = index | {"name": self._name.hex(), "parts": self._sizes if count == 1 else [0, *self._sizes[1:]]}
        data = zlib.compress(json.dumps(index, separators=(",", ":")).encode(), 9)
        if count > 1:
            self._check(data, "the list of what is in it")
            self._open(0)
        where = self._write(data)
        self._close()
        for number, part in enumerate(self._parts):
            header = _HEADER.pack(
                _MAGIC, VERSION, number, count, where.offset if number == 0 else 0,
                where.length if number == 0 else 0, where.crc if number == 0 else 0, self._name,
            )  # fmt: skip
            try:
                with part.part.open("r+b") as file:
                    file.write(header)
                sync(part.part)
            except OSError as error:
                raise ExportError(explain(part.path, error)) from error
        return [part.commit() for part in reversed(self._parts)][::-1]

    def _check(self, data: bytes, what: str) -> None:
        if self._most and _HEADER.size + len(data) > self._most:
            raise UsageError(f"--part-size: {what} takes {len(data) / 1e6:.1f} MB, more than a part; allow larger ones")

    def _next(self) -> None:
        self._close()
        number = len(self._parts)
        path = part_path(self._path, number)
        remove_left_behind(path)
        self._parts.append(PartFile(path, overwrite=True))
        self._sizes.append(0)
        self._open(number)
        if not self._sizes[number]:
            self._write(b"\0" * _HEADER.size)

    def _open(self, number: int) -> None:
        self._number = number
        try:
            self._file = self._parts[number].part.open("r+b")
            self._file.seek(0, 2)
        except OSError as error:
            raise ExportError(explain(self._path, error)) from error

    def _close(self) -> None:
        if self._file is not None:
            try:
                self._file.close()
            except OSError as error:
                raise ExportError(explain(self._path, error)) from error
            self._file = None

    def _write(self, data: bytes) -> Record:
        number, offset = self._number, self._sizes[self._number]
        try:
            self._file.write(data)
        except OSError as error:
            raise ExportError(explain(self._path, error)) from error
        self._sizes[number] += len(data)
        return Record(number, offset, len(data), zlib.crc32(data))


class PackFile:
    """A pack to read from; goes to other processes by its path, without the index.

    Args:
        path: of its first part.

    Raises:
        SourceError: it is none, of another version, damaged, or a part is missing or cut short.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._maps: dict[int, mmap.mmap] = {}
        _, version, number, self._count, offset, length, crc, self._name = self._header(0)
        if version != VERSION:
            raise SourceError(
                f"{path}: is a pack of version {version}, this program reads version {VERSION}: pack the data again"
            )
        if number:
            raise SourceError(f"{path}: is part {number} of a pack; give the first, {path.stem}")
        self.index: dict[str, Any] = self._read_index(Record(0, offset, length, crc))
        for part, size in enumerate(self.index["parts"]):
            self._check_part(part, size)

    def __getstate__(self) -> dict[str, Any]:
        """For another process, which maps the parts itself."""
        return self.__dict__ | {"_maps": {}, "index": {}}

    def read(self, record: Record, what: object) -> memoryview:
        """The bytes of a record, where they lie.

        Args:
            record: which.
            what: for the error text.

        Raises:
            SourceError: they are damaged.
        """
        part = part_path(self.path, record.part)
        try:
            data = memoryview(self._map(record.part))[record.offset : record.offset + record.length]
        except (OSError, ValueError) as error:
            raise SourceError(f"{part}: cannot be read ({error})") from error
        if len(data) != record.length or zlib.crc32(data) != record.crc:
            raise SourceError(f"{part}: is damaged ({what}): copy it again, or pack the data again")
        return data

    def _map(self, part: int) -> mmap.mmap:
        if part not in self._maps:
            with part_path(self.path, part).open("rb") as file:
                self._maps[part] = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return self._maps[part]

    def _header(self, part: int) -> tuple[Any, ...]:
        path = part_path(self.path, part)
        try:
            with path.open("rb") as file:
                head = file.read(_HEADER.size)
        except OSError as error:
            raise SourceError(f"{path}: cannot be read ({error.strerror})") from error
        if not head.startswith(_MAGIC):
            raise SourceError(f"{path}: is no pack of seg-trainer pack, nor the folder of a data set")
        if len(head) < _HEADER.size:
            raise SourceError(f"{path}: is cut short: copy it again")
        return _HEADER.unpack(head)

    def _read_index(self, record: Record) -> dict[str, Any]:
        if not record.length or self.path.stat().st_size < record.offset + record.length:
            raise SourceError(f"{self.path}: is cut short: copy it again")
        with contextlib.suppress(ValueError, KeyError, TypeError, zlib.error):
            index = json.loads(zlib.decompress(self.read(record, "the list of what is in it")))
            if index["name"] == self._name.hex() and len(index["parts"]) == self._count:
                return dict(index)
        raise SourceError(f"{self.path}: is damaged: copy it again, or pack the data again")

    def _check_part(self, part: int, size: int) -> None:
        path = part_path(self.path, part)
        if not path.is_file():
            parts = counted(self._count, "part")
            raise SourceError(f"{path}: is missing; {self.path.name} has {parts}: copy all of them here")
        _, version, number, _, *_, name = self._header(part)
        if (version, number, name) != (VERSION, part, self._name):
            raise SourceError(f"{path}: is of another pack than {self.path.name}: copy all parts of one again")
        if path.stat().st_size < size:
            raise SourceError(f"{path}: is cut short, {path.stat().st_size} of {size} bytes are there: copy it again")
