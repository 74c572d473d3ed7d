"""What every data-set format gives, and what formats share in looking for files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.errors import SourceError, UsageError
from trainer.labels.label_map import LabelMap
from trainer.pairs import Pair, Split

PICTURES = ("*.png", "*.jpg", "*.jpeg", "*.JPG", "*.PNG")


@dataclass(frozen=True)
class Layout:
    """What a format finds in a folder, before anything is said about classes or split.

    Args:
        pairs: all of them, drives in order.
        split: the split that suits the format.
        maps: "native" (the data set's own classes) and, where it has them, "driving", "streets" → label map.
        ignored: pixels that no mask of this data set knows, (H, W) bool (own bonnet), or None.
        notes: lines a person should see, e.g. pictures without a mask.
    """

    pairs: Sequence[Pair]
    split: Split
    maps: Mapping[str, LabelMap]
    ignored: NDArray[np.bool_] | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fetched:
    """Where tensorflow_datasets has the pictures of a format.

    Args:
        name: NAME:VERSION there.
        unpack: called with the folder to fill, a function for lines of progress, and NAME:VERSION; lays the set out as
            files, once, and returns the folder. Raises: UsageError, SourceError.
    """

    name: str
    unpack: Callable[[Path, Callable[[str], None], str], Path]


@dataclass(frozen=True)
class Format:
    """A layout of files on disk; every module of `trainer.data.formats` has one, called FORMAT.

    Args:
        name: as in `--data NAME=FOLDER`, recipes and score tables.
        files: what it looks like, for people.
        held_out: what is held out unless somebody says otherwise, for people.
        split: one of `trainer.pairs.SPLITS`, for when somebody says how much is held out, but not how.
        fits: whether a folder looks like it.
        find: what is there; raises SourceError.
        terms: what is known of its licence; "" where that is up to whoever made the folder.
        ours: its pictures are our own, so that they may be drawn and passed on (`evaluate --gallery`).
        fetched: how to get it through tensorflow_datasets; None for what is copied by hand.
    """

    name: str
    files: str
    held_out: str
    split: str
    fits: Callable[[Path], bool]
    find: Callable[[Path], Layout]
    terms: str = ""
    ours: bool = False
    fetched: Fetched | None = None


def pictures_in(folder: Path) -> list[Path]:
    """Picture files of a folder, sorted by name. Raises: SourceError when there are none."""
    files = sorted({file for pattern in PICTURES for file in folder.glob(pattern)})
    if not files:
        raise SourceError(f"{folder}: holds no pictures (png or jpg)")
    return files


def pairs_by_stem(
    pictures: Iterable[Path], mask_of: Callable[[Path], Path], group: str = "", part: str = "train"
) -> list[Pair]:
    """Pairs of picture files and the mask files that `mask_of` names.

    Raises:
        SourceError: a picture has no mask; the text names it.
    """
    pairs = [Pair(file, mask_of(file), group, part) for file in pictures]
    for pair in pairs:
        if not pair.mask.is_file():
            raise SourceError(f"{pair.picture}: has no mask {pair.mask}")
    return pairs


def subfolders(folder: Path, what: str) -> list[Path]:
    """Folders in a folder, by name. Raises: SourceError naming `what` when there are none."""
    found = sorted(item for item in folder.glob("*") if item.is_dir())
    if not found:
        raise SourceError(f"{folder}: holds no {what}")
    return found


def chosen_map(maps: Mapping[str, LabelMap], labels: str, name: str) -> LabelMap | None:
    """The format's own map when `labels` is "native" or "driving", else None. Raises: UsageError."""
    if labels in maps:
        return maps[labels]
    if labels in ("native", "driving", "streets"):
        raise UsageError(
            f"data set '{name}' has no {labels} classes of its own; give a label map (--labels FILE.toml),"
            " see 'seg-trainer datasets'"
        )
    return None
