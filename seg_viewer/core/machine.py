"""What this machine has, and how the system shares it out."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

_THREADS = Path("/proc/self/task")
_log = logging.getLogger(__name__)


def usable_cores() -> int:
    """Processor cores that this process may use: fewer than there are where it is pinned to some."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def step_back(steps: int) -> None:
    """Let the other threads of this program go before the calling one, and before all that it starts from now on.

    In Linux a thread has a priority of its own, and threads that it makes inherit it; elsewhere nothing is changed.

    Args:
        steps: of the scheduler's 20 (`nice`) below the priority of the program, 0 or more.
    """
    if sys.platform == "linux":
        try:
            given = os.getpriority(os.PRIO_PROCESS, os.getpid())
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), given + steps)
        except OSError:
            _log.debug("a thread keeps its priority: the system does not let it change")


@contextlib.contextmanager
def as_scheduled() -> Iterator[None]:
    """What is done within leaves the calling thread its scheduling, and gives it to all threads that it starts.

    SVT-AV1 gives the thread that opens it, and all its own, the highest real-time priority wherever it may: as root,
    so in most containers. One such thread holds up everything else on its core, for as long as it lives.
    """
    if not hasattr(os, "sched_getscheduler") or not _THREADS.is_dir():
        yield
        return
    before, policy, given = set(_threads()), os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        if os.sched_getscheduler(0) != policy:
            os.sched_setscheduler(0, policy, given)
        for thread in set(_threads()) - before:
            with contextlib.suppress(OSError):  # it has ended
                if os.sched_getscheduler(thread) != policy:
                    os.sched_setscheduler(thread, policy, given)


def _threads() -> list[int]:
    return [int(name) for name in os.listdir(_THREADS)]
