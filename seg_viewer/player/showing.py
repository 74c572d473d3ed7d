"""Makes what a window paints, on the player's threads: the picture and the colours of its classes, at display size."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from fractions import Fraction

from seg_viewer.core.class_map import ClassMap
from seg_viewer.core.frame import ByteArray, Picture, Shot, Size
from seg_viewer.core.labels import LabelSet
from seg_viewer.core.overlay import Overlay, OverlayStyle
from seg_viewer.core.smooth import smooth_ids

_MOST_PIXELS = 1920 * 1088
"""What is larger than its source is made up to this size; the painter enlarges what is left."""
_KEPT_OVERLAYS = 8


@dataclass(frozen=True)
class Wish:
    """How a window wants its pictures.

    Args:
        view_size: room for a picture, (width, height), device pixels.
        zoom: how much larger than fitted into that room; 1 = fitted.
        style: how the classes are coloured; None leaves that to the window.
    """

    view_size: tuple[int, int] = (1280, 720)
    zoom: float = 1.0
    style: OverlayStyle | None = None


@dataclass(frozen=True)
class Mask:
    """A class map as it is painted.

    Args:
        ids: class ids with smooth borders, of the size of the picture as shown, shape (h, w), uint8.
        labels: what the ids mean.
        style: in which `bgra` is coloured; None where there is none.
        bgra: `Overlay.mask_bgra` of `ids`, shape (h, w, 4), uint8, premultiplied; None where nobody has asked for it.
    """

    ids: ByteArray
    labels: LabelSet
    style: OverlayStyle | None = None
    bgra: ByteArray | None = None


@dataclass(frozen=True)
class Shown:
    """A shot with its picture as a window wants it.

    Args:
        shot: frame and class maps.
        pixels: the frame's picture, shape (h, w, 4), uint8, blue-green-red-255.
        truth: what the class map should have been, of its shape, 255 = ignore; None where nobody knows.
        masks: one for each class map of the shot.
    """

    shot: Shot
    pixels: ByteArray
    truth: ByteArray | None = None
    masks: tuple[Mask, ...] = ()


def size_to_show(width: int, height: int, sample_aspect: Fraction, view: tuple[int, int]) -> tuple[int, int]:
    """Largest size in a view, both in device pixels, that keeps the shape of a picture of non-square pixels."""
    shown_width = max(1.0, width * float(sample_aspect))
    scale = min(view[0] / shown_width, view[1] / height)
    return max(1, round(shown_width * scale)), max(1, round(height * scale))


def size_to_make(picture: Picture, sample_aspect: Fraction, wish: Wish) -> Size:
    """Size at which a picture is made for a wish.

    Fitted, it has the very pixels of the screen, so that painting is copying. Zoomed in, it has up to the pixels that
    there are; the painter enlarges the part that is seen.
    """
    width, height = size_to_show(picture.width, picture.height, sample_aspect, wish.view_size)
    if wish.zoom <= 1 and width * height <= _MOST_PIXELS:
        return Size(width, height)
    width, height = round(width * wish.zoom), round(height * wish.zoom)
    return Size(max(1, min(width, picture.width)), max(1, min(height, picture.height)))


class Painter:
    """Makes what is shown; remembers its colour tables. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._overlays: dict[tuple[LabelSet, OverlayStyle], Overlay] = {}

    def make(self, shot: Shot, truth: ByteArray | None, sample_aspect: Fraction, wish: Wish) -> Shown:
        """A shot for a wish."""
        size = size_to_make(shot.frame.picture, sample_aspect, wish)
        pixels = shot.frame.picture.scaled_bgra(size.width, size.height)
        return Shown(shot, pixels, truth, tuple(self._mask(map_, size, wish.style) for map_ in shot.maps))

    def _mask(self, map_: ClassMap, size: Size, style: OverlayStyle | None) -> Mask:
        ids = smooth_ids(map_.ids, size.width, size.height)
        if style is None:
            return Mask(ids, map_.labels)
        return Mask(ids, map_.labels, style, self.overlay(map_.labels, style).mask_bgra(ids))

    def overlay(self, labels: LabelSet, style: OverlayStyle) -> Overlay:
        """What paints classes in a style."""
        key = (labels, style)
        with self._lock:
            if key not in self._overlays:
                if len(self._overlays) >= _KEPT_OVERLAYS:
                    self._overlays.clear()
                self._overlays[key] = Overlay(labels, style)
            return self._overlays[key]
