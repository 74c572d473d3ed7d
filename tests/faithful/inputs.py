"""Small videos of which everything is known, made with PyAV alone.

Each is 64×48, about 2 s: four coloured corners (so that a turned or mirrored picture shows), the number of the frame
as a bar of black and white blocks, one white frame (the *flash*) and a tone that starts with it (the *beep*). A
`Recipe` says which codecs, container, times, colours it is made with.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorRange
from numpy.typing import NDArray

from tests.faithful import dts_frames
from tests.faithful.recipe import (
    ASPECTS,
    AUDIO,
    BITS,
    CHANNELS,
    COLOURS,
    CONTAINERS,
    CORNERS,
    FLASH_S,
    HEIGHT,
    ORIENTATIONS,
    RATES,
    SECONDS,
    STARTS,
    TICKS,
    TONE_S,
    VFR_MS,
    VIDEO,
    WIDTH,
    Colour,
    Recipe,
)
from tests.x265 import within_its_means

os.environ.setdefault("SVT_LOG", "1")  # SVT-AV1 prints its settings otherwise


@dataclass
class Sound:
    """One sound track to add.

    Args:
        audio, layout: keys of the tables.
        language: three letters, or "".
        tone_hz: of the first channel; each next is 150 Hz higher.
        start_s, seconds: where it lies on the picture's clock.
        title: of the track.
    """

    audio: str = "aac"
    layout: str = "stereo"
    language: str = ""
    tone_hz: float = 750.0
    start_s: float = 0.0
    seconds: float | None = None
    title: str = ""


Timed = tuple[Fraction, Any]


@dataclass
class Film:
    """A file under way: streams are added, then `mux` writes their packets in order of time."""

    path: Path
    muxer: str = ""
    start: Fraction = Fraction(0)
    options: dict[str, str] = field(default_factory=dict)
    timed: list[Timed] = field(default_factory=list)
    sources: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.out = av.open(str(self.path), "w", format=self.muxer or None, options=self.options)

    def put(self, packet: av.Packet[Any], time_base: Fraction, stream: Any) -> None:
        """Later on `self.start`, in fine ticks."""
        if packet.pts is None or packet.dts is None:
            return
        fine = Fraction(1, TICKS * 49)  # 90 kHz and 44.1 kHz both fit
        shift = self.start / fine
        for name in ("pts", "dts"):
            setattr(packet, name, round(getattr(packet, name) * time_base / fine + shift))
        packet.duration = round((packet.duration or 0) * time_base / fine)
        packet.time_base = fine
        packet.stream = stream
        self.timed.append((packet.dts * fine, packet))

    def close(self) -> Path:
        for _time, packet in sorted(self.timed, key=lambda item: item[0]):
            self.out.mux(packet)
        self.out.close()
        for source in self.sources:
            source.close()
        return self.path


def frame_times(rate: str, seconds: float = SECONDS) -> list[Fraction]:
    """When each frame is shown, from 0; the last is followed by one interval."""
    if rate != "vfr":
        return [index / RATES[rate] for index in range(round(seconds * RATES[rate]))]
    times, now = [], Fraction(0)
    while now < seconds:
        times.append(now)
        now += Fraction(VFR_MS[(len(times) - 1) % len(VFR_MS)], 1000)
    return times


def picture(index: int, *, flash: bool = False, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """Frame `index`, (height, width, 3), RGB: corners, and its number in eight blocks, low bit first, in the middle."""
    rgb = np.empty((height, width, 3), np.uint8)
    if flash:
        rgb[:] = 255
        return rgb
    half, middle = height // 2, width // 2
    for corner, (rows, columns) in enumerate(
        (r, c) for r in (slice(None, half), slice(half, None)) for c in (slice(None, middle), slice(middle, None))
    ):
        rgb[rows, columns] = CORNERS[corner]
    third = height // 3
    for bit in range(BITS):
        rgb[third : 2 * third, bit * width // BITS : (bit + 1) * width // BITS] = 235 if index >> bit & 1 else 16
    return rgb


def make(recipe: Recipe, path: Path) -> Path:
    """Write it to `path` with the suffix of its container; returns where."""
    assert not recipe.why_not(), recipe.why_not()
    suffix, muxer, _video, _audio = CONTAINERS[recipe.container]
    film = Film(path.with_name(path.name + suffix), muxer, STARTS[recipe.start])
    times = frame_times(recipe.rate)
    onset = add_video(film, recipe, times)
    if recipe.audio != "none":
        add_sound(film, Sound(recipe.audio, recipe.layout), onset, end_of(times, recipe.rate))
    return film.close()


def end_of(times: Sequence[Fraction], rate: str) -> float:
    return float(times[-1] + 1 / RATES[rate])


def add_video(film: Film, recipe: Recipe, times: Sequence[Fraction], *, width: int = WIDTH, height: int = HEIGHT,
              flash_s: float = FLASH_S) -> float:  # fmt: skip
    """Adds the picture; returns the second of the flash, from 0."""
    encoder, eight, ten, options = VIDEO[recipe.video]
    if recipe.video == "av1":
        height = max(64, height)  # what SVT-AV1 takes
    colour = COLOURS[recipe.colour]
    stream = film.out.add_stream(encoder, rate=RATES[recipe.rate])
    context = stream.codec_context
    stream.width, stream.height, stream.pix_fmt = width, height, ten if colour.bits == 10 else eight
    context.time_base = Fraction(1, 1000) if recipe.rate == "vfr" else 1 / RATES[recipe.rate]
    if film.muxer != "avi":  # which counts frames
        stream.time_base = Fraction(1, TICKS)
    context.sample_aspect_ratio = ASPECTS[recipe.aspect]
    context.thread_count = 1
    choices = within_its_means(encoder, options, frames=len(times), shortest=min(width, height))
    context.options = _interlaced(recipe, choices)
    if recipe.scan != "progressive":
        context.flags |= (1 << 18) | (1 << 29)  # AV_CODEC_FLAG_INTERLACED_DCT, _ME
    if recipe.colour != "untagged":
        context.color_primaries, context.color_trc, context.colorspace = (
            colour.primaries,
            colour.transfer,
            colour.matrix,
        )
        context.color_range = ColorRange.JPEG if colour.full else ColorRange.MPEG
    turn, mirrored = ORIENTATIONS[recipe.orientation]
    if recipe.orientation != "r0":
        stream.set_display_rotation(turn, hflip=mirrored)
    flash = next(index for index, time in enumerate(times) if time >= flash_s)
    for index, time in enumerate(times):
        frame = _frame(picture(index, flash=index == flash, width=width, height=height), stream.pix_fmt, colour)
        frame.pts, frame.time_base = round(time / context.time_base), context.time_base
        for packet in stream.encode(frame):
            film.put(packet, packet.time_base or context.time_base, stream)
    for packet in stream.encode(None):
        film.put(packet, packet.time_base or context.time_base, stream)
    return float(times[flash])


def _interlaced(recipe: Recipe, options: dict[str, str]) -> dict[str, str]:
    if recipe.scan == "progressive":
        return options
    if recipe.video == "h264":
        return options | {"x264-params": "tff=1"}
    return options | {"field_order": "tt"}


def _frame(rgb: NDArray[np.uint8], pix_fmt: str, colour: Colour) -> av.VideoFrame:
    matrix = {1: 1, 5: 5, 6: 5, 9: 9}.get(colour.matrix, 5)  # swscale's own numbers: 5 is BT.601
    full = colour.full or pix_fmt.startswith("yuvj")
    frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(
        format=pix_fmt,
        src_colorspace=matrix,
        dst_colorspace=matrix,
        src_color_range=ColorRange.JPEG,
        dst_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
    )
    if colour != COLOURS["untagged"]:
        frame.color_primaries, frame.color_trc, frame.colorspace = colour.primaries, colour.transfer, colour.matrix
        frame.color_range = ColorRange.JPEG if colour.full else ColorRange.MPEG
    return frame


def add_sound(film: Film, sound: Sound, onset_s: float, seconds: float) -> av.AudioStream:
    """Adds a track with a beep at `onset_s` of the picture's clock, until `seconds`."""
    encoder, rate, _layouts, options = AUDIO[sound.audio]
    length = (sound.seconds if sound.seconds is not None else seconds) - sound.start_s
    if sound.audio == "dts":
        return _add_stored(film, sound, _dts(sound, onset_s - sound.start_s, length), "dts")
    stream = film.out.add_stream(encoder, rate=rate, layout=sound.layout)
    stream.codec_context.options = dict(options)
    _name(stream, sound)
    wave = tone(rate, CHANNELS[sound.layout], length, onset_s - sound.start_s, sound.tone_hz)
    for packet in _encode(stream, wave, rate, sound.layout):
        assert packet.pts is not None and packet.dts is not None and packet.time_base is not None
        late = round(Fraction(sound.start_s) / packet.time_base)
        packet.pts, packet.dts = packet.pts + late, packet.dts + late
        film.put(packet, packet.time_base, stream)
    return stream


def tone(rate: int, channels: int, seconds: float, onset_s: float, hertz: float) -> NDArray[np.float32]:
    """Silence with a tone of TONE_S at `onset_s`, (channels, samples); the fourth of six channels is for low tones."""
    count = round(seconds * rate)
    clock = np.arange(count) / rate
    active = (clock >= onset_s) & (clock < onset_s + TONE_S)
    pitches = [60.0 if channels == 6 and k == 3 else hertz + 150 * k for k in range(channels)]
    return np.stack([0.5 * active * np.sin(2 * np.pi * pitch * (clock - onset_s)) for pitch in pitches]).astype(
        np.float32
    )


def _encode(stream: av.AudioStream, wave: NDArray[np.float32], rate: int, layout: str) -> Iterator[av.Packet[Any]]:
    context = stream.codec_context
    context.open()
    size = context.frame_size or 1024
    resampler = av.AudioResampler(context.format, layout, rate, frame_size=size)
    for start in range(0, wave.shape[1], size):
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(wave[:, start : start + size]), "fltp", layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        for ready in resampler.resample(frame):
            yield from stream.encode(ready)
    for ready in resampler.resample(None):
        yield from stream.encode(ready)
    yield from stream.encode(None)


def _add_stored(film: Film, sound: Sound, data: bytes, muxer: str) -> av.AudioStream:
    """A track whose packets exist already, in a file of their own."""
    source = av.open(io.BytesIO(data), format=muxer)
    film.sources.append(source)
    inner = source.streams.audio[0]
    assert inner.time_base is not None
    stream = film.out.add_stream_from_template(inner)
    _name(stream, sound)
    first: Fraction | None = None
    for packet in source.demux(inner):
        if packet.pts is None:
            continue
        first = packet.pts * inner.time_base if first is None else first
        late = round((Fraction(sound.start_s) - first) / inner.time_base)
        packet.pts, packet.dts = packet.pts + late, packet.pts + late
        film.put(packet, inner.time_base, stream)
    return stream


def _dts(sound: Sound, onset_s: float, seconds: float) -> bytes:
    onset = round((onset_s * dts_frames.RATE - dts_frames.ONSET) / dts_frames.SAMPLES)
    total = round(seconds * dts_frames.RATE / dts_frames.SAMPLES)
    return b"".join(dts_frames.frames(sound.layout, total, onset))


def _name(stream: Any, sound: Sound) -> None:
    if sound.language:
        stream.metadata["language"] = sound.language
    if sound.title:
        stream.metadata["title"] = sound.title


def film(path: Path, muxer: str, recipe: Recipe, *sounds: Sound, start: Fraction = Fraction(0),
         options: dict[str, str] | None = None, before: Callable[[Film], None] | None = None,
         after: Callable[[Film], None] | None = None, late_s: float = 0.0) -> Path:  # fmt: skip
    """A picture, which begins at `late_s`, and tracks on the same clock."""
    under_way = Film(path, muxer, start, options or {})
    if before:
        before(under_way)
    times = frame_times(recipe.rate)
    under_way.start += Fraction(late_s)
    onset = add_video(under_way, recipe, times) + late_s
    under_way.start -= Fraction(late_s)
    for sound in sounds:
        add_sound(under_way, sound, onset, end_of(times, recipe.rate) + late_s)
    if after:
        after(under_way)
    return under_way.close()
