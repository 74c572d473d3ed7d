"""The signals by which somebody asks a program to end: Ctrl-C, a polite kill, a terminal that is closed."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

END_SIGNALS = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP")
    if hasattr(signal, name)  # Windows has no SIGHUP
)


@contextmanager
def end_signals_to(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    """Have `handler` called for each of them; those before come back at the end of the block.

    One that is ignored stays so: `nohup` and background jobs of a shell ask for that. Does nothing on other threads
    than the main one, where Python sets no handlers.
    """
    before = {}
    if threading.current_thread() is threading.main_thread():
        for number in END_SIGNALS:
            if signal.getsignal(number) != signal.SIG_IGN:
                before[number] = signal.signal(number, handler)
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
