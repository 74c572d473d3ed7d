"""Times that a stream gives its pictures, brought onto one clock."""

from __future__ import annotations

import struct
import time
from typing import Any

import av

_JUMP_S = 2.0
_LONGEST_WAIT_S = 30.0


def capture_age_s(packet: av.Packet[Any], arrived_s: float) -> float | None:
    """How long before its arrival a picture was taken, by the sender's clock, seconds; None where that says nothing.

    FFmpeg works the time out from RTCP sender reports and hands it over as a producer reference time
    (`AVProducerReferenceTime`: microseconds since 1970 as a 64-bit integer, and flags).

    Args:
        packet: of a stream.
        arrived_s: `time.perf_counter()` when it came.
    """
    if not packet.has_sidedata("prft"):
        return None
    (taken_us,) = struct.unpack_from("q", bytes(packet.get_sidedata("prft")))
    return time.time() - (time.perf_counter() - arrived_s) - float(taken_us) / 1e6


class StreamTimes:
    """Maps the times of one connection after the other onto the time since the source was opened.

    Args:
        opened_s: `time.perf_counter()` then.
    """

    def __init__(self, opened_s: float) -> None:
        self._opened_s = opened_s
        self._last_s = -1.0
        self.restart(timed=True)

    def restart(self, *, timed: bool, on_the_wall: bool = True) -> None:
        """A new connection; `timed` when its packets carry times of their own, `on_the_wall` when these run like it."""
        self._timed, self._on_the_wall = timed, on_the_wall
        if not on_the_wall:
            self._last_s = -1.0
        self._shift_s: float | None = None
        self._own_shift_s: float | None = None
        self._clock: float | None = None
        self._decoded_s: float | None = None

    def look(self, decoding_s: float | None) -> None:
        """Notice that times have stepped back, by what is too little for `time_s` to see: decoding times never do."""
        if decoding_s is None:
            return
        if self._decoded_s is not None and decoding_s < self._decoded_s and self._on_the_wall:
            self._shift_s = None
        self._decoded_s = decoding_s

    def time_s(self, media_s: float | None, arrived_s: float) -> float:
        """Seconds since the source was opened; media times that stray from the clock on the wall are set anew."""
        wall_s = arrived_s - self._opened_s
        if media_s is None or not self._timed:
            return wall_s
        if self._shift_s is None or (self._on_the_wall and abs(media_s + self._shift_s - wall_s) > _JUMP_S):
            self._shift_s = (wall_s if self._on_the_wall else 0.0) - media_s
        return media_s + self._shift_s

    def beside_s(self, media_s: float | None, arrived_s: float, *, early: bool = False) -> float | None:
        """As `time_s`, for the sound beside the pictures: on their clock, unless its times are of another one.

        Args:
            media_s: as the stream has it.
            arrived_s: `time.perf_counter()` when it came.
            early: it may have come long before it is due.

        Returns:
            None while no picture has come whose clock that could be.
        """
        wall_s = arrived_s - self._opened_s
        if media_s is None or not self._timed:
            return wall_s
        if self._shift_s is None:
            return None
        time_s = media_s + self._shift_s
        if early:
            return time_s if abs(time_s - wall_s) < _LONGEST_WAIT_S else None
        if not self._on_the_wall or abs(time_s - wall_s) <= _JUMP_S:
            self._own_shift_s = None
            return time_s
        if self._own_shift_s is None or abs(media_s + self._own_shift_s - wall_s) > _JUMP_S:
            self._own_shift_s = wall_s - media_s
        return media_s + self._own_shift_s

    def shown_s(self, media_s: float | None, arrived_s: float) -> float:
        """As `time_s`, and later than the last."""
        self._last_s = max(self.time_s(media_s, arrived_s), self._last_s + 1e-3)
        return self._last_s

    def wait_s(self, media_s: float | None, now_s: float) -> float:
        """Seconds until a paced packet is due; late by more than a jump, the clock is set anew."""
        if media_s is None:
            return 0.0
        if self._clock is None or not now_s - _JUMP_S < media_s + self._clock < now_s + _LONGEST_WAIT_S:
            self._clock = now_s - media_s
        return media_s + self._clock - now_s
