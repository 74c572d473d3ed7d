"""What the C library keeps of memory that was given back to it (glibc only; elsewhere nothing happens).

glibc has up to eight heaps for each core, so that threads need not wait for each other, and keeps in them what is
freed. A player begins some threads with each source, and each of them fills other heaps: after some minutes of opening
and seeking, more than half of what the heaps held was free.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

_ARENA_MAX = -8
"""M_ARENA_MAX of <malloc.h>; see mallopt(3)."""
_HEAPS = 2
_EVERY_S = 10.0


def use_few_heaps() -> bool:
    """To be called before threads are begun. Returns whether it could be done."""
    return _has_glibc() and ctypes.CDLL(None).mallopt(_ARENA_MAX, _HEAPS) == 1


def give_back() -> bool:
    """Return what is free to the system: takes some milliseconds, without Python's lock. Returns whether any was."""
    return _has_glibc() and ctypes.CDLL(None).malloc_trim(0) == 1


@contextmanager
def tidied(every_s: float = _EVERY_S) -> Iterator[None]:
    """Meanwhile, what is free is given back now and then, on a thread of its own."""
    ends = threading.Event()

    def tidy() -> None:
        while not ends.wait(every_s):
            give_back()

    thread = threading.Thread(target=tidy, name="seg-heap", daemon=True)
    if _has_glibc():
        thread.start()
    try:
        yield
    finally:
        ends.set()
        if thread.ident is not None:
            thread.join()


@cache
def _has_glibc() -> bool:
    if not sys.platform.startswith("linux"):
        return False
    try:
        return hasattr(ctypes.CDLL(None), "gnu_get_libc_version")
    except OSError:  # a Python without dynamic loading
        return False
