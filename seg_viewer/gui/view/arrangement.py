"""What is where in the view: one picture or two, fitted or zoomed. Device pixels."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

from seg_viewer.gui.view.modes import MODES, contents_of, mode_for
from seg_viewer.gui.view.scene import Half, Split, ViewMode
from seg_viewer.gui.view.zoom import Box, Shape, Zoom
from seg_viewer.player.showing import Shown

_SIDE_GAP = 2  # logical pixels between two pictures

Point = tuple[float, float]


class Laid(NamedTuple):
    """Where everything is; the same object until something of it changes.

    Args:
        mode: how halves share the view.
        zoom: of the picture.
        shape: of the picture.
        halves: what is painted, from left to right.
        edge: of a wipe, device pixels from the left; None where there is none.
    """

    mode: ViewMode
    zoom: Zoom
    shape: Shape
    halves: tuple[Half, ...]
    edge: int | None


def half_at(halves: tuple[Half, ...], at: Point | None) -> Half | None:
    """What is seen at a point; None beside the picture."""
    return next((half for half in halves if at is not None and half.seen.holds(*at)), None)


class Arrangement:
    """Works out places from what is shown and how.

    Args:
        size: width and height of the view.
        ratio: device pixels for a logical one.
    """

    def __init__(self, size: Callable[[], tuple[int, int]], ratio: Callable[[], float]) -> None:
        self.shown: Shown | None = None
        self.aspect = Fraction(1)
        """Width ÷ height of a pixel of the picture."""
        self.wanted = MODES[0]
        self.zoom = Zoom()
        self.edge = 0.5
        """Of a wipe: share of what is seen that is left of it."""
        self._size, self._ratio = size, ratio
        self._key: object = None
        self._laid = Laid(MODES[0], Zoom(), Shape(1, 1), (), None)

    @property
    def mode(self) -> ViewMode:
        """That is wanted, or the first one where the shot has not what it needs."""
        return mode_for(self.wanted, self.shown) if self.shown is not None else self.wanted

    def shape(self) -> Shape:
        if self.shown is None:
            return Shape(1, 1)
        picture = self.shown.shot.frame.picture
        return Shape(picture.width, picture.height, self.aspect)

    def rooms(self) -> tuple[Box, ...]:
        """Where pictures may be, one for each that is not in the place of another."""
        width, height = self._size()
        if self.mode.split is not Split.SIDE:
            return (Box(0, 0, width, height),)
        half = max(1, (width - round(_SIDE_GAP * self._ratio())) // 2)
        return Box(0, 0, half, height), Box(width - half, 0, half, height)

    def laid(self) -> Laid:
        """Worked out anew only where something has changed."""
        key = (self.asked(), self._size(), self._ratio())
        if self._key != key:
            self._key = key
            self._laid = Laid(self.mode, self.zoom, self.shape(), self._halves(), self._edge_x())
        return self._laid

    def asked(self) -> tuple[object, ...]:
        """All that `laid` goes by but the view itself; quick to compare."""
        picture = self.shown.shot.frame.picture if self.shown is not None else None
        size = (picture.width, picture.height) if picture is not None else ()
        return self.mode, size, self.aspect, self.zoom, self.edge

    def halves(self) -> tuple[Half, ...]:
        """What is painted, from left to right."""
        return self.laid().halves

    def _halves(self) -> tuple[Half, ...]:
        shape, rooms, contents = self.shape(), self.rooms(), contents_of(self.mode)
        boxes = [self.zoom.box(shape, room) for room in rooms]
        if self.mode.split is not Split.WIPE:
            return tuple(
                Half(content, room, box.cut(room), box)
                for content, room, box in zip(contents, rooms, boxes, strict=False)
            )
        (room,), (box,) = rooms, boxes
        seen = box.cut(room)
        left = round(self.edge * seen.width)
        return (
            Half(contents[0], room, seen._replace(width=left), box),
            Half(contents[1], room, seen._replace(left=seen.left + left, width=seen.width - left), box),
        )

    def wiped(self) -> Box | None:
        """What is seen of the picture whose halves have an edge between them; None without one."""
        if self.shown is None or self.mode.split is not Split.WIPE:
            return None
        (room,) = self.rooms()
        return self.zoom.box(self.shape(), room).cut(room)

    def edge_x(self) -> int | None:
        """Of a wipe; None without one."""
        return self.laid().edge

    def _edge_x(self) -> int | None:
        seen = self.wiped()
        return seen.left + round(self.edge * seen.width) if seen is not None and seen.width else None

    def factor(self) -> float:
        """How much larger than fitted."""
        return self.zoom.factor(self.shape(), self.rooms()[0])

    def can_move(self) -> bool:
        """Whether there is more of the picture than is seen."""
        half = self.halves()[0]
        return self.zoom.scale is not None and (
            half.picture.width > half.room.width or half.picture.height > half.room.height
        )

    def zoomed_by(self, steps: float, at: Point | None) -> Zoom:
        """By notches of a wheel; what is at a point stays there."""
        return self.zoom.by_steps(steps, self.shape(), self._room_at(at), at)

    def zoomed_to(self, scale: float, at: Point | None) -> Zoom:
        return self.zoom.to(scale, self.shape(), self._room_at(at), at)

    def moved(self, dx: float, dy: float) -> Zoom:
        return self.zoom.moved(dx, dy, self.shape(), self.rooms()[0])

    def moved_by_keys(self, right: int, down: int) -> Zoom:
        return self.zoom.by_keys(right, down, self.shape(), self.rooms()[0])

    def _room_at(self, at: Point | None) -> Box:
        rooms = self.rooms()
        return next((room for room in rooms if at is not None and room.holds(*at)), rooms[0])
