"""Class maps enlarged with smooth borders; every pixel of the small map keeps its class in its middle."""

from __future__ import annotations

import cv2
import numpy as np

from seg_viewer.core.frame import ByteArray
from seg_viewer.core.scaling import nearest

_BLUR, _SIGMA = (5, 5), 1.2  # in pixels of the class map: how far a border looks for where it comes from
_LEAST, _MOST = np.uint8(136), np.uint8(119)  # of 255, in the middle of a pixel: its own class, any other


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
        shape (height, width), uint8; by nearest neighbour where it shrinks.
    """
    rows, columns = classes.shape
    if width <= columns or height <= rows:
        return nearest(classes, width, height)
    counts = cv2.calcHist([classes], [0], None, [256], [0, 256])
    present = np.flatnonzero(counts)
    ids = np.full((height, width), present[0], np.uint8)
    if len(present) == 1:
        return ids
    best = _field(classes, int(present[0]), width, height)
    for class_id in present[1:]:
        field = _field(classes, int(class_id), width, height)
        wins = cv2.compare(field, best, cv2.CMP_GT)
        cv2.copyTo(np.full_like(ids, class_id), wins, ids)
        cv2.max(field, best, best)
    return ids


def _field(classes: ByteArray, class_id: int, width: int, height: int) -> ByteArray:
    """How much a class wants each pixel, 0…255."""
    own = np.equal(classes, class_id).view(np.uint8)
    soft = cv2.GaussianBlur(own * np.uint8(255), _BLUR, _SIGMA, borderType=cv2.BORDER_REPLICATE)
    held = cv2.min(soft, _MOST.item())
    cv2.copyTo(cv2.max(soft, _LEAST.item()), own, held)
    return np.asarray(cv2.resize(held, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
