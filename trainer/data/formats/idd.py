"""IDD-Lite: `leftImg8bit/train/<drive>/*_image.jpg`, `gtFine/train/<drive>/*_label.png`; 320×227, 7 classes."""

from __future__ import annotations

from pathlib import Path

from trainer.data.formats.base import Layout, Pair, Split, pairs_by_stem, pictures_in, subfolders
from trainer.labels.label_map import read_label_map


def fits(root: Path) -> bool:
    return any((root / "leftImg8bit" / "train").glob("*/*_image.*"))


def find(root: Path) -> Layout:
    """The pairs below `root`; every fifth drive, in the order of their names, is held out. Raises: SourceError."""
    pairs: list[Pair] = []
    for drive in subfolders(root / "leftImg8bit" / "train", "drives"):
        masks = root / "gtFine" / "train" / drive.name
        pairs += pairs_by_stem(
            pictures_in(drive),
            lambda file, masks=masks: masks / f"{file.stem.removesuffix('_image')}_label.png",
            drive.name,
        )
    maps = {
        "native": read_label_map("idd-lite"),
        "driving": read_label_map("idd-lite-driving"),
        "streets": read_label_map("idd-lite-streets"),
    }
    return Layout(pairs, Split("groups", held_out=0.2), maps)
