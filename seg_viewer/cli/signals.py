"""What a command does when it is asked to end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from seg_viewer.core.signals import end_signals_to


@contextmanager
def ends_like_ctrl_c() -> Iterator[None]:
    """A polite kill and a closed terminal raise KeyboardInterrupt too, as Ctrl-C does, so that they clean up too.

    Only once: a terminal that is closed often says so twice, and cleaning up must not be broken off by that. Ctrl-C
    again breaks it off.
    """
    asked = threading.Event()

    def stop(number: int, _frame: FrameType | None) -> None:
        if not asked.is_set() or number == signal.SIGINT:
            asked.set()
            raise KeyboardInterrupt

    with end_signals_to(stop):
        yield


@contextmanager
def stop_event() -> Iterator[threading.Event]:
    """An event that is set when the command is asked to end, so that it can finish what is under way.

    Ctrl-C again raises KeyboardInterrupt: at once.
    """
    asked = threading.Event()

    def stop(number: int, _frame: FrameType | None) -> None:
        if asked.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        asked.set()

    with end_signals_to(stop):
        yield asked
