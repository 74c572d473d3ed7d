"""Data sets in one packed file, and out of it: a machine with nothing but NumPy and OpenCV trains from it.

Pictures stay the files that they were (JPEG, PNG, …). Masks are stored as what they mean: class ids, and ids of the
finer classes where there are any, compressed (zlib). Split, pseudo marks, weights, ignored region and what a look at
every pair found stay as they were, so that samples are the same as from the folders.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.errors import SourceError, UsageError
from seg_viewer.core.machine import usable_cores
from trainer.data.data_set import DataSet
from trainer.data.formats import PACK
from trainer.data.pack_file import PackFile, PackWriter, Record
from trainer.data.picture_files import decoded, file_stamp
from trainer.data.scan import Scan, to_values
from trainer.labels.label_map import LabelMap
from trainer.labels.stored import label_map_from_json, label_map_to_json
from trainer.pairs import Pair
from trainer.recipe import Recipe, Source

AHEAD = 32
"""Pairs that are read ahead of the one that is written."""

Stored = tuple[Record, tuple[int, int]]
"""A mask: where it lies, (height, width)."""


@dataclass(frozen=True)
class PackedSet(DataSet):
    """A data set that lies in a pack. Its pairs have the names that they had, below that of the pack.

    Args:
        store: the pack.
        pictures: path of a picture → where its file lies.
        masks: path of a mask → the class ids and, where there are any, the ids of `details`.
    """

    store: PackFile = field(kw_only=True, repr=False)
    pictures: Mapping[Path, Record] = field(kw_only=True, repr=False)
    masks: Mapping[Path, tuple[Stored, Stored | None]] = field(kw_only=True, repr=False)

    def read_picture(self, pair: Pair) -> NDArray[np.uint8]:
        """As in `DataSet`."""
        data = self.store.read(self.pictures[pair.picture], pair.picture)
        return decoded(np.frombuffer(data, np.uint8), pair.picture, self.bits)

    def decode(self, label_map: LabelMap, path: Path) -> NDArray[np.uint8]:
        """As in `DataSet`."""
        plain, finer = self.masks[path]
        stored = finer if label_map is self.details and finer is not None else plain
        return _unpacked(self.store, stored, path)


def _unpacked(store: PackFile, stored: Stored, path: Path) -> NDArray[np.uint8]:
    record, (height, width) = stored
    ids = zlib.decompress(store.read(record, path), bufsize=height * width)
    return np.frombuffer(ids, np.uint8).reshape(height, width).copy()


def is_pack(path: Path) -> bool:
    """Whether a source is one: all others are folders."""
    return path.is_file()


@functools.lru_cache(maxsize=4)
def _open(path: Path, stamp: str) -> PackFile:
    return PackFile(path)


def open_pack(path: Path) -> PackFile:
    """The pack at a path. Raises: SourceError as `PackFile`."""
    return _open(path, file_stamp(path))


def sources_in(source: Source, path: Path) -> tuple[Source, ...]:
    """What a recipe says of each data set in a pack, for one that names the pack (or one of them, which stays).

    Args:
        source: as it was asked for.
        path: where the pack lies.

    Raises:
        SourceError: it cannot be read, and is not optional.
        UsageError: a weight or a split is asked for, which the pack has already.
    """
    if source.name and source.kind == PACK:
        return (source,)
    if source.weight:
        raise UsageError(f"{source.path}@{source.weight:g}: the data sets in a pack have weights: give it without one")
    if source.split:
        raise UsageError(f"{path}: what is held out was said when it was packed: leave --split… out, or pack again")
    try:
        sets = open_pack(path).index["sets"]
    except SourceError:
        if not source.optional:
            raise
        return (dataclasses.replace(source, kind=PACK),)  # who looks for it leaves it out, and says why
    return tuple(
        Source(PACK, source.path, float(one["weight"]), str(one["name"]), own_bonnet=str(one["own_bonnet"]))
        for one in sets
    )


def kind_in(source: Source, path: Path) -> str:
    """The format that a data set in a pack came from; that of the first where none is named. Raises: SourceError."""
    sets = open_pack(path).index["sets"]
    return str(next((one for one in sets if one["name"] == source.name), sets[0])["kind"])


def find_in_pack(source: Source, path: Path, recipe: Recipe) -> PackedSet:
    """The data set of a source that `sources_in` gave.

    Raises:
        SourceError: the pack cannot be read, or holds no such data set.
        UsageError: it was packed for other classes than the recipe asks for.
    """
    store = open_pack(path)
    index = store.index
    found = next((one for one in index["sets"] if one["name"] == source.name), None)
    if found is None:
        names = ", ".join(one["name"] for one in index["sets"])
        raise SourceError(f"{path}: holds no data set '{source.name}'; it holds {names}")
    for what, asked in (("labels", recipe.run.labels), ("details", recipe.run.details)):
        if asked not in ("native", "", index[what]) and Path(asked).stem != Path(index[what]).stem:
            raise UsageError(
                f"{path}: was packed with --{what} {index[what] or '(none)'}, not {asked}: pack the data again, or"
                f" leave --{what} out"
            )
    try:
        return _restored(store, found, source.name, with_details=bool(recipe.run.details))
    except (KeyError, ValueError, TypeError, zlib.error) as error:
        raise SourceError(f"{path}: is damaged ({error}): copy it again, or pack the data again") from error


def _restored(store: PackFile, found: dict[str, Any], name: str, with_details: bool) -> PackedSet:
    base = store.path / name
    pairs: list[Pair] = []
    pictures, masks = {}, {}
    for picture, mask, group, part, drive, pseudo, lies, *ids in found["pairs"]:
        pair = Pair(base / picture, base / mask, group, part, drive, bool(pseudo))
        pairs.append(pair)
        pictures[pair.picture] = Record(*lies)
        plain, finer = ((Record(*one[0]), (int(one[1][0]), int(one[1][1]))) if one else None for one in ids)
        if plain is None:
            raise ValueError(f"{pair.mask} is not there")
        masks[pair.mask] = plain, finer
    ignored = None
    if found["ignored"]:
        record, (height, width) = found["ignored"]
        ignored = _unpacked(store, (Record(*record), (height, width)), base).astype(bool)
    scanned = dict(found["scan"])
    scanned |= {key: [str(base / one) for one in scanned[key]] for key in ("files", "turned")}
    scanned |= {key: [[str(base / one) for one in two] for two in scanned[key]] for key in ("duplicates", "twins")}
    details = label_map_from_json(found["details"]) if found["details"] and with_details else None
    return PackedSet(
        name,
        tuple(pairs[: found["train"]]),
        tuple(pairs[found["train"] :]),
        label_map_from_json(found["label_map"]),
        ignored,
        tuple(found["notes"]),
        details,
        found["bits"],
        scanned,
        store=store,
        pictures=pictures,
        masks=masks,
    )


def write_pack(
    path: Path,
    recipe: Recipe,
    found: Sequence[tuple[Source, DataSet]],
    kinds: Sequence[str],
    scans: Sequence[Scan],
    part_bytes: int = 0,
    advance: Callable[[int], None] = lambda _: None,
) -> list[Path]:
    """Pack data sets.

    Args:
        path: of the pack; overwritten.
        recipe: its labels and details.
        found: the data sets, as `find_all` gives them.
        kinds: their formats.
        scans: what is known of them; none of their pairs is damaged.
        part_bytes: most bytes of a part; 0: all in one file.
        advance: called with the number of pairs done.

    Returns:
        The parts.

    Raises:
        ExportError: it cannot be written.
        SourceError: a file is damaged.
        UsageError: something is larger than a part.
    """
    with PackWriter(path, part_bytes, os.urandom(16)) as writer:
        done = 0
        sets = []
        for (source, data), kind, scan in zip(found, kinds, scans, strict=True):
            names = _names(data)
            rows = []
            for pair, files in _read_ahead(data):
                picture, *masks = files
                stored = [writer.add(picture), *((writer.add(one[0]), one[1]) if one else None for one in masks)]
                rows.append(
                    [names[pair.picture], names[pair.mask], pair.group, pair.part, pair.drive, pair.pseudo, *stored]
                )
                done += 1
                advance(done)
            sets.append(_described(writer, source, data, kind, scan, names) | {"pairs": rows})
        return writer.finish({"labels": recipe.run.labels, "details": recipe.run.details, "sets": sets})


def _described(
    writer: PackWriter, source: Source, data: DataSet, kind: str, scan: Scan, names: Mapping[Path, str]
) -> dict[str, Any]:
    """All of a data set but its pairs, for the index."""
    values = to_values(scan)
    values |= {key: [names[Path(one)] for one in values[key]] for key in ("files", "turned")}
    values |= {key: [[names[Path(one)] for one in two] for two in values[key]] for key in ("duplicates", "twins")}
    values |= {key: values[key].tolist() for key in ("counts", "sizes") if isinstance(values[key], np.ndarray)}
    ignored = None
    if data.ignored is not None:
        ignored = writer.add(_compressed(data.ignored.astype(np.uint8))), data.ignored.shape
    return {
        "name": data.name,
        "kind": kind,
        "weight": source.weight,
        "own_bonnet": source.own_bonnet,
        "label_map": label_map_to_json(data.label_map),
        "details": label_map_to_json(data.details) if data.details else None,
        "ignored": ignored,
        "notes": data.notes,
        "bits": data.bits,
        "train": len(data.train),
        "scan": values,
    }


def _names(data: DataSet) -> dict[Path, str]:
    """Each file's path below the folder that holds all of them, with forward slashes."""
    files = [file for pair in (*data.train, *data.held_out) for file in (pair.picture, pair.mask)]
    base = Path(os.path.commonpath([file.parent for file in files]))
    return {file: file.relative_to(base).as_posix() for file in files}


def _read_ahead(data: DataSet) -> Iterator[tuple[Pair, tuple[Any, ...]]]:
    """Pairs in order, with the picture's file and the compressed masks, each with its (height, width)."""
    pairs = (*data.train, *data.held_out)
    with ThreadPoolExecutor(max(2, usable_cores())) as pool:
        for start in range(0, len(pairs), AHEAD):
            some = pairs[start : start + AHEAD]
            yield from zip(some, pool.map(functools.partial(_files, data), some), strict=True)


def _files(data: DataSet, pair: Pair) -> tuple[Any, ...]:
    if isinstance(data, PackedSet):
        picture = bytes(data.store.read(data.pictures[pair.picture], pair.picture))
    else:
        try:
            picture = pair.picture.read_bytes()
        except OSError as error:
            raise SourceError(f"{pair.picture}: cannot be read as a picture ({error.strerror})") from error
    plain = data.decode(data.label_map, pair.mask)
    finer = data.decode(data.details, pair.mask) if data.details else None
    return picture, (_compressed(plain), plain.shape), (_compressed(finer), finer.shape) if finer is not None else None


def _compressed(ids: NDArray[np.uint8]) -> bytes:
    return zlib.compress(ids.tobytes(), 6)
