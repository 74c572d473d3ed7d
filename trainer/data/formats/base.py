"""What every data-set format gives, and what formats share in looking for files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.counted import counted
from seg_viewer.core.errors import SourceError, UsageError
from trainer.data.picture_files import MASK_SUFFIXES, PICTURE_SUFFIXES
from trainer.labels.label_map import LabelMap
from trainer.pairs import Pair, Split


@dataclass(frozen=True)
class Layout:
    """What a format finds in a folder, before anything is said about classes or split.

    Args:
        pairs: all of them, drives in order.
        split: the split that suits the format.
        maps: "native" (the data set's own classes) and, where it has them, "driving", "streets" → label map, or what
            makes it where that is dear or may fail.
        ignored: pixels that no mask of this data set knows, (H, W) bool (own bonnet), or None.
        notes: lines a person should see, e.g. pictures without a mask.
    """

    pairs: Sequence[Pair]
    split: Split
    maps: Mapping[str, LabelMap | Callable[[], LabelMap]]
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
        split_of: what `split` is for the data below a folder, where that depends on them; "" for `split`.
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
    split_of: Callable[[Path], str] | None = None


def pictures_in(folder: Path) -> list[Path]:
    """Picture files of a folder, sorted by name. Raises: SourceError when there are none."""
    files = [file for file in files_in(folder) if file.suffix.lower() in PICTURE_SUFFIXES]
    if not files:
        raise SourceError(f"{folder}: holds no pictures ({' '.join(PICTURE_SUFFIXES)}), but {seen(folder)}")
    return files


def files_in(folder: Path) -> list[Path]:
    """Files of a folder that are not hidden, sorted by name; none where there is no such folder.

    A link that leads nowhere is one of them: whoever reads it names it.
    """
    if not folder.is_dir():
        return []
    return sorted(file for file in folder.iterdir() if not file.name.startswith(".") and _is_file(file))


def _is_file(path: Path) -> bool:
    return path.is_file() or (path.is_symlink() and not path.exists())


def seen(folder: Path) -> str:
    """What a folder holds, in a few words, for whoever looked for something else in it."""
    if not folder.is_dir():
        return "is no folder" if folder.exists() else "is not there"
    kinds = Counter(file.suffix.lower() or "without suffix" for file in files_in(folder))
    folders = sorted(item.name for item in folder.iterdir() if item.is_dir() and not item.name.startswith("."))
    parts = []
    if kinds:
        most = ", ".join(f"{kind} ({count})" for kind, count in kinds.most_common(4))
        parts.append(f"{counted(kinds.total(), 'file')}: {most}{', …' if len(kinds) > 4 else ''}")
    if folders:
        parts.append(f"the folders {', '.join(folders[:4])}{', …' if len(folders) > 4 else ''}")
    return " and ".join(parts) or "nothing"


class Masks:
    """The mask files of a folder, found by the name of a picture: suffixes of any kind, in any case.

    Args:
        folder: that holds them.
    """

    def __init__(self, folder: Path) -> None:
        self._by_stem: dict[str, list[Path]] = {}
        self._asked: set[str] = set()
        for file in files_in(folder):
            if file.suffix.lower() in MASK_SUFFIXES:
                self._by_stem.setdefault(file.stem.lower(), []).append(file)

    def named(self, stem: str) -> Path | None:
        """The mask of this name without suffix; None where there is none.

        The same letters in another case are only taken where nothing else fits; of several kinds the first of
        `MASK_SUFFIXES`.
        """
        files = self._by_stem.get(stem.lower(), [])
        self._asked.add(stem.lower())
        exact = [file for file in files if file.stem == stem] or files
        return min(exact, key=lambda file: MASK_SUFFIXES.index(file.suffix.lower()), default=None)

    def left(self) -> list[Path]:
        """Masks whose name nobody asked for, sorted: their pictures are not there."""
        return sorted(file for stem, files in self._by_stem.items() if stem not in self._asked for file in files)


def pairs_by_stem(
    pictures: Iterable[Path], mask_of: Callable[[Path], Path], group: str = "", part: str = "train"
) -> list[Pair]:
    """Pairs of picture files and the mask files that `mask_of` names; their suffix may be another.

    Raises:
        SourceError: a picture has no mask; the text names it.
    """
    folders: dict[Path, Masks] = {}
    pairs = []
    for file in pictures:
        mask = mask_of(file)
        if mask.parent not in folders:
            folders[mask.parent] = Masks(mask.parent)
        there = mask if mask.is_file() else folders[mask.parent].named(mask.stem)
        if there is None:
            raise SourceError(f"{file}: has no mask {mask}; {mask.parent.name} holds {seen(mask.parent)}")
        pairs.append(Pair(file, there, group, part))
    return pairs


def subfolders(folder: Path, what: str) -> list[Path]:
    """Folders in a folder, by name. Raises: SourceError naming `what` when there are none."""
    found = sorted(item for item in folder.glob("*") if item.is_dir())
    if not found:
        raise SourceError(f"{folder}: holds no {what}, but {seen(folder)}")
    return found


def chosen_map(maps: Mapping[str, LabelMap | Callable[[], LabelMap]], labels: str, name: str) -> LabelMap | None:
    """The format's own map when `labels` is "native" or "driving", else None. Raises: UsageError."""
    if labels in maps:
        made = maps[labels]
        return made() if callable(made) else made
    if labels in ("native", "driving", "streets"):
        raise UsageError(
            f"data set '{name}' has no {labels} classes of its own; give a label map (--labels FILE.toml),"
            " see 'seg-trainer datasets'"
        )
    return None
