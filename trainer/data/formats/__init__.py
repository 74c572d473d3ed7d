"""The data-set formats by name, and the data set that one finds below a folder."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from seg_viewer.core.errors import SourceError, UsageError
from seg_viewer.core.registry import entries
from trainer.data.data_set import DataSet
from trainer.data.formats.base import Format, chosen_map, seen
from trainer.data.picture_files import depth_note, picture_bits
from trainer.labels.named import read_label_map
from trainer.pairs import Split

# a folder that fits several is of the first
MODULES = [
    "trainer.data.formats.camvid",
    "trainer.data.formats.carla",
    "trainer.data.formats.carvana",
    "trainer.data.formats.cityscapes",
    "trainer.data.formats.folder",
    "trainer.data.formats.idd",
    "trainer.data.formats.oxford_pets",
    "trainer.data.formats.penn_fudan",
]

AUTO, TFDS, PACK = "auto", "tfds", "pack"
"""What may stand for a format's name: recognise the folder; fetch it through tensorflow_datasets; a packed file."""


MOST_NAMED = 8
"""Groups that are named; more are too many for a line."""

FORMATS = entries(MODULES, "FORMAT", Format)

_OTHER_TERMS = {
    "rendered": "frames rendered for this project from its own Blender scene",
    "cityscapes_pairs": "Cityscapes (Cordts et al.), German streets, as pix2pix has them: research terms of"
    " Cityscapes, not for commercial use",
    "sysu_scene": "SYSU-Scene, street photographs of which only objects are annotated: no terms stated",
    "carla09_pseudo": "CARLA 0.9 pictures; masks partly a network's own answers: no terms stated for the recordings"
    " (CARLA's own assets are CC BY 4.0)",
}
"""Terms of data sets that recipes give a name of their own."""


def terms_of(name: str) -> str:
    """What is known of the terms of a data set, by its name in recipes; "" for nothing."""
    made = FORMATS.get(name)
    return made.terms if made else _OTHER_TERMS.get(name, "")


def fetched_names() -> list[str]:
    """NAME:VERSION of what tensorflow_datasets has of the formats."""
    return [made.fetched.name for made in FORMATS.values() if made.fetched]


def recognise(root: Path) -> str:
    """The format of a folder: a key of `FORMATS`. Raises: SourceError when none fits."""
    if not root.is_dir():
        raise SourceError(f"{root}: no such folder")
    for name, made in FORMATS.items():
        if made.fits(root):
            return name
    raise SourceError(
        f"{root}: no known data set; it holds {seen(root)}; 'seg-trainer datasets' shows what each format looks like"
    )


def usual_split(kind: str, root: Path) -> str:
    """How a share of a data set is held out when nobody says how: one of `trainer.pairs.SPLITS`, never "given".

    Args:
        kind: a key of `FORMATS`, or "auto".
        root: its folder. Raises: SourceError when no format fits it.
    """
    if kind == AUTO and root.is_dir():
        kind = recognise(root)
    if kind not in FORMATS:
        return "random"
    made = FORMATS[kind]
    return (made.split_of(root) if made.split_of and root.is_dir() else "") or made.split


def fetch(name: str, note: Callable[[str], None] = lambda _: None) -> tuple[str, Path]:
    """Format and folder of a tensorflow_datasets set, fetched when missing.

    Args:
        name: NAME or NAME:VERSION there.
        note: called with a line of progress.

    Raises:
        UsageError: no format reads it, or tensorflow_datasets is not installed.
        SourceError: it cannot be fetched.
    """
    from platformdirs import user_cache_path

    for made in FORMATS.values():
        if made.fetched and made.fetched.name.split(":")[0] == name.split(":")[0]:
            folder = user_cache_path("seg-viewer") / "tfds" / name.replace(":", "-")
            return made.name, made.fetched.unpack(folder, note, name)
    known = ", ".join(full.split(":")[0] for full in fetched_names())
    raise UsageError(f"{TFDS}={name}: only {known} is known; unpack others and use format 'folder'")


def find(
    kind: str,
    root: Path,
    name: str | None = None,
    labels: str = "driving",
    split: Split | None = None,
    own_bonnet: str = "background",
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
            in training (CARLA only); scores ignore them unless they are kept.
        details: "streets" or a label map for `DataSet.details`; "" for none.

    Raises:
        UsageError: there is no such format or label map.
        SourceError: the folder is missing or incomplete.
    """
    if kind != AUTO and kind not in FORMATS:
        raise UsageError(f"no data set format '{kind}'; there are {', '.join(sorted(FORMATS))}")
    if not root.is_dir():
        what = "is a file, not the folder of a data set" if root.exists() else "no such folder"
        called = name or (kind if kind != AUTO else "")
        raise SourceError(f"{root}: {what}{f' for the data set {called!r}' if called else ''}")
    if kind == AUTO:
        kind = recognise(root)
    layout = FORMATS[kind].find(root)
    label_map = chosen_map(layout.maps, labels, name or kind) or read_label_map(labels)
    chosen = split or layout.split
    train, held_out = chosen.divide(layout.pairs)
    ignored = None if own_bonnet == "keep" else layout.ignored
    finer = (chosen_map(layout.maps, details, name or kind) or read_label_map(details)) if details else None
    bits = picture_bits(pair.picture for pair in layout.pairs)
    data = DataSet(name or kind, train, held_out, label_map, ignored, layout.notes, finer, bits)
    return dataclasses.replace(data, notes=(*layout.notes, *_told(data, chosen, own_bonnet)))


def _told(data: DataSet, split: Split, own_bonnet: str) -> list[str]:
    """What was done with a data set that nobody asked for in so many words."""
    lines = []
    if note := depth_note(data.bits):
        lines.append(note)
    groups = sorted({pair.group for pair in (*data.train, *data.held_out)})
    if split.by == "groups" and 1 < len(groups) <= MOST_NAMED:
        held = sorted({pair.group for pair in data.held_out})
        lines.append(f"held out as a whole: {', '.join(held)} (of {', '.join(groups)})")
    if data.ignored is not None:
        share = f"the own bonnet ({data.ignored.mean():.1%} of each picture)"
        if own_bonnet == "background" and data.unlabelled_id() is None:
            lines.append(
                f"{share} is ignored: the label map has no class for value 0, so a prediction may say anything"
            )
        elif own_bonnet == "background":
            lines.append(f"{share} is trained as what value 0 means, and not scored (--own-bonnet ignore|keep)")
        else:
            lines.append(f"{share} is ignored: nothing says what a prediction shall be there (--own-bonnet background)")
    return lines
