"""What live sources have in common: they come back by themselves."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from seg_viewer.core.encoded import PacketRing
from seg_viewer.core.errors import SourceError
from seg_viewer.core.frame import TICKS, Frame, Picture
from seg_viewer.sources.base import Source, SourceInfo, session_fingerprint

_SILENT_S = 2.0


@dataclass(frozen=True)
class LiveStatus:
    """Whether a live source is connected, and if not, why.

    Args:
        connected: frames arrive, or should any moment.
        problem: why not, one line; empty while connected.
        attempts: to reconnect since the connection was lost.
        reconnects: how often it came back in all.
        silent: not connected only in that nothing has come for a while; nothing is being tried yet.
    """

    connected: bool = True
    problem: str = ""
    attempts: int = 0
    reconnects: int = 0
    silent: bool = False


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
        self._ended = False
        self.on_drop: Callable[[str], None] = lambda _cause: None
        self.packets: PacketRing | None = None
        self._backoff = backoff or Backoff()
        self._stop = threading.Event()
        self._opened_s = time.perf_counter()
        self._count = 0
        self._last_pts = -1

    @property
    def status(self) -> LiveStatus:
        status, last_s = self._status, self._last_s
        if status.connected and last_s is not None:
            silent_s = time.perf_counter() - last_s
            if silent_s > max(_SILENT_S, 3 / (self.info.rate or 25)):
                problem = f"{self.name}: no picture for {silent_s:.0f} s"
                return replace(status, connected=False, silent=True, problem=problem)
        return status

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
        self._status = replace(self._status, connected=False, problem=problem, attempts=attempts)
        self._stop.wait(self._backoff.wait_s(attempts))

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
