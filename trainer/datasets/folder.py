"""A plain folder: `images/NAME.jpg|png` and `masks/NAME.png` holding our class ids (255 = ignore)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.errors import SourceError
from seg_viewer.core.labels import DRIVING, IGNORE_ID
from trainer.datasets.base import DataSet, Pair, apply_table, read_ids, table, tail_block

TABLE = table({**{label.id: label.id for label in DRIVING}, IGNORE_ID: IGNORE_ID})


def read_mask(path: Path) -> NDArray[np.uint8]:
    """Class ids as they stand; anything else is a stray value. Raises: SourceError."""
    return apply_table(read_ids(path), TABLE, path)


def find(root: Path, name: str = "folder", held_out: float = 0.15) -> DataSet:
    """The pairs below `root` that are complete: a picture whose mask is not there yet is left out.

    A folder may still be growing (a renderer writes into it); the last `held_out` share, in the order of the
    names, is held out.

    Raises:
        SourceError: there is no complete pair.
    """
    files = sorted([*(root / "images").glob("*.jpg"), *(root / "images").glob("*.png")])
    pairs = [Pair(file, root / "masks" / f"{file.stem}.png") for file in files]
    pairs = [pair for pair in pairs if pair.mask.is_file()]
    if not pairs:
        raise SourceError(f"{root}: holds no images/NAME.jpg with masks/NAME.png")
    train, held = tail_block(pairs, held_out, gap=0)
    return DataSet(name, train, held, read_mask)
