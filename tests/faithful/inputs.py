"""Small videos of which everything is known, made with PyAV alone.

Each is 64×48, about 2 s: four coloured corners (so that a turned or mirrored picture shows), the number of the frame as a
bar of black and white blocks, one white frame (the *flash*) and a tone that starts with it (the *beep*). A `Recipe` says
which codecs, container, times, colours it is made with.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorRange
from numpy.typing import NDArray

from tests.faithful import dts_frames

os.environ.setdefault("SVT_LOG", "1")  # SVT-AV1 prints its settings otherwise

WIDTH, HEIGHT = 64, 48
FLASH_S = 1
SECONDS = 2
TONE_S = 0.12
BITS = 8
TICKS = 90_000
CORNERS = ((190, 50, 50), (50, 170, 50), (50, 60, 190), (190, 180, 60))
"""Top left, top right, bottom left, bottom right, RGB."""

RATES = {"25": Fraction(25), "29.97": Fraction(30_000, 1001), "17.53": Fraction(1753, 100), "vfr": Fraction(25)}
VFR_MS = (40, 40, 5, 155, 33, 33, 1, 93, 40, 60)
"""Intervals of a variable rate, repeated."""
STARTS = {"0": Fraction(0), "0.7": Fraction(7, 10), "5": Fraction(5), "3600": Fraction(3600)}
ASPECTS = {"1:1": Fraction(1), "4:3": Fraction(4, 3), "8:9": Fraction(8, 9)}
ORIENTATIONS = {f"{'m' if mirrored else 'r'}{turn}": (turn, mirrored) for mirrored in (False, True)
                for turn in (0, 90, 180, 270)}  # fmt: skip
"""Counter-clockwise turn in degrees, then mirrored or not: the eight of EXIF."""
CHANNELS = {"mono": 1, "stereo": 2, "5.1": 6}


@dataclass(frozen=True)
class Colour:
    """Tags as in ITU-T H.273, and how many bits; 2 is unspecified."""

    primaries: int
    transfer: int
    matrix: int
    full: bool = False
    bits: int = 8


COLOURS = {
    "untagged": Colour(2, 2, 2),
    "bt709": Colour(1, 1, 1),
    "bt709full": Colour(1, 1, 1, full=True),
    "bt601": Colour(6, 6, 6),
    "pal": Colour(5, 6, 5),
    "srgb": Colour(1, 13, 1),
    "bt2020": Colour(9, 14, 9),
    "pq": Colour(9, 16, 9, bits=10),
    "hlg": Colour(9, 18, 9, bits=10),
}

# encoder, its pixel formats of 8 and 10 bits, options
VIDEO: dict[str, tuple[str, str, str, dict[str, str]]] = {
    "h264": ("libx264", "yuv420p", "yuv420p10le", {"preset": "ultrafast", "crf": "10"}),
    "h264b": ("libx264", "yuv420p", "yuv420p10le", {"preset": "veryfast", "crf": "10", "bf": "2"}),
    "hevc": ("libx265", "yuv420p", "yuv420p10le", {"preset": "ultrafast", "x265-params": "log-level=none:crf=8"}),
    "vp9": ("libvpx-vp9", "yuv420p", "", {"deadline": "realtime", "cpu-used": "8", "crf": "8", "b": "0"}),
    "vp8": ("libvpx", "yuv420p", "", {"deadline": "realtime", "cpu-used": "8", "b": "2M"}),
    "av1": ("libsvtav1", "yuv420p", "yuv420p10le", {"preset": "12", "crf": "10", "svtav1-params": "lp=1"}),
    "mpeg2": ("mpeg2video", "yuv420p", "", {"b": "4M"}),
    "mpeg4": ("mpeg4", "yuv420p", "", {"b": "4M"}),
    "mjpeg": ("mjpeg", "yuvj420p", "", {"qscale": "2", "b": "8M"}),
    "wmv2": ("wmv2", "yuv420p", "", {"b": "4M"}),
    "ffv1": ("ffv1", "yuv420p", "yuv420p10le", {}),
    "prores": ("prores_ks", "yuv422p10le", "yuv422p10le", {}),
    "flv1": ("flv", "yuv420p", "", {"b": "4M"}),
}
TAGGED = {"h264", "h264b", "hevc", "vp9", "av1", "mpeg2", "prores"}
"""Whose streams, or whose containers for them, say what colours mean."""
ANY_TIME = {"h264", "h264b", "hevc", "vp9", "vp8", "av1", "ffv1", "mjpeg"}
"""Encoders that take a variable rate."""

AUDIO: dict[str, tuple[str, int, tuple[str, ...], dict[str, str]]] = {
    "none": ("", 0, ("mono",), {}),
    "aac": ("aac", 48_000, ("mono", "stereo", "5.1"), {}),
    "mp3": ("libmp3lame", 44_100, ("mono", "stereo"), {}),
    "mp2": ("mp2", 48_000, ("mono", "stereo"), {}),
    "ac3": ("ac3", 48_000, ("mono", "stereo", "5.1"), {}),
    "eac3": ("eac3", 48_000, ("mono", "stereo", "5.1"), {}),
    "dts": ("dca", 48_000, ("mono", "stereo"), {}),
    "opus": ("libopus", 48_000, ("mono", "stereo", "5.1"), {"b": "96k"}),
    "vorbis": ("vorbis", 48_000, ("stereo",), {"strict": "experimental"}),
    "flac": ("flac", 48_000, ("mono", "stereo", "5.1"), {}),
    "wma": ("wmav2", 44_100, ("mono", "stereo"), {"b": "128k"}),
    "pcm": ("pcm_s16le", 48_000, ("mono", "stereo", "5.1"), {}),
    "pcm11024": ("pcm_s16le", 11_024, ("mono", "stereo"), {}),
}
"""Encoder, samples a second, layouts, options."""

CONTAINERS: dict[str, tuple[str, str, frozenset[str], frozenset[str]]] = {
    name: (suffix, muxer, frozenset(video.split()), frozenset(audio.split()))
    for name, suffix, muxer, video, audio in (
        ("mp4", ".mp4", "mp4", "h264 h264b hevc vp9 av1 mpeg4 mpeg2", "none aac mp3 mp2 ac3 eac3 dts opus vorbis flac pcm"),
        ("mov", ".mov", "mov", "h264 h264b hevc mjpeg prores mpeg4", "none aac mp3 ac3 pcm pcm11024"),
        ("mkv", ".mkv", "matroska", "h264 h264b hevc vp8 vp9 av1 mpeg2 mpeg4 mjpeg ffv1",
         "none aac mp3 mp2 ac3 eac3 dts opus vorbis flac pcm pcm11024"),
        ("webm", ".webm", "webm", "vp8 vp9 av1", "none opus vorbis"),
        ("ts", ".ts", "mpegts", "h264 h264b hevc mpeg2", "none aac mp3 mp2 ac3 eac3 dts opus"),
        ("asf", ".wmv", "asf", "wmv2 mpeg4", "none wma mp3 pcm ac3"),
        ("avi", ".avi", "avi", "mpeg4 mjpeg h264", "none mp3 mp2 ac3 pcm pcm11024"),
        ("flv", ".flv", "flv", "h264 h264b flv1", "none aac mp3"),
    )
}  # fmt: skip
"""Suffix, muxer, what it holds of `VIDEO` and of `AUDIO`."""


@dataclass(frozen=True)
class Recipe:
    """How an input is made; every field is a key of the table of its name.

    Args:
        scan: "progressive" or "tff", top field first.
    """

    container: str = "mp4"
    video: str = "h264"
    audio: str = "aac"
    start: str = "0"
    rate: str = "25"
    layout: str = "stereo"
    orientation: str = "r0"
    aspect: str = "1:1"
    colour: str = "untagged"
    scan: str = "progressive"

    @property
    def name(self) -> str:
        usual = Recipe()
        fields = ("start", "rate", "layout", "orientation", "aspect", "colour", "scan")
        rest = [str(getattr(self, name)).replace(":", "x") for name in fields if getattr(self, name) != getattr(usual, name)]
        return "-".join((self.container, self.video, self.audio, *rest))

    def why_not(self) -> str:
        """Why nobody can make this; "" where it can be made."""
        _suffix, _muxer, video, audio = CONTAINERS[self.container]
        colour = COLOURS[self.colour]
        problems = {
            "the container does not hold this picture": self.video not in video,
            "the container does not hold this sound": self.audio not in audio,
            "the sound has no such layout": self.layout not in AUDIO[self.audio][2],
            "no sound, no layout to choose": self.audio == "none" and self.layout != "mono",
            "no place for a start": self.start != "0" and self.container == "avi",
            "no place for times": self.rate == "vfr"
            and (self.video not in ANY_TIME or self.container in ("avi", "asf", "flv")),
            "a rate that this codec does not know": self.rate == "17.53" and self.video == "mpeg2",
            "only QuickTime's family turns pictures": self.orientation != "r0" and self.container not in ("mp4", "mov"),
            "no place for pixel aspects": self.aspect != "1:1"
            and (self.video in ("mjpeg", "wmv2", "flv1", "vp8", "vp9", "av1", "ffv1")
                 and self.container not in ("mp4", "mov")),
            "no place for tags": self.colour != "untagged" and self.video not in TAGGED,
            "no 10 bits": colour.bits == 10 and not VIDEO[self.video][2],
            "MPEG-2 and ProRes have one range": colour.full and self.video in ("mpeg2", "prores"),
            "AVI has no tags": self.container == "avi" and self.colour not in ("untagged", "bt709"),
            "interlaced is for H.264 and MPEG-2": self.scan != "progressive" and self.video not in ("h264", "mpeg2"),
            "interlaced and variable": self.scan != "progressive" and (self.rate != "25" or colour.bits == 10),
            "AVI keeps no order": self.container == "avi" and self.video == "h264b",
            "sound of 5.1 in AVI or FLV": self.layout == "5.1" and self.container in ("avi", "flv", "asf"),
        }  # fmt: skip
        return next((why for why, true in problems.items() if true), "")


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
    """Frame `index`, (height, width, 3), RGB: corners, and its number in eight blocks across the middle, low bit first."""
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
    context.options = _interlaced(recipe, dict(options))
    if recipe.scan != "progressive":
        context.flags |= (1 << 18) | (1 << 29)  # AV_CODEC_FLAG_INTERLACED_DCT, _ME
    if recipe.colour != "untagged":
        context.color_primaries, context.color_trc, context.colorspace = colour.primaries, colour.transfer, colour.matrix
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
    return np.stack([0.5 * active * np.sin(2 * np.pi * pitch * (clock - onset_s)) for pitch in pitches]).astype(np.float32)


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
