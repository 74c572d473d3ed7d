"""What every data set gives: pairs of picture and mask, split into training and held-out, masks as class ids."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.errors import SourceError, UsageError
from seg_viewer.core.labels import IGNORE_ID, LabelSet
from trainer.labels.label_map import LabelMap

PICTURES = ("*.png", "*.jpg", "*.jpeg", "*.JPG", "*.PNG")
GIVEN_HELD_OUT = "held-out"
SPLITS = ("given", "random", "blocks", "groups")


@dataclass(frozen=True)
class Pair:
    """One picture file and its mask file.

    Args:
        group: drive, town, car or breed that it belongs to; neighbours in a group look alike.
        part: "held-out" where the data set's own lists say so, else "train".
    """

    picture: Path
    mask: Path
    group: str = ""
    part: str = "train"


@dataclass(frozen=True)
class Split:
    """Which pairs are held out for scoring.

    Args:
        by: "given": the data set's own lists; "random": a share of all pairs, drawn with a seed; "blocks": the end of
            every drive; "groups": every n-th drive, town or car as a whole.
        held_out: share of the pairs (not for "given").
        seed: for "random".
        gap: pairs before a block that belong to neither part, because neighbours are near twins.
    """

    by: str
    held_out: float = 0.15
    seed: int = 0
    gap: int = 0

    def __post_init__(self) -> None:
        if self.by not in SPLITS:
            raise ValueError(f"split '{self.by}': choose {', '.join(SPLITS)}")
        if not 0 <= self.held_out < 1:
            raise ValueError(f"held-out share {self.held_out} is outside 0…1")

    def divide(self, pairs: Sequence[Pair]) -> tuple[tuple[Pair, ...], tuple[Pair, ...]]:
        """Training and held-out pairs, each in the given order."""
        if self.by == "given":
            held = {pair for pair in pairs if pair.part == GIVEN_HELD_OUT}
            return tuple(pair for pair in pairs if pair not in held), tuple(pair for pair in pairs if pair in held)
        count = round(len(pairs) * self.held_out)
        if self.held_out == 0 or len(pairs) < 2:
            return tuple(pairs), ()
        if self.by == "random":
            drawn = np.random.default_rng(self.seed).permutation(len(pairs))[: max(1, count)]
            chosen = set(drawn.tolist())
            return (
                tuple(pair for index, pair in enumerate(pairs) if index not in chosen),
                tuple(pair for index, pair in enumerate(pairs) if index in chosen),
            )
        groups: dict[str, list[Pair]] = {}
        for pair in pairs:
            groups.setdefault(pair.group, []).append(pair)
        if self.by == "groups" and len(groups) > 1:
            every = max(2, min(len(groups), round(1 / self.held_out)))
            kept_back = set(list(groups)[every - 1 :: every])
            return (
                tuple(pair for pair in pairs if pair.group not in kept_back),
                tuple(pair for pair in pairs if pair.group in kept_back),
            )
        train: list[Pair] = []
        held_out: list[Pair] = []
        for drive in groups.values():
            cut = len(drive) - max(1, round(len(drive) * self.held_out))
            train += drive[: max(0, cut - self.gap)]
            held_out += drive[cut:]
        return tuple(train), tuple(held_out)


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
class DataSet:
    """Pairs of one data set.

    Args:
        name: short name, as recipes and score tables use it.
        train: pairs to train on.
        held_out: pairs to score on; never trained on.
        label_map: raw mask → class ids.
        ignored: see `Layout`.
        notes: see `Layout`.
        details: raw mask → finer class ids and unions of them, for training only; None where there are none.
    """

    name: str
    train: tuple[Pair, ...]
    held_out: tuple[Pair, ...]
    label_map: LabelMap
    ignored: NDArray[np.bool_] | None = field(default=None, repr=False)
    notes: tuple[str, ...] = ()
    details: LabelMap | None = field(default=None, repr=False)

    @property
    def labels(self) -> LabelSet:
        return self.label_map.labels

    def read_mask(self, path: Path) -> NDArray[np.uint8]:
        """Mask file → (H, W) uint8 of class ids, 255 where unknown or only known as a union. Raises: SourceError."""
        mask = self._decode(self.label_map, path)
        return np.where(mask < len(self.labels), mask, np.uint8(IGNORE_ID)) if self.label_map.unions else mask

    def _decode(self, label_map: LabelMap, path: Path) -> NDArray[np.uint8]:
        mask = label_map.decode(read_raw_mask(path), path)
        if self.ignored is not None and self.ignored.shape == mask.shape:
            mask = np.where(self.ignored, np.uint8(IGNORE_ID), mask)
        return mask

    def read(self, pair: Pair) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Picture (H, W, 3) uint8 RGB and mask (H, W) uint8 of class ids.

        A mask of another size but the same shape is scaled to the picture by nearest neighbour.

        Raises:
            SourceError: a file cannot be read, the shapes differ, or the mask holds a value nobody defined.
        """
        picture = read_picture(pair.picture)
        return picture, self._fitted(pair, picture, self.read_mask(pair.mask))

    def read_details(self, pair: Pair, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The mask (H, W) uint8 in the ids of `details`, unions among them, of a picture read before.

        Raises: as `read`.
        """
        assert self.details is not None
        return self._fitted(pair, picture, self._decode(self.details, pair.mask))

    def _fitted(self, pair: Pair, picture: NDArray[np.uint8], mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
        height, width = picture.shape[:2]
        if (height, width) != mask.shape:
            if abs(mask.shape[1] * height - mask.shape[0] * width) > 0.01 * mask.shape[1] * height:
                raise SourceError(
                    f"{pair.mask}: mask is {mask.shape[1]}x{mask.shape[0]},"
                    f" its picture {pair.picture.name} {width}x{height}; their shapes must agree"
                )
            mask = cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
        return mask


def read_picture(path: Path) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB. Raises: SourceError when the file is missing or no picture."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise SourceError(f"{path}: cannot be read as a picture")
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def read_raw_mask(path: Path) -> NDArray[np.uint8]:
    """Raw mask, uint8: (H, W) of a grey file, a palette file (its indices) or a 1-bit file, else (H, W, 3) RGB.

    Read with Pillow, because OpenCV turns palettes into colours and not every build of it reads GIF.

    Raises:
        SourceError: the file is missing, no picture, or holds more than 8 bits.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            if picture.mode.startswith("I") or picture.mode == "F":
                raise SourceError(f"{path}: mask has more than 8 bits (mode {picture.mode}); save it with 8 bits")
            if picture.mode == "1":
                picture = picture.convert("L")
            elif picture.mode == "LA":
                picture = picture.getchannel(0)
            elif picture.mode not in ("L", "P"):
                picture = picture.convert("RGB")
            return np.array(picture)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, SyntaxError) as error:
        raise SourceError(f"{path}: cannot be read as a mask") from error


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
