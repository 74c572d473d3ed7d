"""A data set: pairs split into training and held-out, read as pictures and class ids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.errors import SourceError
from seg_viewer.core.labels import IGNORE_ID, LabelSet
from trainer.data.picture_files import UPRIGHT, orientation, read_picture, read_raw_mask
from trainer.labels.label_map import STRAY, LabelMap
from trainer.pairs import Pair


@dataclass(frozen=True)
class DataSet:
    """Pairs of one data set.

    Args:
        name: short name, as recipes and score tables use it.
        train: pairs to train on.
        held_out: pairs to score on; never trained on.
        label_map: raw mask → class ids.
        ignored: see `Layout`.
        notes: see `Layout`.
        details: raw mask → finer class ids and unions of them, for training only; None where there are none.
        bits: see `trainer.data.picture_files.picture_bits`.
        scanned: what a look at every pair found (`trainer.data.scan`), where it is kept with them; else None.
    """

    name: str
    train: tuple[Pair, ...]
    held_out: tuple[Pair, ...]
    label_map: LabelMap
    ignored: NDArray[np.bool_] | None = field(default=None, repr=False)
    notes: tuple[str, ...] = ()
    details: LabelMap | None = field(default=None, repr=False)
    bits: int | None = None
    scanned: Mapping[str, Any] | None = field(default=None, repr=False)

    @property
    def labels(self) -> LabelSet:
        """The classes of `read_mask`."""
        return self.label_map.labels

    def read_mask(self, path: Path) -> NDArray[np.uint8]:
        """Mask file → (H, W) uint8 of class ids, 255 where unknown or only known as a union. Raises: SourceError."""
        mask = self.decode(self.label_map, path)
        return np.where(mask < len(self.labels), mask, np.uint8(IGNORE_ID)) if self.label_map.unions else mask

    def decode(self, label_map: LabelMap, path: Path) -> NDArray[np.uint8]:
        """Mask file → (H, W) uint8 of what `label_map`, ours or `details`, calls its values. Raises: SourceError."""
        mask = label_map.decode(read_raw_mask(path), path)
        if self.ignored is not None and self.ignored.shape == mask.shape:
            mask = np.where(self.ignored, np.uint8(IGNORE_ID), mask)
        return mask

    def read_picture(self, pair: Pair) -> NDArray[np.uint8]:
        """Picture (H, W, 3) uint8 RGB. Raises: SourceError."""
        return read_picture(pair.picture, self.bits)

    def unlabelled_id(self) -> int | None:
        """Mask id of what nobody labelled, of `details` where there are any: what value 0, or black, means.

        None where that is no class.
        """
        finest = self.details or self.label_map
        meant = int(finest.table()[0])
        if meant == STRAY:
            meant = finest.colors.get((0, 0, 0), IGNORE_ID)
        return None if meant == IGNORE_ID else meant

    def read(self, pair: Pair) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Picture (H, W, 3) uint8 RGB and mask (H, W) uint8 of class ids.

        A mask of another size but the same shape is scaled to the picture by nearest neighbour.

        Raises:
            SourceError: a file cannot be read, the shapes differ, or the mask holds a value nobody defined.
        """
        picture = self.read_picture(pair)
        return picture, self._fitted(pair, picture, self.read_mask(pair.mask))

    def read_details(self, pair: Pair, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The mask (H, W) uint8 in the ids of `details`, unions among them, of a picture read before.

        Raises:
            ValueError: the data set has no `details`.
            SourceError: as `read`.
        """
        if self.details is None:
            raise ValueError(f"'{self.name}' was found without details")
        return self._fitted(pair, picture, self.decode(self.details, pair.mask))

    def _fitted(self, pair: Pair, picture: NDArray[np.uint8], mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
        height, width = picture.shape[:2]
        if (height, width) != mask.shape:
            if abs(mask.shape[1] * height - mask.shape[0] * width) > 0.01 * mask.shape[1] * height:
                turned = (
                    orientation(pair.picture) != UPRIGHT and abs(mask.shape[0] / mask.shape[1] - width / height) < 0.01
                )
                why = " (EXIF turns the picture, but not the mask: save both upright)" if turned else ""
                raise SourceError(
                    f"{pair.mask}: mask is {mask.shape[1]}x{mask.shape[0]},"
                    f" its picture {pair.picture.name} {width}x{height}; their shapes must agree{why}"
                )
            mask = cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
        return mask
