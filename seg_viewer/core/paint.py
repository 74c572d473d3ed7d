"""Class maps as pictures of their own: colours on black, ids, colours with alpha; side by side; words in a picture."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from seg_viewer.core import hatching
from seg_viewer.core.colour import rgb_to_yuv
from seg_viewer.core.frame import ByteArray, Shot, Size, YuvPlanes
from seg_viewer.core.labels import LabelSet
from seg_viewer.core.overlay import OverlayStyle, border
from seg_viewer.core.scaling import nearest
from seg_viewer.core.smooth import enlarged

DIVIDER = 4
"""Columns between two pictures side by side; even, so that chroma falls in with it."""

_BOX = 0.65  # how far the box behind words darkens the picture
_ROWS_A_PICTURE = 26  # lines of text that a picture has room for: words grow with it
_LEAST_ROW = 16  # pixels
_SMALLEST_ROW = 8  # where there is no room for more; smaller words cannot be read


class MaskPainter:
    """Paints class maps without their picture. Classes that the style does not show are black, or transparent.

    Args:
        labels: the classes of the maps.
        style: which are shown, how opaque, with an outline or without.
        matrix: colour matrix of YUV: "bt601", "bt709" or "bt2020".
        full_range: luma of YUV spans 0…255.
    """

    def __init__(
        self,
        labels: LabelSet,
        style: OverlayStyle | None = None,
        *,
        matrix: str = "bt709",
        full_range: bool = False,
    ) -> None:
        self.style = style or OverlayStyle()
        self._shown = self.style.shown(labels)
        self._matrix, self._full_range = matrix, full_range
        self._yuv = np.empty((256, 3), np.uint8)
        black = rgb_to_yuv((0, 0, 0), matrix, full_range)
        self._yuv[:] = black
        self._rgba = np.zeros((256, 4), np.uint8)
        for label in self._shown:
            self._yuv[label.id] = rgb_to_yuv(label.color, matrix, full_range)
            self._rgba[label.id] = (*label.color, round(255 * self.style.opacities[-1]))
        # shown classes counted from 1, and their colours: 0 is nothing
        self._counted = np.zeros(256, np.uint8)
        self._counted_yuv = [np.full(256, value, np.uint8) for value in black]
        for number, label in enumerate(self._shown, 1):
            self._counted[label.id] = number
            for table, value in zip(self._counted_yuv, self._yuv[label.id], strict=True):
                table[number] = value

    def mask_yuv(self, classes: ByteArray, size: Size) -> YuvPlanes:
        """Flat colours on black, never hatched, in blocks of 2×2 pixels: each has exactly the colour of its class.

        Args:
            classes: shape (h, w), uint8; stretched by nearest neighbour.
            size: of the picture to make.
        """
        half = _half(classes, size)
        y, u, v = (cv2.LUT(half, np.ascontiguousarray(self._yuv[:, part])) for part in range(3))
        return YuvPlanes(_doubled(np.asarray(y), size), np.asarray(u), np.asarray(v), self._matrix, self._full_range)

    def overlay_rgba(self, classes: ByteArray, size: Size) -> ByteArray:
        """What the overlay adds to the picture, for formats with full chroma (ProRes 4444).

        Args:
            classes: shape (h, w), uint8; stretched as the style says.
            size: of the picture to make.

        Returns:
            shape (H, W, 4), uint8, red-green-blue-alpha; straight alpha: colours are not multiplied by it.
        """
        stretched = enlarged(classes, size.width, size.height, smooth=self.style.smooth)
        rgba: ByteArray = self._rgba.view(np.uint32).ravel()[stretched].view(np.uint8).reshape(*stretched.shape, 4)
        self._stripe(rgba[:, :, 3], stretched)
        if self.style.outline:
            for label in self._shown:
                mask = np.equal(stretched, label.id).view(np.uint8)
                rgba[border(mask, size.width)] = (*label.color, 255)
        return rgba

    def overlay_yuva(self, classes: ByteArray, size: Size) -> tuple[YuvPlanes, ByteArray]:
        """The same with half chroma (VP9 with alpha), in blocks of 2×2 pixels.

        Just outside a class, where all is transparent, its colour goes on rather than black, so that a codec which
        mixes neighbouring chroma does not darken the edge.

        Returns:
            planes, and straight alpha, shape (H, W), uint8.
        """
        half = _half(classes, size, smooth=self.style.smooth)
        alpha = np.asarray(cv2.LUT(half, np.ascontiguousarray(self._rgba[:, 3])), np.uint8)
        self._stripe(alpha, half)
        if self.style.outline:
            for label in self._shown:
                alpha[border(np.equal(half, label.id).view(np.uint8), half.shape[1])] = 255
        inside = cv2.LUT(half, self._counted)
        around = cv2.dilate(inside, np.ones((3, 3), np.uint8))
        cv2.copyTo(inside, inside, around)
        planes = [np.asarray(cv2.LUT(around, table), np.uint8) for table in self._counted_yuv]
        made = YuvPlanes(_doubled(planes[0], size), planes[1], planes[2], self._matrix, self._full_range)
        return made, _doubled(alpha, size)

    def _stripe(self, alpha: ByteArray, classes: ByteArray) -> None:
        """Hatch in place, where the style wants it; both of shape (h, w)."""
        if not self.style.hatched:
            return
        stripes = hatching.stripes(*classes.shape)
        for label in self._shown:
            on, _between = hatching.split(np.equal(classes, label.id).view(np.uint8), stripes, label.id)
            alpha[on.astype(np.bool_)] = round(255 * self.style.opacities[0])


def ids_gray(classes: ByteArray, size: Size) -> ByteArray:
    """The class ids at the size of the picture, by nearest neighbour, shape (H, W), uint8; nothing is left out."""
    return np.ascontiguousarray(nearest(classes, size.width, size.height))


def side_by_side(left: YuvPlanes, right: YuvPlanes) -> YuvPlanes:
    """Two pictures of one size beside each other, with a light line of `DIVIDER` columns between them.

    An odd width is made even by repeating the last column, of each; the result is 2 × width + DIVIDER wide.

    Raises:
        ValueError: they differ in size, matrix or range.
    """
    if left.y.shape != right.y.shape or (left.matrix, left.full_range) != (right.matrix, right.full_range):
        raise ValueError(f"pictures of {left.y.shape} and {right.y.shape} cannot stand side by side")
    luma, *_chroma = rgb_to_yuv((200, 200, 200), left.matrix, left.full_range)
    height = left.y.shape[0]
    line = np.full((height, DIVIDER), luma, np.uint8)
    grey = np.full((left.u.shape[0], DIVIDER // 2), 128, np.uint8)
    odd = left.y.shape[1] % 2
    luma_left, luma_right = (np.pad(side.y, ((0, 0), (0, odd)), mode="edge") for side in (left, right))
    return YuvPlanes(
        np.hstack([luma_left, line, luma_right]),
        np.hstack([left.u, grey, right.u]),
        np.hstack([left.v, grey, right.v]),
        left.matrix,
        left.full_range,
    )


def stats_lines(shot: Shot, style: OverlayStyle | None = None) -> list[str]:
    """What `draw_text` burns in: the time, then each shown class with its share and, if countable, its number."""
    minutes, seconds = divmod(round(shot.frame.time_s * 100), 6000)
    lines = [f"{minutes // 60}:{minutes % 60:02}:{seconds // 100:02}.{seconds % 100:02}"]
    for label in (style or OverlayStyle()).shown(shot.labels):
        count = shot.stats.counts.get(label.name)
        lines.append(f"{label.name} {100 * shot.stats.shares[label.name]:.1f} %" + (f"  ({count})" if count else ""))
    return lines


def draw_text(planes: YuvPlanes, lines: Sequence[str]) -> bool:
    """Write lines into the upper left corner, light on a darkened box, in place; sizes follow the picture's height.

    Words that do not fit are made smaller. Pixels outside the box keep every bit.

    Returns:
        whether they were written: False where the picture is too small for words.
    """
    height, width = planes.y.shape
    row = max(_LEAST_ROW, height // _ROWS_A_PICTURE)
    margin = (row // 2 + 1) & ~1
    row = min(row, (height - 3 * margin) // max(1, len(lines)))
    thickness = max(1, row // 20)
    widest = max((_text_width(line, 1.0, thickness) for line in lines), default=0)
    if not widest:
        return False
    scale = min(row / 32, (width - 4 * margin) / widest)
    row = min(row, round(scale * 32) + 2)
    if row < _SMALLEST_ROW:
        return False
    box_width = max(_text_width(line, scale, thickness) for line in lines) + 2 * margin
    box = (slice(margin, margin + _even(row * len(lines) + margin)), slice(margin, margin + _even(box_width)))
    _darken(planes, box)
    black, white = (rgb_to_yuv(color, planes.matrix, planes.full_range)[0] for color in ((0,) * 3, (255,) * 3))
    letters = np.zeros(planes.y[box].shape, np.uint8)
    for number, line in enumerate(lines):
        base = margin // 2 + row * (number + 1) - row // 4
        cv2.putText(letters, line, (margin, base), cv2.FONT_HERSHEY_SIMPLEX, scale, 255, thickness, cv2.LINE_AA)
    inside = planes.y[box].astype(np.float32)
    share = letters.astype(np.float32) / 255
    planes.y[box] = np.clip(np.rint(inside + share * (white - inside)), black, white).astype(np.uint8)
    return True


def _darken(planes: YuvPlanes, box: tuple[slice, slice]) -> None:
    black = rgb_to_yuv((0, 0, 0), planes.matrix, planes.full_range)[0]
    steps = np.arange(256, dtype=np.float32)
    half = tuple(slice(side.start // 2, (side.stop + 1) // 2) for side in box)
    for plane, part, to in ((planes.y, box, black), (planes.u, half, 128), (planes.v, half, 128)):
        table = np.rint(steps + _BOX * (to - steps)).astype(np.uint8)
        plane[part] = table[plane[part]]


def _even(length: int) -> int:
    return length + length % 2


def _text_width(line: str, scale: float, thickness: int) -> int:
    (width, _height), _base = cv2.getTextSize(line, cv2.FONT_HERSHEY_SIMPLEX, scale, thickness)
    return int(width)


def _half(classes: ByteArray, size: Size, *, smooth: bool = False) -> ByteArray:
    return enlarged(classes, (size.width + 1) // 2, (size.height + 1) // 2, smooth=smooth)


def _doubled(plane: ByteArray, size: Size) -> ByteArray:
    """Each pixel as a block of 2×2, cut to the size."""
    big = nearest(plane, 2 * plane.shape[1], 2 * plane.shape[0])
    return np.ascontiguousarray(big[: size.height, : size.width])
