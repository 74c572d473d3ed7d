"""The data sets by name, and where each lies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from seg_viewer.core.errors import SourceError, UsageError
from trainer.data.formats import camvid, carla, carvana, cityscapes, folder, idd, oxford_pets, penn_fudan
from trainer.data.formats.base import DataSet, Layout, Pair, Split, chosen_map
from trainer.labels.label_map import read_label_map

__all__ = ["FORMATS", "DataSet", "Format", "Layout", "Pair", "Split", "find", "recognise", "tfds_folder"]

TFDS = "tfds"


@dataclass(frozen=True)
class Format:
    """One layout of files.

    Args:
        module: has `fits(root)` and `find(root)`.
        files: what it looks like, for people.
    """

    module: ModuleType
    files: str

    def fits(self, root: Path) -> bool:
        return bool(self.module.fits(root))

    def find(self, root: Path) -> Layout:
        """Raises: SourceError."""
        return self.module.find(root)  # type: ignore[no-any-return]


FORMATS = {
    "camvid": Format(camvid, "train/ trainannot/ val/ valannot/ (SegNet layout)"),
    "carla": Format(carla, "CameraRGB/ with CameraMask/ or CameraSeg/, also one such pair per drive"),
    "carvana": Format(carvana, "train/*.jpg train_masks/*_mask.gif"),
    "cityscapes": Format(cityscapes, "leftImg8bit/PART/CITY/ gtFine/PART/CITY/*_labelIds.png"),
    "folder": Format(folder, "images/ masks/, with a labels.toml or without"),
    "idd": Format(idd, "leftImg8bit/train/DRIVE/*_image.jpg gtFine/train/DRIVE/*_label.png (IDD-Lite)"),
    "oxford_pets": Format(oxford_pets, "images/ annotations/trimaps/; or tfds=oxford_iiit_pet:4.0.0"),
    "penn_fudan": Format(penn_fudan, "PNGImages/ PedMasks/"),
}


TERMS = {
    "camvid": "CamVid (Brostow et al.), Cambridge streets: CC BY-NC 4.0, not for commercial use",
    "idd": "IDD-Lite (Varma et al.), Indian streets: research terms of the India Driving Dataset",
    "carla": "CARLA simulator drives: whoever recorded them says the terms (CARLA's own assets are CC BY 4.0; the"
    " Lyft-Udacity challenge data states none)",
    "cityscapes": "Cityscapes (Cordts et al.): its own terms, not for commercial use",
    "oxford_pets": "Oxford-IIIT Pet (Parkhi et al.): CC BY-SA 4.0",
    "penn_fudan": "Penn-Fudan pedestrians: academic use; only people are annotated, the rest was ignored",
    "carvana": "Carvana studio cars: rules of its Kaggle competition",
    "rendered": "frames rendered for this project from its own Blender scene",
}
"""What is known of the terms of data sets, by their names in recipes."""


def recognise(root: Path) -> str:
    """The format of a folder: a key of `FORMATS`. Raises: SourceError when none fits."""
    if not root.is_dir():
        raise SourceError(f"{root}: no such folder")
    for name, made in FORMATS.items():
        if made.fits(root):
            return name
    raise SourceError(f"{root}: no known data set; 'seg-trainer datasets' shows what each format looks like")


def tfds_folder(name: str, note: Callable[[str], None] = lambda _: None) -> Path:
    """Folder with the files of a tensorflow_datasets set, fetched when missing. Raises: UsageError, SourceError."""
    from platformdirs import user_cache_path

    if name.split(":")[0] != "oxford_iiit_pet":
        raise UsageError(f"tfds={name}: only oxford_iiit_pet is known; unpack others and use format 'folder'")
    return oxford_pets.unpack_tfds(user_cache_path("seg-viewer") / "tfds" / name.replace(":", "-"), note, name)


def find(
    kind: str,
    root: Path,
    name: str | None = None,
    labels: str = "driving",
    split: Split | None = None,
    own_bonnet: str = "ignore",
    details: str = "",
) -> DataSet:
    """The data set of a format below a folder.

    Args:
        kind: a key of `FORMATS`, or "auto".
        root: its folder.
        name: what to call it; the format's own name when not given.
        labels: "native", "driving", or a label map's name or path.
        split: what is held out; the format's own split when None.
        own_bonnet: "ignore" the pixels of the car that carries the camera, "keep" them, or take them for "background"
            in training (CARLA only).
        details: "streets" or a label map for `DataSet.details`; "" for none.

    Raises:
        UsageError: there is no such format or label map.
        SourceError: the folder is missing or incomplete.
    """
    if kind != "auto" and kind not in FORMATS:
        raise UsageError(f"no data set format '{kind}'; there are {', '.join(sorted(FORMATS))}")
    if not root.is_dir():
        raise SourceError(f"{root}: no such folder for the data set '{name or kind}'")
    if kind == "auto":
        kind = recognise(root)
    layout = FORMATS[kind].find(root)
    label_map = chosen_map(layout.maps, labels, name or kind) or read_label_map(labels)
    train, held_out = (split or layout.split).divide(layout.pairs)
    ignored = None if own_bonnet == "keep" else layout.ignored
    finer = (chosen_map(layout.maps, details, name or kind) or read_label_map(details)) if details else None
    return DataSet(name or kind, train, held_out, label_map, ignored, layout.notes, finer)
