"""Colours a class map onto its picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.colour import rgb_to_yuv
from seg_viewer.core.frame import ByteArray, YuvPlanes
from seg_viewer.core.labels import Label, LabelSet
from seg_viewer.core.scaling import nearest

ERROR_COLOR = (255, 0, 220)
"""Of pixels that differ from the ground truth, RGB."""


@dataclass(frozen=True)
class OverlayStyle:
    """How classes are shown.

    Args:
        opacity: 0 leaves the picture as it is, 1 paints flat colour.
        hidden: names of classes that are not painted.
        outline: draw the border of each class in full colour.
    """

    opacity: float = 0.45
    hidden: frozenset[str] = frozenset()
    outline: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.opacity <= 1:
            raise ValueError(f"opacity {self.opacity} is outside 0…1")

    def shown(self, labels: LabelSet) -> tuple[Label, ...]:
        """The classes that are painted, in the order of their ids."""
        return tuple(label for label in labels if label.painted and label.name not in self.hidden)


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
        alpha = self.style.opacity
        steps = np.arange(256, dtype=np.float64)
        self._rgb_tables = {label.id: _blend_tables(steps, label.color, alpha) for label in self._shown}
        self._yuv_tables: dict[tuple[str, bool], dict[int, list[ByteArray]]] = {}
        self._bgra = self._premultiplied()

    def paint_rgb(self, rgb: ByteArray, classes: ByteArray) -> None:
        """Paint in place: round(picture + opacity × (colour − picture)).

        Args:
            rgb: shape (H, W, 3), uint8, RGB, writable.
            classes: shape (h, w), uint8, stretched over the picture by nearest neighbour.
        """
        height, width = rgb.shape[:2]
        stretched = nearest(classes, width, height)
        for label in self._shown:
            region = _region(classes, label.id, width, height)
            if region is None:
                continue
            mask = _mask(stretched[region], label.id)
            target = rgb[region]
            _apply(target, self._rgb_tables[label.id], mask)
            if self.style.outline:
                target[border(mask, width)] = label.color

    def paint_yuv(self, planes: YuvPlanes, classes: ByteArray) -> None:
        """Paint in place, in blocks of 2×2 pixels so that a chroma sample never colours a pixel of another class.

        Args:
            planes: writable planes.
            classes: shape (h, w), uint8, stretched over the picture by nearest neighbour.
        """
        width = planes.y.shape[1]
        half = nearest(classes, planes.u.shape[1], planes.u.shape[0])
        tables = self._tables(planes.matrix, planes.full_range)
        for label in self._shown:
            rows, columns = _region(classes, label.id, half.shape[1], half.shape[0]) or (None, None)
            if rows is None or columns is None:
                continue
            region = (rows, columns)
            big = (slice(2 * rows.start, 2 * rows.stop), slice(2 * columns.start, 2 * columns.stop))
            chroma_mask = _mask(half[region], label.id)
            luma, blue, red = tables[label.id]
            luma_target = planes.y[big]
            luma_rows, luma_columns = luma_target.shape
            _apply(luma_target, luma, _doubled(chroma_mask)[:luma_rows, :luma_columns])
            _apply(planes.u[region], blue, chroma_mask)
            _apply(planes.v[region], red, chroma_mask)
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
        out = self._bgra[classes].view(np.uint8).reshape(*classes.shape, 4)
        if self.style.outline:
            for label in self._shown:
                mask = _mask(classes, label.id)
                red, green, blue = label.color
                out[border(mask, mask.shape[1])] = (blue, green, red, 255)
        return out

    def _premultiplied(self) -> NDArray[np.uint32]:
        table = np.zeros((256, 4), np.uint8)
        for label in self._shown:
            red, green, blue = (round(c * self.style.opacity) for c in label.color)
            table[label.id] = (blue, green, red, round(255 * self.style.opacity))
        return table.view(np.uint32).reshape(256)

    def _tables(self, matrix: str, full_range: bool) -> dict[int, list[ByteArray]]:
        key = (matrix, full_range)
        if key not in self._yuv_tables:
            steps = np.arange(256, dtype=np.float64)
            self._yuv_tables[key] = {
                label.id: [
                    _blend(steps, value, self.style.opacity) for value in rgb_to_yuv(label.color, matrix, full_range)
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


def _region(classes: ByteArray, class_id: int, width: int, height: int) -> tuple[slice, slice] | None:
    """Rows and columns of a (height, width) picture that can hold a class, found in the small map; None if absent."""
    left, top, columns, rows = cv2.boundingRect(_mask(classes, class_id))
    if columns == 0:
        return None
    scale_y, scale_x = height / classes.shape[0], width / classes.shape[1]
    return (
        slice(max(0, int(top * scale_y) - 1), min(height, int((top + rows) * scale_y) + 2)),
        slice(max(0, int(left * scale_x) - 1), min(width, int((left + columns) * scale_x) + 2)),
    )


def _apply(plane: ByteArray, table: ByteArray, mask: ByteArray) -> None:
    """Look the masked pixels up in a table, in place (also where `plane` is a window into a larger array)."""
    cv2.copyTo(cv2.LUT(plane, table), mask, plane)


def border(mask: ByteArray, width: int) -> NDArray[np.bool_]:
    """Pixels of a 0/1 mask that touch its outside, thicker on wider pictures."""
    size = 3 + 2 * (width // 1000)
    inner = cv2.erode(mask, np.ones((size, size), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=1)
    return np.asarray(mask > inner, np.bool_)
