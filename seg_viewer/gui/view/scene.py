"""What layers are, and what they are given to paint with."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar, cast

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QFont, QImage, QPainter

from seg_viewer.core.frame import ByteArray
from seg_viewer.core.overlay import OverlayStyle
from seg_viewer.gui.view.zoom import Box, Shape, Zoom
from seg_viewer.gui.words import t
from seg_viewer.player.showing import Painter, Rect, Shown

WHOLE: Rect = (0.0, 0.0, 1.0, 1.0)
_KEPT = 6  # images of one shot
_T = TypeVar("_T")


class Place(StrEnum):
    """Where a layer is painted."""

    CONTENT = "content"
    """In the halves whose content names it."""
    EACH = "each"
    """In every half, over its content."""
    OVER = "over"
    """Once, over everything."""


class Split(StrEnum):
    """How two contents share the view."""

    NONE = "none"
    WIPE = "wipe"
    """In the same place, with an edge that is dragged."""
    SIDE = "side"
    """Beside each other."""


@dataclass(frozen=True)
class Layer:
    """Something that is painted.

    Args:
        id: name in code.
        title: as in the menu; "" for what is no choice of a person.
        paint: does it; None where a part of the window brings it (`VideoView.set_painter`).
        place: where.
        keys: that switch it on and off.
        needs: what a shot must have, see `NEEDS`; "" for nothing.
        tip: one sentence.
        on: at first.
        icon: of its menu entry, or "".
    """

    id: str
    title: str
    paint: LayerPaint | None
    place: Place = Place.CONTENT
    keys: tuple[str, ...] = ()
    needs: str = ""
    tip: str = ""
    on: bool = True
    icon: str = ""


@dataclass(frozen=True)
class Content:
    """What one half of the view shows: layers from back to front.

    Args:
        id: name in code.
        title: as on the picture where there are two; "" for the name of the model whose map it shows.
        layers: ids.
        map: which class map of the shot it shows, and the value under the pointer is read from.
    """

    id: str
    title: str
    layers: tuple[str, ...]
    map: int = 0


@dataclass(frozen=True)
class ViewMode:
    """A way to look at a shot.

    Args:
        id: name in code and in the settings.
        title: as in the menu.
        tip: one sentence.
        keys: that choose it.
        contents: ids of one content, or of those on the left and on the right.
        split: how two of them share the view.
        needs: what a shot must have, see `NEEDS`; where it has not, the contents are those of the first mode.
    """

    id: str
    title: str
    tip: str
    contents: tuple[str, ...]
    split: Split = Split.NONE
    keys: tuple[str, ...] = ()
    needs: str = ""


NEEDS: Mapping[str, Callable[[Shown], bool]] = {
    "": lambda shown: True,
    "truth": lambda shown: shown.truth is not None,
    "second map": lambda shown: len(shown.shot.maps) > 1,
    "margin": lambda shown: shown.shot.maps[0].margin is not None,
}
"""What layers and modes may need of a shot."""

MISSING: Mapping[str, str] = {
    "truth": "This source brings no ground truth: nothing to mark",
    "second map": "One model runs: choose a second one under Model › Compare with",
    "margin": "This model does not say how sure it is; one that does is exported by seg-trainer, or see 'seg-trainer"
    " add-margin'",
}
"""What a person is told where a shot has not what they ask for."""


@dataclass(frozen=True)
class Half:
    """A part of the view and what is in it; there may be only one.

    Args:
        content: what.
        room: of the picture when it is fitted.
        seen: the part of the picture that is painted.
        picture: where the whole picture is.
    """

    content: Content
    room: Box
    seen: Box
    picture: Box


class Images:
    """The pictures of one shot as Qt wants them, made when they are first painted, and kept until the next."""

    def __init__(self, painter: Painter) -> None:
        self._painter = painter
        self._shown: Shown | None = None
        self._kept: OrderedDict[object, tuple[QImage, ByteArray]] = OrderedDict()  # the images borrow this memory

    def take(self, shown: Shown | None) -> None:
        self._shown = shown
        self._kept.clear()

    def get(self, key: object, make: Callable[[Shown], ByteArray], *, opaque: bool = False) -> QImage:
        """An image of the present shot.

        Args:
            key: under which it is kept.
            make: gives shape (h, w, 4), uint8, blue-green-red-alpha, premultiplied; cheap, for it runs in the window's
                thread.
            opaque: alpha is not looked at.
        """
        if key not in self._kept:
            if self._shown is None:
                raise ValueError("there is no shot to make an image of")
            pixels = make(self._shown)
            height, width = pixels.shape[:2]
            as_qt = QImage.Format.Format_RGB32 if opaque else QImage.Format.Format_ARGB32_Premultiplied
            self._kept[key] = (QImage(pixels.data, width, height, 4 * width, as_qt), pixels)
            if len(self._kept) > _KEPT:  # as while the style changes and the picture stands still
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key][0]

    def picture(self) -> QImage:
        return self.get("picture", lambda shown: shown.pixels, opaque=True)

    def mask(self, index: int, style: OverlayStyle) -> QImage:
        """The colours of a class map. They come with the shot, unless the style has changed since it was made."""

        def make(shown: Shown) -> ByteArray:
            mask = shown.masks[index]
            if mask.bgra is not None and mask.style == style:
                return mask.bgra
            return self._painter.overlay(mask.labels, style).mask_bgra(mask.ids)

        return self.get(("mask", index, style), make)

    def colored(self, index: int, style: OverlayStyle) -> Rect:
        """Left, top, width, height of what is not transparent in `mask`, as shares of the picture."""
        mask = self._shown.masks[index] if self._shown is not None else None
        return mask.colored if mask is not None and mask.style == style else WHOLE


@dataclass(frozen=True)
class Scene:
    """What a layer paints with; the painter counts in logical pixels of the view.

    Args:
        shown: the shot.
        images: of it.
        style: in which classes are painted; None while no model is known.
        half: that is painted; the first one, for layers over everything.
        halves: all.
        mode: how they share the view.
        zoom: of the picture.
        shape: of the picture.
        edge: of a wipe, device pixels from the left; None where there is none.
        pointer: device pixels, on a picture; None elsewhere.
        ratio: device pixels for a logical one.
        size: of the view, logical pixels.
        font: of the view.
        numbers: further lines of the on-picture display.
        lost: why the picture is no longer what is now; "" while it is.
        models: names of the models that the class maps are from.
        ceiling: above it messages cover the picture, logical pixels from the top.
        floor: below it something covers the picture, logical pixels from the top.
        hasty: pictures of the right size are on their way; until then, quick is better than smooth.
        still: what layers have worked out, by their names, for the pictures that come in the same place, see `once`.
    """

    shown: Shown
    images: Images
    style: OverlayStyle | None
    half: Half
    halves: tuple[Half, ...]
    mode: ViewMode
    zoom: Zoom
    shape: Shape
    edge: int | None
    pointer: tuple[float, float] | None
    ratio: float
    size: tuple[int, int]
    font: QFont
    numbers: tuple[str, ...] = ()
    lost: str = ""
    models: tuple[str, ...] = ()
    ceiling: float = 0.0
    floor: float = math.inf
    hasty: bool = False
    still: dict[str, object] = field(default_factory=dict, compare=False)

    def title(self, content: Content) -> str:
        """As on the picture where there are two."""
        named = self.models[content.map : content.map + 1]
        return t(content.title) or (named[0] if named else t("model {number}", number=content.map + 1))

    def at(self, half: Half) -> Scene:
        """The same in another half."""
        return self if half is self.half else self.but(half=half)

    def but(self, **changes: object) -> Scene:
        """As `dataclasses.replace`, which gives every field anew: that takes longer than a layer of many pictures."""
        other = object.__new__(Scene)
        other.__dict__.update(self.__dict__, **changes)
        return other

    def once(self, name: str, make: Callable[[Scene], _T]) -> _T:
        """What does not depend on the shot, the pointer, the numbers: made with the first picture in its place.

        Args:
            name: one for each `make`.
            make: is given this scene.
        """
        if name not in self.still:
            self.still[name] = make(self)
        return cast(_T, self.still[name])

    def seen_of_all(self) -> QRectF:
        """What is painted of all halves and of what is between them, logical pixels."""
        return self.once("seen-of-all", _seen_of_all)

    def is_filled(self) -> bool:
        """Whether there is nothing around the picture, nor between two."""
        return self.mode.split is not Split.SIDE and self.seen_of_all().contains(QRectF(0, 0, *self.size))

    def logical(self, box: Box) -> QRectF:
        """A box of device pixels in logical ones."""
        return QRectF(*(value / self.ratio for value in box))

    def draw(self, painter: QPainter, image: QImage, part: Rect = WHOLE, *, blocks: bool = False) -> None:
        """Stretch an image of the whole picture over it; only what is seen of it is touched.

        Args:
            painter: of the view.
            image: of any size.
            part: that is not transparent: left, top, width, height, as shares of the picture.
            blocks: show its pixels as they are, also where the picture is shown smoothly.
        """
        box = self.half.picture
        seen = self.half.seen.cut(_scaled(part, box))
        if not (seen.width and seen.height):
            return
        fits = (image.width(), image.height()) == (box.width, box.height)
        if fits and self.ratio == 1:
            painter.drawImage(seen.left, seen.top, image, seen.left - box.left, seen.top - box.top, *seen[2:])
            return
        painter.save()
        # in device pixels an image of the right size is copied, where Qt would otherwise scale it twice
        painter.scale(1 / self.ratio, 1 / self.ratio)
        painter.setClipRect(QRectF(*seen))
        if fits:
            painter.drawImage(seen.left, seen.top, image, seen.left - box.left, seen.top - box.top, *seen[2:])
        else:
            painter.setRenderHint(
                QPainter.RenderHint.SmoothPixmapTransform, not (blocks or self.hasty or self.zoom.is_blocks())
            )
            pixels, place = _part(image, box, seen)
            painter.drawImage(place, image, pixels)
        painter.restore()

    def draw_together(self, painter: QPainter, picture: QImage, mask: QImage) -> None:
        """As `draw` of both, in blocks, one over the other before they are enlarged; they have the same size."""
        box, seen = self.half.picture, self.half.seen
        if not (seen.width and seen.height):
            return
        pixels, place = _part(picture, box, seen)
        both = picture.copy(pixels.toRect())
        small = QPainter(both)
        try:
            small.drawImage(QPointF(0, 0), mask, pixels)
        finally:
            small.end()
        painter.save()
        painter.scale(1 / self.ratio, 1 / self.ratio)
        painter.setClipRect(QRectF(*seen))
        painter.drawImage(place, both)
        painter.restore()


def _seen_of_all(scene: Scene) -> QRectF:
    first = scene.logical(scene.halves[0].seen)
    return first if len(scene.halves) == 1 else first.united(scene.logical(scene.halves[-1].seen))


def _scaled(part: Rect, box: Box) -> Box:
    """A part of the picture where the picture is, rounded outwards."""
    left, top = math.floor(part[0] * box.width), math.floor(part[1] * box.height)
    right, bottom = math.ceil((part[0] + part[2]) * box.width), math.ceil((part[1] + part[3]) * box.height)
    return Box(box.left + left, box.top + top, right - left, bottom - top)


def _part(image: QImage, box: Box, seen: Box) -> tuple[QRectF, QRectF]:
    """Whole pixels of an image that cover what is seen, with one around them for smoothing, and where they go."""
    across, down = box.width / image.width(), box.height / image.height()
    left = max(0, math.floor((seen.left - box.left) / across) - 1)
    top = max(0, math.floor((seen.top - box.top) / down) - 1)
    right = min(image.width(), math.ceil((seen.left + seen.width - box.left) / across) + 1)
    bottom = min(image.height(), math.ceil((seen.top + seen.height - box.top) / down) + 1)
    place = QRectF(box.left + left * across, box.top + top * down, (right - left) * across, (bottom - top) * down)
    return QRectF(left, top, right - left, bottom - top), place


LayerPaint = Callable[[QPainter, Scene], None]
"""Paints a layer, and leaves the painter with the pen, brush, font, clip and place that it had: saving them around
each layer takes longer than most layers. In `Place.EACH` that is done."""
