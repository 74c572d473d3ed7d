"""Small painted pictures, as they look on a screen."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np

from seg_viewer.core.errors import ExportError
from seg_viewer.core.frame import ByteArray, Picture, Shot, Size
from seg_viewer.core.overlay import Overlay


def fitted(picture: Size, sample_aspect: Fraction, box: Size) -> Size:
    """The largest size within a box that a picture has on a screen, at least 1×1.

    Args:
        picture: columns and rows.
        sample_aspect: width ÷ height of one of its pixels.
        box: what it has to fit into.
    """
    width = float(picture.width * sample_aspect)
    scale = min(box.width / width, box.height / picture.height)
    return Size(max(1, round(width * scale)), max(1, round(picture.height * scale)))


def painted(shot: Shot, overlay: Overlay, sample_aspect: Fraction, box: Size) -> ByteArray:
    """A shot under its overlay, scaled into a box; shape (h, w, 3), uint8, RGB."""
    picture: Picture = shot.frame.picture
    size = fitted(Size(picture.width, picture.height), sample_aspect, box)
    rgb = picture.scaled_rgb(size.width, size.height)
    overlay.paint_rgb(rgb, shot.classes)
    return rgb


def encoded(rgb: ByteArray, suffix: str, quality: int = 82) -> bytes:
    """A picture as the bytes of a file.

    Args:
        rgb: shape (h, w, 3), uint8, RGB.
        suffix: ".jpg" or ".png".
        quality: of JPEG, 0…100.

    Raises:
        ExportError: it is too large for the format.
    """
    options = [cv2.IMWRITE_JPEG_QUALITY, quality] if suffix == ".jpg" else []
    done, data = cv2.imencode(suffix, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), options)
    if not done:
        raise ExportError(f"a picture of {rgb.shape[1]}×{rgb.shape[0]} cannot be written as {suffix}")
    return np.asarray(data, np.uint8).tobytes()


def time_text(seconds: float) -> str:
    """Hours, minutes, seconds and tenths as players show them: "0:07.5", "1:02:07.5"."""
    tenths = round(abs(seconds) * 10)
    minutes, rest = divmod(tenths, 600)
    sign = "-" if seconds < 0 and tenths else ""
    hours = f"{minutes // 60}:{minutes % 60:02}" if minutes >= 60 else f"{minutes}"
    return f"{sign}{hours}:{rest // 10:02}.{rest % 10}"
