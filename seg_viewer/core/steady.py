"""Class maps that stay calm where the picture stands still; causal, so that nothing is delayed.

What a model says of a still pixel changes now and then although nothing has happened there. Here such a change counts
once it has lasted for `CONFIRMED` frames or `CONFIRMED_S` seconds. Where the picture moves, the model's answer counts
at once, and so does a whole spot of changed pixels of which `CARRIED` are in motion: that is the edge of something that
moves, and its flat inside, which a look at single pixels takes for still, comes along.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.frame import ByteArray

STILL = 2
"""Grey levels of 255 that blurred luma may change by where a picture counts as standing still."""

CONFIRMED = 5
"""Frames in a row, the present one included, in which the model has to contradict a still pixel's class."""

CONFIRMED_S = 0.4
"""Seconds after which it is enough as well, where frames are few."""

CARRIED = 0.4
"""Share of the pixels of a spot that are in motion by which all of it counts at once."""

LONGEST_GAP_S = 0.3
"""Between two frames, seconds; behind a longer one nothing is known of what stood still."""

_BLUR = (5, 5)
_AROUND = np.ones((3, 3), np.uint8)


@dataclass(frozen=True, eq=False)
class Steadied:
    """The calm class map of a frame, and what the next one needs of it. None of its arrays may be written.

    Args:
        ids: class of each pixel, shape (H, W), uint8: one of the model's last `CONFIRMED` answers there.
        luma: of the picture, blurred, shape (H, W), uint8.
        waits: in how many frames in a row the model has contradicted `ids`, shape (H, W), uint8.
        times_s: of the last frames, seconds, at most `CONFIRMED`, this one last.
    """

    ids: ByteArray
    luma: ByteArray
    waits: ByteArray
    times_s: tuple[float, ...]

    def comes_before(self, time_s: float, shape: tuple[int, ...]) -> bool:
        """Whether a frame at that time and of that shape goes on from it: later, but not by a gap."""
        return self.ids.shape == shape and 0 < time_s - self.times_s[-1] <= LONGEST_GAP_S


def blurred_luma(picture: ByteArray) -> ByteArray:
    """Luma (ITU-R BT.601), blurred with a box of 5×5; (H, W, 3) uint8 RGB to (H, W), uint8."""
    return np.asarray(cv2.blur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), _BLUR), np.uint8)


def steadied(before: Steadied | None, ids: ByteArray, picture: ByteArray, time_s: float) -> Steadied:
    """The calm class map of a frame.

    Args:
        before: of the frame before; None to begin. From one that this frame does not go on from, it begins as well.
        ids: what the model says, shape (H, W), uint8; neither written nor copied.
        picture: what it has seen, shape (H, W, 3), uint8, RGB; not kept.
        time_s: of the frame, seconds.

    Raises:
        ValueError: the picture is of another size than the class map.
    """
    if picture.shape[:2] != ids.shape:
        raise ValueError(f"picture is {picture.shape}, class map {ids.shape}")
    luma = blurred_luma(picture)
    if before is None or not before.comes_before(time_s, ids.shape):
        return Steadied(ids, luma, np.zeros(ids.shape, np.uint8), (time_s,))
    times_s = (*before.times_s, time_s)[-CONFIRMED:]
    other = cv2.compare(ids, before.ids, cv2.CMP_NE)
    where = np.flatnonzero(np.asarray(other, np.uint8).view(bool))  # ten times as quick as of bytes
    if not where.size:
        return Steadied(before.ids, luma, np.zeros(ids.shape, np.uint8), times_s)
    moves = cv2.dilate(cv2.absdiff(luma, before.luma), _AROUND).ravel()[where] > STILL
    waits = before.waits.ravel()[where] + np.uint8(1)
    counts = moves | _is_carried(other, where, moves) | (waits >= _enough(times_s))
    made, waiting = before.ids.copy(), np.zeros(ids.shape, np.uint8)
    made.ravel()[where[counts]] = ids.ravel()[where[counts]]
    waiting.ravel()[where[~counts]] = waits[~counts]
    return Steadied(made, luma, waiting, times_s)


def _is_carried(other: NDArray[np.generic], where: NDArray[np.intp], moves: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which pixels lie in a spot that is in motion as a whole: for each of `where`."""
    if not moves.any():
        return moves
    count, spots = cv2.connectedComponents(np.asarray(other, np.uint8), connectivity=8, ltype=cv2.CV_16U)
    of = spots.ravel()[where]
    pixels, moving = np.bincount(of, minlength=count), np.bincount(of[moves], minlength=count)
    return np.asarray((moving >= CARRIED * pixels)[of])


def _enough(times_s: tuple[float, ...]) -> int:
    """How often in a row a pixel has to be contradicted, the last time in the last of these frames."""
    now_s = times_s[-1]
    for waits, first_s in enumerate(reversed(times_s), start=1):
        if now_s - first_s >= CONFIRMED_S - 1e-6:
            return waits
    return CONFIRMED
