"""When things happen in a file, in seconds from its start: the same for pictures, sound and all else in it."""

from __future__ import annotations

import bisect
import copy
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from seg_viewer.media.av_file import demuxed
from seg_viewer.media.clock_scan import WRAPPING, ClockScan, needs_scan, scan

_TOLD = 5
_FIRST, _FIRST_BYTES = 16, 2 << 20  # packets


class Timeline:
    """Times of a file's packets, without the gaps and jumps that its clock makes.

    Recordings that were put one behind the other (`cat a.ts b.ts`), or whose camera was restarted, start their clock
    anew or leap ahead. Here each piece begins where the piece before it ended.

    One reader has one Timeline: `shift_s` remembers, for each stream, where it was. What was found in a file is kept
    for the next Timeline of the same file.

    Args:
        path: of a file that FFmpeg reads.

    Attributes:
        origin_s: what the container calls the time that is our 0, seconds.
        duration_s: from there to the end of what ends last, all pieces together, seconds; None where only reading
            the whole file would say it.
        pieces: number of pieces; 1 for a file without jumps.
        notes: what was repaired, a line each.

    Raises:
        av.FFmpegError: this is no file of pictures or sound.
    """

    def __init__(self, path: Path) -> None:
        with av.open(f"file:{path}", metadata_errors="replace") as container:
            self._scan = scan(path) if needs_scan(container, path) else ClockScan()
            self.origin_s = _origin_s(container, self._scan)
        self.pieces = max(1, len(self._scan.pieces))
        ends = [piece.end_s + piece.offset_s for piece in self._scan.pieces]
        self.duration_s = max(ends) - self.origin_s if ends else None
        self.notes = self._told(path)
        self._last: dict[int, int] = {}

    def again(self) -> Timeline:
        """One for another reader of the same file, without opening that."""
        other: Timeline = copy.copy(self)
        other._last = {}
        return other

    def shift_s(self, packet: av.Packet[Any]) -> float:
        """What to add to the times of a packet (pts × time base, and dts) so that they count from the start, seconds.

        Args:
            packet: of any stream of this file, as its demuxer delivers it; packets of a stream in their order, except
                after a seek.
        """
        return self.offset_s(packet) - self.origin_s

    def offset_s(self, packet: av.Packet[Any]) -> float:
        """As `shift_s`, for times that keep the origin: 0 throughout a file without jumps."""
        pieces = self._scan.pieces
        if len(pieces) < 2:
            return 0.0
        index = packet.stream_index
        if packet.pos is not None:  # further frames of one PES packet have no place of their own
            self._last[index] = self._scan.piece_at(index, packet.pos)
        return pieces[self._last.get(index, 0)].offset_s

    def likely_times(self, packet: av.Packet[Any]) -> tuple[int | None, int | None]:
        """Presentation and decoding time of a packet in its time base, with what FFmpeg mixes up put right."""
        likely = self._scan.likely.get(packet.stream_index)
        return (packet.pts, packet.dts) if likely is None or self.pieces < 2 else likely.of(packet)

    def position(self, stream: int, time_s: float) -> int | None:
        """Byte in the file where reading must begin to get what a stream shows at a time.

        Args:
            stream: its index.
            time_s: from the start.

        Returns:
            0 for the start of the file; None where the container can be trusted to find a time itself.
        """
        if len(self._scan.pieces) < 2:
            return None
        times, positions = self._scan.keys.get(stream, ((), ()))
        if not self._scan.by_byte or not times:
            return 0
        place = bisect.bisect_right(times, time_s + self.origin_s + 1e-6) - 1
        return positions[place] if place >= 0 else 0

    def end_s(self, stream: int) -> float | None:
        """When the last thing in a stream ends, from the start, seconds; None where it is not known."""
        end = self._scan.ends.get(stream)
        return None if end is None else end - self.origin_s

    def _told(self, path: Path) -> tuple[str, ...]:
        lines = []
        times = [p.start_s + p.offset_s - self.origin_s for p in self._scan.pieces if p.is_jump]
        if times:
            places = ", ".join(f"{time_s:.2f}" for time_s in times[:_TOLD]) + (", …" if len(times) > _TOLD else "")
            count = "once" if len(times) == 1 else f"{len(times)} times"
            lines.append(f"{path.name}: its clock jumps {count} (at {places} s); the pieces were put end to end")
        size = path.stat().st_size
        if self._scan.unread > 0.1 * size:
            share = 100 * self._scan.unread / size
            lines.append(
                f"{path.name}: the last {share:.0f} % of the file cannot be read and are left out; "
                "if it was joined from several, open each of them"
            )
        return tuple(lines)


def _first_shown(container: av.container.InputContainer) -> Fraction | None:
    """When the earliest of the first pictures is shown, by the container's clock; it need not be the first of them."""
    if not container.streams.video:
        return None
    times, size = [], 0
    try:
        for packet in demuxed(container, container.streams.video[0]):
            if packet.pts is not None and not packet.is_discard:
                times.append(packet.pts * packet.time_base)
            size += packet.size
            if len(times) >= _FIRST or size > _FIRST_BYTES:
                break
    except (av.FFmpegError, OSError):
        pass  # told by whoever reads the pictures
    return min(times, default=None)


def _origin_s(container: av.container.InputContainer, found: ClockScan) -> float:
    start = Fraction(container.start_time or 0, av.time_base)
    starts = [
        s.start_time * s.time_base for s in container.streams if s.start_time is not None and s.time_base is not None
    ]
    # the container rounds to µs what its streams say exactly
    start = min((s for s in starts if abs(s - start) <= Fraction(2, av.time_base)), default=start)
    if len(found.pieces) > 1:
        return found.pieces[0].start_s  # what FFmpeg takes for the start may be of another piece
    # sound before 0 is what a decoder throws away, but where a clock ran over; a picture before 0 is the start
    earliest = start if container.format.name in WRAPPING else max(Fraction(0), start)
    first = _first_shown(container)
    return float(earliest if first is None else min(earliest, first))
