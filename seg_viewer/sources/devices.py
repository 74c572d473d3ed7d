"""Cameras and screens that are there, and why one cannot be had."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from seg_viewer.core.printable import printable
from seg_viewer.sources.v4l2 import CameraMode, camera_modes


@dataclass(frozen=True)
class CameraDevice:
    """A camera that the system knows.

    Args:
        index: what OpenCV calls it.
        name: what its maker calls it.
        path: of its device file, or "".
        backend: OpenCV's number of the interface through which `index` counts; 0 for any.
    """

    index: int
    name: str
    path: str = ""
    backend: int = 0


def list_cameras() -> list[CameraDevice]:
    """What the system knows, each once; needs no permission and opens none."""
    import cv2
    from cv2_enumerate_cameras import enumerate_cameras

    wanted = {"linux": cv2.CAP_V4L2, "win32": cv2.CAP_DSHOW, "darwin": cv2.CAP_AVFOUNDATION}.get(sys.platform)
    try:
        found = enumerate_cameras(wanted if wanted is not None else cv2.CAP_ANY)
    except (OSError, ValueError, RuntimeError):
        return []
    devices = {
        info.index: CameraDevice(info.index, printable(info.name), info.path or "", info.backend) for info in found
    }
    return [devices[index] for index in sorted(devices)]


def modes_of(device: CameraDevice) -> list[CameraMode]:
    """Formats, sizes and rates, as the system knows them without opening the camera; none where it does not."""
    path = device_path(device)
    return camera_modes(path) if path is not None else []


def device_path(device: CameraDevice) -> Path | None:
    """The device file on Linux, None elsewhere."""
    if not sys.platform.startswith("linux"):
        return None
    return Path(device.path or f"/dev/video{device.index}")


def obstacle(
    device: CameraDevice,
    *,
    access: Callable[[Path], bool] = lambda path: os.access(path, os.R_OK | os.W_OK),
    holder: Callable[[Path], str] | None = None,
) -> str:
    """What can be seen from outside to keep a camera from opening, and what to do; "" when nothing can."""
    path = device_path(device)
    if path is None:
        return ""
    if not path.exists():
        return "is gone; plug it in again"
    if not access(path):
        return f"no permission for {path}; run 'sudo usermod -aG video $USER' and log in again"
    who = (holder or holder_of)(path)
    return f"is in use by {who}; close that first" if who else ""


def why_not(device: CameraDevice) -> str:
    """Why a camera that did not open or gives no picture does not, and what to do."""
    seen = obstacle(device)
    if seen:
        return seen
    if sys.platform == "darwin":
        return "gives no picture; allow this program the camera in System Settings → Privacy & Security → Camera"
    if sys.platform == "win32":
        return "gives no picture; close other programs that use it, and allow cameras in Settings → Privacy → Camera"
    return "gives no picture; close other programs that use it, or plug it in again"


def holder_of(path: Path) -> str:
    """ "zoom (process 4711)": another program that has a device file open; "" when none can be seen."""
    for folder in Path("/proc").glob("[0-9]*"):
        if int(folder.name) == os.getpid():
            continue
        try:
            if any(os.readlink(link) == str(path) for link in (folder / "fd").iterdir()):
                return f"{(folder / 'comm').read_text().strip()} (process {folder.name})"
        except OSError:
            continue  # it ended meanwhile, or belongs to somebody else
    return ""
