"""What runs in the process of a drive, and in those that clean up; the other end is in `process.py`."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from seg_viewer.core.errors import SegViewerError, UsageError
from seg_viewer.core.signals import END_SIGNALS
from seg_viewer.sources.carla.address import CarlaOptions
from seg_viewer.sources.carla.cleanup import Leftovers
from seg_viewer.sources.carla.messages import Answers, Closed, Failed, Message, Ready, Seen, Tick, decode, encode

SWEEP_S = 5.0
"""How long a simulator may take to answer to cleaning up after a client that crashed."""


def serve(connection: Connection, options: CarlaOptions, log: str) -> None:
    """Drive for the process at the other end of `connection`; clean up when that closes, for whatever reason."""
    _ignore_signals()
    _redirect_output(log)
    _let_go_of_tracker()
    from seg_viewer.sources.carla.client import CarlaDrive

    drive: CarlaDrive | None = None
    voice, orders = _Voice(connection), _Orders(connection)

    def tell_that_it_answers() -> None:
        if orders.are_over:
            with contextlib.suppress(OSError):  # nobody listens any more
                voice.say(Answers(time.perf_counter()))

    try:
        drive = CarlaDrive(options, voice.say, tell_that_it_answers, wanted=lambda: not orders.are_over)
        voice.say(Ready(drive.version, drive.town, tuple(drive.warnings), drive.tags))
        orders.interrupts = drive.interrupt
        while (order := orders.next()) is not None:
            pair = None
            for _ in range(order.count):
                pair = drive.next_pair()
            if pair is not None:
                voice.say(Seen(pair, drive.drops))
    except SegViewerError as error:
        with contextlib.suppress(OSError):  # told to nobody, where it is of a wait that was broken off
            text = ". ".join([str(error), *getattr(error, "__notes__", ())])
            voice.say(Failed(text, isinstance(error, UsageError)))
    except (EOFError, OSError, ValueError):
        pass  # nobody listens any more, or somebody else talks
    finally:
        if drive is not None:
            drive.close()
        with contextlib.suppress(OSError):
            voice.say(Closed(tuple(drive.warnings) if drive is not None else ()))
        voice.end()
        with contextlib.suppress(OSError):
            Path(log).unlink()  # only wanted after a crash; the other one may be gone
    os._exit(0)  # the other one waits for that: to take the interpreter apart is of use to nobody


class _Voice:
    """Says one thing after the other to the process at the other end, whatever thread it comes from."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    def say(self, message: Message) -> None:
        """Raises: OSError where nobody listens."""
        with self._lock:
            self._connection.send_bytes(encode(message))

    def end(self) -> None:
        """Hang up."""
        with self._lock:
            self._connection.close()


class _Orders:
    """Takes in what the process at the other end wants, on a thread of its own: a `Close` breaks off what waits.

    Args:
        connection: to it.

    Attributes:
        are_over: no more will come.
        interrupts: called, on that thread, when no more orders will come.
    """

    def __init__(self, connection: Connection) -> None:
        self.interrupts: Callable[[], None] = lambda: None
        self.are_over = False
        self._connection = connection
        self._given: queue.SimpleQueue[Tick | None] = queue.SimpleQueue()
        threading.Thread(target=self._take_in, name="seg-carla-orders", daemon=True).start()

    def next(self) -> Tick | None:
        """Waits for it; None once no more will come."""
        return self._given.get()

    def _take_in(self) -> None:
        with contextlib.suppress(EOFError, OSError, ValueError):  # nobody talks any more, or somebody else does
            while isinstance(order := decode(self._connection.recv_bytes()), Tick):
                self._given.put(order)
        self.are_over = True
        self._given.put(None)
        self.interrupts()


def sweep(options: CarlaOptions, leftovers: Leftovers, log: str) -> None:
    """Exits with 0 when the simulator is as it was."""
    _ignore_signals()
    _redirect_output(log)
    from seg_viewer.sources.carla.client import clean_up_after

    try:
        clean_up_after(replace(options, timeout_s=min(SWEEP_S, options.timeout_s)), leftovers)
    except RuntimeError:
        sys.exit(1)


def serve_clean_up(connection: Connection, options: CarlaOptions, also_of: Sequence[str]) -> None:
    from seg_viewer.sources.carla.client import clean_up_orphans

    _redirect_output(os.devnull)
    try:
        answer: Message = Closed(tuple(clean_up_orphans(options, also_of)))
    except SegViewerError as error:
        answer = Failed(str(error), isinstance(error, UsageError))
    connection.send_bytes(encode(answer))
    connection.close()


def _ignore_signals() -> None:
    """They are meant for the other process, which closes this one; nothing may break off the cleaning up."""
    for number in END_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _let_go_of_tracker() -> None:
    """The process that `multiprocessing` keeps a list with goes on as long as somebody may write to that.

    It has the standard error of the program: who reads that would wait for this process, which may outlive the program.
    """
    tracker: Any = resource_tracker._resource_tracker  # noqa: SLF001 - there is no public way
    fd, tracker._fd = getattr(tracker, "_fd", None), None  # noqa: SLF001
    if fd is not None:
        with contextlib.suppress(OSError):
            os.close(fd)


def _redirect_output(log: str) -> None:
    """The library talks on its own; what it says is only wanted when it ends unexpectedly."""
    sys.stdout.flush()
    sys.stderr.flush()
    with contextlib.suppress(OSError):
        file = os.open(log, os.O_WRONLY | os.O_APPEND)
        os.dup2(file, 1)
        os.dup2(file, 2)
        os.close(file)
