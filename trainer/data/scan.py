"""A look at every pair of a data set before it is trained on: sizes, stray values, class shares, duplicates."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.counted import counted
from seg_viewer.core.errors import ExportError, SourceError
from seg_viewer.core.labels import LabelSet
from seg_viewer.core.machine import usable_cores
from seg_viewer.core.part_file import write_text
from trainer.data.data_set import DataSet
from trainer.data.picture_files import LYING, file_stamp, orientation
from trainer.labels.lossy import is_lossy
from trainer.pairs import Pair

VERSION = 5
TWIN_BITS = 6
"""Two pictures whose 256-bit difference hashes differ in no more bits look the same to a person."""

Advance = Callable[[int, int], None]
"""Called with (done, all) pairs."""


@dataclass(frozen=True)
class Scan:
    """What a scan found.

    Args:
        name: of the data set.
        labels: its classes.
        train: how many of the pairs are training pairs; they come first.
        files: picture files, training pairs first.
        counts: pixels of each class and, last, ignored ones; (pairs, classes + 1) int64; zeros where damaged.
        sizes: (pairs, 2) int: width, height in pixels.
        problems: one line for each damaged pair: file, pixel, value, what to do.
        duplicates: (training file, held-out file) that are the same picture, byte for byte.
        twins: (training file, held-out file) that look the same.
        notes: other things worth knowing.
        jpeg_masks: how many masks are JPEG, or otherwise lossy, so that some of their pixels are ignored.
        turned: pictures that EXIF turns otherwise than their masks, where the shapes do not show which is upright.
    """

    name: str
    labels: LabelSet
    train: int
    files: tuple[str, ...]
    counts: NDArray[np.int64]
    sizes: NDArray[np.int64]
    problems: tuple[str, ...]
    duplicates: tuple[tuple[str, str], ...]
    twins: tuple[tuple[str, str], ...]
    notes: tuple[str, ...] = ()
    jpeg_masks: int = 0
    turned: tuple[str, ...] = ()

    @property
    def shares(self) -> NDArray[np.float64]:
        """Share of each class among the training pixels that are not ignored, (classes,)."""
        total = self.counts[: self.train, :-1].sum(0)
        return total / max(1, total.sum())

    def warnings(self) -> list[str]:
        """Lines about what may be wrong, but does not keep anybody from training."""
        lines = list(self.notes)
        if self.jpeg_masks:
            lines.append(
                f"{self.jpeg_masks} masks are JPEG or lossy WebP, which changes ids next to borders: those pixels are"
                " ignored; PNG masks keep them"
            )
        if self.turned:
            lines.append(
                f"{counted(len(self.turned), 'picture')} turned by EXIF, without the mask, e.g. {self.turned[0]}:"
                " see in the contact sheet (seg-trainer check DATA -o FOLDER) whether they lie on each other; if not,"
                " save the pictures upright"
            )
        if self.duplicates:
            one, other = self.duplicates[0]
            lines.append(
                f"{counted(len(self.duplicates), 'held-out picture')} found among the training pictures, e.g."
                f" {other} = {one}: scores will be too good; remove them or split otherwise"
            )
        if self.twins:
            one, other = self.twins[0]
            lines.append(
                f"{counted(len(self.twins), 'held-out picture')} much like a training picture, e.g."
                f" {Path(other).name} like {Path(one).name}: split in blocks (--split blocks) or by drive"
            )
        absent = [label.name for label in self.labels if self.shares[label.id] == 0]
        if absent:
            lines.append(f"no training pixel of: {', '.join(absent)}")
        if (self.shares > 0).sum() == 1:
            lines.append("only one class occurs: mix it with a data set that has others")
        return lines


def scan(data: DataSet, advance: Advance | None = None, cache: Path | None = None) -> Scan:
    """Read every pair, in parallel.

    Args:
        data: the data set.
        advance: progress, or None.
        cache: folder in which the result is kept, for as long as no file of the data set changes.
    """
    pairs = (*data.train, *data.held_out)
    if data.scanned is not None:
        return _from_values(data.scanned, data)
    kept = cache / f"scan-{_key(data, pairs)}.json" if cache else None
    if kept and (found := _load(kept, data)):
        return found
    with ThreadPoolExecutor(max_workers=max(2, usable_cores())) as pool:
        looks = []
        for done, look in enumerate(pool.map(lambda pair: _look(data, pair), pairs), 1):
            looks.append(look)
            if advance:
                advance(done, len(pairs))
    duplicates, twins = _alike(looks, [str(pair.picture) for pair in pairs], len(data.train))
    found = Scan(
        data.name,
        data.labels,
        len(data.train),
        tuple(str(pair.picture) for pair in pairs),
        np.array([look.counts for look in looks], np.int64).reshape(len(pairs), len(data.labels) + 1),
        np.array([look.size for look in looks], np.int64).reshape(len(pairs), 2),
        tuple(look.problem for look in looks if look.problem),
        duplicates,
        twins,
        data.notes,
        _jpegs(data, pairs),
        tuple(str(pair.picture) for pair, look in zip(pairs, looks, strict=True) if look.turned),
    )
    if kept:
        _store(kept, found)
    return found


@dataclass(frozen=True)
class _Look:
    """What a look at one pair found; as in `Scan`.

    Args:
        counts: pixels of each class and, last, ignored ones.
        size: width, height in pixels; 0, 0 where damaged.
        digest: of the picture file; "" where damaged.
        hash: 256 bits that change little when the picture does.
        problem: "" where it is sound.
        turned: see `Scan`.
    """

    counts: NDArray[np.int64]
    size: tuple[int, int]
    digest: str
    hash: NDArray[np.uint8]
    problem: str
    turned: bool = False


def _look(data: DataSet, pair: Pair) -> _Look:
    classes = len(data.labels)
    nothing = np.zeros(classes + 1, np.int64)
    try:
        picture, mask = data.read(pair)
        digest = hashlib.sha1(pair.picture.read_bytes(), usedforsecurity=False).hexdigest()
    except SourceError as error:
        return _Look(nothing, (0, 0), "", np.zeros(32, np.uint8), str(error))
    except OSError as error:
        return _Look(nothing, (0, 0), "", np.zeros(32, np.uint8), f"{pair.picture}: {error.strerror}")
    by_value = np.bincount(mask.ravel(), minlength=256)
    counts = np.append(by_value[:classes], by_value[255])
    grey = cv2.resize(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (17, 16), interpolation=cv2.INTER_AREA)
    bits = np.packbits(grey[:, 1:] > grey[:, :-1])
    return _Look(counts, (mask.shape[1], mask.shape[0]), digest, bits, "", _lies_otherwise(pair, picture.shape))


def _lies_otherwise(pair: Pair, shape: tuple[int, ...]) -> bool:
    """Whether EXIF turns a picture and its mask differently, and the shapes (which agree) do not show who is right."""
    one, other = orientation(pair.picture), orientation(pair.mask)
    shown_by_shape = (one >= LYING) != (other >= LYING) and shape[0] != shape[1]
    return one != other and not shown_by_shape


def _alike(
    looks: Sequence[_Look], files: Sequence[str], train: int
) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
    """Pairs of training and held-out files that are equal, and those that only look alike."""
    first: dict[str, int] = {}
    for index, look in enumerate(looks[:train]):
        if look.digest:
            first.setdefault(look.digest, index)
    duplicates, twins = [], []
    hashes = np.array([look.hash for look in looks[:train]], np.uint8).reshape(-1, 32)
    for index, look in enumerate(looks[train:], train):
        if not look.digest:
            continue
        if look.digest in first:
            duplicates.append((files[first[look.digest]], files[index]))
        elif len(hashes):
            apart = np.bitwise_count(hashes ^ look.hash).sum(axis=1)
            nearest = int(apart.argmin())
            if apart[nearest] <= TWIN_BITS and looks[nearest].digest:
                twins.append((files[nearest], files[index]))
    return tuple(duplicates), tuple(twins)


def _jpegs(data: DataSet, pairs: Sequence[Pair]) -> int:
    return sum(is_lossy(pair.mask) for pair in pairs) if data.label_map.read == "ids" else 0


def _key(data: DataSet, pairs: Sequence[Pair]) -> str:
    """Hash of everything that a scan depends on: files with sizes and times, split, label map."""
    digest = hashlib.sha256(
        f"{VERSION} {data.name} {len(data.train)} {data.label_map!r} {data.bits} {data.notes}".encode()
    )
    if data.ignored is not None:
        digest.update(np.packbits(data.ignored).tobytes())
    for pair in pairs:
        for path in (pair.picture, pair.mask):
            digest.update(file_stamp(path).encode())
    return digest.hexdigest()[:32]


def to_values(found: Scan) -> dict[str, Any]:
    """A scan as `json.dumps` takes it, for `DataSet.scanned`; without what the data set says itself."""
    return {
        "train": found.train,
        "files": found.files,
        "counts": found.counts.tolist(),
        "sizes": found.sizes.tolist(),
        "problems": found.problems,
        "duplicates": found.duplicates,
        "twins": found.twins,
        "turned": found.turned,
        "jpeg_masks": found.jpeg_masks,
    }


def _store(path: Path, found: Scan) -> None:
    with contextlib.suppress(OSError, ExportError):  # without a cache the next scan only takes longer
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, json.dumps(to_values(found)))


def _load(path: Path, data: DataSet) -> Scan | None:
    try:
        return _from_values(json.loads(path.read_text(encoding="utf-8")), data)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _from_values(values: Mapping[str, Any], data: DataSet) -> Scan:
    """The opposite of `to_values`."""
    count = len(values["files"])
    return Scan(
        data.name,
        data.labels,
        int(values["train"]),
        tuple(values["files"]),
        np.array(values["counts"], np.int64).reshape(count, len(data.labels) + 1),
        np.array(values["sizes"], np.int64).reshape(count, 2),
        tuple(values["problems"]),
        tuple((a, b) for a, b in values["duplicates"]),
        tuple((a, b) for a, b in values["twins"]),
        data.notes,
        int(values["jpeg_masks"]),
        tuple(values["turned"]),
    )
