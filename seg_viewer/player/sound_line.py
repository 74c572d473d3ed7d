"""Decoded sound on its way to a device, which takes from it what is heard at a time of the film."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

_KEPT_S = 0.5
"""What was played stays for so long: a picture may make the clock go back a little."""
_JUMP_S = 0.03
"""From a larger distance on sound jumps to where the picture is."""
_NEAR_S = 0.002
"""A smaller one is left alone: devices tell their times no better."""
_SLIDE = 0.004
"""Share by which sound is made faster or slower to catch up: 7 cents, which nobody hears."""
_SETTLE = 0.1
"""Share of a new distance that counts: the times of devices jitter."""
_FADE_S = 0.005
"""Sound never begins or breaks off at once: that would click."""


class SoundLine:
    """Samples from one time on, without a hole; one thread puts, the device's thread takes.

    Args:
        rate: samples per second.
        channels: of each sample.
        length_s: how much is held at most, seconds of sound.
    """

    def __init__(self, rate: int, channels: int, length_s: float) -> None:
        self.rate, self.channels = rate, channels
        self._lock = threading.Lock()
        self._held = np.zeros((round((length_s + _KEPT_S) * rate) + 2, channels), np.float32)
        self._start_s, self._speed = 0.0, 1.0
        self._first = self._count = 0  # number of the first sample that is held; how many are
        self._reach = 0.0  # number of the sample that it was begun for
        self._at: float | None = None  # number of the sample that is next; None while it is silent
        self._off = 0.0  # how far `_at` is behind, samples, smoothed
        self._gain = 1.0
        self.lacking_s: float | None = None
        """The time that the device last asked for in vain, seconds of the film; None since it got what it wanted."""

    def begin(self, start_s: float, speed: float, wanted_s: float) -> None:
        """What is put from now on begins at a time of the film, and runs through it at a speed.

        Args:
            start_s: of the first sample, seconds.
            speed: seconds of the film in each second of sound.
            wanted_s: what will be asked for, not before `start_s`.
        """
        with self._lock:
            self._start_s, self._speed = start_s, speed
            self._reach = self._place(wanted_s)
            self._first = self._count = 0
            self._at = None
            self.lacking_s = None

    def room(self) -> int:
        """How many samples can be put now."""
        with self._lock:
            self._forget()
            return len(self._held) - 2 - self._count

    def put(self, samples: Samples) -> int:
        """Add as many of some samples, shape (n, channels), as there is room for; returns how many."""
        with self._lock:
            self._forget()
            some = min(len(samples), len(self._held) - 2 - self._count)
            self._held[self._count : self._count + some] = samples[:some]
            self._count += some
            return some

    def holds(self, time_s: float) -> bool:
        """Whether the sound of a time of the film is here, or comes next."""
        with self._lock:
            place = self._place(time_s)
            end = max(self._reach, self._first + self._count)
            return self._first <= place <= end + _KEPT_S * self.rate

    def has(self, time_s: float, length_s: float) -> bool:
        """Whether so much sound (seconds of it) from a time of the film on waits to be played."""
        with self._lock:
            place = self._place(time_s)
            return self._first <= place and place + length_s * self.rate <= self._first + self._count

    def fill(self, out: Samples, time_s: float | None, gain: float) -> None:
        """Set what a device plays next.

        Args:
            out: shape (n, channels), set whole.
            time_s: of the film when the first of them is heard, seconds; None while the film stands still.
            gain: loudness, 0…1; it is approached within these samples.
        """
        with self._lock:
            wanted = None if time_s is None else self._place(time_s)
            if wanted is not None and not self._first <= wanted < self._first + self._count:
                self.lacking_s, wanted = time_s, None
            elif wanted is not None:
                self.lacking_s = None
            self._fill(out, wanted)
            if gain != 1.0 or self._gain != 1.0:
                out *= np.linspace(self._gain, gain, len(out), dtype=np.float32)[:, None]
            self._gain = gain

    def _fill(self, out: Samples, wanted: float | None) -> None:
        count, before = len(out), self._at
        if before is not None and wanted is not None:
            off = wanted - before
            self._off += _SETTLE * (off - self._off)
            if abs(off) <= _JUMP_S * self.rate:
                step = count + self._slide(count)
                self._read(out, before, step)
                self._at = before + step
                return
        fade = min(count, round(_FADE_S * self.rate))
        ramp = np.linspace(0.0, 1.0, fade, dtype=np.float32)[:, None]
        if wanted is None:
            out[:] = 0.0
        else:
            self._read(out, wanted, count)
            out[:fade] *= ramp
        if before is not None:
            rest = np.empty((fade, self.channels), np.float32)
            self._read(rest, before, fade)
            out[:fade] += rest * (1.0 - ramp)
        self._at = None if wanted is None else wanted + count
        self._off = 0.0

    def _slide(self, count: int) -> float:
        """How many samples more than `count` to use up, so that sound comes nearer to where it should be."""
        if abs(self._off) < _NEAR_S * self.rate:
            return 0.0
        most = _SLIDE * count
        return float(np.clip(0.1 * self._off, -most, most))

    def _read(self, out: Samples, place: float, step: float) -> None:
        """Samples from a place on, `step` of them stretched over `out`; silence where there are none."""
        begin = place - self._first
        if begin == int(begin) and step == len(out):
            first = int(begin)
            low, high = max(0, first), max(0, min(self._count, first + len(out)))
            out[:] = 0.0
            if high > low:
                out[low - first : high - first] = self._held[low:high]
            return
        places = begin + np.arange(len(out)) * (step / len(out))
        whole = np.floor(places).astype(np.intp)
        share = (places - whole).astype(np.float32)[:, None]
        inside = ((whole >= 0) & (whole + 1 < self._count))[:, None]
        whole = np.clip(whole, 0, len(self._held) - 2)
        out[:] = np.where(inside, self._held[whole] * (1 - share) + self._held[whole + 1] * share, 0.0)

    def _place(self, time_s: float) -> float:
        return float(round((time_s - self._start_s) / self._speed * self.rate))

    def _forget(self) -> None:
        """Let go of what was played."""
        if self._at is None:
            return
        old = min(self._count, int(self._at) - self._first - round(_KEPT_S * self.rate))
        if old > 0:
            self._held[: self._count - old] = self._held[old : self._count].copy()
            self._first += old
            self._count -= old
