"""How much memory there is for decoded pictures: what is free on this machine, or in the container that it runs in."""

from __future__ import annotations

import os
from pathlib import Path

UNKNOWN = 6 << 30
"""Taken for the free memory where the system does not say."""


def free_bytes() -> int:
    """Memory that this process could take, bytes: free or reclaimable, within the limits of its control groups."""
    found = [_free_here(), *_free_in_groups()]
    return max(0, min([value for value in found if value is not None], default=UNKNOWN))


def _free_here() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, ValueError, IndexError, StopIteration):
        pass
    try:  # macOS: half of all that it has
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, OSError, ValueError):
        return None


def _free_in_groups(root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> list[int]:
    """What the limits of this process' control groups leave, of version 1 or 2, from its own up to the root."""
    try:
        lines = own.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        _, kinds, path = line.split(":", 2)
        if kinds and "memory" not in kinds.split(","):
            continue
        base = root / "memory" if kinds else root
        files = ("memory.limit_in_bytes", "memory.usage_in_bytes") if kinds else ("memory.max", "memory.current")
        group = base / path.lstrip("/")
        for folder in (group, *group.parents):
            if folder == root.parent:
                break
            limit, used = (_number(folder / name) for name in files)
            if limit is not None and used is not None:
                found.append(limit - used + _reclaimable(folder / "memory.stat"))
    return found


def _number(path: Path) -> int | None:
    """The number in a file; None where there is none, as where there is no limit ("max")."""
    try:
        return int(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _reclaimable(path: Path) -> int:
    """Of what a control group uses: files read before, which make room when somebody needs it."""
    try:
        rows = (line.split() for line in path.read_text(encoding="utf-8").splitlines())
        return sum(int(row[1]) for row in rows if row[0] == "inactive_file")
    except (OSError, ValueError, IndexError):
        return 0
