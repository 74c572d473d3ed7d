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
import socket
import tempfile
import threading
import time
from collections.abc import Sequence
from multiprocessing.connection import wait
from pathlib import Path

from seg_viewer.core.errors import SourceError, UsageError
from seg_viewer.core.installing import extra
from seg_viewer.sources.carla.address import CarlaOptions
from seg_viewer.sources.carla.cleanup import Leftovers
from seg_viewer.sources.carla.messages import (
    Answers,
    Close,
    Closed,
    Failed,
    Message,
    Ready,
    Seen,
    Tick,
    decode,
    encode,
)
from seg_viewer.sources.carla.pairing import CameraPair
from seg_viewer.sources.carla.serving import SWEEP_S, serve, serve_clean_up, sweep
from seg_viewer.sources.live import given_up

_CLOSE_S = 30.0
_SETUP_S = 240.0
_PATIENCE_S = 0.03
LEAVE_S = 0.2
"""A simulator that does not answer for so long is left; the client cleans up by itself once it does."""


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
        self._is_swept = False
        self._interrupted = False
        self._left_s: float | None = None
        self._given_up = given_up()
        self._is_closed = False
        self._lock = threading.Lock()  # one may close while another waits
        self._sending = threading.Lock()  # or say that it leaves
        self._waker, self._woken = socket.socketpair()
        log, self._log = tempfile.mkstemp(prefix="seg-viewer-carla-", suffix=".log")
        os.close(log)
        context = multiprocessing.get_context("spawn")
        self._connection, self._theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(self._theirs, options, self._log), name="seg-carla")
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
        except KeyboardInterrupt:
            self.close()
            raise KeyboardInterrupt("; ".join(self.warnings)) from None
        except BaseException:
            self.close()
            raise
        if not isinstance(answer, Ready):
            return False
        self.version, self.town, self.tags = answer.version, answer.town, answer.tags
        self.warnings += answer.warnings
        return True

    @property
    def _stopping(self) -> bool:
        return self._interrupted or self._given_up.is_set()

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
        if not self._interrupted:
            self._interrupted = True
            with contextlib.suppress(OSError):
                self._waker.send(b"!")

    def leave(self) -> None:
        """As `interrupt`; and have the drive begin to leave the simulator as it was, which `close` waits for."""
        self.interrupt()
        if self._left_s is None:
            self._left_s = time.perf_counter()
            self._send(Close())

    def close(self) -> None:
        """Have the drive leave the simulator as it was, and wait for that; again is fine.

        A simulator that does not answer, or not any more while it is cleaned up, is not waited for: the other process
        goes on until it has cleaned up, or has waited in vain, whatever becomes of this one. Not while `next_pair`
        runs.
        """
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            self.leave()
            atexit.unregister(self.close)
            if self._process.pid is not None:
                if self._read_last_words():
                    self._process.join(_CLOSE_S)
                if self._process.is_alive():
                    self._leave_behind()
            if self._clock is not None and self._holds_clock:
                self._clock.release()
            self._connection.close()
            self._theirs.close()
            self._waker.close()
            self._woken.close()
            with contextlib.suppress(OSError):
                Path(self._log).unlink()

    def _read_last_words(self) -> bool:
        """Until it hangs up; a picture that nobody fetched may come first.

        Returns:
            False when the simulator does not answer, or not any more.
        """
        heard_s, last = self._left_s or 0.0, None
        try:
            while self._connection.poll(max(0.0, heard_s + LEAVE_S - time.perf_counter())):
                words = self._connection.recv_bytes()
                with contextlib.suppress(ValueError):
                    last = decode(words)
                    heard_s = max(heard_s, last.at_s) if isinstance(last, Answers) else heard_s
                    self._leftovers = last if isinstance(last, Leftovers) else self._leftovers
            return False
        except (EOFError, OSError):
            pass
        if isinstance(last, Closed):
            self.warnings += [text for text in last.warnings if text not in self.warnings]
        elif self._leftovers.is_something and not self._is_swept:
            self.warnings.append(
                f"{self.options.name}: the CARLA client ended unexpectedly; what was spawned there is removed by the"
                " next drive"
            )
        return True

    def _leave_behind(self) -> None:
        """Let the other process go on, also when this one ends; its end is noticed as long as this one lasts."""
        self.warnings.append(
            f"{self.options.name}: does not answer; what was spawned there is removed as soon as it does, "
            "or by the next drive"
        )
        # there is no public way to have multiprocessing not wait for it at the end of the program
        multiprocessing.process._children.discard(self._process)  # type: ignore[attr-defined] # noqa: SLF001
        clock = self._clock if self._holds_clock else None
        self._holds_clock = False
        threading.Thread(target=_see_off, args=(self._process, clock), name="carla-left", daemon=True).start()

    def _send(self, order: Tick | Close) -> None:
        with self._sending, contextlib.suppress(OSError):  # it has ended: the answer will say so
            self._connection.send_bytes(encode(order))

    def _answer(self, timeout_s: float) -> Message | None:
        """Whatever it answers next, or None once it is to stop. Raises: SourceError, UsageError."""
        while True:
            ready: list[object] = []
            until_s = time.perf_counter() + timeout_s
            while not ready and not self._stopping and time.perf_counter() < until_s:
                ready = list(wait([self._connection, self._woken, self._process.sentinel], _PATIENCE_S))
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
        self._is_swept = True
        if self._leftovers == Leftovers():
            return "Nothing was left there"
        context = multiprocessing.get_context("spawn")
        what = (self.options, self._leftovers, self._log)
        sweeper = context.Process(target=sweep, args=what, name="seg-carla-sweeper")
        until_s = time.perf_counter() + SWEEP_S + self.options.timeout_s
        sweeper.start()
        try:
            while sweeper.is_alive() and not self._stopping and time.perf_counter() < until_s:
                sweeper.join(_PATIENCE_S)
        finally:  # Ctrl-C, too: the next drive removes what this one did not
            sweeper.kill()
            sweeper.join()
        swept = sweeper.exitcode == 0
        return "What was spawned there was removed" if swept else "What was spawned there could not be removed"


def _see_off(process: multiprocessing.process.BaseProcess, clock: threading.Lock | None) -> None:
    """Only once it has ended may another drive set the pace of that simulator: at its end it puts back the settings."""
    process.join()
    if clock is not None:
        clock.release()


_clocks: dict[tuple[str, int], threading.Lock] = {}


def _clock_of(options: CarlaOptions) -> threading.Lock:
    return _clocks.setdefault((options.host.lower(), options.port), threading.Lock())


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
    process = context.Process(target=serve_clean_up, args=(theirs, options, also_of), name="seg-carla-clean-up")
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
