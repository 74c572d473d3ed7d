"""What this machine has."""

from __future__ import annotations

import os


def usable_cores() -> int:
    """Processor cores that this process may use: fewer than there are where it is pinned to some."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
