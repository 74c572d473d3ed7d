"""The legend of a grid: which colour is which class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.labels import LabelSet
from trainer.drawing.words import draw_words, lines_of, width_of

Color = tuple[int, int, int]

BACK: Color = (24, 26, 30)
INK: Color = (225, 228, 232)
IGNORED: Color = (150, 150, 150)
WRONG: Color = (255, 60, 50)
LINE, SQUARE, GAP, MARGIN = 18, 10, 14, 4


@dataclass(frozen=True)
class Legend:
    """What the colours of a grid mean.

    Args:
        labels: the classes.
        painted: leave out the classes that overlays do not paint.
        more: what else has a colour, such as "not labelled" or "wrong".
    """

    labels: LabelSet
    painted: bool = False
    more: Mapping[str, Color] = field(default_factory=dict)

    def colors(self) -> dict[str, Color]:
        """Name → colour, in the order of the classes."""
        shown = {label.name: label.color for label in self.labels if label.painted or not self.painted}
        return shown | dict(self.more)

    def strip(self, width: int) -> NDArray[np.uint8]:
        """(n · 18, width, 3) uint8 RGB: a square and a name for each, in as many lines as they need."""
        colors = self.colors()
        before = SQUARE + 4
        room = max(1, width - 2 * MARGIN)
        lines = lines_of(((name, before + width_of(name) + GAP) for name in colors), room)
        strips = []
        for names in lines:
            strip = np.full((LINE, width, 3), BACK, np.uint8)
            x, top = MARGIN, (LINE - SQUARE) // 2
            for name in names:
                strip[top : top + SQUARE, x : x + SQUARE] = INK  # an edge, which black squares need
                strip[top + 1 : top + SQUARE - 1, x + 1 : x + SQUARE - 1] = colors[name]
                x += before
                x += draw_words(strip, x, name, INK, max(1, width - MARGIN - x)) + GAP
            strips.append(strip)
        return np.concatenate(strips) if strips else np.zeros((0, width, 3), np.uint8)
