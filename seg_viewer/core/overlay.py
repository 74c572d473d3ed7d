"""Colours a class map onto its picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from seg_viewer.core import hatching
from seg_viewer.core.colour import rgb_to_yuv
from seg_viewer.core.frame import ByteArray, YuvPlanes
from seg_viewer.core.labels import Label, LabelSet
from seg_viewer.core.palette import CLASSIC, PALETTES, RGB
from seg_viewer.core.smooth import enlarged

ERROR_COLOR = (255, 0, 220)
"""Of pixels that differ from the ground truth, RGB."""


@dataclass(frozen=True)
class OverlayStyle:
    """How classes are shown.

    Args:
        opacity: 0 leaves the picture as it is, 1 paints flat colour.
        hidden: names of classes that are not painted.
        outline: draw the border of each class in full colour.
        hatched: draw each class in stripes, in a direction of its own (`seg_viewer.core.hatching`).
        palette: one of `PALETTES`.
        colors: of single classes, by name; they win over the palette. Names that a model does not have are kept.
        smooth: where a class map grows, borders run smoothly (`seg_viewer.core.smooth`), else along its pixels.

    Raises:
        ValueError: the opacity is outside 0…1, there is no such palette, or a colour is not three values of 0…255.
    """

    opacity: float = 0.45
    hidden: frozenset[str] = frozenset()
    outline: bool = False
    hatched: bool = False
    palette: str = CLASSIC
    colors: Mapping[str, RGB] = field(default_factory=dict, hash=False)
    smooth: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.opacity <= 1:
            raise ValueError(f"opacity {self.opacity} is outside 0…1")
        if self.palette not in PALETTES:
            raise ValueError(f"no palette '{self.palette}'; there are {', '.join(PALETTES)}")
        colors = {name: tuple(color) for name, color in self.colors.items()}
        for name, color in colors.items():
            if len(color) != 3 or any(not 0 <= int(value) <= 255 for value in color):
                raise ValueError(f"colour {color} of class '{name}' is not three values of 0…255")
        object.__setattr__(self, "colors", colors)  # nobody else's to change

    def color_of(self, label: Label) -> RGB:
        """In which a class is painted, (red, green, blue)."""
        return self.colors.get(label.name) or PALETTES[self.palette].color_of(label)

    def colored(self, labels: LabelSet) -> LabelSet:
        """The classes with the colours that they are painted in."""
        return LabelSet([replace(label, color=self.color_of(label)) for label in labels])

    def shown(self, labels: LabelSet) -> tuple[Label, ...]:
        """The classes that are painted, with the colours that they are painted in, in the order of their ids."""
        return tuple(
            replace(label, color=self.color_of(label))
            for label in labels
            if label.painted and label.name not in self.hidden
        )

    @property
    def opacities(self) -> tuple[float, ...]:
        """Of a class's pixels; hatched, of those on its stripes and of those between them."""
        return hatching.opacities(self.opacity) if self.hatched else (self.opacity,)


class Overlay:
    """Paints class maps of any size onto pictures of any size; pixels of other classes keep every bit.

    Args:
        labels: the classes of the maps.
        style: how to show them.
    """

    def __init__(self, labels: LabelSet, style: OverlayStyle | None = None) -> None:
        self.labels = labels
        self.style = style or OverlayStyle()
        self._shown = self.style.shown(labels)
        steps = np.arange(256, dtype=np.float64)
        self._rgb_tables = {
            label.id: [_blend_tables(steps, label.color, alpha) for alpha in self.style.opacities]
            for label in self._shown
        }
        self._yuv_tables: dict[tuple[str, bool], dict[int, list[list[ByteArray]]]] = {}
        self._bgra = np.concatenate([self._premultiplied(alpha) for alpha in reversed(self.style.opacities)])
        self._direction_bits = np.array([1 << hatching.direction_of(each) for each in range(256)], np.uint8)

    def paint_rgb(self, rgb: ByteArray, classes: ByteArray) -> None:
        """Paint in place: round(picture + opacity × (colour − picture)).

        Args:
            rgb: shape (H, W, 3), uint8, RGB, writable.
            classes: shape (h, w), uint8, stretched over the picture as the style says.
        """
        height, width = rgb.shape[:2]
        stretched = enlarged(classes, width, height, smooth=self.style.smooth)
        for label in self._shown:
            region = self._region(classes, label.id, width, height)
            if region is None:
                continue
            mask = _mask(stretched[region], label.id)
            target = rgb[region]
            for table, coat in zip(
                self._rgb_tables[label.id], self._coats(mask, label.id, region, height, width), strict=True
            ):
                _apply(target, table, coat)
            if self.style.outline:
                target[border(mask, width)] = label.color

    def paint_yuv(self, planes: YuvPlanes, classes: ByteArray) -> None:
        """Paint in place, in blocks of 2×2 pixels so that a chroma sample never colours a pixel of another class.

        Args:
            planes: writable planes.
            classes: shape (h, w), uint8, stretched over the picture as the style says.
        """
        width = planes.y.shape[1]
        half = enlarged(classes, planes.u.shape[1], planes.u.shape[0], smooth=self.style.smooth)
        tables = self._tables(planes.matrix, planes.full_range)
        for label in self._shown:
            region = self._region(classes, label.id, half.shape[1], half.shape[0])
            if region is None:
                continue
            rows, columns = region
            big = (slice(2 * rows.start, 2 * rows.stop), slice(2 * columns.start, 2 * columns.stop))
            chroma_mask = _mask(half[region], label.id)
            luma_target = planes.y[big]
            luma_rows, luma_columns = luma_target.shape
            for (luma, blue, red), coat in zip(
                tables[label.id], self._coats(chroma_mask, label.id, region, *half.shape), strict=True
            ):
                _apply(luma_target, luma, _doubled(coat)[:luma_rows, :luma_columns])
                _apply(planes.u[region], blue, coat)
                _apply(planes.v[region], red, coat)
            if self.style.outline:
                edge = border(chroma_mask, width // 2)
                y, u, v = rgb_to_yuv(label.color, planes.matrix, planes.full_range)
                luma_edge = _doubled(edge.view(np.uint8))[:luma_rows, :luma_columns]
                luma_target[luma_edge.view(np.bool_)] = y
                planes.u[region][edge] = u
                planes.v[region][edge] = v

    def mask_bgra(self, classes: ByteArray) -> ByteArray:
        """The colours alone, for a window to draw over the picture.

        Args:
            classes: shape (h, w), uint8.

        Returns:
            shape (h, w, 4), uint8, blue-green-red-alpha, premultiplied by alpha.
        """
        if self.style.hatched:  # the table's second half is for stripes
            stripes = hatching.stripes(*classes.shape) & np.asarray(cv2.LUT(classes, self._direction_bits), np.uint8)
            places = np.multiply(stripes != 0, 256, dtype=np.uint16)
            places += classes
            colors = np.take(self._bgra, places, mode="clip")
        else:
            colors = np.take(self._bgra, classes, mode="clip")  # half the time of an index
        if self.style.outline:
            for label in self._shown:
                red, green, blue = label.color
                edge = border(_mask(classes, label.id), classes.shape[1])
                colors[edge] = np.array([blue, green, red, 255], np.uint8).view(np.uint32)
        return colors.view(np.uint8).reshape(*classes.shape, 4)

    def _coats(
        self, mask: ByteArray, class_id: int, region: tuple[slice, slice], height: int, width: int
    ) -> Sequence[ByteArray]:
        """Which pixels of a class get each of the style's opacities."""
        if not self.style.hatched:
            return (mask,)
        return hatching.split(mask, hatching.stripes(height, width)[region], class_id)

    def _region(self, classes: ByteArray, class_id: int, width: int, height: int) -> tuple[slice, slice] | None:
        """Rows and columns of a (height, width) picture that can hold a class, found in the small map; None if none."""
        left, top, columns, rows = cv2.boundingRect(_mask(classes, class_id))
        if columns == 0:
            return None
        reach = 0.5 if self.style.smooth else 0.0  # pixels of the small map: a smooth border stays between two middles
        return (
            _span(top - reach, top + rows + reach, height / classes.shape[0], height),
            _span(left - reach, left + columns + reach, width / classes.shape[1], width),
        )

    def _premultiplied(self, alpha: float) -> NDArray[np.uint32]:
        table = np.zeros((256, 4), np.uint8)
        for label in self._shown:
            red, green, blue = (round(c * alpha) for c in label.color)
            table[label.id] = (blue, green, red, round(255 * alpha))
        return table.view(np.uint32).reshape(256)

    def _tables(self, matrix: str, full_range: bool) -> dict[int, list[list[ByteArray]]]:
        """By class, then by opacity: tables of the three planes."""
        key = (matrix, full_range)
        if key not in self._yuv_tables:
            steps = np.arange(256, dtype=np.float64)
            self._yuv_tables[key] = {
                label.id: [
                    [_blend(steps, value, alpha) for value in rgb_to_yuv(label.color, matrix, full_range)]
                    for alpha in self.style.opacities
                ]
                for label in self._shown
            }
        return self._yuv_tables[key]


def mark_errors(mask_bgra: ByteArray, wrong: NDArray[np.bool_]) -> None:
    """Colour the pixels that differ from the ground truth, in place.

    Args:
        mask_bgra: as `Overlay.mask_bgra` returns it, shape (h, w, 4).
        wrong: shape (h, w).
    """
    red, green, blue = ERROR_COLOR
    mask_bgra[wrong] = (blue, green, red, 255)


def class_shares(classes: ByteArray, labels: LabelSet) -> dict[str, float]:
    """Share of the picture that each class covers, 0…1, by name. `classes`: shape (h, w), uint8."""
    counts = np.bincount(classes.ravel(), minlength=256)
    return {label.name: float(counts[label.id]) / classes.size for label in labels}


def _blend(steps: NDArray[np.float64], value: int, alpha: float) -> ByteArray:
    return np.rint(steps + alpha * (value - steps)).astype(np.uint8)


def _blend_tables(steps: NDArray[np.float64], color: tuple[int, int, int], alpha: float) -> ByteArray:
    return np.stack([_blend(steps, value, alpha) for value in color], axis=-1)[:, None, :]


def _mask(classes: ByteArray, class_id: int) -> ByteArray:
    """1 where a pixel is of the class, else 0, uint8."""
    return np.equal(classes, class_id).view(np.uint8)


def _doubled(mask: ByteArray) -> ByteArray:
    """Each pixel of a mask as 2×2 pixels; eight times as fast as cv2.resize."""
    rows, columns = mask.shape
    out = np.empty((rows, 2, columns), np.uint16)
    out[:] = (mask.astype(np.uint16) * np.uint16(0x0101))[:, None]  # a pixel beside itself
    return out.view(np.uint8).reshape(2 * rows, 2 * columns)


def _span(start: float, stop: float, scale: float, length: int) -> slice:
    return slice(max(0, int(start * scale) - 1), min(length, int(stop * scale) + 2))


def _apply(plane: ByteArray, table: ByteArray, mask: ByteArray) -> None:
    """Look the masked pixels up in a table, in place (also where `plane` is a window into a larger array)."""
    cv2.copyTo(cv2.LUT(plane, table), mask, plane)


def border(mask: ByteArray, width: int) -> NDArray[np.bool_]:
    """Pixels of a 0/1 mask that touch its outside, thicker on wider pictures."""
    size = 3 + 2 * (width // 1000)
    inner = cv2.erode(mask, np.ones((size, size), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=1)
    return np.asarray(mask > inner, np.bool_)
