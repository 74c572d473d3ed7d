"""Carvana studio cars: `train/*.jpg` and `train_masks/*_mask.gif`, 0 background, 1 (or 255) car."""

from __future__ import annotations

from pathlib import Path

from trainer.data.formats.base import Format, Layout, pairs_by_stem, pictures_in
from trainer.labels.named import read_label_map
from trainer.pairs import Pair, Split


def _fits(root: Path) -> bool:
    return (root / "train").is_dir() and (root / "train_masks").is_dir()


def _find(root: Path) -> Layout:
    """The pairs below `root`; every tenth car (16 views share its id) is held out. Raises: SourceError."""
    pairs = pairs_by_stem(pictures_in(root / "train"), lambda file: root / "train_masks" / f"{file.stem}_mask.gif")
    pairs = [Pair(pair.picture, pair.mask, pair.picture.stem.split("_")[0]) for pair in pairs]
    maps = {
        "native": read_label_map("carvana"),
        "driving": read_label_map("carvana-driving"),
        "streets": read_label_map("carvana-streets"),
    }
    return Layout(pairs, Split("groups", held_out=0.1), maps)


FORMAT = Format(
    name="carvana",
    files="train/*.jpg train_masks/*_mask.gif",
    held_out="every tenth car",
    split="groups",
    fits=_fits,
    find=_find,
    terms="Carvana studio cars: rules of its Kaggle competition",
)
