"""Pictures of several cameras, put together by tick."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from seg_viewer.core.frame import ByteArray

CAMERAS = ("sensor.camera.rgb", "sensor.camera.semantic_segmentation")
UNPAIRED = "CARLA: picture without its ground truth"
OVERTAKEN = "CARLA: another client ticks faster"

_WAITING_FRAMES = 4


@dataclass(frozen=True)
class CameraPair:
    """What both cameras saw at one tick.

    Args:
        tick: the simulator's frame number.
        time_s: simulated time, seconds.
        rgb: shape (H, W, 3), uint8, RGB.
        tags: CARLA's tags, shape (H, W), uint8.
        arrived_s: `time.perf_counter()` when both were there; that clock is the same in all processes of a machine.
    """

    tick: int
    time_s: float
    rgb: ByteArray
    tags: ByteArray
    arrived_s: float


class Pairs:
    """Puts pictures of several cameras together by tick. Filled by CARLA's threads, emptied by ours; bounded."""

    def __init__(self) -> None:
        self.drops: Counter[str] = Counter()
        """Pictures that nobody got, by cause."""
        self._changed = threading.Condition()
        self._waiting: dict[int, dict[str, Any]] = {}
        self._taken = -1
        self._ended = False

    def put(self, camera: str, image: Any) -> None:
        with self._changed:
            if image.frame <= self._taken:
                return
            self._waiting.setdefault(image.frame, {})[camera] = image
            while len(self._waiting) > _WAITING_FRAMES:
                self._drop(min(self._waiting))
            self._changed.notify_all()

    def end(self) -> None:
        """Nothing more is wanted: whoever waits in `take` goes on at once, with what is there; from any thread."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def take(self, tick: int | None, timeout_s: float) -> dict[str, Any]:
        """The pictures of a tick (None: of the newest that is complete), by camera; incomplete when time runs out."""
        until_s = time.perf_counter() + timeout_s
        with self._changed:
            while True:
                whole = [n for n, pair in self._waiting.items() if len(pair) == len(CAMERAS) and n >= (tick or 0)]
                left_s = until_s - time.perf_counter()
                if whole or left_s <= 0 or self._ended:
                    break
                self._changed.wait(left_s)
            found = max(whole) if whole else (tick if tick is not None else max(self._waiting, default=-1))
            pair = self._waiting.pop(found, {})
            for old in [n for n in self._waiting if n < found]:
                self._drop(old)
            self._taken = max(self._taken, found)
            return pair

    def _drop(self, tick: int) -> None:
        pair = self._waiting.pop(tick)
        if self._taken >= 0:  # those before the first one were never asked for
            self.drops[OVERTAKEN if len(pair) == len(CAMERAS) else UNPAIRED] += 1
