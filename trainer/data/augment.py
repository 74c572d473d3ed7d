"""Augmentation of picture and mask together: one warp, what is laid and drawn over it, then how it looks."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.labels import IGNORE_ID
from trainer.data.drawn_in import box, draw_paint, draw_shade
from trainer.data.looks import blank, change_look, repaint
from trainer.data.own_car import draw_own_car
from trainer.recipe import Augment

LARGEST_DONATION = 0.4
"""Share of a crop that objects laid over it may cover."""


@dataclass(frozen=True)
class View:
    """What a training picture is cut to.

    Args:
        crop: (width, height) of the crop in pixels.
        frame: (width, height) that the exported model sees; every picture is first stretched to it.
        mask_stride: the mask comes out at 1 / mask_stride of the crop.
        background: mask id of an own bonnet that is drawn and of blank pictures; None: they are ignored.
        road: mask ids of what is painted on.
        things: mask ids of what stands in shade.
    """

    crop: tuple[int, int]
    frame: tuple[int, int]
    mask_stride: int = 1
    background: int | None = None
    road: tuple[int, ...] = ()
    things: tuple[int, ...] = ()


@dataclass(frozen=True)
class Donor:
    """A pair whose objects are laid over another.

    Args:
        picture: (H, W, 3) uint8 RGB.
        mask: (H, W) uint8 ids.
        points: (n, 2) of x, y pixels of those objects.
        ids: (256,) bool: mask ids that are laid over.
    """

    picture: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    points: NDArray[np.integer]
    ids: NDArray[np.bool_]


def warp_matrix(
    rng: np.random.Generator,
    view: View,
    augment: Augment,
    size: tuple[int, int],
    points: NDArray[np.integer] | None = None,
) -> NDArray[np.float64]:
    """Random affine map from crop to source, in continuous coordinates (pixel i covers i…i+1).

    Args:
        size: (width, height) of the source picture.
        points: (n, 2) of x, y source pixels worth looking at, or None.

    Returns:
        (2, 3) float64: source = M · (x, y, 1) of the crop.
    """
    (crop_w, crop_h), (frame_w, frame_h), (source_w, source_h) = view.crop, view.frame, size
    zoom = math.exp(rng.uniform(*np.log(augment.zoom)))
    aspect = math.exp(rng.uniform(*np.log(augment.aspect)) / 2)
    scale_x = frame_w / source_w * zoom * aspect
    scale_y = frame_h / source_h * zoom / aspect
    flip = -1.0 if rng.random() < augment.flip else 1.0
    angle = math.radians(rng.uniform(-augment.rotate, augment.rotate))
    cos, sin = math.cos(angle), math.sin(angle)
    # crop = S · R · (source − centre) + crop centre, turned round to give the source of each crop pixel
    linear = np.array([[flip * cos / scale_x, -sin / scale_x], [flip * sin / scale_y, cos / scale_y]])
    view_w, view_h = crop_w / scale_x, crop_h / scale_y
    if points is not None and len(points) and rng.random() < augment.focus:
        x, y = points[rng.integers(len(points))]
        centre = np.array([x + rng.uniform(-0.35, 0.35) * view_w, y + rng.uniform(-0.35, 0.35) * view_h])
    else:
        centre = np.array([rng.uniform(0, source_w), rng.uniform(0, source_h)])
    # a crop as large as the picture sits in its middle; a smaller one stays inside
    for axis, (seen, full) in enumerate(((view_w, source_w), (view_h, source_h))):
        margin = min(seen, full) / 2
        centre[axis] = np.clip(centre[axis], margin, full - margin)
        if seen > full:
            centre[axis] = full / 2 + rng.uniform(-0.5, 0.5) * (seen - full)
    shift = centre - linear @ np.array([crop_w / 2, crop_h / 2])
    return np.hstack([linear, shift[:, None]])


def _pixel_matrix(matrix: NDArray[np.float64], stride: int) -> NDArray[np.float64]:
    """The same map between pixel indices (centres at integers), for an output at 1 / stride."""
    linear = matrix[:, :2] * stride
    shift = matrix[:, 2] + linear @ np.array([0.5, 0.5]) - 0.5
    return np.hstack([linear, shift[:, None]])


def plain_matrix(view: View, size: tuple[int, int]) -> NDArray[np.float64]:
    """The map of a picture stretched to the frame, its middle cut to the crop; nothing random."""
    (crop_w, crop_h), (frame_w, frame_h), (source_w, source_h) = view.crop, view.frame, size
    linear = np.diag([source_w / frame_w, source_h / frame_h])
    shift = np.array([source_w / 2, source_h / 2]) - linear @ np.array([crop_w / 2, crop_h / 2])
    return np.hstack([linear, shift[:, None]])


def crop_pair(
    rng: np.random.Generator,
    view: View,
    augment: Augment,
    picture: NDArray[np.uint8],
    mask: NDArray[np.uint8],
    points: NDArray[np.integer] | None = None,
    donor: Donor | None = None,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """One random crop of a pair; the mask is sampled by nearest neighbour, so it only holds ids that were in it or 255.

    Args:
        picture: (H, W, 3) uint8 RGB.
        mask: (H, W) uint8 class ids.
        points: see `warp_matrix`.
        donor: what is laid over it, if anything.

    Returns:
        Picture (crop height, crop width, 3) uint8 and mask (crop height, crop width) / mask_stride, uint8; outside
        of the source the picture is mirrored and the mask 255.
    """
    out, out_mask = _cut(rng, view, augment, picture, mask, points)
    if not augment.augment:
        return out, out_mask
    background = IGNORE_ID if view.background is None else view.background
    if rng.random() < augment.blank:
        return blank(rng, out), np.full_like(out_mask, background)
    if rng.random() < augment.paint:
        out = draw_paint(rng, out, _where(out_mask, view.road, out))
    if donor is not None:
        near = dataclasses.replace(augment, focus=1.0)
        other, other_mask = _cut(rng, view, near, donor.picture, donor.mask, donor.points)
        _lay_over(out, out_mask, other, other_mask, donor.ids, lambda part: repaint(rng, augment, part))
    if rng.random() < augment.shade:
        out = draw_shade(rng, out, _where(out_mask, view.things, out))
    if rng.random() < augment.bonnet:
        out, covered = draw_own_car(rng, out)
        smaller = cv2.resize(covered, out_mask.shape[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
        out_mask[smaller > 0] = background
    return change_look(rng, augment, out), out_mask


def _where(mask: NDArray[np.uint8], ids: tuple[int, ...], picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W) uint8 of the picture's size: 1 where the mask has one of the ids."""
    table = np.zeros(256, np.uint8)
    table[list(ids)] = 1
    return cv2.resize(cv2.LUT(mask, table), picture.shape[1::-1], interpolation=cv2.INTER_NEAREST)


def _cut(
    rng: np.random.Generator,
    view: View,
    augment: Augment,
    picture: NDArray[np.uint8],
    mask: NDArray[np.uint8],
    points: NDArray[np.integer] | None,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The random warp of `crop_pair` alone."""
    height, width = mask.shape
    if augment.augment:
        matrix = warp_matrix(rng, view, augment, (width, height), points)
    else:
        matrix = plain_matrix(view, (width, height))
    crop_w, crop_h = view.crop
    inverse = cv2.WARP_INVERSE_MAP
    out = cv2.warpAffine(
        picture,
        _pixel_matrix(matrix, 1),
        (crop_w, crop_h),
        flags=cv2.INTER_LINEAR | inverse,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    out_mask = cv2.warpAffine(
        mask,
        _pixel_matrix(matrix, view.mask_stride),
        (crop_w // view.mask_stride, crop_h // view.mask_stride),
        flags=cv2.INTER_NEAREST | inverse,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=IGNORE_ID,
    )
    return out, out_mask


def _lay_over(
    picture: NDArray[np.uint8],
    mask: NDArray[np.uint8],
    other: NDArray[np.uint8],
    other_mask: NDArray[np.uint8],
    ids: NDArray[np.bool_],
    paint: Callable[[NDArray[np.uint8]], NDArray[np.uint8]],
) -> None:
    """Copy what has one of the mask ids `ids` (256,) from one crop to another, in place; a large piece not at all.

    As in copy-paste augmentation (Ghiasi et al., 2021), its edge softened. `paint` changes what is copied, pixel by
    pixel, and is called once, because it draws.
    """
    chosen = ids[other_mask]
    if not 0 < chosen.mean() <= LARGEST_DONATION:
        paint(other[:1, :1])
        return
    mask[chosen] = other_mask[chosen]
    share = cv2.resize(chosen.astype(np.float32), picture.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    at = box((share > 0).view(np.uint8))
    share = share[at][:, :, None]
    picture[at] = picture[at] * (1 - share) + paint(other[at]) * share + np.float32(0.5)
