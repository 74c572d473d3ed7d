"""What travels beside a picture: subtitles, chapters, titles, covers, positions, several tracks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from tests.faithful.inputs import Film, Sound, film
from tests.faithful.recipe import Recipe


def _texts(under_way: Film, codec: str, language: str, texts: Sequence[tuple[float, float, str]]) -> None:
    stream = under_way.out.add_mux_stream(codec)
    stream.time_base = Fraction(1, 1000)
    stream.metadata["language"] = language
    for start, seconds, text in texts:
        data = text.encode()
        if codec == "mov_text":
            data = len(data).to_bytes(2, "big") + data
        packet = av.Packet(data)
        packet.pts = packet.dts = round(start * 1000)
        packet.duration = round(seconds * 1000)
        under_way.put(packet, Fraction(1, 1000), stream)


CHAPTERS = [
    {"id": 1, "start": 0, "end": 1000, "time_base": Fraction(1, 1000), "metadata": {"title": "first"}},
    {"id": 2, "start": 1000, "end": 2000, "time_base": Fraction(1, 1000), "metadata": {"title": "second"}},
]
ABOUT = {"title": "A drive", "creation_time": "2024-05-06T07:08:09.000000Z", "location": "+48.1351+011.5820/"}
LINES = [(0.2, 0.5, "hello"), (1.2, 0.5, "world")]


def beside(suffix: str, muxer: str, text_codec: str, *more: Callable[[Film], None]) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        def after(under_way: Film) -> None:
            _texts(under_way, text_codec, "deu", LINES)
            under_way.out.metadata.update(ABOUT)
            under_way.out.set_chapters(CHAPTERS)
            for add in more:
                add(under_way)

        return film(folder / f"beside{suffix}", muxer, Recipe(), Sound("aac"), after=after)

    return write


def cover(under_way: Film) -> None:
    jpeg = av.codec.CodecContext.create("mjpeg", "w")
    jpeg.width, jpeg.height, jpeg.pix_fmt, jpeg.time_base = 16, 16, "yuvj420p", Fraction(1, 25)
    frame = av.VideoFrame.from_ndarray(np.full((16, 16, 3), 200, np.uint8), format="rgb24").reformat(format="yuvj420p")
    data = b"".join(bytes(packet) for packet in (*jpeg.encode(frame), *jpeg.encode(None)))
    under_way.out.add_attachment("cover.jpg", "image/jpeg", data)


def font(under_way: Film) -> None:
    under_way.out.add_attachment("a.ttf", "font/ttf", b"no real font")


def positions(under_way: Film) -> None:
    """A data track, as cameras with GPS write one."""
    stream = under_way.out.add_data_stream("klv")
    for index in range(4):
        packet = av.Packet(b"\x06\x0e\x2b\x34" + bytes([index]) * 12)
        packet.pts = packet.dts = index * 500
        under_way.put(packet, Fraction(1, 1000), stream)


LANGUAGES = (Sound("aac", "stereo", "deu", 500), Sound("aac", "mono", "eng", 800), Sound("ac3", "5.1", "fra", 1100))


def tracks(suffix: str, muxer: str, *sounds: Sound, late_s: float = 0.0) -> Callable[[Path], Path]:
    return lambda folder: film(folder / f"tracks{suffix}", muxer, Recipe(), *sounds, late_s=late_s)
