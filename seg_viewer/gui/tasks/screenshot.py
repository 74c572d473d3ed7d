"""Saves what is seen as a picture of the source's full size."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
from PySide6.QtCore import QObject

from seg_viewer.core.errors import ExportError
from seg_viewer.core.frame import Shot
from seg_viewer.core.long_names import joined
from seg_viewer.core.overlay import Overlay
from seg_viewer.gui.tasks.background import Background, within

_KEEP_S = 5.0


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
        path = folder / joined(stem, ".png" if number == 0 else f"_{number}.png")
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


def take_screenshot(
    background: Background,
    owner: QObject,
    shot: Shot,
    overlay: Overlay | None,
    folder: Path,
    name: str,
    *,
    on_saved: Callable[[Path], None],
    on_failed: Callable[[str], None],
) -> None:
    """`save_screenshot`, beside the window's thread; closing the window waits for it."""
    background.run(
        "screenshot",
        lambda: save_screenshot(shot, overlay, folder, name),
        on_saved,
        on_failed,
        owner=owner,
        subject="Screenshot",
        wait=within(_KEEP_S),
    )
