"""Training pictures held in memory, and batches drawn from them by weight."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.errors import SourceError
from trainer import datasets
from trainer.augment import crop_pair
from trainer.recipe import Recipe, Source

LARGEST = 640
"""Pictures are kept no wider than this many pixels; more than the network's own size would only cost memory."""

POINTS = 48
FOCUS_IDS = (2, 3)


@dataclass
class Held:
    """Decoded pairs of one source; `people` are the indices of those with a person."""

    pictures: list[NDArray[np.uint8]] = field(default_factory=list)
    masks: list[NDArray[np.uint8]] = field(default_factory=list)
    points: list[NDArray[np.uint16]] = field(default_factory=list)
    people: list[int] = field(default_factory=list)
    known: set[Path] = field(default_factory=set)

    def add(self, picture: NDArray[np.uint8], mask: NDArray[np.uint8]) -> None:
        points = _focus_points(mask, len(self.pictures))
        if (mask == 3).sum() > 60:
            self.people.append(len(self.pictures))
        self.pictures.append(picture)
        self.masks.append(mask)
        self.points.append(points)


def _focus_points(mask: NDArray[np.uint8], seed: int) -> NDArray[np.uint16]:
    """(n, 2) x, y of random pixels of cars and people, as many of each as there are at most `POINTS`."""
    rng = np.random.default_rng(seed)
    found = []
    for class_id in FOCUS_IDS:
        ys, xs = np.nonzero(mask == class_id)
        if len(xs) > 20:
            chosen = rng.integers(len(xs), size=POINTS)
            found.append(np.stack([xs[chosen], ys[chosen]], axis=1))
    return np.concatenate(found).astype(np.uint16) if found else np.zeros((0, 2), np.uint16)


def shrink(picture: NDArray[np.uint8], mask: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The pair at most `LARGEST` wide: picture by area, mask by nearest neighbour."""
    height, width = mask.shape
    if width <= LARGEST:
        return picture, mask
    size = (LARGEST, round(height * LARGEST / width))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA), cv2.resize(
        mask, size, interpolation=cv2.INTER_NEAREST
    )


def folder_of(source: Source, roots: Sequence[Path]) -> Path:
    """Where a data set lies: below the first of the data folders that has it, else (missing) below the first."""
    candidates = [root / source.path for root in roots]
    return next((folder for folder in candidates if folder.is_dir()), candidates[0])


class Mix:
    """All training pictures of a recipe in memory.

    Args:
        recipe: names the data sets and their weights.
        roots: the data folders; each data set is taken from the first that has it.
        note: called with one line for everything a person should know, e.g. a data set that is left out.

    Raises:
        SourceError: a data set that is not optional is missing, or a file is damaged.
    """

    def __init__(self, recipe: Recipe, roots: Sequence[Path], note: Callable[[str], None]) -> None:
        self.recipe = recipe
        self._roots = roots
        self._note = note
        self._held: dict[str, Held] = {}
        self.scan()
        if not any(held.pictures for held in self._held.values()):
            raise SourceError(f"{', '.join(map(str, roots))}: no training pictures of this recipe there")

    def scan(self) -> int:
        """Load pairs that are not in memory yet (an optional folder may still grow); how many came."""
        came = 0
        for source in self.recipe.data:
            name = source.name or source.kind
            first = name not in self._held
            if not first and not source.optional:
                continue
            held = self._held.setdefault(name, Held())
            new = self._load(source, held, quiet=not first)
            if new:
                self._note(f"{name}: {len(held.pictures)} training pictures, {len(held.people)} with people")
            came += new
        return came

    def _load(self, source: Source, held: Held, quiet: bool) -> int:
        try:
            found = datasets.find(source.kind, folder_of(source, self._roots), source.name or None)
        except SourceError as error:
            if not source.optional:
                raise
            if not quiet:
                self._note(f"left out for now: {error}")
            return 0
        pairs = [pair for pair in found.train if pair.picture not in held.known]
        count = 0
        for pair in pairs:
            try:
                picture, mask = found.read(pair)
            except SourceError as error:
                if not source.optional:
                    raise
                self._note(f"skipped: {error}")
                continue
            held.known.add(pair.picture)
            held.add(*shrink(picture, mask))
            count += 1
        return count

    def sample(self, rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """One augmented crop: picture (h, w, 3) uint8 RGB and its mask uint8."""
        sources = [(s.weight, self._held[s.name or s.kind]) for s in self.recipe.data]
        sources = [(weight, held) for weight, held in sources if held.pictures]
        weights = np.array([weight for weight, _ in sources])
        held = sources[rng.choice(len(sources), p=weights / weights.sum())][1]
        if held.people and rng.random() < 0.35:
            index = held.people[rng.integers(len(held.people))]
        else:
            index = int(rng.integers(len(held.pictures)))
        return crop_pair(rng, self.recipe.augment, held.pictures[index], held.masks[index], held.points[index])

    def batch(self, step: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """The batch of a step, the same at every call (seed, step and place in the batch draw it)."""
        seeds = [(self.recipe.seed, step, place) for place in range(self.recipe.batch)]
        pairs = [self.sample(np.random.default_rng(seed)) for seed in seeds]
        return np.stack([p for p, _ in pairs]), np.stack([m for _, m in pairs])


class Ahead:
    """Makes batches of the coming steps on a thread of its own, at most `depth` of them."""

    def __init__(self, mix: Mix, step: int, stop: int, depth: int = 3) -> None:
        self._mix, self._next, self._stop = mix, step, stop
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="batches")
        self._waiting: list[Future[tuple[NDArray[np.uint8], NDArray[np.uint8]]]] = []
        for _ in range(depth):
            self._ask()

    def _ask(self) -> None:
        if self._next < self._stop:
            self._waiting.append(self._pool.submit(self._mix.batch, self._next))
            self._next += 1

    def take(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """The next batch, in order of the steps."""
        batch = self._waiting.pop(0).result()
        self._ask()
        return batch

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
