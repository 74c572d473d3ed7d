"""Penn-Fudan pedestrians: only people are annotated, so everything else is unknown, not background."""

from __future__ import annotations

from pathlib import Path

from trainer.data.formats.base import Format, Layout, pairs_by_stem, pictures_in
from trainer.labels.named import read_label_map
from trainer.pairs import Split


def _fits(root: Path) -> bool:
    return (root / "PNGImages").is_dir() and (root / "PedMasks").is_dir()


def _find(root: Path) -> Layout:
    """The pairs below `root`, all for training: without background there is nothing to score. Raises: SourceError."""
    pairs = pairs_by_stem(pictures_in(root / "PNGImages"), lambda file: root / "PedMasks" / f"{file.stem}_mask.png")
    maps = {
        "native": read_label_map("penn-fudan"),
        "driving": read_label_map("penn-fudan-driving"),
        "streets": read_label_map("penn-fudan-streets"),
    }
    return Layout(pairs, Split("given"), maps)


FORMAT = Format(
    name="penn_fudan",
    files="PNGImages/ PedMasks/",
    held_out="nothing (only people are marked)",
    split="random",
    fits=_fits,
    find=_find,
    terms="Penn-Fudan pedestrians: academic use; only people are annotated, the rest was ignored",
)
