"""CARLA drives: `CameraRGB` and `CameraMask`, the tag in the red channel of the mask.

The tags are those of CARLA 0.8 to 0.9.13, unless a `carla.json` beside the folders (from `seg-viewer record-carla`)
names another version.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.carla_tags import TAGS, carla_lookup, recorded_version, table_version
from seg_viewer.core.errors import SourceError
from seg_viewer.core.labels import DRIVING
from trainer.datasets.base import DataSet, Pair, apply_table, ignore_where, pairs_by_stem, read_ids, table, tail_block

CAR = DRIVING.by_name("car").id
HELD_OUT_SHARE = 0.15
GAP = 12


def tag_table(root: Path) -> NDArray[np.int16]:
    """Our class of each tag of a recording; numbers that are no tag are stray values.

    Raises: SourceError.
    """
    try:
        version = recorded_version(root)
    except ValueError as error:
        raise SourceError(str(error)) from None
    # CARLA 0.9.0 to 0.9.13 only added tags: without a version a stray value is one that 0.8 does not have
    tags, classes = TAGS[table_version(version)], carla_lookup(version)
    return table({tag.id: int(classes[tag.id]) for tag in tags})


def own_bonnet(pairs: Sequence[Pair], classes: NDArray[np.int16], looks: int = 40) -> NDArray[np.bool_]:
    """Pixels of the car that carries the camera: labelled vehicle in ≥ 90 % of the frames, joined to the bottom row.

    Args:
        pairs: one drive; at most `looks` of it, evenly spread, are read.
        classes: as `tag_table` returns it.

    Returns:
        (H, W) bool, three pixels wider than the region itself.
    """
    step = max(1, len(pairs) // looks)
    share = np.mean([classes[read_ids(pair.mask)] == CAR for pair in pairs[::step]], axis=0)
    _, parts = cv2.connectedComponents((share >= 0.9).astype(np.uint8))
    at_bottom = np.unique(parts[-1])
    region = np.isin(parts, at_bottom[at_bottom > 0]).astype(np.uint8)
    return cv2.dilate(region, np.ones((7, 7), np.uint8)).astype(bool)


def find(root: Path) -> DataSet:
    """The pairs below `root`; the last 15 % of the drive is held out, 12 frames before it belong to neither.

    Raises: SourceError.
    """
    pairs = pairs_by_stem(root / "CameraRGB", root / "CameraMask", lambda stem: f"{stem}.png")
    classes = tag_table(root)
    bonnet = own_bonnet(pairs, classes)

    def read_mask(path: Path) -> NDArray[np.uint8]:
        mask = apply_table(read_ids(path), classes, path)
        return ignore_where(mask, bonnet) if mask.shape == bonnet.shape else mask

    train, held_out = tail_block(pairs, HELD_OUT_SHARE, GAP)
    return DataSet("carla", train, held_out, read_mask)
