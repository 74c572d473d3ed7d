"""What live sources have in common: they come back by themselves."""

from __future__ import annotations

import math
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Protocol, runtime_checkable

from seg_viewer.core.encoded import PacketRing
from seg_viewer.core.errors import SourceError
from seg_viewer.core.frame import TICKS, Frame, Picture
from seg_viewer.sources.base import Source, SourceInfo, session_fingerprint
from seg_viewer.sources.losses import Loss

_SILENT_S = 2.0


@dataclass(frozen=True)
class LiveStatus:
    """Whether a live source is connected, and if not, why.

    Args:
        connected: frames arrive, or should any moment.
        problem: why not, and when it is tried again, one line; empty while connected.
        attempts: to reconnect since the connection was lost.
        reconnects: how often it came back in all.
        silent: not connected only in that nothing has come for a while; nothing is being tried yet.
        loss: on the way, since it was opened; of what comes over no network, none.
    """

    connected: bool = True
    problem: str = ""
    attempts: int = 0
    reconnects: int = 0
    silent: bool = False
    loss: Loss = field(default_factory=Loss)


@dataclass(frozen=True)
class Backoff:
    """How long to wait before each attempt to reconnect, seconds: twice as long each time."""

    first_s: float = 0.5
    most_s: float = 4.0

    def wait_s(self, attempts: int) -> float:
        return min(self.most_s, self.first_s * 2.0 ** min(attempts, 30))


@runtime_checkable
class LiveSource(Source, Protocol):
    """A source whose frames arrive whether or not they are fetched. `info` may change with a reconnect."""

    on_drop: Callable[[str], None]
    """Called with the cause of each frame that the source itself leaves out; set it to hear of them."""
    packets: PacketRing | None
    """What arrives in encoded form, for recordings; None where there is no such thing."""

    @property
    def status(self) -> LiveStatus: ...

    def interrupt(self) -> None:
        """End the iteration soon, from any thread; for good."""
        ...


_left: ContextVar[threading.Event | None] = ContextVar("left", default=None)


@contextmanager
def given_up_by(left: threading.Event) -> Iterator[None]:
    """Live sources that are opened in this block, on this thread, are given up as soon as an event is set.

    Opening them takes as long as a server keeps silent, and until it is over there is nothing to call `interrupt` of.
    """
    before = _left.set(left)
    try:
        yield
    finally:
        _left.reset(before)


def given_up() -> threading.Event:
    """What gives up a source that is being opened now: that of `given_up_by`, or one that nobody sets."""
    return _left.get() or threading.Event()


class Reconnecting(ABC):
    """Iterates over the frames of one connection after the other, with back-off between them.

    Args:
        name: for people; holds no credentials.
        backoff: between attempts.
    """

    info: SourceInfo

    def __init__(self, name: str, backoff: Backoff | None = None) -> None:
        self.name = name
        self._fingerprint = session_fingerprint()
        self.warnings: list[str] = []
        self._status = LiveStatus()
        self._last_s: float | None = None
        self._again_s: float | None = None
        self._ended = False
        self.on_drop: Callable[[str], None] = lambda _cause: None
        self.packets: PacketRing | None = None
        self._backoff = backoff or Backoff()
        self._stop = given_up()
        self._opened_s = time.perf_counter()
        self._count = 0
        self._last_pts = -1

    @property
    def status(self) -> LiveStatus:
        status, last_s = self._status, self._last_s
        if not status.connected:
            return replace(status, problem=again_text(status.problem, self._again_s))
        if last_s is not None:
            silent_s = time.perf_counter() - last_s
            if silent_s > max(_SILENT_S, 3 / (self.info.rate or 25)):
                problem, until_s = f"{self.name}: no picture for {silent_s:.0f} s", self._given_up_s()
                if until_s is not None:
                    left_s = _whole(until_s - time.perf_counter())
                    problem = f"{self.name}: no picture for {silent_s:.0f} s, connects again in {left_s} s"
                return replace(status, connected=False, silent=True, problem=problem)
        return status

    def _given_up_s(self) -> float | None:
        """`time.perf_counter()` when the connection is given up if nothing comes; None where nobody knows."""
        return None

    @abstractmethod
    def _connect(self) -> None:
        """Set `info` and whatever `_read` needs. Raises: SourceError, with nothing left open."""

    @abstractmethod
    def _read(self) -> Iterator[Frame]:
        """Frames until the connection ends. Raises: SourceError when it breaks."""

    @abstractmethod
    def _disconnect(self) -> None:
        """Let go of the connection; again is fine."""

    def _has_end(self) -> bool:
        """Whether the frames come from something finite: its end is no lost connection, and it is not read twice."""
        return False

    def __iter__(self) -> Iterator[Frame]:
        connected = not self._ended
        self._ended = False
        while not self._stop.is_set():
            try:
                if not connected:
                    self._disconnect()
                    self._connect()
                    connected = True
                for frame in self._read():
                    self._arrived()
                    yield frame
                    if self._stop.is_set():
                        return
                if self._has_end():
                    self._ended = True
                    return
                raise SourceError(f"{self.name}: the stream ended")
            except SourceError as error:
                if self._stop.is_set():
                    return
                if self._has_end():
                    raise
                connected = False
                self._disconnect()
                self._lost(str(error))

    def seek(self, time_s: float) -> None:
        """To the start of what has one; nowhere else."""
        if not self._has_end():
            raise SourceError(f"{self.name}: is live and cannot seek")
        if time_s > 0:
            raise SourceError(f"{self.name}: can only be played from its start; download it to seek in it")
        self._ended = True

    def interrupt(self) -> None:
        self._stop.set()

    def close(self) -> None:
        self._stop.set()
        self._disconnect()

    def _arrived(self) -> None:
        self._last_s = time.perf_counter()
        if not self._status.connected:
            self._status = LiveStatus(reconnects=self._status.reconnects + 1)

    def _lost(self, problem: str) -> None:
        attempts = 0 if self._status.connected else self._status.attempts + 1
        wait_s = self._backoff.wait_s(attempts)
        self._again_s = time.perf_counter() + wait_s
        self._status = replace(self._status, connected=False, problem=problem, attempts=attempts)
        self._stop.wait(wait_s)

    def _frame(self, time_s: float, picture: Picture, arrived_s: float, captured_s: float | None = None) -> Frame:
        """The next one; times as in `Frame`."""
        self._count += 1
        self._last_pts = max(round(time_s * TICKS), self._last_pts + 1)  # two may come within one tick
        return Frame(
            self._count - 1,
            time_s,
            picture,
            arrived_s=arrived_s,
            pts=self._last_pts,
            source=self._fingerprint,
            captured_s=captured_s,
        )


def again_text(problem: str, again_s: float | None) -> str:
    """Why something is not there, and in how many seconds it is tried again.

    Args:
        problem: one line; "" for none.
        again_s: `time.perf_counter()` then; None where it is not tried again.
    """
    if not problem or again_s is None:
        return problem
    left_s = again_s - time.perf_counter()
    return f"{problem}; tries again in {_whole(left_s)} s" if left_s > 0 else f"{problem}; tries again now"


def _whole(seconds: float) -> int:
    """Counted down to 1."""
    return max(1, math.ceil(seconds))
