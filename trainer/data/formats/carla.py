"""CARLA drives: `CameraRGB` and `CameraMask` or `CameraSeg`, the tag in the red channel or as city palette colours."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.carla_tags import RECORD_FILE, RecordedDrive, recorded_drives, recorded_version, table_version
from seg_viewer.core.errors import SourceError
from seg_viewer.core.labels import DRIVING
from trainer.data.formats.base import Format, Layout, Masks, pictures_in, seen
from trainer.data.picture_files import read_raw_mask
from trainer.labels.carla import carla_map, carla_streets_map
from trainer.pairs import Pair, Split

MASK_FOLDERS = ("CameraMask", "CameraSeg")
HELD_OUT = Split("blocks", held_out=0.15, gap=12)
LOOKS = 40


def _fits(root: Path) -> bool:
    return any(root.glob("CameraRGB")) or any(root.glob("*/CameraRGB"))


def _drives(root: Path) -> list[Path]:
    return [root] if (root / "CameraRGB").is_dir() else sorted(f.parent for f in root.glob("*/CameraRGB"))


def _find(root: Path) -> Layout:
    """The pairs below `root` (one drive, or a folder for each).

    Where recordings (`seg-viewer record-carla`) name more than one town, whole towns are held out; else the last 15 %
    of each drive is, and 12 frames before it belong to neither part. Which table of tags the masks follow is in
    `carla.json`, or else recognised.

    Raises: SourceError.
    """
    drives = _drives(root)
    pairs = [pair for drive in drives for pair in _drive(drive, "" if drive == root else drive.name)]
    if not pairs:
        raise SourceError(f"{root}: holds no CameraRGB folder, but {seen(root)}")
    version = told_table(drives) or recognised_table([read_raw_mask(pair.mask) for pair in _spread(pairs, 12)])
    maps = {
        "native": carla_map(version, driving=False),
        "driving": carla_map(version, driving=True),
        "streets": carla_streets_map(version),
    }
    split = Split("groups", held_out=HELD_OUT.held_out) if _split_of(root) else HELD_OUT
    return Layout(pairs, split, maps, own_bonnet(pairs, version))


def _split_of(root: Path) -> str:
    """ "groups" where recordings name more than one town, else "". Raises: SourceError."""
    towns = {drive.town for folder in _drives(root) for drive in _recorded(folder) if drive.pairs}
    return "groups" if len(towns) > 1 else ""


def _recorded(root: Path) -> list[RecordedDrive]:
    try:
        return recorded_drives(root)
    except ValueError as error:
        raise SourceError(str(error)) from None


def _drive(root: Path, name: str) -> list[Pair]:
    """The pairs of one folder; where its recording names towns, in groups of these."""
    folder = next((root / folder for folder in MASK_FOLDERS if (root / folder).is_dir()), None)
    if folder is None:
        raise SourceError(f"{root}: holds CameraRGB, but neither {' nor '.join(MASK_FOLDERS)}")
    masks, recorded = Masks(folder), _recorded(root)
    pairs = []
    for picture in pictures_in(root / "CameraRGB"):
        mask = masks.named(picture.stem)
        if mask is None:
            raise SourceError(f"{picture}: has no mask {folder / picture.stem}.png; {folder.name} holds {seen(folder)}")
        number = int(picture.stem) if picture.stem.isdecimal() else -1
        of = next((i for i, d in enumerate(recorded) if d.first <= number < d.first + d.pairs), None)
        town = recorded[of].town if of is not None else ""
        pairs.append(Pair(picture, mask, town or name, drive=f"{name}/{of}" if town else ""))
    return pairs


def _spread(pairs: Sequence[Pair], count: int) -> Sequence[Pair]:
    return pairs[:: max(1, len(pairs) // count)]


def told_table(drives: Sequence[Path]) -> str:
    """Which table of tags the recordings themselves name: a key of `seg_viewer.core.carla_tags.TAGS`; "" if none does.

    Raises: SourceError, when one does not say or two differ.
    """
    try:
        tables = {table_version(recorded_version(drive)) for drive in drives if (drive / RECORD_FILE).exists()}
    except ValueError as error:
        raise SourceError(str(error)) from None
    if len(tables) > 1:
        raise SourceError(
            f"{drives[0].parent}: the drives follow different tables of tags ({', '.join(sorted(tables))});"
            " make a data set of each"
        )
    return next(iter(tables), "")


def recognised_table(raw_masks: Sequence[NDArray[np.uint8]]) -> str:
    """Which table of tags masks follow: a key of `seg_viewer.core.carla_tags.TAGS`.

    Colours are the same in all but a few classes, so colour masks count as the table that knows most of their colours.
    0.10 has the numbers and colours of 0.9.14, and rock = 29 beside them. Of numbers, only ≥ 0.9.14 goes above 22, and
    there the commonest one in the lower half of a drive is road = 1
    (before: road = 7); above 12 there is nothing in 0.8.
    """
    if carla_map("0.9.14", driving=False).speaks_colors(raw_masks[0]):
        seen = {tuple(c) for raw in raw_masks for c in raw[::4, ::4, :3].reshape(-1, 3).tolist()}
        known = {v: len(seen & set(carla_map(v, driving=False).colors)) for v in ("0.9.14", "0.10", "0.9.0", "0.8")}
        return max(known, key=lambda version: known[version])
    reds = [raw[:, :, 0] if raw.ndim == 3 else raw for raw in raw_masks]
    largest = max(int(red.max()) for red in reds)
    lower = np.bincount(np.concatenate([red[red.shape[0] // 2 :: 2, ::2].ravel() for red in reds]), minlength=256)
    if largest == 29:
        return "0.10"
    if 22 < largest < 29 or (largest < 29 and lower[[1, 24]].sum() > 2 * lower[[6, 7]].sum()):
        return "0.9.14"
    return "0.9.0" if largest > 12 else "0.8"


def own_bonnet(pairs: Sequence[Pair], version: str) -> NDArray[np.bool_] | None:
    """Pixels of the car that carries the camera: labelled vehicle in ≥ 90 % of the frames, joined to the bottom row.

    Args:
        pairs: drives of one camera; at most 40 frames, evenly spread, are read.

    Returns:
        (H, W) bool, three pixels wider than the region itself; None when there is none, or sizes vary.
    """
    # stray values count as background here: damage is reported when the mask is read for training
    soft, car = dataclasses.replace(carla_map(version, driving=True), rest=0), DRIVING.by_name("car").id
    shares = []
    for pair in _spread(pairs, LOOKS):
        with contextlib.suppress(SourceError):  # it is named when it is read for training
            shares.append(soft.decode(read_raw_mask(pair.mask), pair.mask) == car)
    if not shares or len({share.shape for share in shares}) > 1:
        return None
    often = (np.mean(shares, axis=0) >= 0.9).astype(np.uint8)
    _, parts = cv2.connectedComponents(often)
    at_bottom = np.unique(parts[-1])
    region = np.isin(parts, at_bottom[at_bottom > 0]).astype(np.uint8)
    return cv2.dilate(region, np.ones((7, 7), np.uint8)).astype(bool) if region.any() else None


FORMAT = Format(
    name="carla",
    files="CameraRGB/ with CameraMask/ or CameraSeg/, also one such pair per drive",
    held_out="of several recorded towns whole ones; else the last 15 % of each drive, 12 frames apart from the rest",
    split="blocks",
    split_of=_split_of,
    fits=_fits,
    find=_find,
    terms="CARLA simulator drives: whoever recorded them says the terms (CARLA's own assets are CC BY 4.0; the"
    " Lyft-Udacity challenge data states none)",
)
