"""A part of the picture that is watched for classes. No safety function: the network misses people and cars."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from seg_viewer.core.frame import ByteArray
from seg_viewer.core.labels import LabelSet

Point = tuple[float, float]


@dataclass(frozen=True)
class Zone:
    """A quadrilateral.

    Args:
        corners: upper left, upper right, lower right, lower left; x and y as shares of the picture, 0…1.
    """

    corners: tuple[Point, Point, Point, Point] = ((0.40, 0.60), (0.60, 0.60), (0.85, 0.98), (0.15, 0.98))

    def with_corner(self, index: int, point: Point) -> Zone:
        """One corner moved, kept inside the picture."""
        corners = list(self.corners)
        corners[index] = (min(1.0, max(0.0, point[0])), min(1.0, max(0.0, point[1])))
        return Zone((corners[0], corners[1], corners[2], corners[3]))

    def mask(self, width: int, height: int) -> ByteArray:
        """Shape (height, width), uint8: 1 inside, 0 outside."""
        mask = np.zeros((height, width), np.uint8)
        points = np.array([(x * (width - 1), y * (height - 1)) for x, y in self.corners])
        cv2.fillPoly(mask, [np.rint(points).astype(np.int32)], 1)
        return mask


class ZoneWatch:
    """Whether watched classes are in the zone; a single noisy class map changes nothing.

    Args:
        zone: where.
        labels: of the class maps.
        names: classes that are watched, of those that there are.
        enter: share of the zone from which on something is in it.
        leave: share below which nothing is; less than `enter`.
        maps: how many class maps in a row must agree.
    """

    def __init__(
        self,
        zone: Zone,
        labels: LabelSet,
        names: Iterable[str] = ("person", "car"),
        *,
        enter: float = 0.02,
        leave: float = 0.01,
        maps: int = 3,
    ) -> None:
        if not 0 <= leave <= enter:
            raise ValueError(f"leave {leave} must be from 0 to enter {enter}")
        self.zone = zone
        self.occupied = False
        self.shares: dict[str, float] = {}
        """Of the zone, by class, in the latest map."""
        self._ids = {label.name: label.id for label in labels if label.name in set(names)}
        self._enter, self._leave, self._maps = enter, leave, maps
        self._agreeing = 0
        self._mask: ByteArray | None = None

    def look(self, classes: ByteArray) -> bool:
        """Take in a class map, shape (h, w), uint8; returns whether `occupied` has changed with it."""
        if self._mask is None or self._mask.shape != classes.shape:
            self._mask = self.zone.mask(classes.shape[1], classes.shape[0])
        inside = classes[self._mask != 0]
        total = max(1, inside.size)
        self.shares = {name: float(np.count_nonzero(inside == id_)) / total for name, id_ in self._ids.items()}
        share = sum(self.shares.values())
        differs = share < self._leave if self.occupied else share >= self._enter
        self._agreeing = self._agreeing + 1 if differs else 0
        if self._agreeing < self._maps:
            return False
        self._agreeing = 0
        self.occupied = not self.occupied
        return True

    def line(self) -> str:
        """ "person 3.2 %, car 0.0 %"."""
        return ", ".join(f"{name} {100 * share:.1f} %" for name, share in self.shares.items())
