"""Cityscapes: `leftImg8bit/{train,val}/<city>/*_leftImg8bit.png`, `gtFine/…/*_gtFine_labelIds.png`."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from seg_viewer.core.errors import SourceError
from trainer.data.formats.base import Format, Layout, pairs_by_stem, pictures_in, subfolders
from trainer.labels.named import read_label_map
from trainer.pairs import GIVEN_HELD_OUT, Pair, Split


def _fits(root: Path) -> bool:
    return any((root / "leftImg8bit").glob("*/*/*_leftImg8bit.*"))


def _mask_of(folder: Path, picture: Path) -> Path:
    return folder / f"{picture.stem.removesuffix('_leftImg8bit')}_gtFine_labelIds.png"


def _find(root: Path) -> Layout:
    """The pairs below `root`; its `val` cities are held out. Raises: SourceError."""
    pairs: list[Pair] = []
    for part in ("train", "val"):
        if not (root / "leftImg8bit" / part).is_dir():
            continue
        for city in subfolders(root / "leftImg8bit" / part, "cities"):
            masks = root / "gtFine" / part / city.name
            held = GIVEN_HELD_OUT if part == "val" else "train"
            pairs += pairs_by_stem(
                pictures_in(city),
                partial(_mask_of, masks),
                city.name,
                held,
            )
    if not pairs:
        raise SourceError(f"{root}: holds no leftImg8bit/train/<city>")
    maps = {
        "native": read_label_map("cityscapes"),
        "driving": read_label_map("cityscapes-driving"),
        "streets": read_label_map("cityscapes-streets"),
    }
    given = any(pair.part == GIVEN_HELD_OUT for pair in pairs)
    return Layout(pairs, Split("given" if given else "groups", held_out=0.2), maps)


FORMAT = Format(
    name="cityscapes",
    files="leftImg8bit/PART/CITY/ gtFine/PART/CITY/*_labelIds.png",
    held_out="its val cities",
    split="groups",
    fits=_fits,
    find=_find,
    terms="Cityscapes (Cordts et al.): its own terms, not for commercial use",
)
