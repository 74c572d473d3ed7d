"""Frames that seg-viewer sent (key D): which of their masks nobody has corrected, and how unsure the model was there.

Beside `images/` and `masks/` such a folder has `answers/` (the masks as the model gave them), `margins/` (how sure it
was) and, where somebody wrote one, `reviewed.txt` (names of pictures whose masks are right as they are). A mask counts
as corrected when a pixel of it differs from its answer, or when its picture stands in `reviewed.txt`.
"""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.counted import counted
from seg_viewer.core.errors import SourceError
from seg_viewer.core.machine import usable_cores
from trainer.data.data_set import DataSet
from trainer.data.picture_files import read_raw_mask
from trainer.labels.label_map import LabelMap
from trainer.pairs import Pair

ANSWERS, MARGINS, REVIEWED = "answers", "margins", "reviewed.txt"

_In = TypeVar("_In")
_Out = TypeVar("_Out")


def marked(root: Path, pairs: Sequence[Pair], native: Callable[[], LabelMap]) -> tuple[list[Pair], tuple[str, ...]]:
    """The pairs of a plain folder, those marked whose mask is an answer that nobody has corrected; lines to show.

    Args:
        root: the folder.
        pairs: its pairs.
        native: gives what its masks mean; an editor may have changed how they are stored, and not what they say.

    Raises:
        SourceError: `reviewed.txt` cannot be read.
    """
    if not any((root / part).is_dir() for part in (ANSWERS, MARGINS)):
        return list(pairs), ()
    reviewed = _reviewed(root / REVIEWED)
    label_map = native()
    names = {name for pair in pairs for name in (pair.picture.name, pair.picture.stem)}
    kinds = list(_in_parallel(lambda pair: _whose(root, pair, label_map, reviewed), pairs))
    out = [
        dataclasses.replace(pair, pseudo=kind in ("model", "unknown")) for pair, kind in zip(pairs, kinds, strict=True)
    ]
    notes = []
    count, unknown = sum(pair.pseudo for pair in out), kinds.count("unknown")
    if count:
        notes.append(
            f"{count} of {len(out)} masks are a model's own answers that nobody has corrected: never held out, and"
            " worth what --pseudo says in training"
        )
    if unknown:
        notes.append(
            f"{unknown} of them have no file in {ANSWERS}/, so that nobody can see whether they were corrected: list"
            f" those that were in {REVIEWED}"
        )
    if strange := sorted(reviewed - names):
        notes.append(f"{REVIEWED} names {counted(len(strange), 'picture')} not there, e.g. {strange[0]}")
    return out, tuple(notes)


def _reviewed(path: Path) -> frozenset[str]:
    """Names that the file lists, one a line. Raises: SourceError."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines() if path.exists() else []
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: cannot be read as a list of names ({error}); write one name a line") from error
    return frozenset(line.strip() for line in lines if line.strip())


def _whose(root: Path, pair: Pair, label_map: LabelMap, reviewed: frozenset[str]) -> str:
    """Whose work a mask is: "person", "model", or "unknown" where a frame was sent and its answer is not there."""
    if pair.picture.name in reviewed or pair.picture.stem in reviewed:
        return "person"
    answer = root / ANSWERS / f"{pair.picture.stem}.png"
    if not answer.is_file():
        return "unknown" if (root / MARGINS / f"{pair.picture.stem}.png").is_file() else "person"
    return "model" if _says_the_same(answer, pair.mask, label_map) else "person"


def _says_the_same(answer: Path, mask: Path, label_map: LabelMap) -> bool:
    try:
        if answer.read_bytes() == mask.read_bytes():
            return True
        one = label_map.decode(read_raw_mask(answer), answer)
    except (OSError, SourceError):
        return True  # an answer that cannot be read shows no correction
    try:
        return np.array_equal(one, label_map.decode(read_raw_mask(mask), mask))
    except SourceError:
        return False  # somebody changed it; what is wrong with it is said where it is read


@dataclass(frozen=True)
class Doubt:
    """How unsure the model was of one frame.

    Args:
        pair: its files.
        unsure: mean over the pixels of 1 − (p₁ − p₂), where p₁ and p₂ are the probabilities of the best and the second
            best class ("margin sampling": Scheffer, Decomain and Wrobel, 2001), 0…1; None where nothing tells.
        by_class: the same over the pixels that the mask gives to each class.
        margin: file of the margins.
        problem: one line where that file cannot be used; else "".
    """

    pair: Pair
    unsure: float | None
    by_class: dict[str, float]
    margin: Path
    problem: str = ""

    @property
    def least_sure(self) -> str:
        """The class with the most doubt; "" without any."""
        return max(self.by_class, key=lambda name: self.by_class[name], default="")


def to_correct(data: DataSet) -> list[Doubt]:
    """The pictures whose masks nobody has corrected, those that the model was least sure of first.

    Pictures without a margin come last, in their order.
    """
    pairs = [pair for pair in (*data.train, *data.held_out) if pair.pseudo]
    found = list(_in_parallel(lambda pair: _doubt(data, pair), pairs))
    return sorted(found, key=lambda doubt: -1.0 if doubt.unsure is None else doubt.unsure, reverse=True)


def _doubt(data: DataSet, pair: Pair) -> Doubt:
    path = pair.picture.parent.parent / MARGINS / f"{pair.picture.stem}.png"
    if not path.is_file():
        return Doubt(pair, None, {}, path)
    try:
        mask = data.read_mask(pair.mask)
    except SourceError:
        return Doubt(pair, None, {}, path)  # the scan names what is wrong with it
    try:
        doubt = read_doubt(path)
    except SourceError:
        return Doubt(pair, None, {}, path, f"{path}: cannot be read as a margin; remove this file")
    if doubt.shape != mask.shape:
        sizes = f"is {doubt.shape[1]}x{doubt.shape[0]}, its mask {mask.shape[1]}x{mask.shape[0]}"
        return Doubt(pair, None, {}, path, f"{path}: {sizes}; remove this file, or scale the mask back")
    by_class = {label.name: float(doubt[mask == label.id].mean()) for label in data.labels if (mask == label.id).any()}
    return Doubt(pair, float(doubt.mean()), by_class, path)


def read_doubt(path: Path) -> NDArray[np.float32]:
    """1 − margin of each pixel, (H, W), 0…1, of a file of margins. Raises: SourceError."""
    raw = read_raw_mask(path)
    grey = raw if raw.ndim == 2 else raw[:, :, 0]
    return np.asarray(1 - grey / np.float32(255), np.float32)


def doubts_text(found: Sequence[Doubt], most: int) -> list[str]:
    """Lines of a table in percent, at most so many pictures."""
    if not found:
        return []
    lines = [f"  correct first ({len(found)} to do): unsure %, the class it was least sure of, picture"]
    for doubt in found[:most]:
        share = "     –" if doubt.unsure is None else f"{doubt.unsure * 100:6.1f}"
        name = f"{doubt.least_sure} {doubt.by_class[doubt.least_sure] * 100:.1f}" if doubt.by_class else "–"
        lines.append(f"  {share}  {name:<20}  {doubt.pair.picture.name}")
    if len(found) > most:
        lines.append(f"  {len(found) - most} more: -o FOLDER lists all of them")
    return lines


def doubts_csv(found: Iterable[Doubt]) -> str:
    """The whole list as CSV: rank, unsure (0…1; empty where nothing tells), class, its doubt, picture, mask."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(("rank", "unsure", "least_sure_of", "unsure_there", "picture", "mask"))
    for rank, doubt in enumerate(found, 1):
        name = doubt.least_sure
        shown = "" if doubt.unsure is None else f"{doubt.unsure:.4f}"
        there = f"{doubt.by_class[name]:.4f}" if name else ""
        table.writerow((rank, shown, name, there, doubt.pair.picture, doubt.pair.mask))
    return out.getvalue()


def _in_parallel(work: Callable[[_In], _Out], items: Sequence[_In]) -> Iterator[_Out]:
    with ThreadPoolExecutor(max_workers=max(2, usable_cores())) as pool:
        yield from pool.map(work, items)
