"""Oxford-IIIT Pet: `images/*.jpg`, `annotations/trimaps/*.png` (1 pet, 2 background, 3 outline), or through tfds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from seg_viewer.core.errors import SourceError, UsageError
from seg_viewer.core.part_file import write_text
from trainer.data.formats.base import Fetched, Format, Layout, pairs_by_stem, pictures_in
from trainer.labels.named import read_label_map
from trainer.pairs import GIVEN_HELD_OUT, Pair, Split

TFDS_NAME = "oxford_iiit_pet:4.0.0"


def _fits(root: Path) -> bool:
    return (root / "images").is_dir() and (root / "annotations" / "trimaps").is_dir()


def _find(root: Path) -> Layout:
    """The pairs below `root`; the list `annotations/test.txt` is held out, else every fifth picture at random.

    Pictures of a list without a trimap (the archive has a few) are left out. Raises: SourceError.
    """
    trimaps = root / "annotations" / "trimaps"
    listed = root / "annotations" / "test.txt"
    test = {line.split()[0] for line in listed.read_text().splitlines() if line.strip()} if listed.is_file() else set()
    files = [file for file in pictures_in(root / "images") if (trimaps / f"{file.stem}.png").is_file()]
    if not files:
        raise SourceError(f"{root}: no picture of images/ has a trimap in annotations/trimaps/")
    pairs = pairs_by_stem(files, lambda file: trimaps / f"{file.stem}.png")
    pairs = [
        Pair(p.picture, p.mask, p.picture.stem.rsplit("_", 1)[0], GIVEN_HELD_OUT if p.picture.stem in test else "train")
        for p in pairs
    ]
    return Layout(pairs, Split("given" if test else "random", held_out=0.2), {"native": read_label_map("oxford-pets")})


def unpack_tfds(folder: Path, note: Callable[[str], None], name: str = TFDS_NAME) -> Path:
    """Fetch the data set through `tensorflow_datasets` and lay it out as files, once.

    Args:
        folder: where the files go; used as it is when it is complete already.
        note: called with a line of progress.

    Returns:
        `folder`.

    Raises:
        UsageError: tensorflow_datasets is not installed.
        SourceError: the data set cannot be fetched.
    """
    done = folder / "annotations" / "test.txt"
    if done.is_file():
        return folder
    try:
        import tensorflow_datasets as tfds
    except ImportError as error:
        raise UsageError("tensorflow_datasets is not installed: pip install 'seg-viewer[tfds]'") from error
    try:
        loaded = tfds.load(name, split=["train", "test"])
    except ImportError as error:  # it imports most of what it needs only now
        raise UsageError(
            f"{name}: tensorflow_datasets needs {error.name or error}, which is not installed:"
            " pip install 'seg-viewer[tfds]'"
        ) from error
    except Exception as error:  # tfds raises many kinds: no network, no space, checksum
        why = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise SourceError(f"{name}: tensorflow_datasets cannot load it: {why}") from error
    note(f"{name}: unpacking into {folder}")
    names: dict[str, list[str]] = {"train": [], "test": []}
    for part, split in zip(("train", "test"), loaded, strict=True):
        for index, item in enumerate(tfds.as_numpy(split)):
            names[part].append(_write_example(folder, part, index, item))
    for part, listed in (("trainval", names["train"]), ("test", names["test"])):
        write_text(folder / "annotations" / f"{part}.txt", "".join(f"{stem}\n" for stem in listed))
    return folder


def _write_example(folder: Path, part: str, index: int, item: dict[str, Any]) -> str:
    """One example as PNG files (lossless); returns its stem."""
    named = bytes(item.get("file_name", b""))
    stem = "".join(c for c in Path(named.decode(errors="ignore")).stem if c.isascii() and (c.isalnum() or c in "_-"))
    stem = f"{part}_{index:05}" + (f"_{stem}" if stem else "")
    picture, trimap = np.asarray(item["image"]), np.asarray(item["segmentation_mask"])[:, :, 0]
    for path, array in (
        (folder / "images" / f"{stem}.png", picture[:, :, ::-1]),
        (folder / "annotations" / "trimaps" / f"{stem}.png", trimap),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        if not cv2.imwrite(str(path), array):
            raise SourceError(f"{path}: cannot be written; is the disk full?")
    return stem


FORMAT = Format(
    name="oxford_pets",
    files=f"images/ annotations/trimaps/; or tfds={TFDS_NAME} (extra tfds)",
    held_out="its test list",
    split="random",
    fits=_fits,
    find=_find,
    terms="Oxford-IIIT Pet (Parkhi et al.): CC BY-SA 4.0",
    fetched=Fetched(TFDS_NAME, unpack_tfds),
)
