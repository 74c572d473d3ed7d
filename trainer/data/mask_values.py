"""What the masks of a folder hold, all of them read, and which classes that can only mean."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path

from seg_viewer.core.errors import ExportError, SourceError
from seg_viewer.core.machine import usable_cores
from seg_viewer.core.part_file import write_text
from trainer.data.picture_files import file_stamp, read_raw_mask
from trainer.labels.lossy import is_lossy

VERSION = 1
MOST_COLORS = 64
REACH = 12
"""Pixels: JPEG changes nothing outside the 8×8 blocks that hold an edge; smoothing seldom reaches farther than this."""
SWING = 0.3
"""How far JPEG may overshoot beside an edge, as a share of its height."""
NOISE = 12
"""Levels that lossy compression may move the channels of a grey picture apart."""
BREATH = 3
"""Levels that lossy WebP may move even areas, far from any edge: it smooths across its blocks."""
STRAY = 1e-4
"""Share of the pixels below which what lossy compression did to an edge may be a single value."""

Color = tuple[int, int, int]


def _is_colored(raw: NDArray[np.uint8], lossy: bool) -> bool:
    """Whether a mask is more than grey, and more than ids in its red channel; lossy grey has a breath of colour."""
    if not raw[:, :, 1:].any():
        return False
    return int((raw.max(axis=2) - raw.min(axis=2)).max()) > (NOISE if lossy else 0)


@dataclass
class MaskValues:
    """What is in masks.

    Args:
        counts: pixels of each grey value or id over all grey masks, (256,) int64.
        flat: those among them that equal their eight neighbours.
        masks: how many grey masks hold each value, (256,) int64.
        colors: pixels of each colour over all colour masks; no more than `MOST_COLORS` + 1 of them are kept.
        grey_mask, color_mask, lossy_mask: the first of each kind, by name; "" for none.
        ones: masks with the value 1 and without 255.
        whites: masks with 255 and without 1.
        unread: the first that cannot be read: what is wrong with it; "" for none.
    """

    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(256, np.int64))
    flat: NDArray[np.int64] = field(default_factory=lambda: np.zeros(256, np.int64))
    masks: NDArray[np.int64] = field(default_factory=lambda: np.zeros(256, np.int64))
    colors: dict[Color, int] = field(default_factory=dict)
    grey_mask: str = ""
    color_mask: str = ""
    lossy_mask: str = ""
    ones: int = 0
    whites: int = 0
    unread: str = ""

    @property
    def values(self) -> list[int]:
        """Grey values that occur, in order."""
        return [int(v) for v in np.flatnonzero(self.counts)]

    def add(self, mask: Path, raw: NDArray[np.uint8]) -> None:
        """Take one more mask in."""
        if is_lossy(mask):
            self.lossy_mask = self.lossy_mask or str(mask)
        if raw.ndim == 3 and _is_colored(raw, is_lossy(mask)):
            self.color_mask = self.color_mask or str(mask)
            codes, counts = np.unique(
                raw.reshape(-1, 3).astype(np.int32) @ np.array([65536, 256, 1], np.int32), return_counts=True
            )
            seen = Counter(self.colors)
            for code, count in zip(codes[: MOST_COLORS + 1].tolist(), counts.tolist(), strict=False):
                seen[(code >> 16, (code >> 8) & 255, code & 255)] += count
            self.colors = dict(seen.most_common(MOST_COLORS + 1))
            return
        self.grey_mask = self.grey_mask or str(mask)
        grey = np.ascontiguousarray(raw[:, :, 0] if raw.ndim == 3 else raw)
        around = np.ones((3, 3), np.uint8)
        counts = np.bincount(grey.ravel(), minlength=256)
        self.counts += counts
        self.flat += np.bincount(grey[cv2.erode(grey, around) == cv2.dilate(grey, around)], minlength=256)
        self.masks += counts > 0
        self.ones += bool(counts[1] and not counts[255])
        self.whites += bool(counts[255] and not counts[1])

    def join(self, other: MaskValues) -> None:
        """Take in what another has seen of masks that come after these."""
        self.counts += other.counts
        self.flat += other.flat
        self.masks += other.masks
        self.ones += other.ones
        self.whites += other.whites
        self.colors = dict((Counter(self.colors) + Counter(other.colors)).most_common(MOST_COLORS + 1))
        for name in ("grey_mask", "color_mask", "lossy_mask", "unread"):
            setattr(self, name, getattr(self, name) or getattr(other, name))


def look_at_masks(masks: Sequence[Path]) -> MaskValues:
    """What masks hold: all of them are read, in parallel, once; the answer is kept until a file changes.

    Masks that cannot be read are left out here: the scan names each.
    """
    kept = user_cache_path("seg-viewer") / "scans" / f"masks-{_key(masks)}.json"
    if found := _load(kept):
        return found
    cores = max(2, usable_cores())
    parts = [masks[start : start + 64] for start in range(0, len(masks), 64)]
    found = MaskValues()
    with ThreadPoolExecutor(max_workers=cores) as pool:
        for part in pool.map(_look, parts):
            found.join(part)
    with contextlib.suppress(OSError, ExportError):  # without a cache the next look only takes longer
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_text(kept, json.dumps(_plain(found)))
    return found


def _look(masks: Sequence[Path]) -> MaskValues:
    found = MaskValues()
    for mask in masks:
        try:
            found.add(mask, read_raw_mask(mask))
        except SourceError as error:
            found.unread = found.unread or str(error)
    return found


def two_levels(found: MaskValues, masks: Sequence[Path]) -> tuple[int, int] | None:
    """The two levels of masks that were smoothed, or saved as JPEG, in between.

    True smoothing is told from a third class by four marks: the other values are many, none of them stands out, none
    in the middle fills an area, and each of their pixels lies between the two levels, near both.

    Returns:
        (low, high); None where that is not so, or there is nothing between.
    """
    if len(found.values) < 5 or found.colors:
        return None
    levels = np.arange(256)
    breath = BREATH if found.lossy_mask.lower().endswith(".webp") else 0
    most = int(found.counts.argmax())
    low, high = sorted((most, int(np.where(np.abs(levels - most) > breath, found.counts, -1).argmax())))
    others = found.counts.copy()
    others[[low, high]] = 0
    many = np.count_nonzero(others) > 16 or bool(found.lossy_mask)
    quarter = (high - low) / 4
    middle = (levels > low + quarter) & (levels < high - quarter)
    swing = int(SWING * (high - low)) if many else 0
    outside = others[: max(0, low - swing)].sum() + others[high + swing + 1 :].sum()
    far = np.where(np.minimum(np.abs(levels - low), np.abs(levels - high)) <= breath, 0, others)
    few = bool(found.lossy_mask) and far.sum() < STRAY * found.counts.sum()
    stands_out = (far.max() > 0.6 * far.sum() and not few) or others.sum() > found.counts.sum() / 2
    fills = found.flat[middle].sum() > 0 or found.flat[far > 0].sum() > 0.01 * found.flat.sum() * many
    if high - low < 32 or outside or stands_out or fills:
        return None
    reach = REACH if many else 2
    return (low, high) if all(_between(mask, low, high, reach, breath) for mask in masks) else None


def _between(mask: Path, low: int, high: int, reach: int, breath: int) -> bool:
    """Whether nearly all other pixels of a mask lie within `reach` pixels of both levels. Damaged masks do.

    Pixels no farther than `breath` from a level count as that level.
    """
    try:
        raw = read_raw_mask(mask)
    except SourceError:
        return True
    grey = np.ascontiguousarray(raw[:, :, 0] if raw.ndim == 3 else raw)
    quarter = (high - low) // 4
    around = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    near = cv2.dilate((grey <= low + quarter).astype(np.uint8), around) & cv2.dilate(
        (grey >= high - quarter).astype(np.uint8), around
    )
    apart = grey.astype(np.int16)
    other = np.minimum(np.abs(apart - low), np.abs(apart - high)) > breath
    return int((other & (near == 0)).sum()) <= 0.02 * max(1, int(other.sum()))


def two_clouds(found: MaskValues) -> int | None:
    """Where grey masks full of noise fall apart in two; None where they do not, or hold even areas, as ids do."""
    total = found.counts.sum()
    if not total or found.flat.sum() > 0.2 * total or found.colors:
        return None
    dense = found.counts > 1e-4 * total
    edges = np.flatnonzero(np.diff(np.concatenate([[0], dense, [0]]).astype(int)))
    runs = [[int(a), int(b)] for a, b in zip(edges[::2], edges[1::2], strict=True)]
    clouds: list[list[int]] = []
    for start, end in runs:
        if clouds and start - clouds[-1][1] < 16:
            clouds[-1][1] = end
        else:
            clouds.append([start, end])
    if len(clouds) != 2 or any(np.count_nonzero(found.counts[a:b]) < 8 for a, b in clouds):
        return None
    return (clouds[0][1] + clouds[1][0]) // 2


def _key(masks: Sequence[Path]) -> str:
    digest = hashlib.sha256(f"{VERSION}".encode())
    for path in masks:
        digest.update(file_stamp(path.resolve()).encode())
    return digest.hexdigest()[:32]


def _plain(found: MaskValues) -> dict[str, Any]:
    values = {f.name: getattr(found, f.name) for f in dataclasses.fields(found)}
    values |= {name: values[name].tolist() for name in _ARRAYS}
    return values | {"colors": [[*color, count] for color, count in found.colors.items()]}


def _load(path: Path) -> MaskValues | None:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        values |= {name: np.array(values[name], np.int64) for name in _ARRAYS}
        return MaskValues(**values | {"colors": {(r, g, b): count for r, g, b, count in values["colors"]}})
    except (OSError, ValueError, KeyError, TypeError):
        return None


_ARRAYS = ("counts", "flat", "masks")
