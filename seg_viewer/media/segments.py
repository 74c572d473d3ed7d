"""A video in pieces of some seconds, each encoded for itself, so that work which was broken off can go on.

A segment is a file that plays, and a record beside it, which is written last: without it the segment is not whole.
Every segment has an encoder of its own, so that it does not depend on those before it: a video that was made in two
runs, or on two machines, is the same as one that was made in one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av

from seg_viewer.core.errors import ExportError
from seg_viewer.core.part_file import explain, write_text
from seg_viewer.media.packets import DecodingTimes

SEGMENT_S = 10.0
"""Length of a segment, seconds: what a broken-off export loses at most."""
_EPSILON_S = 1e-6


def segment_at(time_s: float) -> int:
    """Number of the segment in which a frame lies; `time_s` is counted from where segment 0 begins."""
    return int((time_s + _EPSILON_S) / SEGMENT_S)


def segments_s(count: int) -> float:
    """Length of so many segments, seconds."""
    return count * SEGMENT_S


_EPSILON_S = 1e-6


def segment_number(time_s: float) -> int:
    """Of the segment that a picture belongs to which is shown so many seconds after the start of the result."""
    return int((time_s + _EPSILON_S) / SEGMENT_S)


@dataclass(frozen=True)
class SegmentRecord:
    """What the container of a segment does not keep exactly.

    Args:
        pts: of each packet, in the order of the file, in units of the video's time base.
        dts: likewise.
        frames: pictures in it.
        last_pts: the largest of `pts`, or that of the segment before where this one is empty.
        end_s: when its last picture ends, seconds, or None where that is not known.
        form: of the video's pictures, see `Form.to_plain`: all segments have that of the first.
    """

    pts: tuple[int, ...] = ()
    dts: tuple[int, ...] = ()
    frames: int = 0
    last_pts: int = -1
    end_s: float | None = None
    form: Mapping[str, Any] | None = None

    def write(self, path: Path) -> None:
        """Raises: ExportError."""
        if self.frames:
            write_text(path, json.dumps(asdict(self)))
            return
        try:  # a gap of hours has thousands of these: none need reach the disk at once
            path.write_text(json.dumps(asdict(self)), encoding="utf-8")
        except OSError as error:
            raise ExportError(explain(path, error)) from error

    @classmethod
    def read(cls, path: Path) -> SegmentRecord | None:
        """None where there is none, or no whole one."""
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            return cls(
                tuple(values["pts"]),
                tuple(values["dts"]),
                values["frames"],
                values["last_pts"],
                values["end_s"],
                values["form"],
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None


class SegmentFiles:
    """Where the segments of one video are.

    Args:
        folder: for all of them.
        name: of this video within the folder.
        suffix: of the segments' files.
    """

    def __init__(self, folder: Path, name: str, suffix: str = ".mkv") -> None:
        self.folder = folder
        self.name = name
        self._suffix = suffix

    def data(self, number: int) -> Path:
        """The file of a segment."""
        return self.folder / f"{self.name}-{number:05d}{self._suffix}"

    def record(self, number: int) -> Path:
        """Its record."""
        return self.folder / f"{self.name}-{number:05d}.json"

    def whole(self) -> list[SegmentRecord]:
        """Records of the segments that are whole, from the first to the last before one that is not."""
        found: list[SegmentRecord] = []
        while True:
            record = SegmentRecord.read(self.record(len(found)))
            if record is None or (record.frames and not self.data(len(found)).is_file()):
                return found
            found.append(record)

    def forget_from(self, number: int) -> None:
        """Remove that segment and all after it."""
        for path in sorted(self.folder.glob(f"{self.name}-*")):
            with suppress(ValueError):
                if int(path.stem.rpartition("-")[2]) >= number:
                    path.unlink()

    def packets(
        self, time_base: Fraction, add: Callable[[av.VideoStream], av.VideoStream]
    ) -> Generator[tuple[float, av.Packet[Any]]]:
        """The packets of all segments for one stream, in order, with the seconds of each one's dts.

        Args:
            time_base: of the records.
            add: adds that stream, told the one of the first segment; called before the first packet is there.
        """
        target: av.VideoStream | None = None
        decoding = DecodingTimes()
        records = self.whole()
        pending: av.Packet[Any] | None = None
        last_dts: int | None = None
        first_dts = 0
        first_pts = min((min(record.pts) for record in records if record.pts), default=0)
        end = max((round(r.end_s / time_base) for r in records if r.end_s is not None), default=None)
        # a player shows nothing behind the latest end of a picture, which is rarely the last of the file
        ascending = sorted(pts for record in records for pts in record.pts)
        lasts = {pts: after - pts for pts, after in pairwise([*ascending, *([] if end is None else [end])])}
        for number, record in enumerate(records):
            if not record.frames:
                continue
            with av.open(f"file:{self.data(number)}") as container:
                stream = container.streams.video[0]
                if target is None:
                    target = add(stream)
                times = zip(record.pts, record.dts, strict=True)
                for packet in container.demux(stream):
                    if not packet.size:
                        continue
                    packet.stream, packet.time_base = target, time_base
                    packet.pts, packet.dts = next(times)
                    packet.duration = lasts.get(packet.pts, 0)
                    decoding.set(packet)
                    first_dts, last_dts = packet.dts if last_dts is None else first_dts, packet.dts
                    if pending is not None:
                        yield float((pending.dts or 0) * time_base), pending
                    pending = packet
        if pending is not None:
            if end is not None and last_dts is not None:
                # a file's length is that of its packets in a row: the last one stretches to where the pictures end
                pending.duration = max(pending.duration or 0, end - first_pts - (last_dts - first_dts))
            yield float((pending.dts or 0) * time_base), pending
