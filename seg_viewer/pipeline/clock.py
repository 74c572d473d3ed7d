"""Media time as a function of wall time."""

from __future__ import annotations

import time
from collections.abc import Callable


class MediaClock:
    """Does not run until it is started.

    Args:
        speed: media seconds per second, above 0.
        wall_s: tells wall time, seconds from anywhere.
    """

    def __init__(self, speed: float, wall_s: Callable[[], float] = time.perf_counter) -> None:
        self.speed = speed
        self._wall_s = wall_s
        self._anchor: tuple[float, float] | None = None

    def start(self, media_s: float) -> None:
        """Run from a media time on, seconds."""
        self._anchor = (media_s, self._wall_s())

    def stop(self) -> None:
        self._anchor = None

    def now(self) -> float | None:
        """Media time, seconds, or None while it does not run; safe from any thread."""
        anchor = self._anchor
        if anchor is None:
            return None
        media_s, wall_s = anchor
        return media_s + (self._wall_s() - wall_s) * self.speed

    def wait_for(self, media_s: float) -> float:
        """Seconds until a media time; 0 or less when it is due."""
        now_s = self.now()
        return 0.0 if now_s is None else (media_s - now_s) / self.speed
