"""Pictures in files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.frame import ByteArray


@contextmanager
def quiet_opencv() -> Iterator[None]:
    """OpenCV's codecs write what they think of damaged data to the terminal; within this they do not."""
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)


def read_picture_file(file: Path, flags: int) -> ByteArray | None:
    """`cv2.imread` that takes any path name and prints nothing; None for what is missing or no picture."""
    try:
        data = np.fromfile(file, np.uint8)
    except OSError:
        return None
    picture = decode_picture(data, flags)
    return None if picture is None else np.asarray(picture, np.uint8)


def decode_picture(data: ByteArray, flags: int) -> NDArray[Any] | None:
    """`cv2.imdecode` that prints nothing.

    Args:
        data: the bytes of a file, (n,) uint8.
        flags: `cv2.IMREAD_…`.

    Returns:
        (H, W) or (H, W, 3|4), blue first, of the depth that the flags ask for; None for what is no picture.
    """
    if data.size == 0:
        return None
    try:
        with quiet_opencv():
            return cv2.imdecode(data, flags)
    except cv2.error:
        return None
