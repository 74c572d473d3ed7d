"""Pictures in files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

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
    if data.size == 0:
        return None
    try:
        with quiet_opencv():
            picture = cv2.imdecode(data, flags)
    except cv2.error:
        return None
    return None if picture is None else np.asarray(picture, np.uint8)
