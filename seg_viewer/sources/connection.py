"""One connection to a stream, and the thread that waits for what it sends."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import av
from av.stream import Stream

_MOST_BYTES = 64 << 20
"""Packets that wait to be taken; with more, the rest waits in the sender and in the network."""
_LOOK_S = 0.05
_CLOSE_S = 0.05
_NEARLY = 0.98
_MOST_AT_A_TIME = 24
"""Those included that were left and wait for their time-out. One more waits here until one of them has gone."""

_places = threading.BoundedSemaphore(_MOST_AT_A_TIME)


@dataclass(frozen=True)
class Arrival:
    """A packet and when it came.

    Args:
        packet: the last one is empty, where the stream has an end: it asks the decoder for all pictures that are left.
        arrived_s: `time.perf_counter()` then.
    """

    packet: av.Packet[Any]
    arrived_s: float


class Connection:
    """Opens a container and reads it, on a thread of its own: whoever wants to leave never waits for the network.

    The time of each packet is taken when it comes, so that how long it waited here is known whatever times the sender
    gives it. FFmpeg cannot be broken off from outside: a thread that is stuck in a read goes when that times out.

    Args:
        open_container: may take long; what it raises is raised by `wait_until_open`.
        explain: what to raise in place of an error, which took so many seconds; may take long as well. It is asked at
            the end of a stream, too, with no error: None is an end without one.
        stopping: nothing is waited for any longer once this is set.
        timeout_s: after so many seconds without a packet FFmpeg gives up.
    """

    def __init__(
        self,
        open_container: Callable[[], av.container.InputContainer],
        explain: Callable[[Exception | None, float], Exception | None],
        stopping: threading.Event,
        timeout_s: float,
    ) -> None:
        self._open, self._explain, self._places = open_container, explain, _places
        self._stopping, self._timeout_s = stopping, timeout_s
        self._changed = threading.Condition()
        self._container: av.container.InputContainer | None = None
        self._streams: tuple[Stream, ...] = ()
        self._error: Exception | None = None
        self._arrivals: deque[Arrival] = deque()
        self._sounds: deque[Arrival] = deque()
        self._bytes = 0
        self._ended = False
        self._closing = False
        self.heard_s = time.perf_counter()
        """When the last packet came; at first, when it was opened."""
        self._thread = threading.Thread(target=self._run, name="network-read", daemon=True)
        self._thread.start()

    def wait_until_open(self) -> av.container.InputContainer | None:
        """The container; None when it is not wanted any more. Raises: what opening it raised."""
        while not self._stopping.is_set():
            with self._changed:
                if self._container is not None:
                    return self._container
                if self._ended:
                    assert self._error is not None
                    raise self._error
                self._changed.wait(_LOOK_S)
        return None

    def read(self, video: av.VideoStream, sound: av.AudioStream | None = None) -> None:
        """Begin to take in the packets of a stream of the container, and of the sound beside it."""
        with self._changed:
            self._streams = (video,) if sound is None else (video, sound)
            self._changed.notify_all()

    def take(self) -> Arrival | None:
        """The next packet; None at the end, and when it is not wanted any more. Raises: what reading raised.

        Sound overtakes pictures: these may wait until they are due, and HLS sends a segment's sound behind them.
        """
        while not self._stopping.is_set():
            with self._changed:
                if self._sounds or self._arrivals:
                    arrival = (self._sounds or self._arrivals).popleft()
                    self._bytes -= arrival.packet.size
                    self._changed.notify_all()
                    return arrival
                if self._ended:
                    if self._error is not None:
                        raise self._error
                    return None
                self._changed.wait(_LOOK_S)
        return None

    def close(self) -> None:
        """Let go of it, at once; the container is closed as soon as nothing reads it. Again is fine."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(_CLOSE_S)

    def _run(self) -> None:
        while not self._places.acquire(timeout=_LOOK_S):
            if self._closing or self._stopping.is_set():
                return
        try:
            self._stay()
        finally:
            self._places.release()

    def _stay(self) -> None:
        container, error = None, None
        began_s = time.perf_counter()
        try:
            container = self._open()
            with self._changed:
                self._container = container
                self._changed.notify_all()
                self._changed.wait_for(lambda: bool(self._streams) or self._closing)
            self.heard_s = began_s = time.perf_counter()
            if self._streams:
                self._read(container, *self._streams)
                began_s = self.heard_s
        except Exception as failed:  # noqa: BLE001 - handed to whoever takes packets
            error = failed
            began_s = max(began_s, self.heard_s)
        if not self._closing:
            self._error = self._explain(error, time.perf_counter() - began_s)
        del error  # FFmpeg's own holds the address, password and all
        with self._changed:
            self._ended = True
            self._changed.notify_all()
            # the decoder may still be at work with what came last
            self._changed.wait_for(lambda: self._closing or container is None)
        if container is not None:
            container.close()

    def _read(self, container: av.container.InputContainer, *streams: Stream) -> None:
        packets = container.demux(*streams)
        while True:
            asked_s = time.perf_counter()
            packet = next(packets, None)
            if packet is None:
                return
            arrived_s = time.perf_counter()
            if packet.size and arrived_s - asked_s >= _NEARLY * self._timeout_s:
                # no news: what the demuxer held back, let go when its time was out, before it waits as long again
                raise TimeoutError
            self.heard_s = arrived_s
            if not packet.size and packet.stream is not streams[0]:
                continue  # at the end: no decoder is fed with the sound
            with self._changed:
                self._changed.wait_for(lambda: self._bytes < _MOST_BYTES or self._closing)
                if self._closing:
                    return
                waiting = self._arrivals if packet.stream is streams[0] else self._sounds
                waiting.append(Arrival(packet, arrived_s))
                self._bytes += packet.size
                self._changed.notify_all()
            if not packet.size:
                return
