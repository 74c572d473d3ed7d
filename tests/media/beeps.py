"""Clips with a flash and a beep at the same, known time; and what a plain decoder finds of them."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from seg_viewer.media.companions import Companions
from seg_viewer.media.timeline import Timeline

FORMATS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm", ".ts": "mpegts", ".asf": "asf"}
FORMATS |= {".avi": "avi", ".flv": "flv"}
_PICTURES = {"webm": "libvpx", "mpegts": "mpeg2video", "asf": "wmv2", "flv": "flv"}
_TICK = Fraction(1, 90_000)

FLASH = 12
FLASH_S = FLASH / 25
FRAMES = 25


def tone(rate: int, channels: int, seconds: float = FRAMES / 25) -> NDArray[np.float32]:
    """(channels, samples): silence, and a beep of 0.1 s from FLASH_S on; channel k has its own pitch."""
    times = np.arange(round(seconds * rate)) / rate
    inside = (times >= FLASH_S) & (times < FLASH_S + 0.1)
    waves = [np.sin(2 * np.pi * min(1000 + 150 * k, rate / 5) * times) for k in range(channels)]
    return (0.6 * np.stack(waves) * inside).astype(np.float32)


def _picture(out: av.container.OutputContainer, start_s: float, lead_s: int) -> Iterator[av.Packet[Any]]:
    codec = _PICTURES.get(out.format.name, "mpeg4")
    stream = out.add_stream(codec, rate=25, options={"deadline": "realtime"} if codec == "libvpx" else {})
    stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
    stream.codec_context.time_base = Fraction(1, 25)
    yield av.Packet()
    for index in [*range(0, lead_s * 25, 25), *range(lead_s * 25, lead_s * 25 + FRAMES)]:
        grey = np.full((48, 64, 3), 235 if index == FLASH + lead_s * 25 else 16, np.uint8)
        frame = av.VideoFrame.from_ndarray(grey, format="rgb24")
        frame.pts, frame.time_base = index + round(start_s * 25), Fraction(1, 25)
        yield from stream.encode(frame)
    yield from stream.encode(None)


def _sound(
    out: av.container.OutputContainer, codec: str, rate: int, layout: str, start_s: float, shift_s: float, lead_s: int
) -> Iterator[av.Packet[Any]]:
    stream = out.add_stream(codec, rate=rate, options={"strict": "experimental"})
    stream.codec_context.layout = layout
    stream.codec_context.bit_rate = 128_000
    yield av.Packet()
    start = round((start_s + shift_s) * rate)
    wave = tone(rate, av.AudioLayout(layout).nb_channels)
    wave = np.pad(wave, ((0, 0), (lead_s * rate, 0)))
    # packed: PyAV makes no frames of eight planes
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(wave.T).reshape(1, -1), format="flt", layout=layout)
    frame.sample_rate, frame.time_base, frame.pts = rate, Fraction(1, rate), start
    size = stream.codec_context.frame_size or 1024
    resampler = av.AudioResampler(stream.codec_context.format, layout, rate, frame_size=size)
    for ready in [*resampler.resample(frame), *resampler.resample(None)]:
        yield from stream.encode(ready)
    yield from stream.encode(None)


def make_beep(
    path: Path,
    *codecs: str,
    rate: int = 48_000,
    layout: str = "mono",
    start_s: float = 0.0,
    shift_s: float = 0.0,
    lead_s: int = 0,
) -> Path:
    """A clip of 1 s with a sound track for each codec; all its times are `start_s` later, the sound's `shift_s` too.

    With a lead, as many seconds go before, black and silent.
    """
    with av.open(str(path), "w", format=FORMATS[path.suffix]) as out:
        ways = [_picture(out, start_s, lead_s)]
        ways += [_sound(out, codec, rate, layout, start_s, shift_s, lead_s) for codec in codecs]
        for way in ways:
            next(way)
        out.start_encoding()
        packets = [packet for way in ways for packet in way]
        for packet in sorted(packets, key=lambda p: p.dts * p.time_base):
            out.mux(packet)
    return path


def join(source: Path, target: Path, start_s: float = 0.0, end_s: float | None = None) -> Companions:
    """Make a file of the source's picture, encoded anew, and what travels beside it, in order of time."""
    timeline = Timeline(source)
    container = FORMATS[target.suffix]
    beside = Companions(source, container, timeline=timeline, start_s=start_s, end_s=end_s)
    options = {"movflags": "+faststart"} if container in ("mp4", "mov") else {}
    with (
        av.open(f"file:{source}", metadata_errors="replace") as file,
        av.open(str(target), "w", format=container, options=options) as out,
    ):
        stream = out.add_stream(_PICTURES.get(container, "mpeg4"), rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = stream.time_base = Fraction(1, 1000)
        beside.add_to(out)
        pictures, shifts = [], []
        for packet in file.demux(file.streams.video[0]):
            shifts += [timeline.shift_s(packet) - start_s] if packet.size else []
            for frame in packet.decode():  # they come in the order of their packets
                time_s = float(frame.pts * frame.time_base) + shifts.pop(0)
                if time_s < -1e-6 or (end_s is not None and time_s >= end_s - start_s - 1e-6):
                    continue
                grey = frame.reformat(64, 48, "yuv420p")
                grey.pts, grey.time_base, grey.pict_type = round(time_s * 1000), Fraction(1, 1000), 0
                pictures += stream.encode(grey)
        pictures += stream.encode(None)
        timed = [(float(p.dts * p.time_base), p) for p in pictures]
        last_s = float("-inf")
        for time_s, packet in beside.packets():
            assert time_s >= last_s, "packets are in order of time"
            last_s = time_s
            while timed and timed[0][0] <= time_s:
                out.mux(timed.pop(0)[1])
            out.mux(packet)
        out.mux([packet for _time_s, packet in timed])
    return beside


def heard(path: Path, track: int = 0) -> tuple[float, float, float]:
    """When a beep begins in a track, when the track begins and ends; seconds, as a plain decoder has them."""
    beep = begin = None
    end = 0.0
    with av.open(str(path)) as file:
        for frame in file.decode(audio=track):
            start = end if frame.pts is None else float(frame.pts * frame.time_base)
            packed = av.AudioResampler("flt").resample(frame)[0].to_ndarray()
            wave = packed.reshape(-1, frame.layout.nb_channels)
            loud = np.flatnonzero(np.abs(wave).max(axis=1) > 0.2)
            begin = start if begin is None else begin
            if beep is None and loud.size:
                beep = start + int(loud[0]) / frame.sample_rate
            end = start + frame.samples / frame.sample_rate
    assert begin is not None, "the track has sound"
    assert beep is not None, "there is a beep"
    return beep, begin, end


def flashes(path: Path) -> float:
    """When the picture turns white, seconds."""
    with av.open(str(path)) as file:
        for frame in file.decode(video=0):
            if frame.to_ndarray(format="gray").mean() > 128:
                return float(frame.pts * frame.time_base)
    raise AssertionError("there is no flash")
