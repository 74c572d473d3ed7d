"""A data set: pairs split into training and held-out, read as pictures and class ids."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.errors import SourceError
from seg_viewer.core.labels import IGNORE_ID, LabelSet
from seg_viewer.media.picture_file import read_picture_file
from trainer.labels.label_map import LabelMap
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
    """

    name: str
    train: tuple[Pair, ...]
    held_out: tuple[Pair, ...]
    label_map: LabelMap
    ignored: NDArray[np.bool_] | None = field(default=None, repr=False)
    notes: tuple[str, ...] = ()
    details: LabelMap | None = field(default=None, repr=False)

    @property
    def labels(self) -> LabelSet:
        """The classes of `read_mask`."""
        return self.label_map.labels

    def read_mask(self, path: Path) -> NDArray[np.uint8]:
        """Mask file → (H, W) uint8 of class ids, 255 where unknown or only known as a union. Raises: SourceError."""
        mask = self._decode(self.label_map, path)
        return np.where(mask < len(self.labels), mask, np.uint8(IGNORE_ID)) if self.label_map.unions else mask

    def _decode(self, label_map: LabelMap, path: Path) -> NDArray[np.uint8]:
        mask = label_map.decode(read_raw_mask(path), path)
        if self.ignored is not None and self.ignored.shape == mask.shape:
            mask = np.where(self.ignored, np.uint8(IGNORE_ID), mask)
        return mask

    def read(self, pair: Pair) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Picture (H, W, 3) uint8 RGB and mask (H, W) uint8 of class ids.

        A mask of another size but the same shape is scaled to the picture by nearest neighbour.

        Raises:
            SourceError: a file cannot be read, the shapes differ, or the mask holds a value nobody defined.
        """
        picture = read_picture(pair.picture)
        return picture, self._fitted(pair, picture, self.read_mask(pair.mask))

    def read_details(self, pair: Pair, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The mask (H, W) uint8 in the ids of `details`, unions among them, of a picture read before.

        Raises:
            ValueError: the data set has no `details`.
            SourceError: as `read`.
        """
        if self.details is None:
            raise ValueError(f"'{self.name}' was found without details")
        return self._fitted(pair, picture, self._decode(self.details, pair.mask))

    def _fitted(self, pair: Pair, picture: NDArray[np.uint8], mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
        height, width = picture.shape[:2]
        if (height, width) != mask.shape:
            if abs(mask.shape[1] * height - mask.shape[0] * width) > 0.01 * mask.shape[1] * height:
                raise SourceError(
                    f"{pair.mask}: mask is {mask.shape[1]}x{mask.shape[0]},"
                    f" its picture {pair.picture.name} {width}x{height}; their shapes must agree"
                )
            mask = cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
        return mask


def read_picture(path: Path) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB. Raises: SourceError when the file is missing or no picture."""
    if not path.is_file():
        raise SourceError(f"{path}: no such picture")
    picture = read_picture_file(path, cv2.IMREAD_COLOR)
    if picture is None:
        raise SourceError(f"{path}: cannot be read as a picture")
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)


def read_raw_mask(path: Path) -> NDArray[np.uint8]:
    """Raw mask, uint8: (H, W) of a grey file, a palette file (its indices) or a 1-bit file, else (H, W, 3) RGB.

    Read with Pillow, because OpenCV turns palettes into colours and not every build of it reads GIF.

    Raises:
        SourceError: the file is missing, no picture, or holds more than 8 bits.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as opened:
            picture: Image.Image = opened
            if picture.mode.startswith("I") or picture.mode == "F":
                raise SourceError(f"{path}: mask has more than 8 bits (mode {picture.mode}); save it with 8 bits")
            if picture.mode == "1":
                picture = picture.convert("L")
            elif picture.mode == "LA":
                picture = picture.getchannel(0)
            elif picture.mode not in ("L", "P"):
                picture = picture.convert("RGB")
            return np.array(picture)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, SyntaxError) as error:
        raise SourceError(f"{path}: cannot be read as a mask") from error
