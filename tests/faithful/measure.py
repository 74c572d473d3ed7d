"""What a video file holds, measured by demuxing and decoding it with PyAV alone: nothing of seg_viewer is used here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.sidedata.sidedata import Type
from av.stream import Disposition
from av.video.reformatter import ColorRange
from numpy.typing import NDArray

from tests.faithful.measure_sound import Sound, Track, language
from tests.faithful.seams import packets, shifts

BITS = 8
METADATA = ("title", "creation_time", "location", "comment", "date", "artist")


@dataclass(frozen=True)
class Tags:
    """Colour as in ITU-T H.273 (2 is unspecified), effective range, bits of a sample."""

    primaries: int = 2
    transfer: int = 2
    matrix: int = 2
    full: bool = False
    bits: int = 8


@dataclass(frozen=True)
class Measure:
    """A file's content.

    Args:
        times_s: of each picture, in order, on the file's clock; seams are re-based.
        end_s: when the last picture ends.
        flashes_s: times of white frames.
        numbers: what each picture's bar says; −1 for a flash.
        corners: mean colour of the four corners as shown, RGB, of the first picture that is no flash.
        aspect: width ÷ height as shown.
        interlaced: the stream says so.
        seams: how often the clock starts anew.
        damaged: video packets that did not decode.
        subtitles: for each track its language and its (start, text).
        chapters: (start, end, title), seconds.
        metadata: of `METADATA`, what there is.
        extras: "data", "attachment", "cover": how many.
    """

    container: str
    codec: str
    width: int
    height: int
    times_s: tuple[Fraction, ...]
    end_s: float
    flashes_s: tuple[float, ...]
    numbers: tuple[int, ...]
    corners: NDArray[np.float64]
    aspect: float
    tags: Tags
    interlaced: bool = False
    seams: int = 0
    damaged: int = 0
    sounds: tuple[Track, ...] = ()
    subtitles: tuple[tuple[str, tuple[tuple[float, str], ...]], ...] = ()
    chapters: tuple[tuple[float, float, str], ...] = ()
    metadata: dict[str, str] = field(default_factory=dict)
    extras: dict[str, int] = field(default_factory=dict)

    @property
    def start_s(self) -> float:
        return float(self.times_s[0])

    @property
    def length_s(self) -> float:
        return self.end_s - self.start_s


class Unmeasurable(Exception):
    """There is no picture to measure."""


def measure(path: Path) -> Measure:
    """Raises: Unmeasurable for what plain PyAV gets no picture from."""
    try:
        late, seams = shifts(path)
        with av.open(f"file:{path}", metadata_errors="replace") as container:
            return _Reading(container, late, seams).measure()
    except (av.FFmpegError, OSError) as error:
        raise Unmeasurable(f"{path.name}: {error}") from error


class _Reading:
    """One pass over a file."""

    def __init__(self, container: Any, late: list[Fraction], seams: int) -> None:
        self._container = container
        self._late = late
        self._count = seams
        self._video = _best_video(container)
        self._frames: list[tuple[Fraction, Fraction, int, NDArray[np.uint8]]] = []
        self._first: Any = None
        self._sounds: dict[int, Sound] = {s.index: Sound(s) for s in container.streams.audio if s.codec_context}
        self._texts: dict[int, list[tuple[float, str]]] = defaultdict(list)
        self._damaged = 0

    def measure(self) -> Measure:
        self._read()
        if not self._frames:
            raise Unmeasurable("no picture decodes")
        self._frames.sort(key=lambda frame: frame[0])
        first, stream = self._first, self._video
        pictures = [frame[3] for frame in self._frames]
        flash = [bool(picture.mean() > 200) for picture in pictures]
        shown = next((p for p, white in zip(pictures, flash, strict=True) if not white), pictures[0])
        times = tuple(frame[0] for frame in self._frames)
        return Measure(
            container=self._container.format.name,
            codec=stream.codec_context.codec.canonical_name,
            width=first.width,
            height=first.height,
            times_s=times,
            end_s=float(times[-1] + (self._frames[-1][1] or _usual(times))),
            flashes_s=tuple(float(time) for time, white in zip(times, flash, strict=True) if white),
            numbers=tuple(-1 if white else _number(p) for p, white in zip(pictures, flash, strict=True)),
            corners=_corners(shown),
            aspect=_aspect(first, stream),
            tags=_tags(first),
            interlaced=bool(first.interlaced_frame),
            seams=self._count,
            damaged=self._damaged,
            sounds=tuple(sound.track() for sound in self._sounds.values() if sound.parts),
            subtitles=tuple(
                (language(s), tuple(self._texts[s.index])) for s in self._container.streams.subtitles
            ),
            chapters=tuple(_chapter(chapter) for chapter in self._container.chapters()),
            metadata={k.lower(): v for k, v in self._container.metadata.items() if k.lower() in METADATA},
            extras=_extras(self._container),
        )  # fmt: skip

    def _read(self) -> None:
        for number, packet in enumerate(packets(self._container)):
            shift = self._late[number] if number < len(self._late) else Fraction(0)
            stream = packet.stream
            if packet.size and shift and packet.pts is not None:
                ticks = round(shift / packet.time_base)
                packet.pts, packet.dts = packet.pts + ticks, (packet.dts or packet.pts) + ticks
            if stream.type == "subtitle":
                if packet.size and packet.pts is not None:
                    self._texts[stream.index].append((float(packet.pts * packet.time_base), _text(packet)))
                continue
            try:
                if stream is self._video or stream.index == self._video.index:
                    self._picture(packet)
                elif stream.index in self._sounds:
                    self._sounds[stream.index].add(packet)
            except av.FFmpegError:
                if stream.index == self._video.index:
                    self._damaged += 1
                elif stream.index in self._sounds:
                    self._sounds[stream.index].damaged += 1

    def _picture(self, packet: Any) -> None:
        for frame in packet.decode():
            if self._first is None:
                self._first = frame
            if frame.pts is not None:
                time = frame.pts * frame.time_base
            else:
                time = self._frames[-1][0] + Fraction(1, 25) if self._frames else Fraction(0)
            length = (getattr(frame, "duration", 0) or 0) * frame.time_base
            self._frames.append((time, length, len(self._frames), upright(frame)))


def _best_video(container: Any) -> Any:
    """The default one, else the largest; never a cover."""
    streams = [s for s in container.streams.video if s.codec_context and not s.disposition & Disposition.attached_pic]
    if not streams:
        raise Unmeasurable("no video stream")
    default = [s for s in streams if s.disposition & Disposition.default]
    return max(default or streams, key=lambda s: s.codec_context.width * s.codec_context.height)


def _usual(times: tuple[Fraction, ...]) -> Fraction:
    steps = sorted(b - a for a, b in pairwise(times))
    return steps[len(steps) // 2] if steps else Fraction(1, 25)


def upright(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """As shown, (H, W, 3), RGB, by the frame's own tags and display matrix."""
    tags = _tags(frame)
    matrix = {1: 1, 9: 9, 10: 9, 5: 5, 6: 5}.get(tags.matrix, 1 if frame.height > 576 else 5)
    is_rgb = frame.format.is_rgb or frame.format.name in ("pal8", "bgra", "rgba")
    rgb = frame.reformat(
        format="rgb24",
        src_colorspace=matrix,
        dst_colorspace=matrix,
        src_color_range=ColorRange.JPEG if tags.full or is_rgb else ColorRange.MPEG,
        dst_color_range=ColorRange.JPEG,
    ).to_ndarray(format="rgb24")
    a, b, c, d = display_matrix(frame)
    if abs(a) + abs(d) >= abs(b) + abs(c):
        horizontal, vertical = a < 0, d < 0
    else:
        rgb, horizontal, vertical = rgb.transpose(1, 0, 2), c < 0, b < 0
    return np.ascontiguousarray(rgb[:: -1 if vertical else 1, :: -1 if horizontal else 1])


def display_matrix(frame: av.VideoFrame) -> tuple[int, int, int, int]:
    """x' = a·x + c·y, y' = b·x + d·y; as in the header of a QuickTime track, 16.16."""
    data = frame.side_data.get(Type.DISPLAYMATRIX)
    if data is not None:
        nine = np.frombuffer(bytes(data), np.int32)
        return int(nine[0]), int(nine[1]), int(nine[3]), int(nine[4])
    return 1, 0, 0, 1


def _is_turned(frame: av.VideoFrame) -> bool:
    a, b, c, d = display_matrix(frame)
    return abs(a) + abs(d) < abs(b) + abs(c)


def _aspect(frame: av.VideoFrame, stream: Any) -> float:
    shown = float(Fraction(frame.width, frame.height) * Fraction(stream.sample_aspect_ratio or 1))
    return 1 / shown if _is_turned(frame) else shown


def _tags(frame: av.VideoFrame) -> Tags:
    full = int(frame.color_range) == int(ColorRange.JPEG) or frame.format.name.startswith("yuvj")
    bits = max((part.bits for part in frame.format.components), default=8)
    return Tags(int(frame.color_primaries), int(frame.color_trc), int(frame.colorspace), full, bits)


def _corners(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    height, width = rgb.shape[:2]
    top, bottom = slice(height // 12, height // 4), slice(-(height // 4), -max(1, height // 12))
    left, right = slice(width // 12, width // 3), slice(-(width // 3), -max(1, width // 12))
    return np.array([rgb[r, c].mean(axis=(0, 1)) for r in (top, bottom) for c in (left, right)])


def _number(rgb: NDArray[np.uint8]) -> int:
    """What the bar of blocks says; it stands upright in a picture that was turned."""
    blocks = max((_blocks(rgb), _blocks(rgb.transpose(1, 0, 2))), key=lambda each: np.abs(each - 125).min())
    return sum(1 << bit for bit, light in enumerate(blocks) if light > 125)


def _blocks(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Light of each block of the bar, were it one across the middle."""
    height, width = rgb.shape[:2]
    row = rgb[int(height * 0.42) : max(int(height * 0.58), int(height * 0.42) + 1)].mean(axis=(0, 2))
    spans = [(int((bit + 0.35) * width / BITS), int((bit + 0.65) * width / BITS) + 1) for bit in range(BITS)]
    return np.array([row[start:end].mean() for start, end in spans])


def _text(packet: Any) -> str:
    data, codec = bytes(packet), packet.stream.codec_context.codec.canonical_name
    if codec == "mov_text":
        return data[2 : 2 + int.from_bytes(data[:2], "big")].decode("utf-8", "replace")
    text = data.decode("utf-8", "replace").strip()
    return text.split(",", 8)[-1] if codec in ("ass", "ssa") else text


def _chapter(chapter: Any) -> tuple[float, float, str]:
    base = chapter["time_base"]
    return float(chapter["start"] * base), float(chapter["end"] * base), chapter["metadata"].get("title", "")


def _extras(container: Any) -> dict[str, int]:
    tests: dict[str, Callable[[Any], bool]] = {
        "data": lambda s: s.type == "data",
        "attachment": lambda s: s.type == "attachment",
        "cover": lambda s: s.type == "video" and bool(s.disposition & Disposition.attached_pic),
    }
    counts = {name: sum(map(test, container.streams)) for name, test in tests.items()}
    if "mov" in container.format.name and container.chapters():
        counts["data"] = max(0, counts["data"] - 1)  # the chapters' own track of titles
    return counts
