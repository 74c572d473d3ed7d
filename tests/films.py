"""Films of given frames, with what containers and codecs can say of them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from seg_viewer.media.av_picture import plane_rows
from tests.x265 import within_its_means

Pixels = NDArray[Any]


def yuv_frame(planes: Sequence[Pixels], pix_fmt: str) -> av.VideoFrame:
    """A frame of these planes, each shape (rows, columns), uint8 or little-endian uint16."""
    height, width = planes[0].shape
    frame = av.VideoFrame(width, height, pix_fmt)
    for plane, pixels in zip(frame.planes, planes, strict=True):
        rows = plane_rows(plane).view(pixels.dtype)
        rows[: pixels.shape[0], : pixels.shape[1]] = pixels
    return frame


def rgb_frame(rgb: Pixels, pix_fmt: str = "yuv420p") -> av.VideoFrame:
    """A frame of shape (H, W, 3), uint8, RGB, in BT.601 where `pix_fmt` is YUV."""
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24").reformat(format=pix_fmt)


def film(
    path: Path,
    frames: Sequence[av.VideoFrame],
    *,
    codec: str = "libx264",
    rate: int = 25,
    options: dict[str, str] | None = None,
    matrix: Sequence[int] | None = None,
    turn: tuple[int, bool, bool] | None = None,
    sample_aspect: Fraction | None = None,
    tags: tuple[int, int, int, int] | None = None,
    container: str | None = None,
) -> Path:
    """Encode frames that all have one form.

    Args:
        matrix: display matrix, nine numbers as FFmpeg has them.
        turn: degrees counter-clockwise, then mirrored left to right, then upside down.
        tags: matrix coefficients, transfer, primaries (ITU-T H.273) and range (1 limited, 2 full).
    """
    with av.open(f"file:{path}", "w", format=container) as out:
        first = frames[0]
        choices = within_its_means(codec, options, frames=len(frames), shortest=min(first.width, first.height))
        stream = out.add_stream(codec, rate=rate, options=choices)
        stream.width, stream.height, stream.pix_fmt = first.width, first.height, first.format.name
        context = stream.codec_context
        if sample_aspect is not None:
            context.sample_aspect_ratio = sample_aspect
        if tags is not None:
            context.colorspace, context.color_trc, context.color_primaries, context.color_range = tags
        if matrix is not None:
            stream.set_display_matrix(matrix)
        if turn is not None:
            stream.set_display_rotation(turn[0], hflip=turn[1], vflip=turn[2])
        for index, frame in enumerate(frames):
            if tags is not None:
                frame.colorspace, frame.color_trc, frame.color_primaries, frame.color_range = tags
            frame.pts, frame.time_base = index, Fraction(1, rate)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def quadrants(width: int, height: int) -> Pixels:
    """Red, green; blue, white: shape (H, W, 3), uint8; no two of its eight orientations look alike."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[: height // 2, : width // 2] = (200, 30, 30)
    picture[: height // 2, width // 2 :] = (30, 200, 30)
    picture[height // 2 :, : width // 2] = (30, 30, 200)
    picture[height // 2 :, width // 2 :] = (220, 220, 220)
    return picture
