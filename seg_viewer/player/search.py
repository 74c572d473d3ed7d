"""Goes through a video, faster than it plays, until a shot is what somebody looks for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from enum import StrEnum

from seg_viewer.core.frame import Shot
from seg_viewer.pipeline import Pipeline

SHOW_EVERY_S = 0.25
"""How often a picture is shown on the way."""
MOST_S = 120.0
"""How much of a video one search goes through, seconds of it."""


class Outcome(StrEnum):
    """How a search has ended."""

    FOUND = "found"
    END = "the end"
    """Of the video."""
    FAR = "far"
    """`most_s` went by."""
    STOPPED = "stopped"
    NONE = "none"
    """The shots have not what is looked for."""


class Search:
    """Looks for the beginning of the next stretch of shots in which a share is above a threshold.

    One that begins within such a stretch leaves it first.

    Args:
        share: of a shot, 0…1; None where it has none, as without a second model.
        above: the threshold, 0…1.
        most_s: see `MOST_S`.
    """

    def __init__(self, share: Callable[[Shot], float | None], above: float, most_s: float = MOST_S) -> None:
        self.outcome: Outcome | None = None
        """None while it goes on."""
        self.share_found: float | None = None
        """Of the shot that was found."""
        self._share, self._above, self._most_s = share, above, most_s
        self._begun_at_s: float | None = None
        self._within = False
        self._shown_at_s = 0.0
        self._lock = threading.Lock()
        self._to_find = 1

    def go_further(self) -> bool:
        """Pass over one stretch more before it ends: for a key pressed again meanwhile.

        Returns:
            Whether it will: False once it has ended.
        """
        with self._lock:
            if self.outcome is not None:
                return False
            self._to_find += 1
            return True

    def begin(self, pipeline: Pipeline, shot: Shot) -> None:
        """Pause a pipeline and have it go on from a shot, which is not looked for itself."""
        share = self._share(shot)
        self._begun_at_s = shot.frame.time_s
        self._within = share is not None and share > self._above
        self._shown_at_s = time.perf_counter()
        pipeline.pause()
        if pipeline.at_end:
            self.look(shot, last=True)
        else:
            pipeline.step()

    def passes_over(self, pipeline: Pipeline, shot: Shot) -> bool:
        """Whether to go on without showing a shot that a pipeline has delivered."""
        if self.outcome is not None:
            return False
        if not pipeline.paused:  # somebody plays on
            self.stop()
            return False
        shows = self.look(shot, last=pipeline.at_end)
        if self.outcome is None:
            pipeline.step()
        return not shows

    def look(self, shot: Shot, last: bool) -> bool:
        """Whether to show a shot.

        Args:
            shot: the next one.
            last: no other comes.
        """
        if self.outcome is not None:
            return True
        share = self._share(shot)
        found = share is not None and share > self._above
        if share is None:
            self.outcome = Outcome.NONE
        elif found and not self._within and self._is_last_to_find(share):
            pass
        elif last:
            self.outcome = Outcome.END
        elif self._begun_at_s is not None and shot.frame.time_s - self._begun_at_s > self._most_s:
            self.outcome = Outcome.FAR
        self._within = found
        now_s = time.perf_counter()
        if self.outcome is None and now_s - self._shown_at_s < SHOW_EVERY_S:
            return False
        self._shown_at_s = now_s
        return True

    def _is_last_to_find(self, share: float | None) -> bool:
        with self._lock:
            self._to_find -= 1
            if self._to_find == 0:
                self.share_found, self.outcome = share, Outcome.FOUND
            return self._to_find == 0

    def stop(self) -> None:
        """What comes next is shown."""
        self.outcome = self.outcome or Outcome.STOPPED


def disagreement_share(shot: Shot) -> float | None:
    """Of the picture, where two models see different classes; None with one model."""
    return shot.disagreement.share if shot.disagreement is not None else None
