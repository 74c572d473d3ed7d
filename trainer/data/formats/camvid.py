"""CamVid in the SegNet layout: `train`, `trainannot`, `val`, `valannot`; 480×360, 11 classes and void."""

from __future__ import annotations

from pathlib import Path

from trainer.data.formats.base import Format, Layout, pairs_by_stem, pictures_in
from trainer.labels.named import read_label_map
from trainer.pairs import GIVEN_HELD_OUT, Split


def _fits(root: Path) -> bool:
    return (root / "train").is_dir() and (root / "trainannot").is_dir()


def _find(root: Path) -> Layout:
    """The pairs below `root`; the given `val` list is held out. Raises: SourceError."""
    pairs = pairs_by_stem(pictures_in(root / "train"), lambda file: root / "trainannot" / f"{file.stem}.png")
    if (root / "val").is_dir():
        files = pictures_in(root / "val")
        pairs += pairs_by_stem(files, lambda file: root / "valannot" / f"{file.stem}.png", part=GIVEN_HELD_OUT)
    maps = {
        "native": read_label_map("camvid"),
        "driving": read_label_map("camvid-driving"),
        "streets": read_label_map("streets"),
    }
    return Layout(pairs, Split("given" if (root / "val").is_dir() else "blocks"), maps)


FORMAT = Format(
    name="camvid",
    files="train/ trainannot/ val/ valannot/ (SegNet layout)",
    held_out="its val list",
    split="blocks",
    fits=_fits,
    find=_find,
    terms="CamVid (Brostow et al.), Cambridge streets: CC BY-NC 4.0, not for commercial use",
)
