"""Sound as it is decoded: when it lies where, and what each channel says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

QUIET_S = 0.05
"""Between two beeps it is silent for at least so long."""
LAYOUTS = {"5.1(side)": "5.1", "1 channels": "mono", "2 channels": "stereo"}
"""Names of the same layout."""


@dataclass(frozen=True)
class Track:
    """A sound track.

    Args:
        beeps_s: when each tone begins, on the file's clock.
        start_s, end_s: of what was decoded, on the file's clock.
        tones_hz: of each channel within the first beep; 0 for a silent one.
        damaged: packets that did not decode.
    """

    codec: str
    rate: int
    layout: str
    language: str
    beeps_s: tuple[float, ...]
    start_s: float
    end_s: float
    tones_hz: tuple[int, ...] = ()
    damaged: int = 0

    @property
    def length_s(self) -> float:
        return self.end_s - self.start_s


class Sound:
    """What was decoded of one track."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.damaged = 0
        self.parts: list[tuple[float, NDArray[np.float32], int]] = []
        self._layout = ""

    def add(self, packet: Any) -> None:
        for frame in packet.decode():
            self._layout = frame.layout.name
            wave = frame.to_ndarray()
            if wave.dtype.kind in "iu":
                wave = wave / float(np.iinfo(wave.dtype).max + 1)
            if not frame.format.is_planar:
                wave = wave.reshape(-1, frame.layout.nb_channels).T
            time = float(frame.pts * frame.time_base) if frame.pts is not None else self._end()
            self.parts.append((time, np.asarray(wave, np.float32), frame.sample_rate))

    def _end(self) -> float:
        time, wave, rate = self.parts[-1] if self.parts else (0.0, np.zeros((1, 0), np.float32), 1)
        return time + wave.shape[1] / rate

    def track(self) -> Track:
        start = min(time for time, _wave, _rate in self.parts)
        rate = self.parts[0][2]
        stop = max(time + wave.shape[1] / step for time, wave, step in self.parts)
        channels = max(wave.shape[0] for _time, wave, _rate in self.parts)
        line = np.zeros((channels, round(min(stop - start, 600) * rate) + rate), np.float32)
        for time, wave, _rate in self.parts:
            place = round((time - start) * rate)
            if place >= 0 and place + wave.shape[1] <= line.shape[1]:
                line[: wave.shape[0], place : place + wave.shape[1]] = wave
        onsets = _onsets(np.abs(line).max(axis=0), rate)
        return Track(
            codec=self._stream.codec_context.codec.canonical_name,
            rate=rate,
            layout=LAYOUTS.get(self._layout, self._layout),
            language=language(self._stream),
            beeps_s=tuple(start + onset / rate for onset in onsets),
            start_s=start,
            end_s=stop,
            tones_hz=_tones(line, rate, onsets[0]) if onsets else (),
            damaged=self.damaged,
        )


def _onsets(level: NDArray[np.float32], rate: int) -> list[int]:
    """Samples at which it becomes loud after silence."""
    peak = float(level.max(initial=0))
    if peak < 0.05:
        return []
    loud = np.flatnonzero(level > peak / 2)
    fresh = np.flatnonzero(np.diff(loud, prepend=-rate) > QUIET_S * rate)
    return [int(loud[index]) for index in fresh]


def _tones(line: NDArray[np.float32], rate: int, onset: int) -> tuple[int, ...]:
    """Loudest frequency of each channel, Hz."""
    window = line[:, onset + rate // 100 : onset + rate // 11]
    if not window.shape[1]:
        return ()
    spectrum = np.abs(np.fft.rfft(window * np.hanning(window.shape[1]), n=rate, axis=1))
    loud = np.abs(window).max(axis=1) > 0.03
    return tuple(int(k) if heard else 0 for k, heard in zip(spectrum.argmax(axis=1), loud, strict=True))


def language(stream: Any) -> str:
    language = stream.metadata.get("language", "")
    return "" if language == "und" else language
