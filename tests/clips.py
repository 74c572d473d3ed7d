"""Clips that tests make: colours and times are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from tests.models import BLUE, GREEN, GREY, RED
from tests.x265 import within_its_means

CYCLE = (GREY, GREEN, BLUE, RED)
"""Frame k of a made clip is CYCLE[k % 4] all over: classes 0, 1, 2, 3 to the colour model."""


def solid(index: int, width: int, height: int) -> NDArray[np.uint8]:
    return np.full((height, width, 3), CYCLE[index % 4], np.uint8)


def make_clip(
    path: Path,
    *,
    frames: int = 24,
    width: int = 128,
    height: int = 64,
    rate: int | Fraction = 25,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    pts: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    audio: str | None = None,
    rotation: int = 0,
    options: dict[str, str] | None = None,
    picture: Callable[[int, int, int], NDArray[np.uint8]] = solid,
    container_options: dict[str, str] | None = None,
) -> Path:
    """Encode a clip; `pts` in units of `time_base` gives it a variable frame rate; `audio` is a sound codec's name."""
    with av.open(str(path), "w", options=container_options or {}) as out:
        choices = within_its_means(codec, options, frames=frames, shortest=min(width, height))
        stream = out.add_stream(codec, rate=rate, options=choices)
        stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
        if rotation:
            stream.set_display_rotation(rotation)
        if time_base is not None:
            stream.codec_context.time_base = time_base
        sound = out.add_stream(audio, rate=48_000) if audio else None
        if sound is not None:
            sound.layout = "mono"
        for index in range(frames):
            frame = av.VideoFrame.from_ndarray(picture(index, width, height), format="rgb24")
            if pts is not None:
                frame.pts, frame.time_base = pts[index], time_base
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        if sound is not None:
            _add_tone(out, sound, frames / float(rate))
    return path


def _add_tone(out: av.container.OutputContainer, sound: av.AudioStream, seconds: float) -> None:
    count = int(seconds * 48_000)
    wave = (0.3 * np.sin(2 * np.pi * 440 * np.arange(count) / 48_000)).astype(np.float32)
    resampler = av.AudioResampler(sound.codec_context.format, "mono", 48_000, frame_size=1024)
    for start in range(0, count, 1024):
        frame = av.AudioFrame.from_ndarray(wave[None, start : start + 1024], format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, start, Fraction(1, 48_000)
        for ready in resampler.resample(frame):
            out.mux(sound.encode(ready))
    for ready in resampler.resample(None):
        out.mux(sound.encode(ready))
    out.mux(sound.encode(None))


def video_times(path: Path) -> list[Fraction]:
    """Presentation time of each frame, seconds, exact."""
    with av.open(str(path)) as container:
        return [frame.pts * frame.time_base for frame in container.decode(video=0)]


def audio_packets(path: Path) -> list[tuple[bytes, Fraction]]:
    """Content and time of each sound packet."""
    with av.open(str(path)) as container:
        return [(bytes(p), p.pts * p.time_base) for p in container.demux(audio=0) if p.size]
