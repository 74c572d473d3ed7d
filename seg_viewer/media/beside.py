"""One stream of a file, read by itself: packets with the times that the annotated video has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import av
from av.stream import Discard, Stream

from seg_viewer.media.av_file import demuxed
from seg_viewer.media.timeline import Timeline

EARLIEST_S = 0.12
"""Sound may begin as much before 0, seconds: what a decoder needs to start (HE-AAC: 5186 samples at 48 kHz)."""

_SOUGHT = ("mp4", "matroska")  # formats whose index leads to the exact packet
_RUN_UP_S = 2.0


@dataclass(frozen=True, slots=True)
class Span:
    """The part of a file's time that is wanted, seconds from its start; it comes out from 0."""

    start_s: float = 0.0
    end_s: float | None = None

    @property
    def length_s(self) -> float:
        return float("inf") if self.end_s is None else self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class Timed:
    """A packet as it was demuxed, and its times in the result, seconds; `time_s` is None where the file names none."""

    packet: av.Packet[Any]
    time_s: float | None
    duration_s: float
    tick_s: float
    """Unit of the file's times."""


class Travels(Protocol):
    """A stream on its way into another file."""

    told: str
    """What was done with it: "aac copied"."""
    reads_as: tuple[str, str]
    """Type of the stream and name of the codec that a reader finds in the result."""

    def add_to(self, out: av.container.OutputContainer) -> Stream:
        """Make its stream, before the header is written; the latest container that it was added to gets the packets."""

    def packets(self) -> Iterator[tuple[float, av.Packet[Any]]]:
        """What to mux, in order of time, with the seconds of each dts."""

    def notes(self) -> list[str]:
        """What was repaired so far, half a sentence each."""

    def trial(self) -> list[av.Packet[Any]]:
        """A few packets that are like its own, for the container that it was added to."""


_LONGEST_SOUND_S = 60.0
"""That a packet of sound lasts; where a damaged header says more, nothing is known of it."""


class CannotTravel(Exception):
    """Why a stream is left out, a few words."""


class BesideReader:
    """Reads one stream of a file; others may read other streams of it at the same time.

    Each reader opens the file for itself. So sound, subtitles and pictures can be merged in order of time, however
    they lie in the file, and nothing has to be held in memory until the other one has caught up.

    Args:
        path: of the file.
        index: of the stream.
        timeline: of the file.
        span: the part that is wanted; packets that end before it, or begin after it, are not handed out.
        run_up_s: packets are handed out from as much before the span, seconds.

    Attributes:
        broken: why reading ended early, or "".
    """

    def __init__(self, path: Path, index: int, timeline: Timeline, span: Span, run_up_s: float = 0.0) -> None:
        self.broken = ""
        self._path, self._index, self._timeline, self._span = path, index, timeline, span
        self._run_up_s = run_up_s
        self._container: av.container.InputContainer | None = None

    @property
    def length_s(self) -> float:
        """Of the part that is wanted, seconds, or infinity."""
        return self._span.length_s

    def __iter__(self) -> Iterator[Timed]:
        try:
            with open_source(self._path) as container:
                self._container = container
                yield from self._read(container)
        except (av.FFmpegError, OSError, ValueError) as error:
            self.broken = getattr(error, "strerror", None) or str(error)
        finally:
            self._container = None

    def _read(self, container: av.container.InputContainer) -> Iterator[Timed]:
        stream = container.streams[self._index]
        for other in container.streams:
            if other.index != self._index:
                other.discard = Discard.all
        self._seek(container, stream)
        tick_s = float(stream.time_base or 0)
        for packet in demuxed(container, stream):
            if not packet.size:
                continue
            timed = self._timed(packet, tick_s)
            if timed.time_s is not None:
                if timed.time_s >= self._span.length_s:
                    if timed.time_s > self._span.length_s + _RUN_UP_S:
                        return
                    continue
                if timed.time_s + timed.duration_s < -self._run_up_s:
                    continue
            yield timed

    def _seek(self, container: av.container.InputContainer, stream: Stream) -> None:
        target_s = self._span.start_s - _RUN_UP_S
        indexed = any(name in container.format.name for name in _SOUGHT)
        if target_s <= _RUN_UP_S or not indexed or self._timeline.notes or not stream.time_base:
            return
        with suppress(av.FFmpegError, ValueError):  # reading from the start finds the same, later
            container.seek(int((target_s + self._timeline.origin_s) / stream.time_base), stream=stream)

    def _timed(self, packet: av.Packet[Any], tick_s: float) -> Timed:
        stamp = packet.pts if packet.pts is not None else packet.dts
        duration_s = (packet.duration or 0) * tick_s
        if duration_s > _LONGEST_SOUND_S and packet.stream.type == "audio":
            duration_s = 0.0
        if stamp is None:
            return Timed(packet, None, duration_s, tick_s)
        time_s = stamp * tick_s + self._timeline.shift_s(packet) - self._span.start_s
        return Timed(packet, time_s, duration_s, tick_s)


def open_source(path: Path) -> av.container.InputContainer:
    """Open a plain file, whatever its name looks like. Raises: av.FFmpegError."""
    return av.open(f"file:{path}", metadata_errors="replace")


def first_packets(
    container: av.container.InputContainer, indices: set[int], count: int = 4, within: int = 4000
) -> dict[int, list[av.Packet[Any]]]:
    """The first `count` packets of some streams of a file; fewer where they are not among the first `within` of all.

    They are of use as long as the container is open.
    """
    found: dict[int, list[av.Packet[Any]]] = {index: [] for index in indices}
    missing = set(indices)
    with suppress(av.FFmpegError, OSError, ValueError):
        for number, packet in enumerate(demuxed(container)):
            if packet.stream_index in missing and packet.size:
                found[packet.stream_index].append(packet)
                if len(found[packet.stream_index]) >= count:
                    missing.discard(packet.stream_index)
            if number >= within or not missing:
                break
    return found


def plain_copy(data: bytes, stream: Stream, tick: Fraction, pts: int, duration: int) -> av.Packet[Any]:
    """A packet for a stream; nothing of where the data come from sticks to it.

    Args:
        data: its content.
        stream: of the file that it goes to.
        tick: unit of the times, seconds; the stream's own unit changes when the header is written.
        pts: its time, and its dts.
        duration: how long it lasts.
    """
    packet: av.Packet[Any] = av.Packet(data)
    packet.stream = stream
    packet.time_base = tick
    packet.pts = packet.dts = pts
    packet.duration = duration
    packet.is_keyframe = True
    return packet
