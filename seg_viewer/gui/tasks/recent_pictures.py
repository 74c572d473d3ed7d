"""Small pictures of what was opened last, in the user's cache folder."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import cv2
from platformdirs import user_cache_path
from PySide6.QtGui import QImage

from seg_viewer.core.frame import Shot
from seg_viewer.core.overlay import Overlay
from seg_viewer.core.part_file import make_folder, write_bytes

_WIDTH, _HEIGHT = 192, 108
"""The largest, pixels: twice what is shown, for fine screens."""
_DARK = 12
_QUALITY = 82


def pictures_folder() -> Path:
    return user_cache_path("seg-viewer") / "recent"


def keep_picture(source: str, shot: Shot, overlay: Overlay | None, sample_aspect: float) -> bool:
    """Write the picture of a source, if there is anything to see on it; returns whether there is.

    Args:
        source: as the list has it.
        shot: what is shown.
        overlay: paints it; None for the bare picture.
        sample_aspect: width ÷ height of one pixel.

    Raises:
        ExportError: it cannot be written.
    """
    picture = shot.frame.picture
    shape = picture.width * sample_aspect / picture.height
    width, height = (_WIDTH, round(_WIDTH / shape)) if shape > _WIDTH / _HEIGHT else (round(_HEIGHT * shape), _HEIGHT)
    rgb = picture.scaled_rgb(max(1, width), max(1, height))
    if float(rgb.mean()) < _DARK:
        return False
    if overlay is not None:
        overlay.paint_rgb(rgb, shot.classes)
    _ok, data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    write_bytes(make_folder(pictures_folder()) / _name(source), bytes(data))
    return True


def read_picture(source: str) -> QImage | None:
    """The picture of a source, None where there is none."""
    image = QImage(str(pictures_folder() / _name(source)))
    return None if image.isNull() else image


def keep_only(sources: Sequence[str]) -> None:
    """Remove the pictures of all others."""
    names = {_name(source) for source in sources}
    with suppress(OSError):
        for path in pictures_folder().glob("*.jpg"):
            if path.name not in names:
                path.unlink(missing_ok=True)


def _name(source: str) -> str:
    return hashlib.sha256(source.encode("utf-8", "surrogateescape")).hexdigest()[:32] + ".jpg"
