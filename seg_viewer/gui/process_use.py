"""How much of the machine this process uses: processor and memory."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from seg_viewer.core.machine import usable_cores

_STATM = Path("/proc/self/statm")


@dataclass(frozen=True)
class Use:
    """At one moment.

    Args:
        cpu: share of all cores that this process may use, 0…1, since the moment before; None at first.
        memory: what it holds of the main memory, bytes; None where the system does not say.
    """

    cpu: float | None
    memory: int | None


class ProcessUse:
    """Asked now and then. Export processes are not counted."""

    def __init__(self) -> None:
        self._before: tuple[float, float] | None = None

    def sample(self) -> Use:
        now = time.perf_counter(), time.process_time()
        before, self._before = self._before, now
        passed_s = now[0] - before[0] if before else 0.0
        used_s = now[1] - before[1] if before else 0.0
        cpu = min(1.0, used_s / passed_s / usable_cores()) if passed_s > 0 else None
        return Use(cpu, resident_bytes())


def resident_bytes() -> int | None:
    """Resident set size, bytes: `/proc/self/statm` (proc(5)), elsewhere as psutil says; None without either."""
    try:
        return int(_STATM.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        pass
    try:
        import psutil
    except ImportError:
        return None
    return int(psutil.Process().memory_info().rss)
