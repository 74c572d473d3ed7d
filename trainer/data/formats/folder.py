"""A plain folder: `images/NAME.jpg|png` and `masks/NAME.png`, with a `labels.toml` beside them or without."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from seg_viewer.core.errors import SourceError
from trainer.data.data_set import read_raw_mask
from trainer.data.formats.base import Format, Layout, pictures_in
from trainer.data.sent import marked
from trainer.labels.label_map import LabelMap, plain_map
from trainer.labels.named import read_label_map
from trainer.pairs import Pair, Split

MASK_ENDINGS = (".png", "_mask.png", ".gif", "_mask.gif", ".bmp", ".tif", ".jpg", "_mask.jpg")
LOOKS = 30
MOST_PLAIN_IDS = 64


def _fits(root: Path) -> bool:
    return (root / "images").is_dir() and (root / "masks").is_dir()


def _find(root: Path) -> Layout:
    """The pairs below `root` that are complete: a picture whose mask is not there (yet) is left out, with a note.

    The last 15 %, in the order of the names, is held out.

    Raises:
        SourceError: there is no complete pair, or nobody said what the masks mean.
    """
    pairs, missing = [], []
    for file in pictures_in(root / "images"):
        mask = next((m for end in MASK_ENDINGS if (m := root / "masks" / f"{file.stem}{end}").is_file()), None)
        if mask is None:
            missing.append(file.name)
        else:
            pairs.append(Pair(file, mask))
    if not pairs:
        raise SourceError(f"{root}: holds no images/NAME.jpg with masks/NAME.png")
    notes: tuple[str, ...] = (f"{len(missing)} pictures have no mask, e.g. {missing[0]}: left out",) if missing else ()
    native = _native(root, pairs)
    pairs, sent = marked(root, pairs, native)
    notes += sent
    maps = {
        "native": native,
        "driving": read_label_map("driving"),
        "streets": read_label_map("driving-streets"),
    }
    return Layout(pairs, Split("blocks", held_out=0.15), maps, notes=notes)


def _native(root: Path, pairs: list[Pair]) -> LabelMap:
    """`labels.toml` of the folder; else what the values of some masks suggest: two levels, or small ids as they stand.

    Grey masks with any other values count as two classes, split by Otsu's threshold.
    """
    if (root / "labels.toml").is_file():
        return read_label_map(str(root / "labels.toml"))
    values: set[int] = set()
    for pair in pairs[:: max(1, len(pairs) // LOOKS)]:
        raw = read_raw_mask(pair.mask)
        if raw.ndim == 3 and not np.array_equal(raw[:, :, 0], raw[:, :, 1]) and raw[:, :, 1:].any():
            raise SourceError(f"{pair.mask}: is a colour mask; say what its colours mean in {root / 'labels.toml'}")
        values |= set(np.unique(raw[:, :, 0] if raw.ndim == 3 else raw).tolist())
    ids = values - {255}
    if max(ids, default=0) == 0 or min(values) > 0 or len(values) == 2 or max(ids) >= MOST_PLAIN_IDS:
        return read_label_map("binary")
    return plain_map(max(ids) + 1)


FORMAT = Format(
    name="folder",
    files="images/ masks/, with a labels.toml or without",
    held_out="the last 15 % by name",
    split="random",
    fits=_fits,
    find=_find,
    ours=True,
)
