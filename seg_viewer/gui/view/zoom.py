"""Which part of a picture is seen, and how large; numbers only, in device pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import NamedTuple

from seg_viewer.player.showing import size_to_show

LARGEST = 16.0
"""Device pixels for a pixel of the picture."""
BLOCKS_FROM = 4.0
"""From here on pixels are shown as they are, as blocks; below, smoothly."""
STEP = 2 ** (1 / 3)
"""One notch of a wheel; three of them double."""
_PAN_STEP = 0.1  # of the room


class Box(NamedTuple):
    """A rectangle, device pixels; may be larger than the view and begin left of it."""

    left: int
    top: int
    width: int
    height: int

    def holds(self, x: float, y: float) -> bool:
        return self.left <= x < self.left + self.width and self.top <= y < self.top + self.height

    def cut(self, other: Box) -> Box:
        """What both have in common; empty where they have nothing."""
        left, top = max(self.left, other.left), max(self.top, other.top)
        right = min(self.left + self.width, other.left + other.width)
        bottom = min(self.top + self.height, other.top + other.height)
        return Box(left, top, max(0, right - left), max(0, bottom - top))


@dataclass(frozen=True)
class Shape:
    """Size of a picture, pixels, and width ÷ height of one of them."""

    width: int
    height: int
    aspect: Fraction = Fraction(1)

    @property
    def shown_width(self) -> float:
        """Columns of square pixels, as high as the picture's."""
        return max(1.0, self.width * float(self.aspect))

    def fit_scale(self, room: Box) -> float:
        """Device pixels for a row of the picture that is fitted into a room."""
        return min(max(1, room.width) / self.shown_width, max(1, room.height) / self.height)


@dataclass(frozen=True)
class Zoom:
    """What is seen of a picture.

    Args:
        scale: device pixels for a row of the picture; None fits it into its room, whatever size that has.
        x, y: place of the picture that is in the middle of the room, 0…1.
    """

    scale: float | None = None
    x: float = 0.5
    y: float = 0.5

    def scale_in(self, shape: Shape, room: Box) -> float:
        return self.scale or shape.fit_scale(room)

    def is_blocks(self) -> bool:
        """Whether pixels are shown as blocks."""
        return self.scale is not None and self.scale >= BLOCKS_FROM - 1e-6

    def factor(self, shape: Shape, room: Box) -> float:
        """How much larger than fitted."""
        return 1.0 if self.scale is None else self.scale / shape.fit_scale(room)

    def box(self, shape: Shape, room: Box) -> Box:
        """Where the whole picture is: inside the room or around it, never with a gap that could be filled."""
        if self.scale is None:
            width, height = size_to_show(shape.width, shape.height, shape.aspect, (room.width, room.height))
            return Box(room.left + (room.width - width) // 2, room.top + (room.height - height) // 2, width, height)
        width, height = max(1, round(shape.shown_width * self.scale)), max(1, round(shape.height * self.scale))
        left = round(_held(room.width / 2 - self.x * width, room.width, width))
        top = round(_held(room.height / 2 - self.y * height, room.height, height))
        return Box(room.left + left, room.top + top, width, height)

    def to(self, scale: float, shape: Shape, room: Box, at: tuple[float, float] | None = None) -> Zoom:
        """Another scale, under which the place of the picture at a point stays there.

        Args:
            scale: wanted; held between the smaller of fitted and 1:1, and the larger of `LARGEST` and fitted.
            shape: of the picture.
            room: in which it is.
            at: x and y in device pixels; None for the middle of the room.
        """
        fit = shape.fit_scale(room)
        scale = min(max(LARGEST, fit), max(min(1.0, fit), scale))
        if math.isclose(scale, fit, rel_tol=1e-6):
            return Zoom()
        x, y = at or (room.left + room.width / 2, room.top + room.height / 2)
        now = self.box(shape, room)
        width, height = shape.shown_width * scale, shape.height * scale
        left = x - (x - now.left) / now.width * width
        top = y - (y - now.top) / now.height * height
        return self._with_corner(scale, left - room.left, top - room.top, shape, room)

    def by_steps(self, steps: float, shape: Shape, room: Box, at: tuple[float, float] | None = None) -> Zoom:
        """Larger or smaller by notches of a wheel; whole ones stop at 1:1 and at fitted on their way."""
        now, fit = self.scale_in(shape, room), shape.fit_scale(room)
        wanted = now * STEP**steps
        if abs(steps) >= 1:
            between = [stop for stop in (1.0, fit) if min(now, wanted) * 1.001 < stop < max(now, wanted) * 0.999]
            wanted = min(between, key=lambda stop: abs(stop - now), default=wanted)
        return self.to(wanted, shape, room, at)

    def moved(self, dx: float, dy: float, shape: Shape, room: Box) -> Zoom:
        """The picture moved by device pixels, as far as there is more of it."""
        if self.scale is None:
            return self
        now = self.box(shape, room)
        return self._with_corner(self.scale, now.left - room.left + dx, now.top - room.top + dy, shape, room)

    def by_keys(self, right: int, down: int, shape: Shape, room: Box) -> Zoom:
        """What is seen moved by a part of the room."""
        return self.moved(-right * _PAN_STEP * room.width, -down * _PAN_STEP * room.height, shape, room)

    def name(self) -> str:
        """ "1:1", "2.5×"; "" when fitted."""
        if self.scale is None:
            return ""
        return (
            "1:1" if abs(self.scale - 1) < 1e-6 else f"{self.scale:.2g}×" if self.scale < 10 else f"{self.scale:.0f}×"
        )

    def _with_corner(self, scale: float, left: float, top: float, shape: Shape, room: Box) -> Zoom:
        width, height = shape.shown_width * scale, shape.height * scale
        left, top = _held(left, room.width, width), _held(top, room.height, height)
        return replace(self, scale=scale, x=(room.width / 2 - left) / width, y=(room.height / 2 - top) / height)


def _held(offset: float, room: float, size: float) -> float:
    """Where a picture begins in its room: in the middle where it is smaller, else so that it fills it."""
    if size <= room:
        return (room - size) // 2
    return min(0.0, max(room - size, offset))
