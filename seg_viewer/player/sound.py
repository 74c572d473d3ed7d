"""Sound in step with the picture: decoded on a thread of its own, played when the picture's clock says so."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Protocol

import av
import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.error_hooks import redacted_traceback
from seg_viewer.media.sound_reader import FASTEST, SLOWEST, PlayedSound, SoundTrack, sound_tracks
from seg_viewer.media.timeline import Timeline
from seg_viewer.player.sound_device import AudioDevice, SoundError, open_device
from seg_viewer.player.sound_line import SoundLine

AHEAD_S = 2.0
"""How much sound is decoded ahead of what is heard, seconds."""

_LATENCIES_S = (0.15, 0.3, 0.5)
"""Asked of a device, one after the other: Python fills it, and on a busy machine what is short stutters."""
_STUMBLES = 3
"""So many, and the device gets more time."""
_REVIVALS, _REVIVALS_S = 5, 30.0
"""How often within so many seconds a device that ends by itself is opened again before it counts as gone. PortAudio's
streams end, or hang, where PulseAudio stands in for ALSA and has nothing to play for a moment."""

_BEFORE_S = 0.5
_TURN_S = 0.05
_IDLE_TURN_S = 0.25
_SETTLE_S = 0.1
_LATE_OF = 15
"""Pictures over which it is looked how late they are."""
_LATE_STEP_S = 0.015
"""A smaller change of that is no reason to move the sound."""
_MOST_LATE_S = 0.5
_log = logging.getLogger(__name__)


class Film(Protocol):
    """What sound is played to."""

    @property
    def clock_now_s(self) -> float | None:
        """The time of the film that is due now, seconds; None while it stands still. Asked on any thread."""
        ...

    @property
    def wished_s(self) -> float:
        """Where it stands, or will go on, seconds."""
        ...

    @property
    def speed(self) -> float: ...


@dataclass
class _Wish:
    """What is to be played; replaced as a whole."""

    path: Path | None = None
    track: int | None = None
    muted: bool = False


class Sound:
    """Plays the sound of one file after the other; every method returns at once.

    Without a device it stays silent, and `problem` says why.

    Args:
        film: whose clock it follows.
        open_with: opens what plays it; told whether it was asked before. Raises: SoundError. By default the system's
            own device.
    """

    def __init__(self, film: Film, open_with: Callable[[bool], AudioDevice] | None = None) -> None:
        self.problem: str | None = None
        """Why nothing can be played here, half a sentence; None when nothing is in the way."""
        self.tracks: tuple[SoundTrack, ...] = ()
        self.track: int | None = None
        """Index of the stream that plays, of `tracks`."""
        self.volume = 1.0
        """0…1, as a person sets it; loudness is its square."""
        self.on_change: Callable[[], None] = lambda: None
        """Called, on any thread, when `problem`, `tracks` or `track` is another."""
        self.on_lost: Callable[[str], None] = lambda _text: None
        """Called, on any thread, with one line when sound ends while a film plays."""
        self._film, self._open_device = film, open_with or open_device
        self._changed = threading.Condition()
        self._wish = _Wish()
        self._stopping = False
        self._late: deque[float] = deque(maxlen=_LATE_OF)
        self._late_s = 0.0
        self._device: AudioDevice | None = None
        self._line: SoundLine | None = None
        self._opened = self._played = False
        self._latency = 0
        self._ended_s: deque[float] = deque(maxlen=_REVIVALS + 1)
        self._thread: threading.Thread | None = None

    # -- from the window -------------------------------------------------------------------------------------------

    def open(self, path: Path | None) -> None:
        """Play the sound of another file; None for silence."""
        with self._changed:
            self._wish = _Wish(path, None, self._wish.muted)
            self._late.clear()
            self._late_s = 0.0
            self._start()

    def choose(self, track: int) -> None:
        """Another of `tracks`, by its index."""
        with self._changed:
            self._wish = _Wish(self._wish.path, track, self._wish.muted)
            self._start()

    def look_again(self) -> None:
        """After a `problem`: try once more, with what is plugged in now."""
        with self._changed:
            self._wish = _Wish(self._wish.path, self._wish.track, self._wish.muted)
            self._changed.notify_all()

    @property
    def muted(self) -> bool:
        return self._wish.muted

    @muted.setter
    def muted(self, value: bool) -> None:
        """Nothing is decoded and no device is open while it is muted; unmuting looks for a device again."""
        with self._changed:
            self._wish = _Wish(self._wish.path, self._wish.track, value)
            self._changed.notify_all()

    def saw(self, time_s: float) -> None:
        """A picture is shown now: sound follows what is seen, which a slow engine makes late.

        Args:
            time_s: of the picture.
        """
        now_s = self._film.clock_now_s
        if now_s is None:
            return
        self._late.append(min(_MOST_LATE_S, max(0.0, now_s - time_s)))
        late_s = median(self._late)
        if abs(late_s - self._late_s) > _LATE_STEP_S:
            self._late_s = late_s

    def is_ready(self, time_s: float, length_s: float) -> bool:
        """Whether so much sound (seconds of it) from a time of the film on waits to be played."""
        line = self._line
        return line is not None and line.has(time_s, length_s)

    def close(self, timeout_s: float = 1.0) -> bool:
        """Stop; returns whether its thread has ended in time."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(timeout_s)
        return thread is None or not thread.is_alive()

    def _start(self) -> None:
        self._changed.notify_all()
        if self._thread is None and self._wish.path is not None:
            self._thread = threading.Thread(target=self._run, name="seg-sound", daemon=True)
            self._thread.start()

    # -- its own thread --------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._stopping:
                wish = self._wish
                try:
                    self._serve(wish)
                except SoundError as error:
                    self._fail(str(error), wish)
                except Exception as error:  # noqa: BLE001 - the picture plays on, whatever a decoder or a driver raises
                    _log.error("sound stopped\n%s", redacted_traceback(error))
                    self._fail(f"{type(error).__name__}: {error}", wish)
        finally:
            self._close_device()

    def _serve(self, wish: _Wish) -> None:
        """Play what is wished until something else is."""
        if wish.path is None:
            self._tell((), None)
            self._close_device()
            self._wait(lambda: self._wish is not wish)
            return
        try:
            tracks, first = sound_tracks(wish.path)
            timeline = Timeline(wish.path)
        except (av.FFmpegError, OSError) as error:
            raise SoundError(f"the sound of {wish.path.name} cannot be read ({error})") from None
        track = wish.track if wish.track is not None else (tracks[first].index if tracks else None)
        self._tell(tuple(tracks), track)
        if track is None or wish.muted:
            self._close_device()
            self._wait(lambda: self._wish is not wish)
            return
        while self._wish is wish and not self._stopping:
            device = self._opened_device()
            line = self._line
            assert line is not None
            self._play(wish, PlayedSound(wish.path, track, timeline, device.rate, device.channels), line, device)
            if self._stumbles(device):
                self._latency += 1
                self._close_device()
            elif not device.is_alive():
                self._revive()
                self._close_device()

    def _play(self, wish: _Wish, sound: PlayedSound, line: SoundLine, device: AudioDevice) -> None:
        blocks: Generator[NDArray[np.float32]] | None = None
        waiting: NDArray[np.float32] | None = None
        speed: float | None = None
        still_s: float | None = None
        while self._wish is wish and not self._stopping:
            if not device.is_alive() or self._stumbles(device):
                return  # `_serve` opens one again
            now_s, film_speed = self._film.clock_now_s, self._film.speed
            if not SLOWEST <= film_speed <= FASTEST:
                speed = None
                line.begin(0.0, 1.0, 0.0)
                self._pause(wish, _TURN_S)
                continue
            place_s = max(0.0, self._film.wished_s if now_s is None else now_s - self._late_s)
            if now_s is None and place_s != still_s and not line.holds(place_s):
                still_s = place_s  # while somebody drags along the time line, nothing is decoded for each place
                self._pause(wish, _SETTLE_S)
                continue
            lacks = line.lacking_s is not None and not line.holds(line.lacking_s)
            if film_speed != speed or lacks or not line.holds(place_s):
                speed, waiting = film_speed, None
                # standing still, a person may step back a little
                start_s = max(0.0, place_s if now_s is not None else place_s - _BEFORE_S)
                line.begin(start_s, speed, place_s)
                if blocks is not None:
                    blocks.close()
                blocks = sound.blocks(start_s, speed)
            assert blocks is not None
            if waiting is None or not len(waiting):
                waiting = next(blocks, None)
            if waiting is None:  # the track has ended; should the film go on, it does so in silence
                line.put(np.zeros((min(line.room(), line.rate // 10), line.channels), np.float32))
                self._pause(wish, _TURN_S)
                continue
            waiting = waiting[line.put(waiting) :]
            if len(waiting):
                self._pause(wish, _TURN_S if now_s is not None else _IDLE_TURN_S)

    def _fill(self, out: NDArray[np.float32], delay_s: float) -> None:
        """On the device's thread."""
        line, now_s = self._line, self._film.clock_now_s
        if line is None:
            out[:] = 0.0
            return
        heard_s = -1.0 if now_s is None else now_s + delay_s * self._film.speed - self._late_s
        line.fill(out, heard_s if heard_s >= 0 else None, self.volume**2)
        if line.lacking_s is not None and self._changed.acquire(blocking=False):
            self._changed.notify_all()
            self._changed.release()

    def _revive(self) -> None:
        """A device has ended by itself. Raises: SoundError, when it does so again and again."""
        now_s = time.monotonic()
        self._ended_s.append(now_s)
        self._latency = min(self._latency + 1, len(_LATENCIES_S) - 1)
        if len(self._ended_s) == self._ended_s.maxlen and now_s - self._ended_s[0] < _REVIVALS_S:
            self._ended_s.clear()
            raise SoundError("the sound device ends again and again")

    def _stumbles(self, device: AudioDevice) -> bool:
        """Whether it should be asked earlier for what it plays."""
        return device.stumbles >= _STUMBLES and self._latency < len(_LATENCIES_S) - 1

    def _opened_device(self) -> AudioDevice:
        if self._device is None:
            device = self._open_device(self._opened)
            self._opened = True
            self._line = SoundLine(device.rate, device.channels, AHEAD_S)
            device.start(self._fill, _LATENCIES_S[self._latency])
            self._device = device
            self._played = True
            if self.problem is not None:
                self.problem = None
                self.on_change()
        return self._device

    def _close_device(self) -> None:
        device, self._device = self._device, None
        if device is not None:
            device.close()
        self._line = None

    def _fail(self, text: str, wish: _Wish) -> None:
        """Silent until something else is wished."""
        played, self._played = self._played, False
        self._close_device()
        self.problem = text
        self.on_change()
        if played and not self._stopping:
            self.on_lost(f"No more sound: {text}; the film plays on without")
        self._wait(lambda: self._wish is not wish)

    def _tell(self, tracks: tuple[SoundTrack, ...], track: int | None) -> None:
        if (tracks, track) != (self.tracks, self.track):
            self.tracks, self.track = tracks, track
            self.on_change()

    def _wait(self, condition: Callable[[], bool]) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or condition())

    def _pause(self, wish: _Wish, seconds: float) -> None:
        """Wait, unless something else is wished or the device lacks sound."""
        with self._changed:
            if self._wish is wish and not self._stopping:
                self._changed.wait(seconds)
