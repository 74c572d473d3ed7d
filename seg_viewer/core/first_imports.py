"""Ctrl-C while a program still imports itself."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def ctrl_c_ends_at_once() -> Iterator[None]:
    """Within, Ctrl-C ends the process there and then, without a word: nothing has begun that could be cleaned up.

    Python's own answer, an exception wherever it is just then, would be a traceback out of somebody's library, or be
    taken there for a package that cannot be imported. The exit code is 130, as shells have it.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler:  # ignored, as background jobs of a shell are asked to
        yield
        return
    signal.signal(signal.SIGINT, lambda _number, _frame: os._exit(128 + signal.SIGINT))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
