"""A plain folder: pictures in `images/`, masks in `masks/`, with a `labels.toml` beside them or without."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from pathlib import Path

from seg_viewer.core.counted import counted
from seg_viewer.core.errors import SourceError, UsageError
from seg_viewer.core.labels import Label, LabelSet
from trainer.data.formats.base import Format, Layout, Masks, pictures_in, seen
from trainer.data.mask_values import MOST_COLORS, MaskValues, look_at_masks, two_clouds, two_levels
from trainer.data.sent import marked
from trainer.labels.label_map import LabelMap, plain_map
from trainer.labels.meaning import LabelsNeeded, proposal_of_colors, proposal_of_split, proposal_of_values, ranges
from trainer.labels.named import read_label_map
from trainer.pairs import Pair, Split

MASK_ENDINGS = ("", "_mask", "-mask", ".mask", "_label", "-label")
"""What may stand behind the name of a picture in that of its mask, before the suffix."""

MOST_PLAIN_IDS = 64
"""Of ids below this every third need be there, of more every second."""

FLAT = 0.2
"""Share of the pixels of ids that equal their neighbours, at least; in pictures hardly one does."""

FEW_IDS = 16
"""Below this, ids are ids whatever is missing."""

LEAST_APART = 32
"""Levels of JPEG masks that lie closer may be three that JPEG has made two."""

VOID = 255
BACKGROUND, OBJECT = Label(0, "background", (0, 0, 0), painted=False), Label(1, "object", (30, 110, 255))


def _fits(root: Path) -> bool:
    return (root / "images").is_dir() and (root / "masks").is_dir()


def _find(root: Path) -> Layout:
    """The pairs below `root` that are complete: a picture whose mask is not there (yet) is left out, with a note.

    The last 15 %, in the order of the names, is held out.

    Raises:
        SourceError: there is no complete pair. When its own classes are asked for, `LabelsNeeded`: nobody said what
            the masks mean.
    """
    masks = Masks(root / "masks")
    pairs, missing = [], []
    for file in pictures_in(root / "images"):
        names = [f"{file.stem}{end}" for end in MASK_ENDINGS] + [file.name]
        mask = next((there for name in names if (there := masks.named(name))), None)
        if mask is None:
            missing.append(file.name)
        else:
            pairs.append(Pair(file, mask))
    if not pairs:
        raise SourceError(
            f"{root}: no picture of images/ has a mask in masks/ (NAME.png, NAME_mask.png or NAME-mask.png, say);"
            f" images/ holds {seen(root / 'images')}, e.g. {missing[0]}; masks/ holds {seen(root / 'masks')}"
        )
    notes: tuple[str, ...] = (
        (f"{counted(len(missing), 'picture')} without a mask, e.g. {missing[0]}: left out",) if missing else ()
    )
    if alone := masks.left():
        notes += (f"{counted(len(alone), 'mask')} without a picture, e.g. {alone[0].name}: left out",)
    native = partial(_native, root, pairs)
    pairs, sent = marked(root, pairs, native)
    notes += sent
    maps: dict[str, LabelMap | Callable[[], LabelMap]] = {
        "native": native,
        "driving": partial(_ours, root, "driving"),
        "streets": partial(_ours, root, "driving-streets"),
    }
    return Layout(pairs, Split("blocks", held_out=0.15), maps, notes=notes)


def _described(root: Path) -> LabelMap | None:
    """`labels.toml` of the folder; None where there is none, or `check > labels.toml` is about to fill it."""
    file = root / "labels.toml"
    return read_label_map(str(file)) if file.is_file() and file.stat().st_size else None


def _ours(root: Path, name: str) -> LabelMap:
    """The map that takes values for ids of our classes, unless `labels.toml` says what they are.

    Raises:
        UsageError: it says that they are other classes or, where finer ones are to be learned, other values.
    """
    ours, described = read_label_map(name), _described(root)
    if described is None or described.labels.names == ours.labels.names:
        return dataclasses.replace(described, labels=ours.labels) if described else ours
    toml, plain = root / "labels.toml", read_label_map("driving")
    names = ", ".join(described.labels.names)
    if described.labels.names != plain.labels.names:
        raise UsageError(f"{toml} says that the classes are {names}, not ours (--labels native takes them)")
    if described.colors or any(plain.values.get(value) != id_ for value, id_ in described.values.items()):
        raise UsageError(f"{toml} gives {names} other values than their ids; give a label map with --details FILE.toml")
    return ours


def _native(root: Path, pairs: list[Pair]) -> LabelMap:
    """`labels.toml` of the folder; else what the values of all masks can only mean.

    That is two levels, two levels with smooth or JPEG edges, or small ids as they stand.

    Raises: LabelsNeeded for all else.
    """
    if described := _described(root):
        return described
    masks = [pair.mask for pair in pairs]
    found = look_at_masks(masks)
    if not found.grey_mask and not found.color_mask:
        raise SourceError(found.unread)
    if found.color_mask:
        raise _colors_unknown(root, found)
    values = found.values
    if len(values) <= 2 and (not found.lossy_mask or values[-1] - values[0] >= LEAST_APART):
        return _two(found, values)
    if levels := two_levels(found, masks):
        low, high = levels
        middle = (low + high + 1) // 2
        return _split(middle, f"two grey levels, {low} and {high}, with smooth edges: from {middle} on it is object")
    if found.lossy_mask:
        raise _lossy_ids(found)
    if gap := two_clouds(found):
        return _split(gap, f"grey masks with noise around two levels: from {gap} on it is object")
    ids = [value for value in values if value != VOID]
    if ids == [0, 1] and found.ones and found.whites and int(found.masks[1]) == found.ones:
        raise LabelsNeeded(
            f"{root}: {found.ones} masks hold 1, {found.whites} others 255: is 255 the object there, or to be ignored?"
            f" say so in {root / 'labels.toml'}",
            proposal_of_values(_shares(found, values)),
        )
    dense = (3 if ids[-1] < MOST_PLAIN_IDS else 2) * len(ids) > ids[-1] and found.flat.sum() > FLAT * found.counts.sum()
    if ids[-1] < FEW_IDS or dense:
        return _ids(ids, VOID in values)
    raise _values_unknown(root, found)


def _two(found: MaskValues, values: list[int]) -> LabelMap:
    """Masks of one or two values."""
    if len(values) == 1:
        only = OBJECT if values[0] else BACKGROUND
        title = f"every pixel of every mask is {values[0]}: taken for {only.name}"
        return LabelMap("binary", title, LabelSet([BACKGROUND, OBJECT]), {values[0]: only.id})
    low, high = values
    if found.lossy_mask:
        return _split((low + high + 1) // 2, f"two grey levels: {low} is background, {high} is object")
    title = f"two grey levels: {low} is background, {high} is object"
    return LabelMap("binary", title, LabelSet([BACKGROUND, OBJECT]), {low: 0, high: 1})


def _split(middle: int, title: str) -> LabelMap:
    labels = LabelSet([BACKGROUND, OBJECT])
    return LabelMap("binary", title, labels, {}, read="threshold", threshold=middle)


def _ids(ids: list[int], void: bool) -> LabelMap:
    plain = plain_map(ids[-1] + 1)
    absent = sorted(set(range(ids[-1] + 1)) - set(ids))
    title = f"mask values {ranges(ids)} taken for classes as they stand"
    title += ", 255 ignored" if void else ""
    title += f"; no mask holds {ranges(absent)}" if absent else ""
    return LabelMap("ids", title, plain.labels, plain.values)


def _shares(found: MaskValues, values: list[int]) -> dict[int, float]:
    total = max(1, int(found.counts.sum()))
    return {value: int(found.counts[value]) / total for value in values}


def _values_unknown(root: Path, found: MaskValues) -> LabelsNeeded:
    """What the masks hold, and a map to fill in: of all values, or of those that fill areas where there are many."""
    values, toml = found.values, root / "labels.toml"
    if len(values) <= MOST_PLAIN_IDS // 2:
        return LabelsNeeded(
            f"{root}: masks hold the values {ranges(values)}: nobody said what they mean; say so in {toml}",
            proposal_of_values(_shares(found, values)),
        )
    filling = [value for value in values if found.flat[value] > 1e-4 * found.counts.sum()]
    text = f"{root}: masks hold {len(values)} different values, {values[0]} to {values[-1]}, and are no ids"
    if not 1 < len(filling) <= MOST_PLAIN_IDS:
        return LabelsNeeded(f"{text}: say how to split them in {toml}", proposal_of_split())
    shares = _shares(found, filling)
    return LabelsNeeded(
        f"{text}: {ranges(filling)} fill areas, the rest is smoothed or JPEG damage; better save masks as PNG, scaled"
        f" by nearest neighbour only, or say what they mean in {toml}",
        proposal_of_values(shares, 1 - sum(shares.values())),
    )


def _lossy_ids(found: MaskValues) -> SourceError:
    filling = [value for value in found.values if found.flat[value] > 1e-3 * found.counts.sum()]
    return SourceError(
        f"{found.lossy_mask}: masks of more than two classes, or of levels as close as these, cannot be JPEG or lossy"
        f" WebP, which change ids ({len(found.values)} different values; {ranges(filling) or 'none'} fill areas): save"
        " masks as PNG, scaled by nearest neighbour only"
    )


def _colors_unknown(root: Path, found: MaskValues) -> SourceError:
    name, toml = found.color_mask, root / "labels.toml"
    if found.lossy_mask or len(found.colors) > MOST_COLORS:
        many = f"more than {MOST_COLORS}" if len(found.colors) > MOST_COLORS else str(len(found.colors))
        return SourceError(
            f"{name}: is a colour mask; {many} colours occur, the mark of JPEG damage or smoothing: save masks as PNG,"
            f" scaled by nearest neighbour only, or say what their colours mean, with a tolerance, in {toml}"
        )
    grey = f"; {found.grey_mask} is grey" if found.grey_mask else ""
    total = sum(found.colors.values())
    return LabelsNeeded(
        f"{name}: is a colour mask; say what its colours mean in {toml}{grey}",
        proposal_of_colors({color: count / total for color, count in found.colors.items()}),
    )


FORMAT = Format(
    name="folder",
    files="images/ masks/, with a labels.toml or without",
    held_out="the last 15 % by name",
    split="random",
    fits=_fits,
    find=_find,
    ours=True,
)
