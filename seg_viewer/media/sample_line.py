"""Decoded sound on a line of samples: one rate, one layout, no holes."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

JITTER_S = 0.015
"""Times of frames may be as much beside the samples before them; many containers keep milliseconds only."""

_LONGEST_SILENCE_S = 60.0
"""A longer hole stays one: its end has a later time, and nothing is encoded for it."""


class SampleLine:
    """Brings frames to one rate and layout, and puts them where their times say: silence where there is none.

    Samples before 0, and samples for a time that has some already, are left out.

    Args:
        rate: samples per second of the result.
        layout: of the result's channels, FFmpeg's name.
        until_s: samples from there on are left out, seconds.

    Attributes:
        silence_s: how much silence was put in, seconds.
    """

    def __init__(self, rate: int, layout: str, until_s: float = float("inf")) -> None:
        self.silence_s = 0.0
        self._rate, self._layout = rate, layout
        self._channels = av.AudioLayout(layout).nb_channels
        self._until = None if until_s == float("inf") else round(until_s * rate)
        self._position: int | None = None  # of the next sample of the result; None before the first
        self._skip = 0
        self._resampler: AudioResampler | None = None
        self._form: tuple[int, str, str] | None = None
        self._next_s = 0.0  # where the next frame belongs if it has no time, or one beside it by no more than JITTER_S

    @property
    def begun(self) -> bool:
        """Whether there is a first sample."""
        return self._position is not None

    def put(self, frame: av.AudioFrame, time_s: float | None) -> Iterator[av.AudioFrame]:
        """Yields frames (float32, packed, the line's rate and layout), pts in samples from 0, one after the other.

        Args:
            frame: any sample format, rate and layout; they may change from one to the next.
            time_s: of its first sample, or None: behind the frame before.
        """
        frame = _with_layout(frame)
        form = (frame.sample_rate, frame.layout.name, frame.format.name)
        beside = time_s is not None and abs(time_s - self._next_s) > JITTER_S
        if form != self._form or self._position is None or beside:
            yield from self._drain()
            yield from self._move_to(self._next_s if time_s is None else time_s)
            self._form = form
            self._resampler = AudioResampler("flt", self._layout, self._rate)
        assert self._resampler is not None
        self._next_s += frame.samples / frame.sample_rate
        for ready in self._resampler.resample(frame):
            yield from self._lay(ready)

    def finish(self, end_s: float = 0.0) -> Iterator[av.AudioFrame]:
        """What is still on its way; then silence up to `end_s`, seconds, if that is later."""
        yield from self._drain()
        if self._position is not None and end_s > self._next_s + JITTER_S:
            yield from self._move_to(end_s)

    def _drain(self) -> Iterator[av.AudioFrame]:
        if self._resampler is not None:
            for ready in self._resampler.resample(None):
                if ready is not None:
                    yield from self._lay(ready)
        self._resampler = None

    def _move_to(self, time_s: float) -> Iterator[av.AudioFrame]:
        """Makes the next sample the one of a time."""
        target = round(time_s * self._rate)
        self._next_s = time_s
        if self._position is None:
            self._position = max(0, target)
        missing = target - self._position
        self._skip = max(0, -missing)
        if missing > _LONGEST_SILENCE_S * self._rate:
            self._position = target
            missing = 0
        if missing > 0:
            self.silence_s += missing / self._rate
        while missing > 0:
            some = min(missing, self._rate)
            missing -= some
            yield from self._stamped(np.zeros(some * self._channels, np.float32))

    def _lay(self, frame: av.AudioFrame) -> Iterator[av.AudioFrame]:
        cut = min(self._skip, frame.samples)
        self._skip -= cut
        samples = np.asarray(frame.to_ndarray(), np.float32)
        yield from self._stamped(samples.reshape(-1)[cut * self._channels :])

    def _stamped(self, samples: NDArray[np.float32]) -> Iterator[av.AudioFrame]:
        # channels side by side: PyAV cannot make frames of eight planes and more
        assert self._position is not None
        if self._until is not None:
            samples = samples[: max(0, self._until - self._position) * self._channels]
        if not samples.size:
            return
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="flt", layout=self._layout)
        frame.sample_rate = self._rate
        frame.time_base = Fraction(1, self._rate)
        frame.pts = self._position
        self._position += frame.samples
        yield frame


def _with_layout(frame: av.AudioFrame) -> av.AudioFrame:
    """The same frame; channels that have no names get those that so many channels usually have."""
    named = layout_name(frame.layout)
    if named == frame.layout.name:
        return frame
    if frame.format.is_planar and frame.layout.nb_channels >= 8:
        raise ValueError(f"{frame.layout.nb_channels} channels without names")
    other = av.AudioFrame.from_ndarray(frame.to_ndarray(), format=frame.format.name, layout=named)
    other.sample_rate = frame.sample_rate
    return other


_USUAL = {1: "mono", 2: "stereo", 3: "3.0", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}


def layout_name(layout: av.AudioLayout) -> str:
    """FFmpeg's name of a layout, or of what so many channels usually are.

    Raises:
        ValueError: there is none.
    """
    name = layout.name
    if " channels" not in name and name:
        return name
    if layout.nb_channels not in _USUAL:
        raise ValueError(f"{layout.nb_channels} channels without names")
    return _USUAL[layout.nb_channels]
