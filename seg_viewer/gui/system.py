"""What a window needs of the machine; asked before Qt is imported, which would abort instead of answering."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, MutableMapping
from pathlib import Path

from seg_viewer.core.errors import SegViewerError

# what `readelf -d` names for Qt 6.12's libQt6Gui, libQt6XcbQpa and their plugins → Debian package
_ANY_PLATFORM = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libX11.so.6": "libx11-6",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libdbus-1.so.3": "libdbus-1-3",
}
_XCB = {
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
}
_PLUGIN_VARIABLES = ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR", "QT_PLUGIN_PATH")


def missing_qt_libraries(*, xcb: bool = True) -> list[str]:
    """Debian packages of the system libraries that Qt misses here; empty where nothing is missing, and off Linux.

    Args:
        xcb: also what a window on an X server needs.
    """
    if not sys.platform.startswith("linux"):
        return []
    wanted = _ANY_PLATFORM | (_XCB if xcb else {})
    return [package for library, package in wanted.items() if not _loads(library)]


def check_display(environ: Mapping[str, str] = os.environ) -> None:
    """Raises: SegViewerError when no window can be shown here; one line that says why and what to do."""
    if not sys.platform.startswith("linux"):
        return
    platform = environ.get("QT_QPA_PLATFORM", "").split(":")[0]
    has_x, has_wayland = bool(environ.get("DISPLAY")), bool(environ.get("WAYLAND_DISPLAY"))
    if not (platform or has_x or has_wayland):
        raise SegViewerError("no display: use 'seg-viewer export IN -o OUT.mp4' here, or start it on a desktop")
    needs_xcb = platform == "xcb" or (not platform and has_x and not has_wayland)
    missing = missing_qt_libraries(xcb=needs_xcb)
    if missing:
        raise SegViewerError(f"Qt misses system libraries: sudo apt-get install {' '.join(_unique(missing))}")


def mend_plugin_path(environ: MutableMapping[str, str] = os.environ) -> None:
    """Forget Qt paths that point into cv2: `opencv-python` brings a Qt 5 of its own and sets them at its import."""
    for name in _PLUGIN_VARIABLES:
        if "cv2" in Path(environ.get(name, "")).parts:
            del environ[name]


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _has_fonts() -> bool:
    folders = [Path(folder).expanduser() for folder in ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts")]
    folders.append(Path("~/.local/share/fonts").expanduser())
    return any(next(folder.rglob("*.[ot]tf"), None) is not None for folder in folders)


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def main() -> None:
    """`python -m seg_viewer.gui.system [--install]`: name what Qt misses; as root on Debian, if told so, install it."""
    missing = _unique(missing_qt_libraries())
    if sys.platform.startswith("linux") and not _has_fonts():
        missing.append("fonts-dejavu-core")  # Qt brings none, and would draw boxes
    if not missing:
        return
    print(f"The window needs system libraries: sudo apt-get install {' '.join(missing)}", flush=True)
    if "--install" not in sys.argv or not _can_install() or not _may_install():
        return
    environ = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *missing]):
        if subprocess.run(["apt-get", *command], env=environ, stdout=subprocess.DEVNULL).returncode:
            print("apt-get failed; the window may not start, exports work all the same", flush=True)
            return


def _can_install() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get") is not None


def _may_install(environ: Mapping[str, str] = os.environ) -> bool:
    """The system's packages are touched only if that was asked for: by SYSTEM=1, by CI, or by a yes at the terminal."""
    if environ.get("SYSTEM") or environ.get("CI"):
        return environ.get("SYSTEM", "1") != "0"
    if sys.stdin is None or not sys.stdin.isatty():
        print("Nothing was installed; SYSTEM=1 (make run SYSTEM=1) installs them", flush=True)
        return False
    print("Install them now? [y/N] ", end="", flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


if __name__ == "__main__":
    main()
