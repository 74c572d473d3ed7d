"""Penn-Fudan pedestrians: only people are annotated, so everything else is unknown, not background."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.labels import IGNORE_ID
from trainer.datasets.base import DataSet, pairs_by_stem, read_ids


def read_mask(path: Path) -> NDArray[np.uint8]:
    """Instance ids > 0 → person, the rest → 255."""
    return np.where(read_ids(path) > 0, np.uint8(3), np.uint8(IGNORE_ID))


def find(root: Path) -> DataSet:
    """The pairs below `root`, all for training: without background there is nothing to score. Raises: SourceError."""
    pairs = pairs_by_stem(root / "PNGImages", root / "PedMasks", lambda stem: f"{stem}_mask.png")
    return DataSet("penn_fudan", tuple(pairs), (), read_mask)
