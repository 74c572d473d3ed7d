"""Saves what is seen as a picture of the source's full size."""

from __future__ import annotations

import threading
from pathlib import Path

import cv2
from PySide6.QtCore import QObject, QStandardPaths, Signal

from seg_viewer.core.errors import ExportError
from seg_viewer.core.frame import Shot
from seg_viewer.core.overlay import Overlay


def pictures_folder() -> Path:
    """The user's Pictures folder, or home."""
    name = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.PicturesLocation)
    return Path(name) if name else Path.home()


def save_screenshot(shot: Shot, overlay: Overlay | None, folder: Path, name: str) -> Path:
    """Write `<name>_<time>.png` with a number behind it where that exists.

    Args:
        shot: what to save.
        overlay: how to paint it, or None for the bare picture.
        folder: made when it is not there.
        name: of the source.

    Raises:
        ExportError: the file cannot be written.
    """
    rgb = shot.frame.picture.rgb().copy()
    if overlay is not None:
        overlay.paint_rgb(rgb, shot.classes)
    _ok, data = cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    minutes, seconds = divmod(shot.frame.time_s, 60)
    stem = f"{Path(name).stem}_{int(minutes):02}m{seconds:06.3f}s"
    for number in range(1000):
        path = folder / (f"{stem}.png" if number == 0 else f"{stem}_{number}.png")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                file.write(data.tobytes())
        except FileExistsError:
            continue
        except OSError as error:
            path.unlink(missing_ok=True)
            raise ExportError(f"{path}: screenshot cannot be written: {error.strerror or error}") from error
        return path
    raise ExportError(f"{folder}: is full of screenshots of this moment; clear it up first")


class ScreenshotTaker(QObject):
    """Saves on a thread of its own."""

    saved = Signal(str)
    failed = Signal(str)

    def take(self, shot: Shot, overlay: Overlay | None, name: str) -> None:
        folder = pictures_folder()

        def run() -> None:
            try:
                path = save_screenshot(shot, overlay, folder, name)
            except ExportError as error:
                self.failed.emit(str(error))
            except Exception as error:  # no memory for an 8K picture, …
                self.failed.emit(f"screenshot failed: {type(error).__name__}: {error}")
            else:
                self.saved.emit(str(path))

        threading.Thread(target=run, name="seg-screenshot", daemon=True).start()
