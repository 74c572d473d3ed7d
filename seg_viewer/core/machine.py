"""What this machine has, and how much of it a thread takes."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress

_LEAST = 19


def usable_cores() -> int:
    """Processor cores that this process may use: fewer than there are where it is pinned to some."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def give_way() -> None:
    """From now on this thread, and those that it starts, work when nobody else wants to. Linux only; else nothing."""
    if sys.platform == "linux":  # elsewhere the number of a thread may be that of another process
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LEAST)
