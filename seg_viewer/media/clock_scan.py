"""Where the clock of a file jumps, found by reading all its packets; nothing is decoded."""

from __future__ import annotations

import bisect
import itertools
from array import array
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import av

from seg_viewer.media.av_file import demuxed

_JUMPING = {"mpegts", "mpeg", "ogg", "live_flv", "flv", "asf"}  # in these, recordings are joined and streams dumped
_TIGHT = {"flv", "matroska,webm"}
_PADDING = 1 << 16  # bytes; all others fill their packets up, and some end with an index
_BY_BYTE = {"mpegts", "mpeg", "flv", "live_flv", "ogg"}  # formats that can be read from any packet on
WRAPPING = {"mpegts", "mpeg"}
"""Formats whose clock has 33 bits (ISO/IEC 13818-1); FFmpeg makes times before the first overrun negative."""

_LARGE = 256 << 20
_STRIDE = 8 << 20
_END = 128 << 10

_BACK_S = 0.2  # decoding times never go back, so this is already much
_BACK_SHOWN_S = 1.0  # times of showing do go back, by a few pictures
_AHEAD_S = 10.0  # FFmpeg's own limit (dts_delta_threshold)
_LONGEST_STILL_S = 86_400.0
"""A picture of a recording may stand for hours; beyond a day somebody has set the camera's clock."""
_NEAR_S = 5.0
_RUNNING = 8  # clocks that may run side by side
_LARGEST_DELAY_S, _SMALLEST_DELAY_S, _DELAYS = 5.0, 0.5, 50
_WRAP_S = 2**33 / 90_000  # ISO/IEC 13818-1: 33 bits of 90 kHz, 26.5 h


@dataclass
class Piece:
    """A stretch of a file with one clock.

    Args:
        start_s: when the first thing in it is shown or heard, by its own clock, seconds.
        end_s: when the last thing in it ends, likewise.
        offset_s: what to add to its times so that it begins where the piece before it ended.
        is_jump: its clock has nothing to do with the one before; false where a counter ran over.
    """

    start_s: float
    end_s: float
    offset_s: float = 0.0
    is_jump: bool = False


class LikelyTimes:
    """Times of a stream's packets; where recordings were joined, FFmpeg mixes those of two pieces.

    What is left over of a piece (it has no place of its own in the file) gets the presentation time of the next piece;
    the first packets of a piece get decoding times made up from the piece before.

    Args:
        tick_s: the stream's time base, seconds.
    """

    def __init__(self, tick_s: float) -> None:
        self._tick_s = tick_s
        self._delays: list[float] = []
        self._limit_s = _LARGEST_DELAY_S

    def of(self, packet: av.Packet[Any], learn: bool = False) -> tuple[int | None, int | None]:
        """Presentation and decoding time in the packet's time base.

        Args:
            packet: of the stream.
            learn: it may be used to find out what is likely.
        """
        pts, dts = packet.pts, packet.dts
        if pts is None or dts is None:
            return pts, dts
        delay_s = abs(pts - dts) * self._tick_s
        if learn and len(self._delays) < _DELAYS:  # a stream's own order of pictures says how far apart the two can be
            bisect.insort(self._delays, delay_s)
            if len(self._delays) >= 4:
                self._limit_s = max(_SMALLEST_DELAY_S, 4 * self._delays[len(self._delays) // 2])
        if delay_s <= self._limit_s:
            return pts, dts
        return (dts, dts) if packet.pos is None else (pts, pts)


@dataclass
class ClockScan:
    """What was found in a file.

    Args:
        pieces: in order.
        turns: for each stream, the positions (bytes) from which on it is in another piece, and which.
        keys: for each video stream, times (seconds, offset added) and positions of its key frames, both ascending.
        ends: for each stream, when its last packet ends, seconds, offset added.
        likely: for each stream, what tells likely times from others.
        by_byte: reading can begin at the position of any packet.
        unread: bytes at the end of the file that hold nothing FFmpeg takes for part of it.
    """

    pieces: list[Piece] = field(default_factory=list)
    turns: dict[int, tuple[list[int], list[int]]] = field(default_factory=dict)
    keys: dict[int, tuple[array[float], array[int]]] = field(default_factory=dict)
    ends: dict[int, float] = field(default_factory=dict)
    likely: dict[int, LikelyTimes] = field(default_factory=dict)
    by_byte: bool = False
    unread: int = 0

    def piece_at(self, stream: int, position: int) -> int:
        """Number of the piece that a packet of a stream at a position (bytes) belongs to."""
        if stream not in self.turns:  # subtitles and data go with the others
            return max((self.piece_at(other, position) for other in self.turns), default=0)
        positions, pieces = self.turns[stream]
        place = bisect.bisect_right(positions, position) - 1
        return pieces[place] if place >= 0 else 0


def needs_scan(container: av.container.InputContainer, path: Path) -> bool:
    """Whether the clock of a file may jump: by format and length, and for large files by looking at it every 8 MB."""
    name = container.format.name
    if _is_long(container) and name not in _JUMPING:
        return True
    if name in WRAPPING and path.stat().st_size > _LARGE:
        return not _is_steady(container, path.stat().st_size)
    if name.startswith("matroska"):
        return _is_open_matroska(path)
    return name in _JUMPING


def _is_long(container: av.container.InputContainer) -> bool:
    return (container.duration or 0) > _LONGEST_STILL_S * av.time_base


def _is_steady(container: av.container.InputContainer, size: int) -> bool:
    """Whether time goes on with the bytes of a file, as at a camera's rate that varies within reason.

    A shorter piece than the stride is missed, except at the end.
    """
    video = [*container.streams.video, *container.streams.audio][0]
    times: list[float] = []
    places = [*range(0, size - _STRIDE, _STRIDE)]
    count = len(places)
    places += range(size - _STRIDE, size - _END // 2, _END)
    try:
        for place in places:
            container.seek(place, unsupported_byte_offset=True)
            times.append(next(p.dts * float(p.time_base) for p in demuxed(container, video) if p.dts is not None))
    except (av.FFmpegError, StopIteration, IndexError, OSError):
        return False
    if any(b < a for a, b in itertools.pairwise(times[count - 1 :])):
        return False
    steps = sorted(b - a for a, b in itertools.pairwise(times[:count]))
    middle = steps[len(steps) // 2]
    return steps[0] > middle / 4 and max(steps[-1], times[-1] - times[count - 1]) < middle * 4


def _is_open_matroska(path: Path) -> bool:
    """Whether a Matroska file does not end where its first segment says: a dump, or joined (RFC 9559, RFC 8794)."""
    with path.open("rb") as file:
        head, size = file.read(4096), path.stat().st_size
    place = head.find(b"\x18\x53\x80\x67") + 4
    if place < 4 or place >= len(head):
        return False
    first = head[place]
    length = 9 - first.bit_length()
    value = int.from_bytes(head[place : place + length], "big") & ((1 << 7 * length) - 1)
    return value == (1 << 7 * length) - 1 or place + length + value < size


def scan(path: Path) -> ClockScan:
    """Read all packets of a file, about 1 GB/s where the disk can do it. The latest files are remembered.

    Raises:
        av.FFmpegError: it cannot be opened.
    """
    state = path.stat()
    return _scan(path, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=8)
def _scan(path: Path, _size: int, _changed_ns: int) -> ClockScan:
    found = _read(path, _AHEAD_S)
    if sum(p.is_jump for p in found.pieces) > 0.1 * sum(len(times) for times, _ in found.keys.values()) + 50:
        return _read(path, float("inf"))  # pictures far apart are how this film was made
    return found


def _read(path: Path, ahead_s: float) -> ClockScan:
    with av.open(f"file:{path}", metadata_errors="replace") as container:
        name = container.format.name
        if _is_long(container) and name not in _JUMPING:
            ahead_s = max(ahead_s, _LONGEST_STILL_S)
        reading = _Reading(ahead_s, _WRAP_S if name in WRAPPING else None)
        for packet in _packets(container):
            reading.take(packet)
        found = reading.result()
        found.by_byte = name in _BY_BYTE
        # FFmpeg stops at another header (FLV, ASF, Matroska), PyAV does not see streams that begin later (MPEG)
        padding = 0 if name in _TIGHT else _PADDING
        found.unread = max(0, container.size - reading.read - padding)
        return found


def _packets(container: av.container.InputContainer) -> Iterator[av.Packet[Any]]:
    streams = [*container.streams.video, *container.streams.audio]
    with suppress(av.FFmpegError, OSError):
        for packet in demuxed(container, streams):
            if packet.size and (packet.dts is not None or packet.pts is not None):
                yield packet


class _Stream:
    """Where a stream is, and what was found in it."""

    def __init__(self, packet: av.Packet[Any]) -> None:
        self.tick_s = float(packet.time_base)
        self.likely = LikelyTimes(self.tick_s)
        self.is_video = packet.stream.type == "video"
        self.piece: int | None = None
        self.time_s = self.end_s = 0.0
        self.turns: tuple[list[int], list[int]] = ([], [])
        self.keys: list[tuple[float, int, int]] = []
        self.starts: dict[int, float] = {}
        self.ends: dict[int, float] = {}
        self.joined: tuple[int, float, float] = (0, 0.0, 0.0)  # where it came into its piece, when, how far behind

    def turn(self, position: int, piece: int, time_s: float, behind_s: float) -> None:
        """From a position on it is in another piece."""
        self.joined = position, time_s, behind_s
        if piece != (self.piece or 0):
            self.turns[0].append(max([position, *self.turns[0][-1:]]))
            self.turns[1].append(piece)
        self.piece = piece

    def belonged_to(self, begin_s: float, clock_s: float) -> bool:
        """Whether it came into its piece too early, being the first of the next one.

        Args:
            begin_s: when the next piece begins.
            clock_s: where the clock of its piece is.
        """
        _position, time_s, behind_s = self.joined
        is_nearer = abs(self.time_s - begin_s) < abs(self.time_s - clock_s)
        return behind_s > _BACK_S and abs(time_s - begin_s) < behind_s and is_nearer

    def move(self, piece: int) -> None:
        """All that it has in its piece is of another one."""
        assert self.piece is not None
        before = self.piece
        if self.turns[1] and self.turns[1][-1] == before:
            self.turns[1][-1] = piece
        else:
            self.turns[0].append(self.joined[0])
            self.turns[1].append(piece)
        for each in (self.starts, self.ends):
            each[piece] = each.pop(before)
        self.keys = [(time_s, place, piece if of == before else of) for time_s, place, of in self.keys]
        self.piece = piece


class _Reading:
    """Gives each packet to the running clock that it is nearest to; begins a new one where there is none."""

    def __init__(self, ahead_s: float, wrap_s: float | None) -> None:
        self._ahead_s, self._wrap_s = ahead_s, wrap_s
        self._pieces: list[Piece] = []
        self._now: list[float] = []  # where the clock of each piece is
        self._wraps: list[float | None] = []  # offset against the piece before, where a counter ran over
        self._steps: list[float] = []  # by how much the stream that began the piece jumped
        self._streams: dict[int, _Stream] = {}
        self._position = 0
        self.read = 0

    def take(self, packet: av.Packet[Any]) -> None:
        stream = self._streams.get(packet.stream_index)
        if stream is None:
            stream = self._streams[packet.stream_index] = _Stream(packet)
        shown, decoded = stream.likely.of(packet, learn=True)
        time_s = (decoded if decoded is not None else shown or 0) * stream.tick_s
        shown_s = shown * stream.tick_s if shown is not None else time_s
        lasts_s = (packet.duration or 0) * stream.tick_s
        end_s = shown_s + (lasts_s if lasts_s <= _AHEAD_S else 0.0)  # a damaged header may say any number
        place = packet.pos
        self._position = place if place is not None else self._position + 1
        self.read = max(self.read, self._position + packet.size)
        piece = self._choose(stream, time_s, _BACK_S if decoded is not None else _BACK_SHOWN_S)
        if piece != stream.piece:
            stream.turn(self._position, piece, time_s, self._now[piece] - time_s)
        stream.time_s, stream.end_s = time_s, max(time_s, end_s)
        self._now[piece] = max(self._now[piece], time_s)
        stream.starts[piece] = min(stream.starts.get(piece, shown_s), shown_s)
        stream.ends[piece] = max(stream.ends.get(piece, end_s), end_s)
        if stream.is_video and place is not None and packet.is_keyframe:
            stream.keys.append((shown_s, place, piece))

    def result(self) -> ClockScan:
        for number, piece in enumerate(self._pieces):
            piece.start_s = min(s.starts[number] for s in self._streams.values() if number in s.starts)
            piece.end_s = max(s.ends[number] for s in self._streams.values() if number in s.ends)
        for before, piece, wrap in zip(self._pieces, self._pieces[1:], self._wraps[1:], strict=False):
            if wrap is not None:
                piece.offset_s = before.offset_s + wrap
            else:
                piece.offset_s = before.offset_s + before.end_s - piece.start_s
        offsets = [piece.offset_s for piece in self._pieces]
        found = ClockScan(self._pieces)
        for index, stream in self._streams.items():
            places = sorted((time_s + offsets[piece], position) for time_s, position, piece in stream.keys)
            found.keys[index] = array("d", (p[0] for p in places)), array("q", (p[1] for p in places))
            found.ends[index] = max(end_s + offsets[piece] for piece, end_s in stream.ends.items())
            found.turns[index] = stream.turns
            found.likely[index] = stream.likely
        return found

    def _choose(self, stream: _Stream, time_s: float, back_s: float) -> int:
        """Number of the piece that the next packet of a stream belongs to."""
        newest = len(self._pieces) - 1
        if stream.piece is None:
            if newest >= 0 and abs(time_s - self._now[newest]) <= self._ahead_s:
                return newest
            return self._begin(time_s, None, time_s - self._now[newest] if newest >= 0 else 0.0)
        step = time_s - stream.time_s
        newer = range(newest, max(stream.piece, newest - _RUNNING), -1)
        if -back_s <= step and time_s - stream.end_s <= self._ahead_s:
            distance = abs(time_s - self._now[stream.piece])
            return next((n for n in newer if abs(time_s - self._now[n]) < distance), stream.piece)
        for n in newer:
            if abs(time_s - self._now[n]) < _NEAR_S or abs(time_s - stream.end_s - self._steps[n]) < 1:
                return n
        for wrap_s in (self._wrap_s, -self._wrap_s) if self._wrap_s else ():
            if -back_s <= time_s + wrap_s - stream.time_s <= self._ahead_s:
                return self._begin(time_s, wrap_s, time_s - stream.end_s)
        return self._begin(time_s, None, time_s - stream.end_s)

    def _begin(self, time_s: float, wrap_s: float | None, step_s: float) -> int:
        newest = len(self._pieces)
        self._pieces.append(Piece(time_s, time_s, is_jump=newest > 0 and wrap_s is None))
        for stream in self._streams.values() if newest and wrap_s is None else ():
            if stream.piece == newest - 1 and stream.belonged_to(time_s, self._now[newest - 1]):
                stream.move(newest)
        self._now.append(time_s)
        self._wraps.append(wrap_s)
        self._steps.append(step_s)
        return newest
