"""A stand-in for the package `sounddevice`: a loudspeaker in virtual time that remembers what it played when.

`test_sound_device.py` holds its surface to that of the real package.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK = 480


class PortAudioError(Exception):
    pass


class OutputStream:
    def __init__(
        self,
        samplerate: float,
        channels: int,
        dtype: str,
        latency: float,
        callback: Callable[[NDArray[np.float32], int, Any, Any], None],
        finished_callback: Callable[[], None],
    ) -> None:
        assert dtype == "float32"
        self.asked_s = latency
        if self.library.refuses:
            raise PortAudioError(self.library.refuses)
        self.samplerate, self.channels = samplerate, channels
        self.callback, self.finished_callback = callback, finished_callback
        self.latency = self.library.delay_s
        self.running = False

    library: Loudspeaker

    def start(self) -> None:
        self.running = True
        self.library.stream = self

    def close(self, ignore_errors: bool = True) -> None:
        assert ignore_errors
        self.running = False
        self.library.stream = None


class Loudspeaker:
    """As a module: `OutputStream`, `query_devices`, `PortAudioError`, `_terminate`, `_initialize`.

    Args:
        rate: samples per second.
        channels: that it has.
        delay_s: between asking for samples and sounding.
        drift: by which share its clock is faster than ours.
    """

    PortAudioError = PortAudioError

    def __init__(self, rate: int = 48_000, channels: int = 2, delay_s: float = 0.08, drift: float = 0.0) -> None:
        self.rate, self.channels, self.delay_s, self.drift = rate, channels, delay_s, drift
        self.now_s = 100.0
        self.refuses = ""
        self.starved = False
        self.looked = 0
        self.stream: OutputStream | None = None
        self.heard: list[tuple[float, NDArray[np.float32]]] = []
        self.OutputStream = type("OutputStream", (OutputStream,), {"library": self})

    def query_devices(self, device: None = None, kind: str | None = None) -> dict[str, Any]:
        assert kind == "output"
        if not self.channels:
            raise PortAudioError("Error querying device -1")
        return {"name": "loud", "default_samplerate": float(self.rate), "max_output_channels": self.channels}

    def _terminate(self) -> None:
        assert self.stream is None, "all streams are closed before"

    def _initialize(self) -> None:
        self.looked += 1

    # -- what a test does ------------------------------------------------------------------------------------------

    def play(self) -> None:
        """One block: ask for samples and let as much virtual time pass."""
        stream = self.stream
        if stream is not None:
            out = np.full((BLOCK, stream.channels), np.nan, np.float32)
            times = SimpleNamespace(
                currentTime=self.now_s, outputBufferDacTime=self.now_s + self.delay_s, inputBufferAdcTime=0.0
            )
            stream.callback(out, BLOCK, times, SimpleNamespace(output_underflow=self.starved))
            assert np.isfinite(out).all(), "every sample is set"
            self.heard.append((self.now_s + self.delay_s, out))
        self.now_s += BLOCK / self.rate / (1 + self.drift)

    def unplug(self) -> None:
        assert self.stream is not None
        self.stream.finished_callback()

    def onsets(self, loud: float = 0.15, quiet_s: float = 0.25) -> list[float]:
        """Virtual times at which it became loud after silence."""
        found, last_s = [], float("-inf")
        for start_s, block in self.heard:
            for index in np.flatnonzero(np.abs(block).max(axis=1) > loud):
                at_s = start_s + int(index) / self.rate / (1 + self.drift)
                if at_s - last_s > quiet_s:
                    found.append(at_s)
                last_s = at_s
        return found

    def largest_step(self) -> float:
        """Between neighbouring samples of all that was heard: a click is a large one."""
        wave = np.concatenate([block for _s, block in self.heard])
        return float(np.abs(np.diff(wave, axis=0)).max())
