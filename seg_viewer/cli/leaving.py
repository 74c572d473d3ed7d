"""How a command ends whose end somebody waits for."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from contextlib import suppress

_at_once = threading.Event()


def leave_at_once() -> None:
    """When the command has ended, end the program too, rather than take the interpreter apart first.

    Its files are whole and its threads have ended by then. To take the interpreter apart, with all that was imported,
    is of use to nobody, and takes up to half a second on a busy machine: Ctrl-C would seem to hang.
    """
    _at_once.set()


def leave(code: int) -> None:
    """End the program where `leave_at_once` was called, with what was registered for its end; else do nothing."""
    if not _at_once.is_set():
        return
    atexit._run_exitfuncs()  # noqa: SLF001 - what was registered counts on it, and there is no public name
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # the terminal may be gone; pythonw has none
            stream.flush()
    os._exit(code)
