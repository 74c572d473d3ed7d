"""Label maps: what the values or colours of a data set's masks mean in classes of ours, or ignore."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.counted import counted
from seg_viewer.core.errors import SourceError
from seg_viewer.core.labels import IGNORE_ID, Label, LabelSet
from trainer.labels.lossy import is_lossy, worst_shift

STRAY = -1
"""Class of values that the map does not define: an error that names file, pixel and value."""

LOSSY_VALUES = 64
"""A mask with more distinct values than this, some of them undefined, was saved lossily or smoothed."""

BRIGHT = 40
"""A channel above this cannot be an id of a simulator, nor JPEG noise around one."""


@dataclass(frozen=True)
class LabelMap:
    """Raw mask values or colours → class ids.

    Args:
        name: short name or path.
        title: one line for people.
        labels: the classes that come out.
        values: raw value → class id or 255 (ignore).
        colors: (red, green, blue) → class id or 255, for masks that are colour pictures.
        rest: class id of whatever is not listed, 255, or `STRAY`.
        read: "ids": value of a grey or palette mask, of a colour mask the red channel, unless `colors` are given;
            "otsu": each grey mask is split in two by Otsu's threshold, 0 below and 1 above; "threshold": all at one
            grey value.
        tolerance: largest distance of a channel at which a colour still counts as the nearest listed one.
        unions: name and member ids of what masks may say instead of one class ("a person, on foot or not"); union i
            has id len(labels) + i.
        threshold: grey value from which on a pixel is class 1 (`read` "threshold").
        folds: name of coarser labels ("driving") → name of each of their classes → ids of ours that it takes in.
    """

    name: str
    title: str
    labels: LabelSet
    values: Mapping[int, int]
    colors: Mapping[tuple[int, int, int], int] = field(default_factory=dict)
    rest: int = STRAY
    read: str = "ids"
    tolerance: int = 0
    unions: tuple[tuple[str, tuple[int, ...]], ...] = ()
    folds: Mapping[str, Mapping[str, tuple[int, ...]]] = field(default_factory=dict)
    threshold: int = 128

    def table(self) -> NDArray[np.int16]:
        """Class id (255 ignore, −1 stray) of each raw value, shape (256,), int16."""
        out = np.full(256, self.rest, np.int16)
        for value, class_id in self.values.items():
            out[value] = class_id
        return out

    def decode(self, raw: NDArray[np.uint8], path: Path) -> NDArray[np.uint8]:
        """Class ids (H, W) uint8 of a raw mask.

        Args:
            raw: (H, W) values or (H, W, 3|4) colours, uint8, RGB order.
            path: the file, for the error text.

        Raises:
            SourceError: a value or colour is not in the map; the text names file, pixel, value and what to do.
        """
        if self.read == "otsu":
            return _split_in_two(raw)
        if self.read == "threshold":
            return (_grey(raw) >= self.threshold).astype(np.uint8)
        if self.speaks_colors(raw):
            return self._decode_colors(raw[:, :, :3], path)
        if raw.ndim == 3:
            raw = raw[:, :, 0]
        if is_lossy(path):
            return self._decode_lossy(raw, path)
        mapped = self.table()[raw]
        stray = mapped == STRAY
        if stray.any():
            y, x = (int(v) for v in np.argwhere(stray)[0])
            raise SourceError(
                f"{path}: value {int(raw[y, x])} at x={x}, y={y} is no class of '{self.name}'"
                f" ({counted(int(stray.sum()), 'such pixel')}){_what_to_do(len(np.unique(raw)))}"
            )
        return mapped.astype(np.uint8)

    def speaks_colors(self, raw: NDArray[np.uint8]) -> bool:
        """Whether a mask is a colour picture in colours of this map, not ids in its red channel.

        Green and blue of raw masks are zero, repeat red, or hold something else (instances, in later CARLA).
        """
        if raw.ndim != 3 or not self.colors or not _is_colorful(raw):
            return False
        if not self.values:
            return True
        some = raw[:: max(1, raw.shape[0] // 40), :: max(1, raw.shape[1] // 40), :3].reshape(-1, 3).astype(int)
        bright = some[some.max(axis=1) > BRIGHT]
        if len(bright) < 0.01 * len(some):
            return False
        apart = np.abs(bright[:, None] - np.array(list(self.colors))).max(-1).min(1)
        return float(np.mean(apart <= 8)) > 0.5

    def _decode_lossy(self, raw: NDArray[np.uint8], path: Path) -> NDArray[np.uint8]:
        """Ids of a lossy mask: only a pixel that equals all its neighbours is believed, the rest is ignored.

        Raises: SourceError when compression may have made one class of another, or leaves less than half.
        """
        way_out = "save masks as PNG, scaled by nearest neighbour only"
        table, shift = self.table(), worst_shift(path)
        known = np.flatnonzero(table != STRAY)
        for low, high in pairwise(known):
            if table[low] != table[high] and high - low <= 2 * shift:
                raise SourceError(
                    f"{path}: JPEG or lossy WebP of this quality may turn the value {low} into {high}, another class of"
                    f" '{self.name}': {way_out}"
                )
        apart = np.abs(np.arange(256)[:, None] - known)
        meant = np.where(apart.min(1) <= shift, table[known[apart.argmin(1)]], STRAY)
        mapped = meant[raw]
        believed = _is_flat(raw) & (mapped != STRAY)
        if believed.mean() < 0.5:
            raise SourceError(
                f"{path}: JPEG has changed its ids ({len(np.unique(raw))} different values; {believed.mean():.0%}"
                f" of the pixels are certain): {way_out}"
            )
        return np.where(believed, mapped, IGNORE_ID).astype(np.uint8)

    def _decode_colors(self, raw: NDArray[np.uint8], path: Path) -> NDArray[np.uint8]:
        codes = raw.astype(np.int32) @ np.array([65536, 256, 1], np.int32)
        found, inverse = np.unique(codes, return_inverse=True)
        palette = np.array(list(self.colors))
        ids = np.fromiter(self.colors.values(), np.int16)
        spread = np.stack([found >> 16, (found >> 8) & 255, found & 255], axis=1)
        apart = np.abs(spread[:, None] - palette).max(-1)
        # where two classes meet, JPEG mixes their colours: nobody knows which it was
        lossy = is_lossy(path) and self.tolerance > 0
        classes = np.where(apart.min(1) <= self.tolerance, ids[apart.argmin(1)], IGNORE_ID if lossy else self.rest)
        mapped = classes[inverse].reshape(codes.shape)
        if lossy:
            mapped = np.where(_is_flat(mapped.astype(np.uint8)), mapped, IGNORE_ID)
        stray = mapped == STRAY
        if stray.any():
            y, x = (int(v) for v in np.argwhere(stray)[0])
            color = tuple(int(v) for v in raw[y, x])
            raise SourceError(
                f"{path}: colour {color} at x={x}, y={y} is no class of '{self.name}'"
                f" ({counted(int(stray.sum()), 'such pixel')}){_what_to_do(len(found))}"
            )
        return mapped.astype(np.uint8)


def _grey(raw: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W) of a raw mask."""
    if raw.ndim == 2:
        return raw
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(raw[:, :, :3]), cv2.COLOR_RGB2GRAY), np.uint8)


def _split_in_two(raw: NDArray[np.uint8]) -> NDArray[np.uint8]:
    grey = _grey(raw)
    low, high = int(grey.min()), int(grey.max())
    if low == high:  # Otsu needs two levels: an even mask is all object when it is bright
        return np.full(grey.shape, int(high > 0 if high <= 1 else high > 127), np.uint8)
    _, split = cv2.threshold(np.ascontiguousarray(grey), 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return np.asarray(split, np.uint8)


def _is_flat(values: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(H, W): where a pixel equals its eight neighbours."""
    around = np.ones((3, 3), np.uint8)
    return np.asarray(cv2.erode(values, around) == cv2.dilate(values, around))


def _is_colorful(raw: NDArray[np.uint8]) -> bool:
    """Whether green or blue carry anything; CARLA's raw masks leave both at zero, grey pictures repeat red."""
    red, green, blue = raw[:, :, 0], raw[:, :, 1], raw[:, :, 2]
    grey = np.array_equal(red, green) and np.array_equal(red, blue)
    return not grey and bool(green.any() or blue.any())


def _what_to_do(distinct: int) -> str:
    if distinct > LOSSY_VALUES:
        return (
            f"; the mask holds {distinct} different values, the mark of JPEG damage or smoothing: save masks as PNG,"
            " scaled by nearest neighbour only"
        )
    return "; add it to a label map (--labels FILE.toml), as a class or under 'ignore'"


def plain_map(count: int) -> LabelMap:
    """Ids 0…count − 1 as classes "class 0", "class 1", …; 255 is ignored. For masks that nobody described."""
    hues = np.zeros((1, count, 3), np.uint8)
    hues[0] = [[(index * 67) % 180, 200, 230] for index in range(count)]
    colors = cv2.cvtColor(hues, cv2.COLOR_HSV2RGB)[0].tolist()
    labels = LabelSet([Label(i, f"class {i}", tuple(colors[i]), painted=i > 0) for i in range(count)])
    return LabelMap("ids", f"ids 0…{count - 1} as they stand", labels, {**{i: i for i in range(count)}, 255: IGNORE_ID})
