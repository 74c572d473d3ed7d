"""The signals by which somebody asks a program to end (Ctrl-C, a polite kill, a closed terminal), and the answers."""

from __future__ import annotations

import _thread
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

END_SIGNALS = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP")
    if hasattr(signal, name)  # Windows has no SIGHUP
)

_AGAIN_S, _MOST_TIMES = 0.005, 100
"""A signal that has to wait comes again so soon, and so often at most."""


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


class OutsideImports:
    """For a handler that raises: has signals wait that come while the main thread is within Python's own import.

    An exception there may leave the import lock locked: `_get_module_lock` (Lib/importlib/_bootstrap.py) takes it
    before its `try`, and waits for it where another thread imports, too. Nobody else could import any more. In a module
    that is just being imported, an exception does no such harm.
    """

    def __init__(self) -> None:
        self._times = 0

    def waits(self, number: int, frame: FrameType | None) -> bool:
        """Whether the signal comes again in a moment, and is not to be answered now. Takes no lock.

        Args:
            number, frame: as the handler got them.
        """
        is_importing = frame is not None and frame.f_code.co_filename.startswith("<frozen importlib")
        if not is_importing or self._times >= _MOST_TIMES:
            return False
        self._times += 1
        _thread.start_new_thread(_send_again, (number,))
        return True


def _send_again(number: int) -> None:
    time.sleep(_AGAIN_S)
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident or 0, number)
    else:  # Windows
        signal.raise_signal(number)


@contextmanager
def ends_like_ctrl_c() -> Iterator[None]:
    """A polite kill and a closed terminal raise KeyboardInterrupt too, as Ctrl-C does, so that they clean up too.

    Only once: a terminal that is closed often says so twice, and cleaning up must not be broken off by that. Ctrl-C
    again breaks it off.
    """
    asked, outside = threading.Event(), OutsideImports()

    def stop(number: int, frame: FrameType | None) -> None:
        if (not asked.is_set() or number == signal.SIGINT) and not outside.waits(number, frame):
            asked.set()
            raise KeyboardInterrupt

    try:
        with end_signals_to(stop):
            yield
    finally:
        _forget_where_it_was_raised()


def _forget_where_it_was_raised() -> None:
    """Let the process end with the exit code that was chosen.

    Python (3.8 and on, `run_eval_code_obj` of its pythonrun.c) remembers a KeyboardInterrupt that came up through text
    given to `exec` or `eval`, as where a dataclass is made in a module that is just imported; and `python -m` then
    kills itself by SIGINT at its end, whoever caught it. The next text that it runs clears that.
    """
    eval("0")  # noqa: S307 - a text of our own


@contextmanager
def stop_event() -> Iterator[threading.Event]:
    """An event that is set when the command is asked to end, so that it can finish what is under way.

    Ctrl-C again raises KeyboardInterrupt: at once.
    """
    asked, outside = threading.Event(), OutsideImports()

    def stop(number: int, frame: FrameType | None) -> None:
        if not (asked.is_set() and number == signal.SIGINT):
            asked.set()
        elif not outside.waits(number, frame):
            raise KeyboardInterrupt

    with end_signals_to(stop):
        yield asked
