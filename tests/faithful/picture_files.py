"""Moving pictures without a container of video: GIF, APNG, WebP, Motion JPEG; what they hold is known, not measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from tests.faithful.inputs import picture
from tests.faithful.measure import Measure, Tags
from tests.faithful.recipe import CORNERS, HEIGHT, TICKS, WIDTH

DURATIONS_S = (0.5, 1.0, 5.0)


def pictures(suffix: str, encoder: str, pix_fmt: str, shown_s: Sequence[float], unit: int) -> Callable[[Path], Path]:
    """Animated pictures; each says how long it is shown."""

    def write(folder: Path) -> Path:
        path = folder / f"pictures{suffix}"
        last = {"final_delay": str(Fraction(shown_s[-1]))} if encoder == "apng" else {}  # else it is that before it
        with av.open(str(path), "w", options=last) as out:
            stream = out.add_stream(encoder, rate=10)
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, pix_fmt
            stream.codec_context.time_base = Fraction(1, unit)
            packets = []
            for index, _seconds in enumerate(shown_s):
                frame = av.VideoFrame.from_ndarray(picture(index), format="rgb24").reformat(format=pix_fmt)
                frame.pts, frame.time_base = round(sum(shown_s[:index]) * unit), Fraction(1, unit)
                frame.duration = round(shown_s[index] * unit)
                packets += stream.encode(frame)
            packets += stream.encode(None)
            if len(packets) == len(shown_s):  # WebP's encoder makes one of all
                for packet, seconds in zip(packets, shown_s, strict=True):
                    packet.duration, packet.time_base = round(seconds * unit), Fraction(1, unit)
            out.mux(packets)
        return path

    return write


def known(times: Sequence[float], end_s: float) -> Callable[[Path], Measure]:
    """Of a silent picture file whose times are known."""

    def truth(_path: Path) -> Measure:
        return Measure(
            "pictures", "", WIDTH, HEIGHT, tuple(Fraction(time).limit_denominator(TICKS) for time in times), end_s, (),
            tuple(range(len(times))), np.array(CORNERS, float), WIDTH / HEIGHT, Tags(full=True),
        )  # fmt: skip

    return truth


def durations(path: Path) -> Measure:
    starts = [sum(DURATIONS_S[:k]) for k in range(len(DURATIONS_S))]
    return known(starts, sum(DURATIONS_S))(path)


def raw_mjpeg(folder: Path) -> Path:
    path = folder / "raw.mjpeg"
    with av.open(str(path), "w", format="mjpeg") as out:
        stream = out.add_stream("mjpeg", rate=25, options={"qscale": "2"})
        stream.width, stream.height, stream.pix_fmt = 8 * WIDTH, 8 * HEIGHT, "yuvj420p"
        stream.codec_context.sample_aspect_ratio = Fraction(1)  # makes it JFIF, which FFmpeg takes for one picture
        for index in range(25):
            rgb = picture(index, width=8 * WIDTH, height=8 * HEIGHT)
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuvj420p")
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path
