"""Sound of a file for a loudspeaker: any track, from any time on, at another speed with its pitch kept."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.filter import Graph
from av.stream import Disposition, Stream
from numpy.typing import NDArray

from seg_viewer.core.printable import printable
from seg_viewer.media.av_file import demuxed
from seg_viewer.media.beside import BesideReader, Span, open_source
from seg_viewer.media.sample_line import SampleLine
from seg_viewer.media.sound_decoding import LaidSound
from seg_viewer.media.timeline import Timeline

Samples = NDArray[np.float32]

SLOWEST, FASTEST = 0.5, 2.0
"""Speeds between which FFmpeg's `atempo` keeps speech natural; beyond them nothing is played."""

_TEMPO_EARLY_S = 0.01
"""By how much `atempo` has the middle of a tone too early, seconds of the file (measured, 48 and 44.1 kHz, ½…2×)."""

_RUN_UP_S = 0.25
_BACK_S = (2.0, 8.0, 40.0)
"""How far before a time to look for it, seconds: containers without an index find only about where it is."""
_PEEK = 64
_BLOCK_S = 0.1


@dataclass(frozen=True)
class SoundTrack:
    """A sound track that a person can choose.

    Args:
        index: of the stream in its file.
        name: "1: aac stereo, eng".
    """

    index: int
    name: str


def sound_tracks(path: Path) -> tuple[list[SoundTrack], int]:
    """The tracks of a file that can be decoded, and the place in the list of the one that plays by itself.

    That is the first that the file marks as default, else the first. With no tracks, the place is 0.

    Raises:
        av.FFmpegError: this is no file of pictures or sound.
    """
    with open_source(path) as container:
        streams = [stream for stream in container.streams.audio if stream.codec_context is not None]
        tracks = [SoundTrack(each.index, f"{number}: {_about(each)}") for number, each in enumerate(streams, 1)]
        marked = [place for place, each in enumerate(streams) if each.disposition & Disposition.default]
    return tracks, marked[0] if marked else 0


def _about(stream: av.AudioStream) -> str:
    context = stream.codec_context
    language = stream.language if stream.language not in (None, "und") else ""
    title = stream.metadata.get("title", "")
    told = f"{context.codec.canonical_name} {context.layout.name}"
    return printable(", ".join(filter(None, (told, language, title))))


class _NearReader(BesideReader):
    """Finds a time in any container by looking for it; a `BesideReader` reads all from the start where it must.

    Times are right wherever it begins. That packets before the first one were missed is heard as silence, once.
    """

    def __init__(self, path: Path, index: int, timeline: Timeline, span: Span) -> None:
        super().__init__(path, index, timeline, span, _RUN_UP_S)
        self._picture: int | None = None

    def _seek(self, container: av.container.InputContainer, stream: Stream) -> None:
        start_s = self._span.start_s
        if start_s <= _BACK_S[0]:
            return
        if container.streams.video:
            self._picture = container.streams.video[0].index
        for back_s in _BACK_S:
            if back_s >= start_s or not self._go(container, stream, start_s - back_s):
                break
            if self._is_before(container, stream, start_s):
                self._go(container, stream, start_s - back_s)
                return
        if not self._go(container, stream, 0.0):
            with suppress(av.FFmpegError, ValueError):
                container.seek(0, unsupported_byte_offset=True)

    def _go(self, container: av.container.InputContainer, stream: Stream, time_s: float) -> bool:
        position = None if self._picture is None else self._timeline.position(self._picture, time_s)
        try:
            if position is not None:
                container.seek(position, unsupported_byte_offset=True)
            elif stream.time_base:
                container.seek(int((time_s + self._timeline.origin_s) / stream.time_base), stream=stream)
        except (av.FFmpegError, ValueError):
            return False
        return True

    def _is_before(self, container: av.container.InputContainer, stream: Stream, time_s: float) -> bool:
        with suppress(av.FFmpegError, OSError):
            for number, packet in enumerate(demuxed(container, stream)):
                timed = self._timed(packet, float(stream.time_base or 0))
                if packet.size and timed.time_s is not None:
                    return timed.time_s + time_s <= time_s - _RUN_UP_S
                if number > _PEEK:
                    break
        return False


class PlayedSound:
    """One track of a file as samples for a device.

    Args:
        path: of the file.
        track: index of the stream.
        timeline: of the file; the same times as its pictures have. It belongs to this reader alone.
        rate: samples per second that the device wants.
        channels: 1 or 2.

    Attributes:
        broken: why the latest `blocks` ended early, or "".
    """

    def __init__(self, path: Path, track: int, timeline: Timeline, rate: int, channels: int) -> None:
        self.broken = ""
        self._path, self._track, self._timeline = path, track, timeline
        self._rate, self._channels = rate, channels
        self._layout = "mono" if channels == 1 else "stereo"

    def blocks(self, start_s: float, speed: float = 1.0) -> Generator[Samples]:
        """Samples without a hole, the first one of `start_s`; where the track has none, there is silence.

        Args:
            start_s: seconds from the start of the file.
            speed: `SLOWEST`…`FASTEST`; each second of samples is `speed` seconds of the file.

        Returns:
            blocks of shape (n, channels), float32, −1…1.
        """
        start_s = max(0.0, start_s)
        reader = _NearReader(self._path, self._track, self._timeline, Span(start_s))
        laid = LaidSound(reader, SampleLine(self._rate, self._layout), gapless=False)
        with closing(self._whole(laid)) as whole:
            yield from whole if speed == 1.0 else self._paced(whole, speed)
        self.broken = reader.broken

    def _whole(self, laid: LaidSound) -> Generator[Samples]:
        """As laid, long holes and a late start filled."""
        position = 0
        with closing(laid.frames()) as frames:
            for frame in frames:
                missing = (frame.pts or 0) - position
                while missing > 0:
                    some = min(missing, round(_BLOCK_S * self._rate))
                    yield np.zeros((some, self._channels), np.float32)
                    missing -= some
                samples: Samples = np.asarray(frame.to_ndarray(), np.float32).reshape(-1, self._channels)
                position = (frame.pts or 0) + len(samples)
                yield samples

    def _paced(self, blocks: Iterator[Samples], speed: float) -> Iterator[Samples]:
        """Longer or shorter, at the same pitch (https://ffmpeg.org/ffmpeg-filters.html#atempo)."""
        yield np.zeros((round(_TEMPO_EARLY_S / speed * self._rate), self._channels), np.float32)
        graph = Graph()
        tick = Fraction(1, self._rate)
        source = graph.add_abuffer(format="flt", sample_rate=self._rate, layout=self._layout, time_base=tick)
        tempo, sink = graph.add("atempo", f"{speed:g}"), graph.add("abuffersink")
        source.link_to(tempo)
        tempo.link_to(sink)
        graph.configure()
        position = 0
        for block in blocks:
            frame = av.AudioFrame.from_ndarray(block.reshape(1, -1), format="flt", layout=self._layout)
            frame.sample_rate, frame.time_base, frame.pts = self._rate, tick, position
            position += len(block)
            source.push(frame)
            yield from self._pulled(sink)
        source.push(None)
        yield from self._pulled(sink)

    def _pulled(self, sink: Any) -> Iterator[Samples]:
        while True:
            try:
                frame = sink.pull()
            except (av.BlockingIOError, av.EOFError):
                return
            samples: Samples = np.asarray(frame.to_ndarray(), np.float32).reshape(-1, self._channels)
            yield samples
