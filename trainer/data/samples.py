"""The training pictures of a recipe: which there are, in which order an epoch takes them, the samples cut of them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.errors import SourceError, UsageError
from seg_viewer.core.labels import LabelSet
from trainer.data import formats
from trainer.data.augment import Donor, View, crop_pair
from trainer.data.data_set import DataSet
from trainer.data.kept import Held, Kept, Key, OwnKept
from trainer.data.memory import free_bytes
from trainer.data.pack import find_in_pack, is_pack, kind_in, sources_in
from trainer.data.scan import Scan
from trainer.labels.details import details_of
from trainer.pairs import Pair, Split
from trainer.recipe import Recipe, Source

CACHE_SHARE = 0.5
"""Share of the free memory that decoded training pictures may take; those beyond it are read again each time."""

POINTS = 48
LEAST_PIXELS = 60


def folder_of(source: Source, roots: Sequence[Path]) -> Path:
    """Where a data set lies: below the first root that has it, else as given; an absolute path that is gone is looked
    for by its last part. Of a pack, its file.
    """
    path = Path(source.path)
    if not roots or (path.is_absolute() and path.exists()):
        return path
    candidates = [root / (path.name if path.is_absolute() else path) for root in roots]
    return next((place for place in candidates if place.exists()), path if path.exists() else candidates[0])


def each_source(recipe: Recipe, roots: Sequence[Path]) -> list[Source]:
    """The recipe's sources; in place of a pack, all data sets that it holds. Raises: SourceError, UsageError."""
    out: list[Source] = []
    for source in recipe.data:
        path = folder_of(source, roots)
        packed = source.kind == formats.PACK or (source.kind == formats.AUTO and is_pack(path))
        out += sources_in(source, path) if packed else [source]
    return out


def kind_of(source: Source, roots: Sequence[Path] = ()) -> str:
    """The format of a source that was found, a key of `FORMATS`. Raises: SourceError when it was not."""
    if source.kind == formats.TFDS:
        name = source.path.split(":")[0]
        there = (made for made in formats.FORMATS.values() if made.fetched and made.fetched.name.split(":")[0] == name)
        return next((made.name for made in there), formats.TFDS)
    if source.kind == formats.PACK:
        return kind_in(source, folder_of(source, roots))
    return formats.recognise(folder_of(source, roots)) if source.kind == formats.AUTO else source.kind


def find_source(source: Source, recipe: Recipe, roots: Sequence[Path], note: Callable[[str], None]) -> DataSet | None:
    """The data set of one source; None when it is optional and missing. Raises: SourceError, UsageError."""
    split = Split(**source.split) if source.split else None
    name, labels = source.name or None, source.labels or recipe.run.labels
    try:
        if source.kind == formats.TFDS:
            kind, folder = formats.fetch(source.path, note)
            return formats.find(kind, folder, name, labels, split, details=recipe.run.details)
        folder = folder_of(source, roots)
        if source.kind == formats.PACK:
            return find_in_pack(source, folder, recipe)
        return formats.find(source.kind, folder, name, labels, split, source.own_bonnet, recipe.run.details)
    except SourceError as error:
        if not source.optional:
            raise
        note(f"left out: {error}")
        return None


def find_all(
    recipe: Recipe, roots: Sequence[Path], note: Callable[[str], None] = lambda _: None
) -> list[tuple[Source, DataSet]]:
    """The recipe's data sets in their order.

    Raises:
        SourceError: one is missing or incomplete, or there is none.
        UsageError: they do not speak of the same classes, or only some have a weight.
    """
    every = each_source(recipe, roots)
    found = [(source, data) for source in every if (data := find_source(source, recipe, roots, note))]
    if not found:
        raise SourceError("no data set: give --data FOLDER, or a recipe with [[data]]")
    found = _told_apart(found)
    first = found[0][1]
    for _, data in found[1:]:
        if data.labels != first.labels:
            raise UsageError(
                f"'{first.name}' has the classes {', '.join(first.labels.names)}, '{data.name}' has"
                f" {', '.join(data.labels.names)}: give one label map for all (--labels driving)"
            )
    names = [data.name for _, data in found]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"two data sets are called '{name}': give them names in the recipe")
    if len({source.weight > 0 for source, _ in found}) > 1:
        raise UsageError("only some data sets have a weight: give one to all or to none")
    return found


def _told_apart(found: list[tuple[Source, DataSet]]) -> list[tuple[Source, DataSet]]:
    """Data sets of one format that nobody named are called after their folders."""
    names = [data.name for _, data in found]
    return [
        (source, dataclasses.replace(data, name=Path(source.path).name))
        if names.count(data.name) > 1 and not source.name and Path(source.path).name
        else (source, data)
        for source, data in found
    ]


def placed(recipe: Recipe, found: Sequence[tuple[Source, DataSet]], roots: Sequence[Path]) -> Recipe:
    """The recipe with the data sets that were found and their absolute paths, so that it repeats from anywhere."""
    data = tuple(
        source
        if source.kind == formats.TFDS
        else dataclasses.replace(source, path=str(folder_of(source, roots).resolve()))
        for source, _ in found
    )
    return dataclasses.replace(recipe, data=data)


@dataclass
class _Set:
    """A data set with training pairs.

    Args:
        source: what the recipe says of it.
        data: its pairs.
        rare: for each rare class that occurs, the training pairs that hold it.
        worth: (training pairs,) what each counts, 0…1: `Run.pseudo` for pseudo masks, 1 for all others.
        sizes: (training pairs, 2) width, height of the pictures; none where nobody looked.
    """

    source: Source
    data: DataSet
    worth: NDArray[np.float64]
    rare: list[NDArray[np.intp]] = field(default_factory=list)
    sizes: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 2), np.int64))

    def holders(self, rng: np.random.Generator, rare: int, count: int) -> NDArray[np.intp]:
        """`count` of the pairs that hold one of the classes of `rare`, by what they count; (count,)."""
        those = self.rare[rare]
        worth = self.worth[those]
        if (worth == 1).all():
            return those[rng.integers(len(those), size=count)]
        return np.asarray(rng.choice(those, size=count, p=worth / worth.sum()), np.intp)


class Samples:
    """All training pairs of a recipe; samples are the same whenever and wherever they are asked for.

    Args:
        recipe: the recipe.
        found: its data sets, as `find_all` gives them.
        scans: what is known of their pictures, in the same order; needed for rare classes only.

    Raises:
        SourceError: there is no training picture.
        UsageError: a rare class does not exist, or `paste` has none to lay over.
    """

    def __init__(self, recipe: Recipe, found: Sequence[tuple[Source, DataSet]], scans: Sequence[Scan] = ()) -> None:
        self.recipe = recipe
        self.labels: LabelSet = found[0][1].labels
        self.details = details_of(self.labels, found[0][1].details, recipe.model.subpixel)
        pseudo = recipe.run.pseudo
        worths = [np.array([pseudo if pair.pseudo else 1.0 for pair in data.train]) for _, data in found]
        self._sets = [
            _Set(source, data, worth) for (source, data), worth in zip(found, worths, strict=True) if worth.any()
        ]
        if not self._sets:
            if any(map(len, worths)):
                raise SourceError(
                    "no training pictures: nobody has corrected a mask yet, and --pseudo 0 leaves the others out;"
                    " correct some ('seg-trainer check FOLDER' says which first), or give --pseudo 0.25"
                )
            raise SourceError("no training pictures: the split holds all of them out")
        try:
            self._rare = [int(self.labels.by_name(name).id) for name in recipe.run.rare]
        except KeyError as error:
            raise UsageError(f"rare: {error.args[0]}") from error
        folded = self.details.folded_ids()
        self._rare_ids = np.isin(folded, self._rare)
        road = self.labels.by_name("road").id if "road" in self.labels.names else -1
        self.view = View(
            recipe.crop,
            recipe.run.size,
            recipe.model.logits_stride,
            self.details.background,
            road=tuple(np.flatnonzero(folded == road).tolist()),
            things=tuple(np.flatnonzero(self._rare_ids).tolist()),
        )
        if recipe.augment.paste and not self._rare:
            raise UsageError("paste: say which classes are laid over other pictures (--rare car,person)")
        by_name = {found_scan.name: found_scan for found_scan in scans}
        for item in self._sets:
            if item.data.name in by_name:
                item.sizes = by_name[item.data.name].sizes[: len(item.data.train)]
                counts = by_name[item.data.name].counts[: len(item.data.train)]
                holds = [np.flatnonzero((counts[:, rare] >= LEAST_PIXELS) & (item.worth > 0)) for rare in self._rare]
                item.rare = [where for where in holds if len(where)]
        self._donors = [index for index, item in enumerate(self._sets) if item.rare]
        weights = np.array([self._sets[index].source.weight or 1.0 for index in self._donors])
        self._donor_shares = weights / weights.sum()
        self.kept: Kept = OwnKept(int(CACHE_SHARE * free_bytes()))

    def __getstate__(self) -> dict[str, Any]:
        """For another process; what is kept stays here."""
        return {key: value for key, value in self.__dict__.items() if key != "kept"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """There nothing is kept, until somebody gives a place for it."""
        self.__dict__.update(state, kept=OwnKept(0))

    def __len__(self) -> int:
        """Training pairs in all."""
        return sum(len(item.data.train) for item in self._sets)

    @property
    def steps(self) -> int:
        """Steps of an epoch."""
        worth = sum(float(item.worth.sum()) for item in self._sets)
        return self.recipe.run.steps_per_epoch or max(1, math.ceil(worth / self.recipe.run.batch_size - 1e-9))

    def plan(self, epoch: int) -> NDArray[np.int64]:
        """Which pairs an epoch takes: (steps, batch size, 2) of set and pair index.

        Without weights every pair comes once, in random order, and the last batch is filled up from the next pass;
        with weights the sets are drawn by weight, the pairs of each in random order. A pseudo mask comes in so many
        passes as it counts.
        """
        run = self.recipe.run
        count = self.steps * run.batch_size
        rng = np.random.default_rng((run.seed, epoch))
        weights = np.array([item.source.weight for item in self._sets])
        if not weights.any():
            every = np.array([(s, i) for s, item in enumerate(self._sets) for i in range(len(item.data.train))])
            chosen = every[passes(rng, np.concatenate([item.worth for item in self._sets]), count)]
        else:
            parts = []
            for index, many in enumerate(rng.multinomial(count, weights / weights.sum())):
                order = passes(rng, self._sets[index].worth, int(many))
                parts.append(np.stack([np.full_like(order, index), order], axis=1))
            chosen = rng.permutation(np.concatenate(parts))
        looked_for = np.flatnonzero(rng.random(count) < run.rare_share)
        for index, item in enumerate(self._sets):
            if not item.rare:
                continue
            places = looked_for[chosen[looked_for, 0] == index]
            classes = rng.integers(len(item.rare), size=len(places))
            for rare in range(len(item.rare)):
                here = places[classes == rare]
                chosen[here, 1] = item.holders(rng, rare, len(here))
        return np.asarray(chosen, np.int64).reshape(self.steps, run.batch_size, 2)

    def pair(self, which: Sequence[int]) -> Pair:
        """The pair that an entry of `plan` means."""
        return self._sets[int(which[0])].data.train[int(which[1])]

    def sample(self, epoch: int, place: int, which: Sequence[int]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """One augmented picture (h, w, 3) uint8 RGB of the crop size, its mask (ids of `details`) at the logits size.

        Args:
            place: position in the epoch; draws the augmentation, together with seed and epoch.
            which: entry of `plan`.

        Raises:
            SourceError: a file is damaged.
        """
        held = self._get(int(which[0]), int(which[1]))
        rng = np.random.default_rng((self.recipe.run.seed, epoch, place))
        augment = self.recipe.augment
        pastes = augment.augment and augment.paste and rng.random() < augment.paste
        donor = self._donor(rng) if pastes else None
        return crop_pair(rng, self.view, augment, held.picture, held.mask, held.points, donor)

    def _donor(self, rng: np.random.Generator) -> Donor | None:
        """A training pair that holds a rare class: set by weight, then class, then pair; None where there is none."""
        if not self._donors:
            return None
        chosen = self._donors[int(rng.choice(len(self._donors), p=self._donor_shares))]
        rare = int(rng.integers(len(self._sets[chosen].rare)))
        held = self._get(chosen, int(self._sets[chosen].holders(rng, rare, 1)[0]))
        return Donor(held.picture, held.mask, held.points, self._rare_ids)

    def _get(self, index: int, number: int) -> Held:
        return self.kept.fetch((index, number), lambda: self._read(index, number))

    def _read(self, index: int, number: int) -> Held:
        data = self._sets[index].data
        if data.details is None:
            picture, mask = data.read(data.train[number])
        else:
            picture = data.read_picture(data.train[number])
            mask = data.read_details(data.train[number], picture)
        bonnet, background = data.ignored, data.unlabelled_id()
        if self._sets[index].source.own_bonnet == "background" and bonnet is not None and background is not None:
            mask = np.where(bonnet, np.uint8(background), mask) if bonnet.shape == mask.shape else mask
        picture, mask = shrink(picture, mask, self._enough())
        return Held(picture, mask, focus_points(self.details.folded_ids()[mask], self._rare, number))

    @property
    def most_points(self) -> int:
        """Largest number of `Held.points`."""
        return POINTS * len(self._rare)

    def held_sizes(self) -> dict[Key, tuple[int, int]]:
        """(width, height) of each decoded pair that an epoch may take, those that it takes most often first.

        Only of data sets that were looked at.
        """
        often = [(item.source.weight or 1.0) / len(item.data.train) for item in self._sets]
        if not any(item.source.weight for item in self._sets):
            often = [1.0] * len(self._sets)
        enough = self._enough()
        return {
            (index, number): smaller((int(width), int(height)), enough)
            for index in sorted(range(len(self._sets)), key=lambda index: -often[index])
            for number, (width, height) in enumerate(self._sets[index].sizes)
            if width and self._sets[index].worth[number]
        }

    def _enough(self) -> tuple[int, int]:
        """(width, height) beyond which more pixels add nothing."""
        zoom = max(1.0, self.recipe.augment.zoom[1]) if self.recipe.augment.augment else 1.0
        width, height = self.recipe.run.size
        return round(width * zoom), round(height * zoom)


def passes(rng: np.random.Generator, worth: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """`count` indices, pass after pass in random order; each pass holds index i with probability `worth[i]`.

    Of indices of the same worth as many as that makes, up to rounding, are in every pass. A pass is never empty.

    Args:
        rng: draws.
        worth: (n,) 0…1, some above 0.
        count: how many.
    """
    parts: list[NDArray[np.intp]] = []
    alike = [(float(value), np.flatnonzero(worth == value)) for value in np.unique(worth[worth > 0])]
    whole, there = bool((worth == 1).all()), 0
    while there < count:
        if whole:
            one = rng.permutation(len(worth))
        else:
            one = np.concatenate(
                [rng.permutation(of_it)[: int(value * len(of_it) + rng.random())] for value, of_it in alike]
            )
            one = rng.permutation(one) if len(one) else rng.permutation(np.flatnonzero(worth))[:1]
        parts.append(one)
        there += len(one)
    return np.concatenate(parts)[:count].astype(np.int64) if parts else np.zeros(0, np.int64)


def focus_points(mask: NDArray[np.uint8], classes: Sequence[int], seed: int) -> NDArray[np.uint16]:
    """(n, 2) x, y of random pixels of some classes, as many of each as there are at most `POINTS`."""
    rng = np.random.default_rng(seed)
    found = []
    for class_id in classes:
        ys, xs = np.nonzero(mask == class_id)
        if len(xs) >= LEAST_PIXELS:
            chosen = rng.integers(len(xs), size=POINTS)
            found.append(np.stack([xs[chosen], ys[chosen]], axis=1))
    return np.concatenate(found).astype(np.uint16) if found else np.zeros((0, 2), np.uint16)


def smaller(size: tuple[int, int], enough: tuple[int, int]) -> tuple[int, int]:
    """A size (width, height) scaled down until one side is as short as that of `enough`; never up."""
    scale = max(enough[0] / size[0], enough[1] / size[1])
    return size if scale >= 1 else (round(size[0] * scale), round(size[1] * scale))


def shrink(
    picture: NDArray[np.uint8], mask: NDArray[np.uint8], enough: tuple[int, int]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The pair scaled down to `smaller`: picture by area, mask by nearest."""
    size = smaller((mask.shape[1], mask.shape[0]), enough)
    if size == (mask.shape[1], mask.shape[0]):
        return picture, mask
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA), cv2.resize(
        mask, size, interpolation=cv2.INTER_NEAREST_EXACT
    )
