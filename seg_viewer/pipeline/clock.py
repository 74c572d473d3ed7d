"""Media time as a function of wall time."""

from __future__ import annotations

import time


class MediaClock:
    """Does not run until it is started.

    Args:
        speed: media seconds per second, above 0.
    """

    def __init__(self, speed: float) -> None:
        self.speed = speed
        self._anchor: tuple[float, float] | None = None

    def start(self, media_s: float) -> None:
        """Run from a media time on, seconds."""
        self._anchor = (media_s, time.perf_counter())

    def stop(self) -> None:
        self._anchor = None

    def now(self) -> float | None:
        """Media time, seconds, or None while it does not run."""
        if self._anchor is None:
            return None
        media_s, wall_s = self._anchor
        return media_s + (time.perf_counter() - wall_s) * self.speed

    def wait_for(self, media_s: float) -> float:
        """Seconds until a media time; 0 or less when it is due."""
        now_s = self.now()
        return 0.0 if now_s is None else (media_s - now_s) / self.speed
