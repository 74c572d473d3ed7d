"""IDD-Lite: `leftImg8bit/train/<drive>/*_image.jpg`, `gtFine/train/<drive>/*_label.png`; 320×227, 7 classes."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from trainer.data.formats.base import Format, Layout, pairs_by_stem, pictures_in, subfolders
from trainer.labels.named import read_label_map
from trainer.pairs import Pair, Split


def _fits(root: Path) -> bool:
    return any((root / "leftImg8bit" / "train").glob("*/*_image.*"))


def _mask_of(folder: Path, picture: Path) -> Path:
    return folder / f"{picture.stem.removesuffix('_image')}_label.png"


def _find(root: Path) -> Layout:
    """The pairs below `root`; every fifth drive, in the order of their names, is held out. Raises: SourceError."""
    pairs: list[Pair] = []
    for drive in subfolders(root / "leftImg8bit" / "train", "drives"):
        masks = root / "gtFine" / "train" / drive.name
        pairs += pairs_by_stem(
            pictures_in(drive),
            partial(_mask_of, masks),
            drive.name,
        )
    maps = {
        "native": read_label_map("idd-lite"),
        "driving": read_label_map("idd-lite-driving"),
        "streets": read_label_map("idd-lite-streets"),
    }
    return Layout(pairs, Split("groups", held_out=0.2), maps)


FORMAT = Format(
    name="idd",
    files="leftImg8bit/train/DRIVE/*_image.jpg gtFine/train/DRIVE/*_label.png (IDD-Lite)",
    held_out="every fifth drive",
    split="groups",
    fits=_fits,
    find=_find,
    terms="IDD-Lite (Varma et al.), Indian streets: research terms of the India Driving Dataset",
)
