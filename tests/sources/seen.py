"""What is seen of a video file: for comparing, bit for bit, ways that lead to the same frame."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from seg_viewer.core.frame import Frame
from seg_viewer.sources import VideoFile


def seen_of(frame: Frame) -> tuple[int, str]:
    """Time stamp and a hash of the planes."""
    planes = frame.picture.yuv420()
    pixels = b"".join(np.ascontiguousarray(plane).tobytes() for plane in (planes.y, planes.u, planes.v))
    return frame.id.pts, hashlib.sha1(pixels, usedforsecurity=False).hexdigest()


def played_through(path: Path) -> tuple[list[tuple[int, str]], list[float]]:
    """What is seen, and from when on, seconds."""
    source = VideoFile(path)
    frames = [(seen_of(frame), frame.time_s) for frame in source]
    source.close()
    return [what for what, _ in frames], [time_s for _, time_s in frames]
