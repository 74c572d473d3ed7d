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
import pickle
import signal
import socket
import sys
import tempfile
import threading
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

from seg_viewer.core.errors import SegViewerError, SourceError, UsageError
from seg_viewer.core.frame import ByteArray
from seg_viewer.sources.carla_address import CarlaOptions

_CLOSE_S = 30.0
_SETUP_S = 240.0
_TICK, _CLOSE = "tick", "close"
_READY, _CAPTURE, _ERROR, _CLOSED = "ready", "capture", "error", "closed"


@dataclass(frozen=True)
class Capture:
    """What both cameras saw at one tick.

    Args:
        tick: the simulator's frame number.
        time_s: simulated time, seconds.
        rgb: shape (H, W, 3), uint8, RGB.
        tags: CARLA's tags, shape (H, W), uint8.
    """

    tick: int
    time_s: float
    rgb: ByteArray
    tags: ByteArray


class DriveProcess:
    """Starts a drive and asks it for one tick at a time.

    Args:
        options: of the drive.

    Raises: as `seg_viewer.sources.carla.CarlaDrive`.
    """

    def __init__(self, options: CarlaOptions) -> None:
        if importlib.util.find_spec("carla") is None:
            raise UsageError(f"{options.name}: the CARLA client is missing; pip install 'seg-viewer[carla]'")
        self.options = options
        self.warnings: list[str] = []
        self.drops = 0
        """Pictures so far that came without their ground truth."""
        self._stopping = False
        self._is_closed = False
        self._lock = threading.Lock()  # one may close while another waits
        self._waker, self._woken = socket.socketpair()
        log, self._log = tempfile.mkstemp(prefix="seg-viewer-carla-", suffix=".log")
        os.close(log)
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, options, self._log), name="seg-carla")
        self._process.start()
        theirs.close()
        atexit.register(self.close)  # before multiprocessing waits for it
        try:
            answer = self._answer(_SETUP_S)
            if answer is None:
                raise SourceError(f"{options.name}: stopped while it was being prepared")
        except BaseException:
            self.close()
            raise
        _, self.version, self.town, warnings = answer
        self.warnings += warnings

    def capture(self) -> Capture | None:
        """The next tick; None once it is to stop. Called on one thread.

        Raises:
            SourceError: the server or a camera did not answer in time.
        """
        self._send(_TICK)
        answer = self._answer(3 * self.options.timeout_s + 5)
        if answer is None:
            return None
        _, tick, time_s, height, width, self.drops = answer
        rgb = np.frombuffer(self._connection.recv_bytes(), np.uint8).reshape(height, width, 3)
        tags = np.frombuffer(self._connection.recv_bytes(), np.uint8).reshape(height, width)
        return Capture(tick, time_s, rgb, tags)

    def interrupt(self) -> None:
        """End a `capture` that waits, from any thread; for good."""
        if not self._stopping:
            self._stopping = True
            with contextlib.suppress(OSError):
                self._waker.send(b"!")

    def close(self) -> None:
        """Have the drive leave the simulator as it was, and wait for that; again is fine. Not while `capture` runs."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            self._stopping = True
            atexit.unregister(self.close)
            self._send(_CLOSE)
            self._read_last_words()
            self._connection.close()
            self._process.join(_CLOSE_S)
            if self._process.is_alive():
                self.warnings.append(f"{self.options.name}: the client does not end; what it spawned may be left there")
            self._waker.close()
            self._woken.close()
            Path(self._log).unlink(missing_ok=True)

    def _read_last_words(self) -> None:
        """Until it hangs up; a picture that nobody fetched may come first."""
        words = b""
        with contextlib.suppress(EOFError, OSError):
            while self._connection.poll(_CLOSE_S):
                words = self._connection.recv_bytes()
        with contextlib.suppress(pickle.UnpicklingError, EOFError):
            answer = pickle.loads(words)
            if answer[0] == _CLOSED:
                self.warnings += [text for text in answer[1] if text not in self.warnings]

    def _send(self, order: str) -> None:
        with contextlib.suppress(OSError):  # it has ended: the answer will tell
            self._connection.send(order)

    def _answer(self, timeout_s: float) -> Any:
        """Whatever it answers next, or None once it is to stop. Raises: SourceError, UsageError."""
        ready = wait([self._connection, self._woken, self._process.sentinel], timeout_s)
        if self._stopping:
            return None
        if self._connection in ready or self._connection.poll():
            with contextlib.suppress(EOFError, OSError):
                answer = self._connection.recv()
                if answer[0] == _ERROR:
                    raise (UsageError if answer[1] else SourceError)(answer[2])
                return answer
        raise SourceError(self._why_it_ended())

    def _why_it_ended(self) -> str:
        name, seconds = self.options.name, self.options.timeout_s
        self._process.join(1.0)
        text = Path(self._log).read_text(errors="replace") if Path(self._log).exists() else ""
        if self._process.is_alive() or "time-out" in text:
            return (
                f"{name}: the simulator did not answer within {seconds:g} s; is it still running?"
                " What was spawned there could not be removed"
            )
        last = next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "no reason given")
        return f"{name}: the CARLA client ended unexpectedly (code {self._process.exitcode}): {last}"


# -- the other process -------------------------------------------------------------------------------------------------


def _serve(connection: Connection, options: CarlaOptions, log: str) -> None:
    """Drive for whoever holds the other end of `connection`; clean up when it closes, for whatever reason."""
    for number in (signal.SIGINT, getattr(signal, "SIGHUP", None)):  # meant for the other one, who tells us
        if number is not None:
            signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    _redirect_output(log)
    from seg_viewer.sources.carla import CarlaDrive

    drive: CarlaDrive | None = None
    try:
        drive = CarlaDrive(options)
        connection.send((_READY, drive.version, drive.town, drive.warnings))
        while connection.recv() == _TICK:
            capture = drive.capture()
            height, width = capture.tags.shape
            connection.send((_CAPTURE, capture.tick, capture.time_s, height, width, drive.drops))
            connection.send_bytes(capture.rgb.data.cast("B"))
            connection.send_bytes(capture.tags.data.cast("B"))
    except SegViewerError as error:
        with contextlib.suppress(OSError):
            connection.send((_ERROR, isinstance(error, UsageError), str(error)))
    except (EOFError, OSError, SystemExit):
        pass
    finally:
        if drive is not None:
            drive.close()
            with contextlib.suppress(OSError):
                connection.send((_CLOSED, drive.warnings))
        connection.close()


def _leave(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def _redirect_output(log: str) -> None:
    """The library talks on its own; what it says is only wanted when it ends unexpectedly."""
    sys.stdout.flush()
    sys.stderr.flush()
    with contextlib.suppress(OSError):
        file = os.open(log, os.O_WRONLY | os.O_APPEND)
        os.dup2(file, 1)
        os.dup2(file, 2)
        os.close(file)
