"""Pictures in files."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from seg_viewer.core.frame import ByteArray


def read_picture_file(file: Path, flags: int) -> ByteArray | None:
    """`cv2.imread` that takes any path name and prints nothing; None for what is missing or no picture."""
    try:
        data = np.fromfile(file, np.uint8)
    except OSError:
        return None
    if data.size == 0:
        return None
    try:
        picture = cv2.imdecode(data, flags)
    except cv2.error:
        return None
    return None if picture is None else np.asarray(picture, np.uint8)
