"""The pictures on which engines are compared with the reference."""

from __future__ import annotations

import cv2
import numpy as np

from seg_viewer.core.assets import asset_path
from seg_viewer.core.errors import SegViewerError
from seg_viewer.core.frame import ByteArray
from seg_viewer.core.model_file import ModelSpec
from seg_viewer.core.scaling import stretched


def golden_frame(spec: ModelSpec) -> ByteArray:
    """A picture of the clip that ships at the model's size, shape (H, W, 3), uint8, RGB."""
    return _fit(_read(), spec)


def golden_frames(spec: ModelSpec) -> list[ByteArray]:
    """`golden_frame`, then the same street mirrored, at dusk, in glare, near and far left, near right."""
    picture = _read()
    height, width = picture.shape[:2]
    dark = cv2.convertScaleAbs(picture, alpha=0.45)
    bright = cv2.convertScaleAbs(picture, alpha=1.1, beta=45)
    left, right = picture[height // 4 :, : 3 * width // 4], picture[height // 4 :, width // 4 :]
    return [_fit(view, spec) for view in (picture, picture[:, ::-1], dark, bright, left, right)]


def _read() -> ByteArray:
    picture = cv2.imread(str(asset_path("models", "golden_frame.png")), cv2.IMREAD_COLOR)
    if picture is None:
        raise SegViewerError("golden_frame.png cannot be read; install seg-viewer again")
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)


def _fit(rgb: ByteArray, spec: ModelSpec) -> ByteArray:
    return stretched(np.ascontiguousarray(rgb, np.uint8), spec.width, spec.height)
