"""Class maps that were computed once: kept by source and model, for seeking, a second viewing, exports."""

from __future__ import annotations

import hashlib
import os
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from seg_viewer.core.class_map import ClassMap
from seg_viewer.core.frame import ByteArray, Frame, FrameId
from seg_viewer.core.part_file import explain
from seg_viewer.engines.base import EngineReport
from seg_viewer.pipeline.map_file import (
    DamagedError,
    GoneError,
    KeptMap,
    MapFile,
    Rows,
    data_path,
    index_path,
    remove,
)

FORMAT = 1
"""Part of the folder's name; folders of other formats are removed."""
DEFAULT_CAP = 1 << 30
"""Bytes."""
_MOST_WAITING = 64
"""Maps that may wait to be written, 10 MB at 512×288."""
_WRITE_EVERY_S = 0.5
_LOOK_EVERY_BYTES = 16 << 20


def default_folder() -> Path:
    """In the user's cache folder."""
    return user_cache_path("seg-viewer") / "maps"


@dataclass(frozen=True)
class _Waiting:
    """A map to be written, and what its file says of it."""

    map: KeptMap
    facts: Mapping[str, Any]


class MapCache:
    """Keeps class maps; safe from any thread, and with other processes at the same folder.

    What it cannot do never stops anybody: a map that cannot be read is none, one that cannot be written is left out,
    and why is a line in `notes`. A thread of its own writes; it lives from the first map to `close`.

    Args:
        folder: where; None for `default_folder`.
        cap: most bytes in it; beyond them what was not used for longest is removed. None for what was chosen last, see
            `choose_cap`.
        off: nothing is kept, and nothing found.
    """

    def __init__(self, folder: Path | None = None, cap: int | None = None, *, off: bool = False) -> None:
        self._top = folder or default_folder()
        self._chosen = self._top.with_name(f"{self._top.name}.cap")
        self.folder = self._top / f"format-{FORMAT}"
        self.cap = self._chosen_cap() if cap is None else cap
        self.notes: list[str] = []
        """One line for each thing that went wrong."""
        self.left_out = 0
        """Maps that were not kept because too many waited to be written."""
        self._changed = threading.Condition()
        self._waiting: dict[tuple[FrameId, str], _Waiting] = {}
        self._files: dict[tuple[str, str], MapFile] = {}
        self._is_off = off
        self._full = False
        self._closing = False
        self._busy = self._hurry = False
        self._since_look = _LOOK_EVERY_BYTES
        self._thread: threading.Thread | None = None

    def get(self, frame: FrameId, key: str) -> ByteArray | None:
        """The class map of a frame, shape (h, w), uint8, not to be changed; None where none is kept.

        Args:
            frame: which.
            key: of model and engine, see `map_key`.
        """
        waiting = self._waiting.get((frame, key))
        if waiting is not None:
            return waiting.map.ids
        file = self._file(frame.source, key)
        if file is None or not file.has(frame.pts):
            return None
        try:
            found = file.get(frame.pts)
        except OSError as error:
            self._tell(f"class maps cannot be read: {explain(index_path(file.stem), error)}")
            return None
        if found is None and not file.closed:
            self._tell(f"{data_path(file.stem)}: damaged class maps in it are computed again")
        return found

    def has(self, frame: FrameId, key: str) -> bool:
        """Whether `get` would find one."""
        file = self._file(frame.source, key)
        return (frame, key) in self._waiting or (file is not None and file.has(frame.pts))

    def put(self, frame: Frame, key: str, found: ClassMap, engine: EngineReport) -> None:
        """Keep a class map, unless it is kept already; returns at once.

        Args:
            frame: which it is of.
            key: see `map_key`.
            found: the map; not to be changed any more.
            engine: what computed it.
        """
        if self._is_off or self._full or not frame.source or self.has(frame.id, key):
            return
        facts = {
            "classes": len(found.labels), "model": found.model, "key": key, "source": frame.source,
            "engine": [engine.name, engine.version, engine.device, engine.precision],
        }  # fmt: skip
        with self._changed:
            if self._closing:
                return
            if len(self._waiting) >= _MOST_WAITING:
                self.left_out += 1
                return
            kept = KeptMap(frame.id.pts, frame.time_s, found.ids)
            self._waiting[frame.id, key] = _Waiting(kept, facts)
            if self._thread is None:
                self._thread = threading.Thread(target=self._write, name="seg-cache", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def rows(self, source: str, key: str) -> Rows | None:
        """Times and shares of all maps of a source that are on disk; None where there are none."""
        file = self._file(source, key)
        return file.rows() if file is not None else None

    def count(self, source: str, key: str) -> int:
        """How many maps of a source are on disk."""
        file = self._file(source, key)
        return len(file) if file is not None else 0

    def computed_by(self, source: str, key: str) -> EngineReport | None:
        """What computed the maps of a source; None where there are none."""
        file = self._file(source, key)
        told = file.facts.get("engine") if file is not None else None
        return EngineReport(*map(str, told)) if isinstance(told, list) and len(told) == 4 else None

    def size_bytes(self) -> int:
        """Of all that is kept, in whatever format."""
        return sum(size for _path, size in _sizes(self._top))

    def sources(self) -> int:
        """How many pairs of source and model something is kept of."""
        return sum(path.suffix == ".index" for path, _size in _sizes(self.folder))

    def clear(self) -> int:
        """Remove all that is kept. Returns how many bytes are still there: other programs may hold them."""
        with self._changed:
            self._waiting.clear()
            for file in self._files.values():
                file.close()
            self._files.clear()
        for path, _size in list(_sizes(self._top)):
            with suppress(OSError):
                path.unlink()
        self._full = False
        return self.size_bytes()

    def flush(self, timeout_s: float = 10.0) -> None:
        """Wait until all that was put is on disk."""
        with self._changed:
            self._hurry = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._full or not (self._waiting or self._busy), timeout_s)

    def choose_cap(self, cap: int) -> None:
        """Keep no more than so many bytes from now on: here, and in every program that asks for no other number.

        Raises: OSError where that cannot be written.
        """
        self.cap, self._full = cap, False
        self._top.parent.mkdir(parents=True, exist_ok=True)
        self._chosen.write_text(f"{cap}\n", encoding="ascii")

    def _chosen_cap(self) -> int:
        try:
            return max(0, int(self._chosen.read_text(encoding="ascii")))
        except (OSError, ValueError):
            return DEFAULT_CAP

    def close(self) -> None:
        """Write what waits, end the thread, close the files; again is fine."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join()
        with self._changed:
            for file in self._files.values():
                file.close()
            self._files.clear()

    # -- inside ----------------------------------------------------------------------------------------------------

    def _file(self, source: str, key: str, facts: Mapping[str, Any] | None = None) -> MapFile | None:
        """The file of a source and a key, opened once; made where `facts` are given. None where it is not there."""
        if self._is_off or not source or (self._closing and facts is None):
            return None
        with self._changed:
            file = self._files.get((source, key))
            if file is not None:
                return file
            stem = self.folder / hashlib.sha256(f"{source}\0{key}".encode()).hexdigest()[:32]
            try:
                file = MapFile(stem, facts)
            except FileNotFoundError:
                if facts is not None:
                    raise
                return None
            except DamagedError:
                remove(stem, in_use=True)
                self._tell(f"{index_path(stem)}: was damaged and is dropped; its class maps are computed again")
                return MapFile(stem, facts) if facts is not None else None
            except OSError as error:
                if facts is not None:
                    raise
                self._tell(f"class maps cannot be read: {explain(index_path(stem), error)}")
                return None
            self._files[source, key] = file
            return file

    def _write(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiting) or self._closing)
                if not self._waiting:
                    return
                # several at a time
                self._changed.wait_for(lambda: self._closing or self._hurry or self._half_full(), _WRITE_EVERY_S)
                batch = dict(self._waiting)
                self._hurry = False
                self._busy = True
            try:
                if not self._full:
                    self._store(batch)
            except OSError as error:
                self._full = True
                self._tell(f"class maps are no longer kept: {explain(self.folder, error)}")
            finally:
                with self._changed:
                    for name in batch:
                        self._waiting.pop(name, None)
                    self._busy = False
                    self._changed.notify_all()

    def _half_full(self) -> bool:
        return len(self._waiting) >= _MOST_WAITING // 2

    def _store(self, batch: Mapping[tuple[FrameId, str], _Waiting]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        groups: defaultdict[tuple[str, str], list[_Waiting]] = defaultdict(list)
        for (frame, key), waiting in batch.items():
            groups[frame.source, key].append(waiting)
        for (source, key), maps in groups.items():
            if self._since_look >= _LOOK_EVERY_BYTES:
                self._make_room()
            if self._full:
                return
            for last_try in (False, True):
                file = self._file(source, key, maps[0].facts)
                try:
                    if file is not None:
                        self._since_look += file.append([each.map for each in maps])
                    break
                except (GoneError, ValueError):  # removed by somebody, or closed by `clear`
                    with self._changed:
                        if self._files.get((source, key)) is file:
                            del self._files[source, key]
                    if last_try:
                        return

    def _make_room(self) -> None:
        """Remove what was not used for longest while there is too much."""
        self._since_look = 0
        for path, _size in list(_sizes(self._top)):
            if path.parent != self.folder:  # another format
                with suppress(OSError):
                    path.unlink()
        with self._changed:
            mine = {file.stem for file in self._files.values()}
        slack = _LOOK_EVERY_BYTES if self.cap > 4 * _LOOK_EVERY_BYTES else 0
        total = make_room(self.folder, self.cap - slack, mine)
        if total > self.cap:
            self._full = True
            self._tell(f"class maps are no longer kept: {self.folder} has reached its {self.cap / 1e6:.0f} MB")

    def _tell(self, line: str) -> None:
        if line not in self.notes:
            self.notes.append(line)


def make_room(folder: Path, most: int, keep: set[Path]) -> int:
    """Remove the maps of the sources that were not used for longest until `most` bytes are left.

    Args:
        folder: of a cache.
        most: bytes.
        keep: stems that stay, as do those that other processes use.

    Returns:
        How many bytes are left.
    """
    total = 0
    found: dict[Path, tuple[float, int]] = {}
    for path, size in _sizes(folder):
        stem = path.with_suffix("")
        used_s, before = found.get(stem, (0.0, 0))
        with suppress(OSError):
            used_s = max(used_s, path.stat().st_mtime)
        found[stem] = (used_s, before + size)
        total += size
    for stem, (_used_s, size) in sorted(found.items(), key=lambda each: each[1][0]):
        if total <= most:
            break
        if stem not in keep and remove(stem):
            total -= size
    return total


def map_key(model: str, engine: str, device: str | None) -> str:
    """What a class map depends on beside the frame.

    Args:
        model: hash of the model file.
        engine, device: as they were asked for: two engines differ in single pixels, and who asks for one by name wants
            to see its own.
    """
    return model if engine == "auto" and device is None else f"{model} {engine} {device or ''}".rstrip()


def _sizes(folder: Path) -> Iterator[tuple[Path, int]]:
    """Every file within a folder, and its size in bytes."""
    for place, _folders, names in os.walk(folder):
        for name in names:
            path = Path(place) / name
            with suppress(OSError):
                yield path, path.stat().st_size
