"""Opening what may not be there yet: a camera that starts later, a server that is down for a moment."""

from __future__ import annotations

import time
from collections.abc import Callable

from seg_viewer.core.errors import NotThereYetError
from seg_viewer.sources import open_source
from seg_viewer.sources.base import Source
from seg_viewer.sources.live import Backoff

_BACKOFF = Backoff(0.5, 4.0)


def open_when_there(
    text: str,
    *,
    wait: Callable[[float], bool],
    on_waiting: Callable[[str, float], None],
    backoff: Backoff = _BACKOFF,
    hardware: bool = False,
) -> Source | None:
    """As `open_source`, again and again for as long as a live source is not there yet.

    Args:
        text: as for `open_source`.
        wait: waits so many seconds; returns, sooner perhaps, whether the source is not wanted any more.
        on_waiting: called after each attempt that failed, with one line that says why, and `time.perf_counter()` of the
            next one.
        backoff: between attempts.
        hardware: as for `open_source`.

    Returns:
        the source; None when it is not wanted any more.

    Raises:
        UsageError, SourceError: no waiting helps.
    """
    attempts = 0
    while True:
        try:
            return open_source(text, hardware=hardware)
        except NotThereYetError as error:
            problem = str(error)
        wait_s = backoff.wait_s(attempts)
        on_waiting(problem, time.perf_counter() + wait_s)
        if wait(wait_s):
            return None
        attempts += 1
