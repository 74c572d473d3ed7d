"""Chooses the inputs of the matrix: few, in which every value, and every pair that matters, is there.

python -m tests.faithful.covering    # prints the lines of matrix.py
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import fields

from tests.faithful.recipe import (
    ASPECTS,
    AUDIO,
    CHANNELS,
    COLOURS,
    CONTAINERS,
    ORIENTATIONS,
    RATES,
    STARTS,
    VIDEO,
    Recipe,
)

VALUES: dict[str, tuple[str, ...]] = {
    "container": tuple(CONTAINERS),
    "video": tuple(VIDEO),
    "audio": tuple(AUDIO),
    "start": tuple(STARTS),
    "rate": tuple(RATES),
    "layout": tuple(CHANNELS),
    "orientation": tuple(ORIENTATIONS),
    "aspect": tuple(ASPECTS),
    "colour": tuple(COLOURS),
    "scan": ("progressive", "tff"),
}
PAIRS = (
    ("container", "video"),
    ("container", "audio"),
    ("container", "start"),
    ("container", "rate"),
    ("audio", "start"),
    ("audio", "layout"),
    ("orientation", "aspect"),
    ("video", "rate"),
    ("rate", "start"),
    ("scan", "container"),
)
"""Of values that meddle with each other."""
RATHER = (("video", "colour"), ("container", "colour"), ("colour", "orientation"), ("audio", "rate"))
"""Pairs that are taken along where they cost nothing."""
COUNT, TRIES = 60, 1500

Pair = tuple[tuple[str, str], ...]


def pairs_of(recipe: Recipe, which: Sequence[tuple[str, ...]] = PAIRS) -> set[Pair]:
    """The pairs that one recipe covers; single values count as well."""
    pairs: set[Pair] = {tuple((name, getattr(recipe, name)) for name in names) for names in which}
    return pairs | {((name, getattr(recipe, name)),) for name in VALUES}


def possible() -> set[Pair]:
    """All pairs that some recipe has."""
    found: set[Pair] = set()
    rng = random.Random(0)
    for _ in range(60_000):
        recipe = _draw(rng)
        if not recipe.why_not():
            found |= pairs_of(recipe)
    return found


def _draw(rng: random.Random) -> Recipe:
    container = rng.choice(VALUES["container"])
    _suffix, _muxer, video, audio = CONTAINERS[container]
    sound = rng.choice(sorted(audio))
    chosen = {name: rng.choice(values) for name, values in VALUES.items()}
    chosen |= {"container": container, "video": rng.choice(sorted(video)), "audio": sound}
    chosen["layout"] = rng.choice(AUDIO[sound][2])
    for name in ("orientation", "aspect", "colour", "scan", "rate", "start"):
        if rng.random() < 0.2:
            chosen[name] = getattr(Recipe(), name)
    return Recipe(**chosen)


def by_chance(count: int, seed: int = 0) -> list[Recipe]:
    """Inputs that can be made; the same for the same seed."""
    rng, drawn = random.Random(seed), list[Recipe]()
    while len(drawn) < count:
        recipe = _draw(rng)
        if not recipe.why_not():
            drawn.append(recipe)
    return drawn


def choose(count: int = COUNT) -> list[Recipe]:
    """Greedy: each next one is the one of many that covers most of what is missing."""
    rng = random.Random(1)
    missing, chosen, rather = possible(), list[Recipe](), set[Pair]()
    while len(chosen) < count:
        candidates = [recipe for recipe in (_draw(rng) for _ in range(TRIES)) if not recipe.why_not()]
        best = max(candidates, key=lambda r: (len(pairs_of(r) & missing), len(pairs_of(r, RATHER) - rather)))
        missing -= pairs_of(best)
        rather |= pairs_of(best, RATHER)
        chosen.append(best)
    return chosen


def main() -> None:
    chosen = choose()
    every = possible()
    covered = set().union(*map(pairs_of, chosen)) & every
    names = [f.name for f in fields(Recipe)]
    widths = [max(len(getattr(r, name)) for r in (*chosen, Recipe())) for name in names]
    widths = [max(width, len(name)) for width, name in zip(widths, names, strict=True)]
    for row in (names, *([getattr(recipe, name) for name in names] for recipe in chosen)):
        print(" ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
    print(f"# {len(covered)} of {len(every)} pairs and values; missing: {sorted(every - covered)}")


if __name__ == "__main__":
    main()
