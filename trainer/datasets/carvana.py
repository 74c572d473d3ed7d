"""Carvana studio cars: `train/*.jpg` and `train_masks/*_mask.gif`, 0 background, 1 (or 255) car."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.errors import SourceError
from trainer.datasets.base import DataSet, apply_table, pairs_by_stem, table

TABLE = table({0: 0, 1: 2, 255: 2})


def read_mask(path: Path) -> NDArray[np.uint8]:
    """Read with Pillow, because not every build of OpenCV reads GIF. Raises: SourceError."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            raw = np.array(picture.convert("P") if picture.mode == "1" else picture)
    except (OSError, UnidentifiedImageError) as error:
        raise SourceError(f"{path}: cannot be read as a mask") from error
    return apply_table(raw.astype(np.uint8), TABLE, path)


def find(root: Path) -> DataSet:
    """The pairs below `root`; every tenth car (16 views share its id) is held out. Raises: SourceError."""
    pairs = pairs_by_stem(root / "train", root / "train_masks", lambda stem: f"{stem}_mask.gif")
    cars = sorted({pair.picture.stem.split("_")[0] for pair in pairs})
    kept = set(cars[::10])
    train = [pair for pair in pairs if pair.picture.stem.split("_")[0] not in kept]
    held_out = [pair for pair in pairs if pair.picture.stem.split("_")[0] in kept]
    return DataSet("carvana", tuple(train), tuple(held_out), read_mask)
