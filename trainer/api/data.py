"""Data sets from Python: found, looked at, and shown."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from seg_viewer.core.errors import UsageError
from seg_viewer.core.labels import LabelSet
from trainer.data.check import contact_sheet, describe_labels, refuse_damaged, scan_all
from trainer.data.chosen import make_recipe
from trainer.data.data_set import DataSet
from trainer.data.samples import find_all, placed
from trainer.drawing.pictures import Rgb, write_png
from trainer.limits import check_range, fitting
from trainer.pairs import Pair
from trainer.recipe import Recipe, Source
from trainer.scoring.evaluate import to_frame

PARTS = ("held-out", "training")


@dataclass(frozen=True)
class Data:
    """Data sets that were found and looked at: which pictures there are, what their masks mean, what is held out.

    Args:
        recipe: its data sets, size, labels and seed.
        found: the data sets, each with what the recipe says of it.
        notes: which values of the masks are which class, and what else a person should know.
    """

    recipe: Recipe
    found: tuple[tuple[Source, DataSet], ...]
    notes: tuple[str, ...] = ()

    @property
    def labels(self) -> LabelSet:
        """The classes: id, name and colour of each."""
        return self.found[0][1].labels

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) that pictures are stretched to for the network."""
        return self.recipe.run.size

    def pairs(self, part: str = "training") -> list[tuple[DataSet, Pair]]:
        """The pairs of files of a part: "training" or "held-out". Raises: UsageError."""
        if part not in PARTS:
            raise UsageError(f"part '{part}': choose {' or '.join(PARTS)}")
        train = part == "training"
        return [(data, pair) for _, data in self.found for pair in (data.train if train else data.held_out)]

    def arrays(self, part: str = "training", count: int | None = None) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Pictures and masks at the network's size, for `keras.Model.fit`, tf.data or scikit-learn.

        Args:
            part: "training" or "held-out".
            count: how many, evenly spread; all when None.

        Returns:
            Pictures (N, H, W, 3) uint8 RGB and class ids (N, H, W) uint8, 255 where nobody labelled.

        Raises:
            UsageError: there is no such part, or `count` is below 1.
            SourceError: a file is damaged.
        """
        pairs = self.pairs(part)
        if count is not None:
            check_count(count)
        numbers = range(0, len(pairs), 1 if count is None else max(1, len(pairs) // count))[:count]
        pictures, masks = [], []
        for number in numbers:
            data, pair = pairs[number]
            picture, mask = data.read(pair)
            pictures.append(to_frame(picture, self.size))
            masks.append(cv2.resize(mask, self.size, interpolation=cv2.INTER_NEAREST_EXACT))
        width, height = self.size
        return (
            np.stack(pictures) if pictures else np.zeros((0, height, width, 3), np.uint8),
            np.stack(masks) if masks else np.zeros((0, height, width), np.uint8),
        )

    def preview(self, count: int = 24, path: str | Path | None = None) -> Any:
        """A sheet of pictures with their masks laid over them, a legend above; a PIL.Image, written to `path` too.

        Raises: UsageError, SourceError, ExportError.
        """
        check_count(count)
        sheets = [contact_sheet(data, range(len(data.train) + len(data.held_out)), count) for _, data in self.found]
        return shown(stacked(sheets), path)


def load_dataset(
    *data: str | Path, recipe: str | None = None, root: str | Path | Sequence[str | Path] = (), **options: Any
) -> Data:
    """Find data sets and look at every pair, as `seg-trainer train` does.

    Args:
        data: as `--data`: a folder, "FORMAT=FOLDER", "tfds=oxford_iiit_pet:4.0.0"; several are mixed, with
            "FOLDER@WEIGHT" by weight.
        recipe: a recipe file, or the name of one that ships, to take options (and data sets) from.
        root: where the recipe's relative paths are looked up.
        options: as of the command: size=(width, height), labels="native" | "driving" | a label map,
            validation_split=0.1, split_by="random" | "blocks" | "groups" | "given", split_gap, own_bonnet, seed, and
            those of `fit`.

    Raises:
        SourceError: a data set is missing or a file is damaged.
        UsageError: an option cannot be.
    """
    notes: list[str] = []
    size = options.pop("size", None)
    chosen = make_recipe(recipe, [str(one) for one in data], options)
    if size is not None:  # whether it suits the network is known when there is one
        fits = fitting("size", size, "tuple[int, int]")
        check_range("size", fits, {"least": 1})
        chosen = dataclasses.replace(chosen, run=dataclasses.replace(chosen.run, size=fits))
    roots = [Path(root)] if isinstance(root, str | Path) else [Path(one) for one in root]
    found = find_all(chosen, roots, notes.append)
    notes += [f"{one.name}: {line}" for _, one in found for line in describe_labels(one)]
    scans = scan_all([one for _, one in found], Console(quiet=True))
    for (_, one), scan in zip(found, scans, strict=True):
        notes += [f"{one.name}: {line}" for line in scan.warnings()]
    refuse_damaged(scans)
    return Data(placed(chosen, found, roots), tuple(found), tuple(notes))


def check_count(count: Any) -> None:
    """Raises: UsageError for a number of pictures that cannot be."""
    check_range("count", fitting("count", count, "int"), {"least": 1})


def check_data(data: Any) -> None:
    """Raises: UsageError for what `load_dataset` did not make."""
    if not isinstance(data, Data):
        raise UsageError(f"data is {data!r}; give what load_dataset({data!r}) returns")


def stacked(pictures: Sequence[Rgb]) -> Rgb:
    """Pictures under each other, as wide as the widest."""
    width = max(picture.shape[1] for picture in pictures)
    padded = [np.pad(one, ((0, 0), (0, width - one.shape[1]), (0, 0))) for one in pictures]
    return np.concatenate(padded)


def shown(picture: Rgb, path: str | Path | None) -> Any:
    """A picture for a notebook, and in a file where one is named."""
    from PIL import Image

    if path is not None:
        write_png(Path(path), picture)
    return Image.fromarray(picture)
