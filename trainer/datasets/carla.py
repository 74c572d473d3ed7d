"""CARLA 0.8 drives: `CameraRGB` and `CameraMask`, the class id in the red channel of the mask."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.carla_tags import carla_lookup
from trainer.datasets.base import DataSet, Pair, apply_table, ignore_where, pairs_by_stem, read_ids, table, tail_block

VEHICLE = 10
TABLE = table(dict(enumerate(carla_lookup()[:13].tolist())))  # tags 0…12; anything else is a stray value
HELD_OUT_SHARE = 0.15
GAP = 12


def own_bonnet(pairs: Sequence[Pair], looks: int = 40) -> NDArray[np.bool_]:
    """Pixels of the car that carries the camera: labelled vehicle in ≥ 90 % of the frames, joined to the bottom row.

    Args:
        pairs: one drive; at most `looks` of it, evenly spread, are read.

    Returns:
        (H, W) bool, three pixels wider than the region itself.
    """
    step = max(1, len(pairs) // looks)
    share = np.mean([read_ids(pair.mask) == VEHICLE for pair in pairs[::step]], axis=0)
    _, parts = cv2.connectedComponents((share >= 0.9).astype(np.uint8))
    at_bottom = np.unique(parts[-1])
    region = np.isin(parts, at_bottom[at_bottom > 0]).astype(np.uint8)
    return cv2.dilate(region, np.ones((7, 7), np.uint8)).astype(bool)


def find(root: Path) -> DataSet:
    """The pairs below `root`; the last 15 % of the drive is held out, 12 frames before it belong to neither.

    Raises: SourceError.
    """
    pairs = pairs_by_stem(root / "CameraRGB", root / "CameraMask", lambda stem: f"{stem}.png")
    bonnet = own_bonnet(pairs)

    def read_mask(path: Path) -> NDArray[np.uint8]:
        mask = apply_table(read_ids(path), TABLE, path)
        return ignore_where(mask, bonnet) if mask.shape == bonnet.shape else mask

    train, held_out = tail_block(pairs, HELD_OUT_SHARE, GAP)
    return DataSet("carla", train, held_out, read_mask)
