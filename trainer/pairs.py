"""Pairs of picture and mask, and which of them are held out: what recipes, data sets and scores share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

GIVEN_HELD_OUT = "held-out"
SPLITS = ("given", "random", "blocks", "groups")


@dataclass(frozen=True)
class Pair:
    """One picture file and its mask file.

    Args:
        group: drive, town, car or breed that it belongs to; neighbours in a group look alike.
        part: "held-out" where the data set's own lists say so, else "train".
        drive: of several in its group; "" where the group is one.
        pseudo: its mask is a model's own answer that nobody has corrected: no truth to score by.
    """

    picture: Path
    mask: Path
    group: str = ""
    part: str = "train"
    drive: str = ""
    pseudo: bool = False


@dataclass(frozen=True)
class Split:
    """Which pairs are held out for scoring.

    Args:
        by: "given": the data set's own lists; "random": a share of all pairs, drawn with a seed; "blocks": the end of
            every drive; "groups": every n-th drive, town or car as a whole.
        held_out: share of the pairs (not for "given").
        seed: for "random".
        gap: pairs before a block that belong to neither part, because neighbours are near twins; of a short drive at
            most three quarters of what lies before the block.
    """

    by: str
    held_out: float = 0.15
    seed: int = 0
    gap: int = 0

    def __post_init__(self) -> None:
        if self.by not in SPLITS:
            raise ValueError(f"split '{self.by}': choose {', '.join(SPLITS)}")
        if not 0 <= self.held_out < 1:
            raise ValueError(f"held-out share {self.held_out} is outside 0…1")

    def divide(self, pairs: Sequence[Pair]) -> tuple[tuple[Pair, ...], tuple[Pair, ...]]:
        """Training and held-out pairs, each in the given order; pseudo masks are never held out."""
        if any(pair.pseudo for pair in pairs):
            learned, scored = self.divide([pair for pair in pairs if not pair.pseudo])
            kept = set(learned)
            return tuple(pair for pair in pairs if pair.pseudo or pair in kept), scored
        if self.by == "given":
            held = {pair for pair in pairs if pair.part == GIVEN_HELD_OUT}
            return tuple(pair for pair in pairs if pair not in held), tuple(pair for pair in pairs if pair in held)
        count = round(len(pairs) * self.held_out)
        if self.held_out == 0 or len(pairs) < 2:
            return tuple(pairs), ()
        if self.by == "random":
            drawn = np.random.default_rng(self.seed).permutation(len(pairs))[: max(1, count)]
            chosen = set(drawn.tolist())
            return (
                tuple(pair for index, pair in enumerate(pairs) if index not in chosen),
                tuple(pair for index, pair in enumerate(pairs) if index in chosen),
            )
        groups = list(dict.fromkeys(pair.group for pair in pairs))
        if self.by == "groups" and len(groups) > 1:
            every = max(2, round(min(len(groups), 1 / self.held_out)))
            kept_back = set(groups[every - 1 :: every])
            return (
                tuple(pair for pair in pairs if pair.group not in kept_back),
                tuple(pair for pair in pairs if pair.group in kept_back),
            )
        train: list[Pair] = []
        held_out: list[Pair] = []
        drives: dict[tuple[str, str], list[Pair]] = {}
        for pair in pairs:
            drives.setdefault((pair.group, pair.drive), []).append(pair)
        for drive in drives.values():
            cut = len(drive) - max(1, round(len(drive) * self.held_out))
            train += drive[: cut - min(self.gap, cut * 3 // 4)]
            held_out += drive[cut:]
        return tuple(train), tuple(held_out)
