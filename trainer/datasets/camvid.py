"""CamVid in the SegNet layout: `train`, `trainannot`, `val`, `valannot`; 480×360, 11 classes and void."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.labels import IGNORE_ID
from trainer.datasets.base import DataSet, apply_table, pairs_by_stem, read_ids, table

TABLE = table({**dict.fromkeys(range(11), 0), 3: 1, 8: 2, 9: 3, 10: 3, 11: IGNORE_ID})


def read_mask(path: Path) -> NDArray[np.uint8]:
    """Road 3 → 1, car 8 → 2, pedestrian 9 and bicyclist 10 → 3, void 11 → 255, else background."""
    return apply_table(read_ids(path), TABLE, path)


def find(root: Path) -> DataSet:
    """The pairs below `root`; the given `val` list is held out. Raises: SourceError."""
    train = pairs_by_stem(root / "train", root / "trainannot", lambda stem: f"{stem}.png")
    val = pairs_by_stem(root / "val", root / "valannot", lambda stem: f"{stem}.png")
    return DataSet("camvid", tuple(train), tuple(val), read_mask)
