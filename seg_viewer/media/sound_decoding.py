"""Sound tracks decoded: what is damaged, or has no time of its own, is put where it belongs."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

import av

from seg_viewer.media.beside import BesideReader, Timed
from seg_viewer.media.sample_line import JITTER_S, SampleLine

_MOST_DAMAGED = 500
"""Packets that may fail to decode before the first sound: a track may begin damaged."""


class LaidSound:
    """Decodes a track and lays it on a line of samples; what cannot be decoded becomes silence.

    Args:
        reader: reads the track.
        line: what it is laid on.
        gapless: its container keeps no times, what follows follows at once.

    Attributes:
        failed: packets that could not be decoded.
        moved: packets that had the time of an earlier one, and were put behind it.
    """

    def __init__(self, reader: BesideReader, line: SampleLine, *, gapless: bool) -> None:
        self.line = line
        self.failed = self.moved = 0
        self._reader, self._gapless = reader, gapless

    def frames(self, until_s: float = float("inf")) -> Generator[av.AudioFrame]:
        """Frames of the line, one after the other; see `SampleLine.put`. No silence is added from `until_s` on."""
        decoder, end_s, last_s = _Decoder(), 0.0, float("-inf")
        for timed in self._reader:
            again = timed.time_s is not None and timed.time_s <= last_s
            if timed.time_s is not None and not again:
                # packets shorter than a tick of the file's clock share their times, as TrueHD's do in Matroska
                last_s = timed.time_s + (timed.duration_s / 4 if timed.duration_s > 2 * timed.tick_s else -JITTER_S)
            self.moved += again
            try:
                decoded = decoder.decode(timed)
            except (av.FFmpegError, ValueError):
                self.failed += 1
                end_s = max(end_s, (timed.time_s or 0.0) + timed.duration_s)
                continue
            for frame, time_s in decoded:
                yield from self._put(frame, None if again or (self._gapless and self.line.begun) else time_s)
        for frame, time_s in decoder.flush():
            yield from self._put(frame, time_s)
        yield from self.line.finish(min(end_s, until_s))

    def _put(self, frame: av.AudioFrame, time_s: float | None) -> Iterator[av.AudioFrame]:
        try:
            yield from self.line.put(frame, time_s)
        except (av.FFmpegError, ValueError):  # a layout that nothing can be made of, in the middle
            self.failed += 1


def decoded_form(reader: BesideReader) -> tuple[int, av.AudioLayout] | None:
    """Rate and layout of the first sound that comes out of a track, or None when nothing does."""
    for number, timed in enumerate(reader):
        if number >= _MOST_DAMAGED:
            break
        try:
            for frame in timed.packet.decode():
                assert isinstance(frame, av.AudioFrame)
                return frame.sample_rate, frame.layout
        except (av.FFmpegError, ValueError):
            continue
    return None


class _Decoder:
    """Decodes packets of one stream, and gives each frame its time in the result."""

    def __init__(self) -> None:
        self._latest: Timed | None = None
        self._shift_s = 0.0

    def decode(self, timed: Timed) -> list[tuple[av.AudioFrame, float | None]]:
        packet = timed.packet
        stamp = packet.pts if packet.pts is not None else packet.dts
        if timed.time_s is not None and stamp is not None:
            self._shift_s = timed.time_s - float(stamp * packet.time_base)
        self._latest = timed
        return self._with_times(packet.decode())

    def flush(self) -> list[tuple[av.AudioFrame, float | None]]:
        if self._latest is None:
            return []
        try:
            return self._with_times(self._latest.packet.stream.decode(None))
        except (av.FFmpegError, ValueError):
            return []

    def _with_times(self, frames: list[Any]) -> list[tuple[av.AudioFrame, float | None]]:
        return [
            (frame, None if frame.pts is None else float(frame.pts * frame.time_base) + self._shift_s)
            for frame in frames
            if frame.samples
        ]
