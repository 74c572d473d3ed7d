"""IDD-Lite: `leftImg8bit/train/<drive>/*_image.jpg`, `gtFine/train/<drive>/*_label.png`; 320×227, 7 classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.errors import SourceError
from seg_viewer.core.labels import IGNORE_ID
from trainer.datasets.base import DataSet, Pair, apply_table, pairs_by_stem, read_ids, table

TABLE = table({0: 1, 1: 0, 2: 3, 3: 2, 4: 0, 5: 0, 6: 0, IGNORE_ID: IGNORE_ID})


def read_mask(path: Path) -> NDArray[np.uint8]:
    """Drivable 0 → road, vehicle 3 (two-wheelers too) → car, person and rider 2 → person, 255 ignored."""
    return apply_table(read_ids(path), TABLE, path)


def find(root: Path) -> DataSet:
    """The pairs below `root`; every fifth drive, in the order of their names, is held out. Raises: SourceError."""
    pictures = root / "leftImg8bit" / "train"
    drives = sorted(folder.name for folder in pictures.glob("*") if folder.is_dir())
    if not drives:
        raise SourceError(f"{pictures}: holds no drives")
    train: list[Pair] = []
    held_out: list[Pair] = []
    for index, drive in enumerate(drives):
        pairs = pairs_by_stem(
            pictures / drive,
            root / "gtFine" / "train" / drive,
            lambda stem: stem.removesuffix("_image") + "_label.png",
        )
        (held_out if index % 5 == 4 else train).extend(pairs)
    return DataSet("idd", tuple(train), tuple(held_out), read_mask)
