"""Class maps enlarged with smooth borders; every pixel of the small map keeps its class in its middle."""

from __future__ import annotations

import math

import cv2
import numpy as np

from seg_viewer.core.frame import ByteArray
from seg_viewer.core.scaling import nearest

_BLUR, _SIGMA = (5, 5), 1.2  # in pixels of the class map: how far a border looks for where it comes from
_AROUND = 3  # pixels of the class map beyond which a class has no say
_LEAST, _MOST = np.uint8(136), np.uint8(119)  # of 255, in the middle of a pixel: its own class, any other


def enlarged(classes: ByteArray, width: int, height: int, *, smooth: bool) -> ByteArray:
    """A class map stretched to a size: see `smooth_ids`, or by nearest neighbour; (h, w), uint8, to (height, width)."""
    return smooth_ids(classes, width, height) if smooth else nearest(classes, width, height)


def smooth_ids(classes: ByteArray, width: int, height: int) -> ByteArray:
    """A class map stretched to a size; where it grows, borders run smoothly instead of along the edges of pixels.

    Each class gives a soft mask: 1 inside and 0 outside, blurred, then held so that in the middle of each pixel of the
    class map the class of that pixel leads. The masks are enlarged between neighbours, and the largest wins. So a
    slanted border loses its stairs, no class appears where there is none beside it, and even a single pixel stays.

    Args:
        classes: shape (h, w), uint8.
        width: columns wanted, pixels.
        height: rows wanted, pixels.

    Returns:
        shape (height, width), uint8; by nearest neighbour where it shrinks both ways.
    """
    rows, columns = classes.shape
    if width <= columns and height <= rows:
        return nearest(classes, width, height)
    counts = cv2.calcHist([classes], [0], None, [256], [0, 256])
    present = np.flatnonzero(counts).tolist()
    ids = np.full((height, width), present[0], np.uint8)
    if len(present) == 1:
        return ids
    best = _field(np.equal(classes, present[0]).view(np.uint8), width, height)
    for class_id in present[1:]:
        own = np.equal(classes, class_id).view(np.uint8)
        left, top, wide, high = cv2.boundingRect(own)
        small_x, big_x = _reach(left, left + wide, columns, width)
        small_y, big_y = _reach(top, top + high, rows, height)
        here = (big_y, big_x)
        field = _field(own[small_y, small_x], big_x.stop - big_x.start, big_y.stop - big_y.start)
        wins = cv2.compare(field, best[here], cv2.CMP_GT)
        cv2.copyTo(np.full_like(field, class_id), wins, ids[here])
        cv2.max(field, best[here], best[here])
    return ids


def _reach(start: int, stop: int, small: int, big: int) -> tuple[slice, slice]:
    """Of one axis: what is looked at of the class map for a class from `start` to `stop`, and where that lies in the
    large map. Both begin and end where pixels of the two do, so that a part is enlarged as the whole would be.
    """
    parts = math.gcd(small, big)
    step = small // parts
    first, last = max(0, (start - _AROUND) // step), min(parts, -(-(stop + _AROUND) // step))
    return slice(first * step, last * step), slice(first * (big // parts), last * (big // parts))


def _field(own: ByteArray, width: int, height: int) -> ByteArray:
    """How much a class wants each pixel, 0…255; `own`: 1 where it is, else 0."""
    soft = cv2.GaussianBlur(own * np.uint8(255), _BLUR, _SIGMA, borderType=cv2.BORDER_REPLICATE)
    held = cv2.min(soft, _MOST.item())
    cv2.copyTo(cv2.max(soft, _LEAST.item()), own, held)
    return np.asarray(cv2.resize(held, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
