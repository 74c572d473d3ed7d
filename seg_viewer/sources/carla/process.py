"""A drive in a process of its own.

CARLA's client ends the whole process when its traffic manager loses the server. In a process of its own it ends only
that; and however this program ends, the other one notices and leaves the simulator as it was.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib.util
import multiprocessing
import os
import queue
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from pathlib import Path

from seg_viewer.core.errors import SegViewerError, SourceError, UsageError
from seg_viewer.core.installing import extra
from seg_viewer.core.signals import END_SIGNALS
from seg_viewer.sources.carla.address import CarlaOptions
from seg_viewer.sources.carla.cleanup import Leftovers
from seg_viewer.sources.carla.messages import Close, Closed, Failed, Message, Ready, Seen, Tick, decode, encode
from seg_viewer.sources.carla.pairing import CameraPair

_CLOSE_S = 30.0
_SETUP_S = 240.0
_SWEEP_S = 5.0
_PATIENCE_S = 0.1


class DriveProcess:
    """Starts a drive, `board`s it, and asks it for one picture at a time.

    Args:
        options: of the drive.

    Raises:
        UsageError: the `carla` package is missing.
    """

    def __init__(self, options: CarlaOptions) -> None:
        if importlib.util.find_spec("carla") is None:
            raise UsageError(f"{options.name}: the CARLA client is missing; {extra('carla')}")
        self.options = options
        self.warnings: list[str] = []
        self.version = self.town = self.tags = ""
        self.drops: dict[str, int] = {}
        """Pictures so far that were left out, by cause."""
        self._leftovers = Leftovers()
        self._stopping = False
        self._is_closed = False
        self._lock = threading.Lock()  # one may close while another waits
        self._waker, self._woken = socket.socketpair()
        log, self._log = tempfile.mkstemp(prefix="seg-viewer-carla-", suffix=".log")
        os.close(log)
        context = multiprocessing.get_context("spawn")
        self._connection, self._theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(self._theirs, options, self._log), name="seg-carla")
        self._clock = _clock_of(options) if options.tick else None
        self._holds_clock = False

    def board(self) -> bool:
        """Wait until the car stands in its town; False when it was interrupted.

        Raises: as `seg_viewer.sources.carla.client.CarlaDrive`.
        """
        try:
            if not self._take_clock():
                return False
            atexit.register(self.close)  # before multiprocessing waits for it
            self._process.start()
            self._theirs.close()
            answer = self._answer(_SETUP_S)
        except BaseException:
            self.close()
            raise
        if not isinstance(answer, Ready):
            return False
        self.version, self.town, self.tags = answer.version, answer.town, answer.tags
        self.warnings += answer.warnings
        return True

    def _take_clock(self) -> bool:
        """One drive of this program at a time sets the pace of a simulator; waits for the one before to be closed."""
        until_s = time.perf_counter() + _CLOSE_S
        while self._clock is not None and not self._holds_clock:
            self._holds_clock = self._clock.acquire(timeout=_PATIENCE_S)
            if self._stopping:
                return False
            if not self._holds_clock and time.perf_counter() > until_s:
                raise SourceError(f"{self.options.name}: another drive of this program is under way there; close it")
        return True

    def next_pair(self, ticks: int = 1) -> CameraPair | None:
        """What is seen so many ticks later; None once it is to stop. Called on one thread.

        Raises:
            SourceError: the server or a camera did not answer in time.
        """
        self._send(Tick(ticks))
        answer = self._answer((2 + ticks) * self.options.timeout_s + 5)
        if not isinstance(answer, Seen):
            return None
        self.drops = dict(answer.drops)
        return answer.pair

    def interrupt(self) -> None:
        """End a `next_pair` that waits, from any thread; for good."""
        if not self._stopping:
            self._stopping = True
            with contextlib.suppress(OSError):
                self._waker.send(b"!")

    def close(self) -> None:
        """Have the drive leave the simulator as it was, and wait for that; again is fine.

        Not while `next_pair` runs.
        """
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            self._stopping = True
            atexit.unregister(self.close)
            if self._process.pid is not None:
                self._send(Close())
                self._read_last_words()
                self._process.join(_CLOSE_S)
                if self._process.is_alive():
                    self.warnings.append(f"{self.options.name}: the client does not end; it may leave something there")
            if self._clock is not None and self._holds_clock:
                self._clock.release()
            self._connection.close()
            self._theirs.close()
            self._waker.close()
            self._woken.close()
            with contextlib.suppress(OSError):
                Path(self._log).unlink()

    def _read_last_words(self) -> None:
        """Until it hangs up; a picture that nobody fetched may come first."""
        words = b""
        with contextlib.suppress(EOFError, OSError):
            while self._connection.poll(_CLOSE_S):
                words = self._connection.recv_bytes()
        with contextlib.suppress(ValueError):
            answer = decode(words)
            if isinstance(answer, Closed):
                self.warnings += [text for text in answer.warnings if text not in self.warnings]

    def _send(self, order: Tick | Close) -> None:
        with contextlib.suppress(OSError):  # it has ended: the answer will say so
            self._connection.send_bytes(encode(order))

    def _answer(self, timeout_s: float) -> Message | None:
        """Whatever it answers next, or None once it is to stop. Raises: SourceError, UsageError."""
        while True:
            ready = wait([self._connection, self._woken, self._process.sentinel], timeout_s)
            if self._stopping:
                return None
            words = b""
            if self._connection in ready or self._connection.poll():
                with contextlib.suppress(EOFError, OSError):
                    words = self._connection.recv_bytes()
            if not words:
                raise SourceError(self._why_it_ended())
            try:
                answer = decode(words)
            except ValueError as error:
                raise SourceError(
                    f"{self.options.name}: the CARLA client sent {error}; open the drive again. {self._clean_up()}"
                ) from None
            if isinstance(answer, Failed):
                raise (UsageError if answer.is_usage else SourceError)(answer.text)
            if not isinstance(answer, Leftovers):
                return answer
            self._leftovers = answer

    def _why_it_ended(self) -> str:
        """One line; what it left in the simulator is removed, where that still answers."""
        name, text = self.options.name, ""
        self._process.join(1.0)
        with contextlib.suppress(OSError):
            text = Path(self._log).read_text(encoding="utf-8", errors="replace")
        if self._process.is_alive() or "time-out" in text:
            return (
                f"{name}: the simulator did not answer within {self.options.timeout_s:g} s; is it still running?"
                f" {self._clean_up()}"
            )
        lines = [line.strip() for line in text.splitlines() if line.strip() and "WARNING" not in line]
        why = f": {lines[-1]}" if lines else ""
        return f"{name}: the CARLA client ended unexpectedly (code {self._process.exitcode}){why}. {self._clean_up()}"

    def _clean_up(self) -> str:
        """Put back what the other process can no longer; returns what became of it."""
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        if self._leftovers == Leftovers():
            return "Nothing was left there"
        context = multiprocessing.get_context("spawn")
        what = (self.options, self._leftovers, self._log)
        sweeper = context.Process(target=_sweep, args=what, name="seg-carla-sweeper")
        sweeper.start()
        sweeper.join(_SWEEP_S + self.options.timeout_s)
        if sweeper.is_alive():
            sweeper.kill()
            sweeper.join()
        swept = sweeper.exitcode == 0
        return "What was spawned there was removed" if swept else "What was spawned there could not be removed"


_clocks: dict[tuple[str, int], threading.Lock] = {}


def _clock_of(options: CarlaOptions) -> threading.Lock:
    return _clocks.setdefault((options.host.lower(), options.port), threading.Lock())


# -- the other process -------------------------------------------------------------------------------------------------


def _serve(connection: Connection, options: CarlaOptions, log: str) -> None:
    """Drive for the process at the other end of `connection`; clean up when that closes, for whatever reason."""
    _ignore_signals()
    _redirect_output(log)
    from seg_viewer.sources.carla.client import CarlaDrive

    drive: CarlaDrive | None = None
    orders = _Orders(connection)
    try:
        drive = CarlaDrive(options, on_leftovers=lambda leftovers: connection.send_bytes(encode(leftovers)))
        connection.send_bytes(encode(Ready(drive.version, drive.town, tuple(drive.warnings), drive.tags)))
        orders.interrupts = drive.interrupt
        while (order := orders.next()) is not None:
            pair = None
            for _ in range(order.count):
                pair = drive.next_pair()
            if pair is not None:
                connection.send_bytes(encode(Seen(pair, drive.drops)))
    except SegViewerError as error:
        with contextlib.suppress(OSError):  # told to nobody, where it is of a wait that was broken off
            connection.send_bytes(encode(Failed(str(error), isinstance(error, UsageError))))
    except (EOFError, OSError, ValueError):
        pass  # nobody listens any more, or somebody else talks
    finally:
        if drive is not None:
            drive.close()
            with contextlib.suppress(OSError):
                connection.send_bytes(encode(Closed(tuple(drive.warnings))))
        connection.close()
        with contextlib.suppress(OSError):
            Path(log).unlink()  # only wanted after a crash; the other one may be gone


class _Orders:
    """Takes in what the process at the other end wants, on a thread of its own: a `Close` breaks off what waits.

    Args:
        connection: to it.

    Attributes:
        interrupts: called, on that thread, when no more orders will come.
    """

    def __init__(self, connection: Connection) -> None:
        self.interrupts: Callable[[], None] = lambda: None
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
        self._given.put(None)
        self.interrupts()


def _sweep(options: CarlaOptions, leftovers: Leftovers, log: str) -> None:
    """Exits with 0 when the simulator is as it was."""
    _ignore_signals()
    _redirect_output(log)
    from seg_viewer.sources.carla.client import clean_up_after

    try:
        clean_up_after(replace(options, timeout_s=min(_SWEEP_S, options.timeout_s)), leftovers)
    except RuntimeError:
        sys.exit(1)


def clean_up_simulator(options: CarlaOptions, also_of: Sequence[str] = ()) -> tuple[str, ...]:
    """Remove what killed drives of ours left in a simulator.

    Args:
        options: which one.
        also_of: machines whose drives cannot be looked up here, and have ended.

    Returns: a line for each drive: what was removed, or is left alone.

    Raises: UsageError, SourceError: as `seg_viewer.sources.carla.client.clean_up_orphans`.
    """
    if importlib.util.find_spec("carla") is None:
        raise UsageError(f"{options.name}: the CARLA client is missing; {extra('carla')}")
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve_clean_up, args=(theirs, options, also_of), name="seg-carla-clean-up")
    process.start()
    theirs.close()
    words = b""
    with contextlib.suppress(EOFError, OSError):
        words = ours.recv_bytes()
    process.join()
    ours.close()
    answer = decode(words) if words else None
    if isinstance(answer, Closed):
        return answer.warnings
    if isinstance(answer, Failed):
        raise (UsageError if answer.is_usage else SourceError)(answer.text)
    raise SourceError(f"{options.name}: the CARLA client ended unexpectedly (code {process.exitcode})")


def _serve_clean_up(connection: Connection, options: CarlaOptions, also_of: Sequence[str]) -> None:
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


def _redirect_output(log: str) -> None:
    """The library talks on its own; what it says is only wanted when it ends unexpectedly."""
    sys.stdout.flush()
    sys.stderr.flush()
    with contextlib.suppress(OSError):
        file = os.open(log, os.O_WRONLY | os.O_APPEND)
        os.dup2(file, 1)
        os.dup2(file, 2)
        os.close(file)
