"""The loudspeaker, through `sounddevice` (PortAudio); the one file that knows it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.installing import again, extra
from seg_viewer.core.printable import printable

Fill = Callable[[NDArray[np.float32], float], None]
"""Gets samples to be set, shape (n, channels), −1…1, and in how many seconds the first of them is heard."""

_MOST_DELAY_S = 2.0
"""PortAudio's times are unset on some hosts; what lies beyond this is no delay."""

_SILENT_AFTER_S = 1.2
"""A device that has asked for nothing for so long is gone, or hangs; the longest buffers are half a second."""


class SoundError(Exception):
    """No sound can be played, and why, half a sentence."""


class AudioDevice(Protocol):
    """Where sound is played."""

    rate: int
    """Samples per second."""
    channels: int
    """1 or 2."""

    stumbles: int
    """How often it had nothing to play, because it did not get samples in time."""

    def start(self, fill: Fill, latency_s: float) -> None:
        """Begin to ask for samples, on a thread of the device.

        Args:
            fill: sets them.
            latency_s: how long before they are heard, about.

        Raises:
            SoundError: it cannot.
        """
        ...

    def is_alive(self) -> bool:
        """Whether it still asks for samples."""
        ...

    def close(self) -> None:
        """Stop at once; again is fine."""
        ...


def load_sounddevice() -> Any:
    """The package `sounddevice`.

    Raises:
        SoundError: it is not installed, or finds no PortAudio.
    """
    try:
        import sounddevice
    except ImportError:
        raise SoundError(f"the package sounddevice is not installed: {extra('sound')}") from None
    except OSError:  # "PortAudio library not found"; only its wheels for Windows and macOS bring it
        way = "apt-get install libportaudio2" if sys.platform == "linux" else again("sounddevice")
        raise SoundError(f"PortAudio is missing: {way}") from None
    return sounddevice


class PortAudioDevice:
    """See `AudioDevice`: what the system plays sound on by default.

    Args:
        library: the package `sounddevice`, or what stands for it.

    Raises:
        SoundError: there is no device.
    """

    def __init__(self, library: Any) -> None:
        self._library = library
        self._stream: Any = None
        self._asked_s = 0.0
        self._ended = False
        info = _default_output(library)
        self.rate = round(float(info["default_samplerate"])) or 48_000
        self.channels = min(2, int(info["max_output_channels"]))
        self.name = printable(str(info["name"]))
        self.stumbles = 0

    def start(self, fill: Fill, latency_s: float) -> None:
        def asked(out: NDArray[np.float32], _frames: int, times: Any, status: Any) -> None:
            self._asked_s = time.perf_counter()
            self.stumbles += bool(status.output_underflow)
            delay_s = float(times.outputBufferDacTime) - float(times.currentTime)
            fill(out, delay_s if 0 < delay_s < _MOST_DELAY_S else float(self._stream.latency))

        def ended() -> None:
            self._ended = True

        self._ended = False
        self._asked_s = time.perf_counter()
        try:
            self._stream = self._library.OutputStream(
                samplerate=self.rate,
                channels=self.channels,
                dtype="float32",
                latency=latency_s,
                callback=asked,
                finished_callback=ended,
            )
            self._stream.start()
        except self._library.PortAudioError as error:
            self.close()
            raise SoundError(f"{self.name} cannot be opened: {_reason(error)}") from None

    def is_alive(self) -> bool:
        return self._stream is not None and not self._ended and time.perf_counter() - self._asked_s < _SILENT_AFTER_S

    def close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close(ignore_errors=True)


def open_device(again: bool = False) -> AudioDevice:
    """What the system plays sound on; nothing is played yet.

    Args:
        again: look for devices that have come or gone since the first time. No stream may be open.

    Raises:
        SoundError: nothing can play, with the reason.
    """
    library = load_sounddevice()
    try:
        if again:  # PortAudio lists devices only when it begins (sounddevice's issue 125)
            library._terminate()  # noqa: SLF001
            library._initialize()  # noqa: SLF001
        return PortAudioDevice(library)
    except library.PortAudioError as error:
        raise SoundError(f"no sound device: {_reason(error)}") from None


def sound_here() -> str:
    """What the system plays sound on. Raises: SoundError, with the way out."""
    return PortAudioDevice(load_sounddevice()).name


def _default_output(library: Any) -> Any:
    try:
        return library.query_devices(kind="output")
    except (library.PortAudioError, ValueError) as error:  # no default, or none at all
        raise SoundError(f"the system has no sound device (PortAudio: {_reason(error)})") from None


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
