"""Pictures that were taken in two halves, line by line: made whole, one for each, at the same times."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import TypeVar

import av
import cv2
import numpy as np

from seg_viewer.core.frame import ByteArray
from seg_viewer.media.av_picture import plane_rows
from seg_viewer.media.filters import FilterChain

_Item = TypeVar("_Item")
_TOP_FIRST, _BOTTOM_FIRST = (2, 5), (3, 4)
"""FFmpeg's AVFieldOrder: TT and BT, BB and TB."""
_COMB = 9
_BLOCK = 16
_COMBED = 24
_LUMA_FIRST = ("yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "nv12", "gray")
_LEAST_SIDE = 16
"""bwdif wants 3 columns and 4 rows of each plane, also of one that is a quarter as wide."""
_KERNEL = np.array([[1], [-3], [4], [-3], [1]], np.float32)


def deinterlaced(
    items: Iterator[_Item], frame_of: Callable[[_Item], av.VideoFrame], field_order: int = 0
) -> Iterator[tuple[_Item, av.VideoFrame, bool]]:
    """Each item with its frame, the lines of both halves brought together, and whether this was done to it.

    From the first frame on that is said to be interlaced (by itself or by its stream), each frame that shows combs is
    replaced by one that the filter bwdif made of it and its neighbours. Frames that are only said to be interlaced stay
    as they are. Times stay.

    Args:
        items: in order of presentation.
        frame_of: the frame of an item.
        field_order: of the stream, `av.VideoCodecContext.field_order`.
    """
    waiting: deque[_Item] = deque()
    for frame, changed in _deinterlaced(_noted(items, waiting, frame_of), field_order):
        yield waiting.popleft(), frame, changed


def says_interlaced(frame: av.VideoFrame, field_order: int) -> bool:
    """Whether a frame says that it is interlaced, or its stream; `field_order` as for `deinterlaced`."""
    return frame.interlaced_frame or field_order in (*_TOP_FIRST, *_BOTTOM_FIRST)


def _noted(
    items: Iterator[_Item], waiting: deque[_Item], frame_of: Callable[[_Item], av.VideoFrame]
) -> Iterator[av.VideoFrame]:
    for item in items:
        waiting.append(item)
        yield frame_of(item)


def _deinterlaced(frames: Iterator[av.VideoFrame], field_order: int) -> Iterator[tuple[av.VideoFrame, bool]]:
    chain: FilterChain | None = None
    shape: tuple[int, int, str] | None = None
    for frame in frames:
        if chain is not None and shape != _shape(frame):
            yield from _chosen(chain.flush())
            chain = None
        if chain is None:
            if not says_interlaced(frame, field_order) or min(frame.width, frame.height) < _LEAST_SIDE:
                yield frame, False
                continue
            shape = _shape(frame)
            parity = "auto" if frame.interlaced_frame else "bff" if field_order in _BOTTOM_FIRST else "tff"
            whole = {"mode": "send_frame", "parity": parity, "deint": "all"}
            chain = FilterChain(frame, [("bwdif", whole), ("format", {"pix_fmts": frame.format.name})])
        yield from _chosen(chain.push(frame))
    if chain is not None:
        yield from _chosen(chain.flush())


def _chosen(pairs: list[tuple[av.VideoFrame, av.VideoFrame]]) -> Iterator[tuple[av.VideoFrame, bool]]:
    for given, made in pairs:
        combed = has_combs(given)
        yield (made, True) if combed else (given, False)


def _shape(frame: av.VideoFrame) -> tuple[int, int, str]:
    return frame.width, frame.height, frame.format.name


def has_combs(frame: av.VideoFrame) -> bool:
    """Whether what moves in a picture has the teeth that two halves of different times make.

    A pixel is combed when its neighbours above and below both differ from it in the same direction, and those two rows
    away do not (the measure of the AviSynth filter TFM, over the first plane); a picture is, when a block of 16×16 has
    enough of them.
    """
    luma = _luma(frame)
    if luma.shape[0] < 5:
        return False
    second = cv2.filter2D(luma, cv2.CV_16S, _KERNEL, borderType=cv2.BORDER_REFLECT_101)
    bumps = np.abs(second[1:-1]) > 6 * _COMB
    centre, above, below = luma[1:-1], luma[:-2], luma[2:]
    higher = cv2.subtract(centre, cv2.max(above, below)) > _COMB
    lower = cv2.subtract(cv2.min(above, below), centre) > _COMB
    teeth: ByteArray = (bumps & (higher | lower)).view(np.uint8)
    if not teeth.any():
        return False
    counts = cv2.boxFilter(teeth, cv2.CV_16U, (_BLOCK, _BLOCK), normalize=False, borderType=cv2.BORDER_CONSTANT)
    return bool(counts.max() >= _COMBED)


def _luma(frame: av.VideoFrame) -> ByteArray:
    """Brightness, shape (H, W), uint8."""
    if frame.format.name not in _LUMA_FIRST:
        frame = frame.reformat(format="gray")
    return plane_rows(frame.planes[0])[: frame.height, : frame.width]
