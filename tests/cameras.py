"""A camera that follows a script, in the place of `cv2.VideoCapture`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

import cv2
import numpy as np

from seg_viewer.sources.devices import CameraDevice
from tests.clips import CYCLE

DEVICE = CameraDevice(0, "Toy Cam")

Step = str
"""What one `grab` and `retrieve` do: "ok", "short", "gone", "stall", "WxH" for a picture of another size."""


class ScriptedCapture:
    """Answers like OpenCV's for as long as the script goes on; afterwards the camera is gone.

    Args:
        script: steps, one for each picture.
        modes: rate that is granted for a format and size; others are granted the first mode.
        opens: whether the device can be opened.
        stalled: what "stall" waits for.
    """

    def __init__(
        self,
        script: Iterable[Step],
        *,
        modes: dict[tuple[str, int, int], float] | None = None,
        opens: bool = True,
        stalled: threading.Event | None = None,
    ) -> None:
        self.modes = modes or {("YUYV", 64, 48): 30.0}
        self.released = False
        self.settings: dict[int, float] = {}
        self._script = iter(script)
        self._opens = opens
        self._stalled = stalled or threading.Event()
        self._step: Step = "gone"
        self._count = 0
        (self._fourcc, self._width, self._height), self._rate = next(iter(self.modes.items()))

    def isOpened(self) -> bool:
        return self._opens and not self.released

    def set(self, propId: int, value: float) -> bool:
        self.settings[propId] = value
        if propId == cv2.CAP_PROP_FPS:
            code = int(self.settings.get(cv2.CAP_PROP_FOURCC, 0))
            fourcc = "".join(chr(code >> shift & 0xFF) for shift in (0, 8, 16, 24))
            size = (int(self.settings[cv2.CAP_PROP_FRAME_WIDTH]), int(self.settings[cv2.CAP_PROP_FRAME_HEIGHT]))
            if (fourcc, *size) in self.modes:
                self._fourcc, (self._width, self._height) = fourcc, size
                self._rate = min(self.modes[fourcc, self._width, self._height], value)
        return propId != cv2.CAP_PROP_EXPOSURE

    def get(self, propId: int) -> float:
        return {
            cv2.CAP_PROP_FOURCC: float(cv2.VideoWriter.fourcc(*self._fourcc)),
            cv2.CAP_PROP_FRAME_WIDTH: float(self._width),
            cv2.CAP_PROP_FRAME_HEIGHT: float(self._height),
            cv2.CAP_PROP_FPS: self._rate,
            cv2.CAP_PROP_EXPOSURE: 156.0,
        }.get(propId, self.settings.get(propId, 0.0))

    def grab(self) -> bool:
        self._step = next(self._script, "gone")
        if self._step == "stall":
            self._stalled.wait()
            return False
        return self._step != "gone"

    def retrieve(self) -> tuple[bool, np.ndarray | None]:
        if self._step == "short":
            return False, None
        width, height = self._width, self._height
        if "x" in self._step:
            width, height = (int(side) for side in self._step.split("x"))
        self._count += 1
        picture = np.full((height, width, 3), CYCLE[self._count % 4][::-1], np.uint8)
        picture[:, : width // 2] = 0  # the left half is black
        return True, picture

    def release(self) -> None:
        self.released = True


def opener(*captures: ScriptedCapture) -> Callable[[int, int], ScriptedCapture]:
    """Gives one capture after the other, as the camera is opened again and again."""
    left = iter(captures)
    last = captures[-1]
    return lambda _index, _backend: next(left, last)
