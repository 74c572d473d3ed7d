"""What a camera can do, as Linux knows it (Video for Linux 2): asked of the driver without a picture being taken."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from seg_viewer.core.printable import printable

# numbers and layouts of linux/videodev2.h
_ENUM_FORMATS, _ENUM_SIZES, _ENUM_INTERVALS = 0xC0405602, 0xC02C564A, 0xC034564B
_FORMAT = struct.Struct("=3I32s5I")
_SIZE = struct.Struct("=3I6I2I")
_INTERVAL = struct.Struct("=5I6I2I")
_CAPTURE = 1
_DISCRETE = 1
_MOST = 64
"""Of anything; a driver that never says that there is no more is not asked for ever."""

Control = Callable[[int, int, bytearray], object]
"""As `fcntl.ioctl`: of a file, a request, and its structure, which the answer is written into."""


@dataclass(frozen=True)
class CameraMode:
    """A pixel format and a size that a camera can give.

    Args:
        format: four letters, as drivers call it: "YUYV", "MJPG".
        width: pixels.
        height: pixels.
        rates: frames per second, the highest first; none where the driver does not say.
        up_to: `width` and `height` are the largest of a range.
    """

    format: str
    width: int
    height: int
    rates: tuple[float, ...] = ()
    up_to: bool = False

    @property
    def line(self) -> str:
        """ "MJPG 1280×720 at 60, 30 fps"."""
        rates = ", ".join(f"{rate:.4g}" for rate in self.rates)
        size = f"{'up to ' if self.up_to else ''}{self.width}×{self.height}"
        return f"{self.format} {size} at {rates} fps" if rates else f"{self.format} {size}"


def camera_modes(path: Path, control: Control | None = None) -> list[CameraMode]:
    """What the driver of a device file says that its camera can do, in its order; nothing where it says nothing.

    Args:
        path: "/dev/video0".
        control: asks the driver.
    """
    if control is None:
        try:
            import fcntl
        except ImportError:  # Windows
            return []
        control = fcntl.ioctl
    try:
        file = os.open(path, os.O_RDWR | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return []
    try:
        return [mode for code in _formats(file, control) for mode in _sizes(file, control, code)]
    finally:
        os.close(file)


def _formats(file: int, control: Control) -> Iterator[int]:
    for index in range(_MOST):
        answer = _ask(file, control, _ENUM_FORMATS, _FORMAT, index, _CAPTURE)
        if answer is None:
            return
        yield answer[4]


def _sizes(file: int, control: Control, code: int) -> Iterator[CameraMode]:
    name = "".join(chr(code >> shift & 0x7F) for shift in (0, 8, 16, 24))  # the highest bit says big endian
    for index in range(_MOST):
        answer = _ask(file, control, _ENUM_SIZES, _SIZE, index, code)
        if answer is None:
            return
        ranged = answer[2] != _DISCRETE
        width, height = (answer[4], answer[7]) if ranged else (answer[3], answer[4])
        if width and height:
            rates = tuple(sorted(set(_rates(file, control, code, width, height)), reverse=True))
            yield CameraMode(printable(name).strip(), width, height, rates, ranged)
        if ranged:
            return


def _rates(file: int, control: Control, code: int, width: int, height: int) -> Iterator[float]:
    for index in range(_MOST):
        answer = _ask(file, control, _ENUM_INTERVALS, _INTERVAL, index, code, width, height)
        if answer is None:
            return
        numerator, denominator = answer[5], answer[6]  # of a range, the shortest interval
        if numerator and denominator:
            yield denominator / numerator
        if answer[4] != _DISCRETE:
            return


def _ask(file: int, control: Control, request: int, layout: struct.Struct, *values: int) -> tuple[int, ...] | None:
    """The driver's answer; None when there is no more."""
    data = bytearray(layout.size)
    struct.pack_into(f"={len(values)}I", data, 0, *values)
    try:
        control(file, request, data)
    except OSError:
        return None  # EINVAL at the end; whatever else it is, what was said before is still true
    return layout.unpack(data)
