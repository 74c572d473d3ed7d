"""What of a stream got lost on its way, as far as that can be known from what came."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import av

DAMAGED = "damaged: did not decode"
GAVE_NO_PICTURE = "damaged: gave no picture"
BEFORE_KEY = "before the first key frame"

_MOST_HELD_BACK = 32
"""Packets that a decoder may take before it gives the picture of the first one; H.264 allows 16."""
_STEPS = 25
_ENOUGH_STEPS = 12
_STEADY = 0.75
_NEAR = 0.25
_CATCHES_UP_WITHIN = 5
"""Pictures after a gap: a sender that was late sends some of them sooner."""
_LONGEST_GAP_S = 2.0
"""A longer one is a pause or another clock, and is shown as such while it lasts."""


@dataclass(frozen=True)
class Loss:
    """What a network that loses packets (RTP, UDP) has done to a stream since it was opened.

    Args:
        came: encoded pictures that came, whole or not.
        missing: that did not come, by the times of those that did.
        broken: that came, and gave no picture.
        damaged: that are shown although parts of them did not come.
    """

    came: int = 0
    missing: int = 0
    broken: int = 0
    damaged: int = 0

    @property
    def lost(self) -> int:
        """Pictures that were sent, and cannot be shown."""
        return self.missing + self.broken

    @property
    def sent(self) -> int:
        """As far as that is known."""
        return self.came + self.missing

    def line(self) -> str:
        """ "3 of 250 pictures missing (2 did not come, 1 gave no picture), 5 damaged"; "" where none was."""
        if not self.lost and not self.damaged:
            return ""
        parts = ((self.missing, "did not come"), (self.broken, "gave no picture"))
        how = ", ".join(f"{count} {what}" for count, what in parts if count)
        lost = f"{self.lost} of {self.sent} pictures missing" + (f" ({how})" if how else "")
        return lost + (f", {self.damaged} damaged" if self.damaged else "")


class Gaps:
    """Finds pictures that did not come, in the times of those that did.

    It takes a steady sender: at least `_STEADY` of the latest steps from one picture to the next are alike. Of one that
    sends when it likes, and of one whose pictures come in another order than they are shown, nothing can be known.
    """

    def __init__(self) -> None:
        self._last_s: float | None = None
        self._steps: deque[float] = deque(maxlen=_STEPS)
        self._found: deque[int] = deque([0], maxlen=_CATCHES_UP_WITHIN)

    def look(self, media_s: float | None) -> int:
        """How many are missing before a picture; less than 0 where some were not missing after all, but late.

        Args:
            media_s: its time in the stream, seconds; None where it has none.
        """
        last_s, self._last_s = self._last_s, media_s
        if last_s is None or media_s is None:
            return 0
        step_s = media_s - last_s
        if not 0 < step_s <= _LONGEST_GAP_S:
            self._steps.clear()
            return 0
        usual_s = median(self._steps) if len(self._steps) >= _ENOUGH_STEPS else step_s
        alike = sum(abs(step - usual_s) <= usual_s / 4 for step in self._steps)
        self._steps.append(step_s)
        if alike < _STEADY * len(self._steps):
            return 0
        times = step_s / usual_s
        missing = round(times) - 1 if times >= 1.5 and abs(times - round(times)) <= _NEAR else 0
        if times < 0.5 and any(self._found):
            missing = -1
            at = next(at for at, found in enumerate(self._found) if found)
            self._found[at] -= 1
        self._found.append(max(0, missing))
        return missing


@dataclass(frozen=True)
class Given:
    """A packet that was given to a decoder.

    Args:
        number: of the packet, counted up.
        pts: its time, ticks of the stream, or None.
        arrived_s: `time.perf_counter()` when it came.
        captured_s: the same when its picture was taken; None where that is not known.
    """

    number: int
    pts: int | None
    arrived_s: float
    captured_s: float | None


class UnderWay:
    """Packets in the decoder of one connection, until their pictures come: each gives one, or is counted.

    Args:
        on_lost: called with the cause for each that gives no picture.
    """

    def __init__(self, on_lost: Callable[[str], None]) -> None:
        self._on_lost = on_lost
        self._waiting: deque[Given] = deque()
        self._count = 0
        self._has_begun = False
        self._in_fields = False

    def put(self, packet: av.Packet[Any], arrived_s: float, captured_s: float | None) -> None:
        """A packet is given to the decoder."""
        if not packet.size:
            return  # asks for what is left
        self._count += 1
        self._waiting.append(Given(self._count, packet.pts, arrived_s, captured_s))
        while self._waiting[0].number <= self._count - _MOST_HELD_BACK:
            self._waiting.popleft()
            self._lost(GAVE_NO_PICTURE)

    def failed(self) -> None:
        """The packet given last did not decode."""
        if self._waiting:
            self._waiting.pop()
        self._lost(DAMAGED)

    def came(self, frame: av.VideoFrame) -> Given | None:
        """The packet of a picture; None where it cannot be told, or there is none any more."""
        of_its_time = [given for given in self._waiting if given.pts is not None and given.pts == frame.pts]
        while of_its_time and not self._has_begun and self._waiting[0].number < of_its_time[-1].number:
            self._waiting.popleft()  # of pictures whose key frame was sent before somebody listened
            self._lost(GAVE_NO_PICTURE)
        self._has_begun = True
        self._in_fields = frame.interlaced_frame
        if not of_its_time:
            if self._waiting:
                self._waiting.popleft()
            return None
        self._waiting.remove(of_its_time[-1])
        return of_its_time[-1]

    def clear(self) -> None:
        """The decoder holds none of them any more."""
        while self._waiting:
            self._waiting.popleft()
            self._lost(GAVE_NO_PICTURE)

    def _lost(self, cause: str) -> None:
        if not self._has_begun:
            self._on_lost(BEFORE_KEY)
        elif cause == DAMAGED or not self._in_fields:  # two packets may make one interlaced picture
            self._on_lost(cause)


class Losses:
    """Keeps a `Loss` up to date, over all connections of a source.

    Args:
        on_drop: called with the cause for each packet that gives no picture.
    """

    def __init__(self, on_drop: Callable[[str], None]) -> None:
        self.loss = Loss()
        """Up to now; safe from any thread."""
        self._on_drop = on_drop
        self.restart(can_lose=False)

    def restart(self, *, can_lose: bool) -> None:
        """A new connection; `can_lose` where packets can be lost on the way."""
        self.under_way = UnderWay(self._dropped)
        self._gaps = Gaps() if can_lose else None

    def arrived(self, media_s: float | None) -> None:
        """An encoded picture came; `media_s` as for `Gaps.look`."""
        if self._gaps is None:
            return
        missing = self._gaps.look(media_s)
        self.loss = replace(self.loss, came=self.loss.came + 1, missing=self.loss.missing + missing)

    def shown(self, frame: av.VideoFrame) -> Given | None:
        """A picture came out of the decoder; returns as `UnderWay.came`."""
        if frame.is_corrupt and self._gaps is not None:
            self.loss = replace(self.loss, damaged=self.loss.damaged + 1)
        return self.under_way.came(frame)

    def _dropped(self, cause: str) -> None:
        if cause != BEFORE_KEY and self._gaps is not None:
            self.loss = replace(self.loss, broken=self.loss.broken + 1)
        self._on_drop(cause)
