"""Waiting for something with a deadline, and saying what it was."""

from __future__ import annotations

import time
from collections.abc import Callable

WAIT_S = 90.0
"""For what takes a second; it costs nothing where all is well, and machines stand still now and then."""


def wait_until(condition: Callable[[], object], what: str, seconds: float = WAIT_S) -> None:
    """Return once a condition holds; fails when it does not within so many seconds."""
    until_s = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until_s, f"waited {seconds:g} s in vain for {what}"
        time.sleep(0.005)
