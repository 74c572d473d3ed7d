"""A clip with everything that can lie beside a picture."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.stream import Disposition
from av.subtitles.subtitle import SubtitleSet

from tests.media.beeps import FLASH, tone

_MS = Fraction(1, 1000)
HEADER = (
    b"[Script Info]\r\nScriptType: v4.00+\r\n\r\n[V4+ Styles]\r\nFormat: Name, Fontname, Fontsize, PrimaryColour, "
    b"SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, "
    b"BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding\r\n"
    b"Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,1\r\n\r\n[Events]\r\n"
    b"Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\r\n"
)
TEXTS = ((100, 400, "one {\\i1}slanted{\\i0}"), (500, 900, "two"))
"""From when to when, ms, and what is shown."""

CHAPTERS = (("First", 0, 500), ("Second", 500, 1000))


def png() -> bytes:
    context = av.CodecContext.create("png", "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height, context.pix_fmt = 16, 8, "rgb24"
    context.time_base = Fraction(1, 25)
    frame = av.VideoFrame.from_ndarray(np.full((8, 16, 3), 200, np.uint8), format="rgb24")
    frame.pts = 0
    return b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])


def make_rich(
    path: Path,
    container: str,
    *,
    text: str | None = None,
    sounds: tuple[str, ...] = ("aac", "aac"),
    cover: bool = False,
    font: bool = False,
    second_picture: bool = False,
    tags: dict[str, str] | None = None,
    movflags: str = "",
) -> Path:
    """1 s: picture; sound tracks with language, title and purpose; text, chapters, tags and what else is asked for."""
    with av.open(str(path), "w", format=container, options={"movflags": movflags} if movflags else {}) as out:
        pictures = [out.add_stream("mpeg4", rate=25) for _ in range(1 + second_picture)]
        for picture in pictures:
            picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        voices = []
        for number, codec in enumerate(sounds):
            voice = out.add_stream(codec, rate=48_000)
            assert isinstance(voice, av.AudioStream)
            voice.codec_context.layout = "mono"
            voice.metadata.update(language=("eng", "fra")[number % 2], title=f"Voice {number + 1}")
            voice.disposition = Disposition.default if not number else Disposition.hearing_impaired
            voices.append(voice)
        words = out.add_stream(text) if text else None
        if words is not None:
            words.codec_context.subtitle_header = HEADER
            words.codec_context.time_base = words.time_base = _MS
            words.metadata["language"] = "deu"
        if cover:
            out.add_attachment("cover.png", "image/png", png())
        if font:
            out.add_attachment("Plain.ttf", "application/x-truetype-font", b"\0\1\0\0 no font, but whole")
        out.metadata.update(tags or {})
        out.set_chapters(
            [
                {"id": k, "start": start, "end": end, "time_base": _MS, "metadata": {"title": title}}
                for k, (title, start, end) in enumerate(CHAPTERS)
            ]
        )
        out.start_encoding()
        _fill(out, pictures, voices, words)
    return path


def _fill(
    out: av.container.OutputContainer,
    pictures: list[av.VideoStream],
    voices: list[av.AudioStream],
    words: av.subtitles.stream.SubtitleStream | None,
) -> None:
    packets = []
    for picture in pictures:
        for index in range(25):
            grey = np.full((48, 64, 3), 235 if index == FLASH else 16, np.uint8)
            packets += picture.encode(av.VideoFrame.from_ndarray(grey, format="rgb24"))
        packets += picture.encode(None)
    for voice in voices:
        frame = av.AudioFrame.from_ndarray(tone(48_000, 1), format="flt", layout="mono")
        frame.sample_rate, frame.time_base, frame.pts = 48_000, Fraction(1, 48_000), 0
        packets += [*voice.encode(frame), *voice.encode(None)]
    if words is not None:
        for number, (start, end, line) in enumerate(TEXTS):
            written = f"{number},0,Default,,0,0,0,,{line}".encode()
            packet = words.codec_context.encode_subtitle(SubtitleSet.create(written, 0, end - start))
            packet.stream, packet.time_base = words, _MS
            packet.pts = packet.dts = start
            packet.duration = end - start
            packets.append(packet)
    for packet in sorted(packets, key=lambda p: p.dts * p.time_base):
        out.mux(packet)


def make_telemetry(path: Path) -> Path:
    """An MP4 with a track of data as action cameras write it ("gpmd"): text, renamed in the file's header."""
    make_rich(path, "mp4", text="mov_text")
    data = path.read_bytes()
    for before, after in ((b"tx3g", b"gpmd"), (b"sbtl", b"meta")):
        assert data.count(before) == 1
        data = data.replace(before, after)
    path.write_bytes(data)
    return path


def make_klv(path: Path) -> Path:
    """A transport stream with a track of data as drones write it (KLV)."""
    with av.open(str(path), "w", format="mpegts") as out:
        picture = out.add_stream("mpeg2video", rate=25)
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        data = out.add_data_stream("klv")
        data.time_base = Fraction(1, 90_000)
        out.start_encoding()
        for index in range(25):
            out.mux(picture.encode(av.VideoFrame.from_ndarray(np.full((48, 64, 3), 16, np.uint8), format="rgb24")))
            packet = av.Packet(bytes(range(16)))
            packet.stream, packet.time_base = data, Fraction(1, 25)
            packet.pts = packet.dts = index
            out.mux(packet)
        out.mux(picture.encode(None))
    return path


def shown_text(path: Path) -> list[tuple[float, float, str]]:
    """When each text is shown, from when to when, seconds; and what."""
    found = []
    with av.open(str(path)) as file:
        for packet in file.demux(subtitles=0):
            for part in packet.decode() if packet.size else []:
                line = part.dialogue.decode() if part.dialogue else ""
                if line.strip():
                    start = float(packet.pts * packet.time_base)
                    found.append((start, start + float(packet.duration * packet.time_base), line.strip()))
    return found
