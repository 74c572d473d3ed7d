"""What every data set gives: pairs of picture and mask, split into training and held-out, masks as our class ids."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.errors import SourceError
from seg_viewer.core.labels import IGNORE_ID

STRAY = -1
"""Entry of a mapping table for values that the data set does not define."""

ReadMask = Callable[[Path], NDArray[np.uint8]]


@dataclass(frozen=True)
class Pair:
    """One picture file and its mask file."""

    picture: Path
    mask: Path


@dataclass(frozen=True)
class DataSet:
    """Pairs of one data set.

    Args:
        name: short name, as recipes and score tables use it.
        train: pairs to train on.
        held_out: pairs to score on; never trained on.
        read_mask: mask file → (H, W) uint8 of our class ids, 255 where unknown.
    """

    name: str
    train: tuple[Pair, ...]
    held_out: tuple[Pair, ...]
    read_mask: ReadMask

    def read(self, pair: Pair) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Picture (H, W, 3) uint8 RGB and mask (H, W) uint8 of class ids.

        Raises:
            SourceError: a file cannot be read, the sizes differ, or the mask holds a value nobody defined.
        """
        picture = read_picture(pair.picture)
        mask = self.read_mask(pair.mask)
        if picture.shape[:2] != mask.shape:
            height, width = picture.shape[:2]
            raise SourceError(
                f"{pair.mask}: mask is {mask.shape[1]}x{mask.shape[0]},"
                f" its picture {pair.picture.name} {width}x{height}"
            )
        return picture, mask


def read_picture(path: Path) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB. Raises: SourceError when the file is missing or no picture."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise SourceError(f"{path}: cannot be read as a picture")
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def read_ids(path: Path, channel: str = "red") -> NDArray[np.uint8]:
    """Raw values of a mask file, (H, W) uint8; of a colour file its red channel.

    Raises:
        SourceError: the file is missing, no picture, or holds more than 8 bits.
    """
    raw = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if raw is None:
        raise SourceError(f"{path}: cannot be read as a mask")
    if raw.dtype != np.uint8:
        raise SourceError(f"{path}: mask has {raw.dtype} values; save it with 8 bits")
    if raw.ndim == 3:
        raw = raw[:, :, {"blue": 0, "green": 1, "red": 2}[channel]]  # OpenCV stores BGR
    return np.ascontiguousarray(raw)


def table(known: Mapping[int, int], rest: int = STRAY) -> NDArray[np.int16]:
    """Mapping table raw value → class id, shape (256,), int16; values not in `known` become `rest`."""
    out = np.full(256, rest, np.int16)
    for value, class_id in known.items():
        out[value] = class_id
    return out


def apply_table(raw: NDArray[np.uint8], mapping: NDArray[np.int16], path: Path) -> NDArray[np.uint8]:
    """Map raw mask values to our class ids.

    Args:
        raw: (H, W) uint8.
        mapping: (256,) int16 as `table` makes it.
        path: the file, for the error text.

    Raises:
        SourceError: a value maps to `STRAY`; the text names file, pixel and value.
    """
    mapped = mapping[raw]
    stray = mapped == STRAY
    if stray.any():
        y, x = (int(v) for v in np.argwhere(stray)[0])
        count = len(np.unique(raw))
        hint = "; so many values mean a lossy or smoothed mask: save it as PNG, unscaled" if count > 64 else ""
        raise SourceError(
            f"{path}: value {int(raw[y, x])} at x={x}, y={y} is no class of this data set"
            f" ({int(stray.sum())} such pixels){hint}"
        )
    return mapped.astype(np.uint8)


def pairs_by_stem(
    pictures: Path, masks: Path, mask_name: Callable[[str], str], patterns: Sequence[str] = ("*.png", "*.jpg")
) -> list[Pair]:
    """Pairs of a folder of pictures and a folder of masks, sorted by name.

    Args:
        mask_name: stem of a picture → name of its mask file.

    Raises:
        SourceError: there is no picture, or a picture has no mask; the text names it.
    """
    files = sorted(file for pattern in patterns for file in pictures.glob(pattern))
    if not files:
        raise SourceError(f"{pictures}: holds no {' or '.join(patterns)}")
    pairs = [Pair(file, masks / mask_name(file.stem)) for file in files]
    for pair in pairs:
        if not pair.mask.is_file():
            raise SourceError(f"{pair.picture}: has no mask {pair.mask}")
    return pairs


def tail_block(pairs: Sequence[Pair], share: float, gap: int) -> tuple[tuple[Pair, ...], tuple[Pair, ...]]:
    """Split a drive in order: the last `share` is held out, `gap` pairs before it are dropped (near twins)."""
    cut = len(pairs) - round(len(pairs) * share)
    return tuple(pairs[: max(0, cut - gap)]), tuple(pairs[cut:])


def ignore_where(mask: NDArray[np.uint8], where: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Copy of a mask with 255 at the marked pixels."""
    return np.where(where, np.uint8(IGNORE_ID), mask)
