"""Recordings of live sources: files that stay playable whatever ends them."""

from __future__ import annotations

import shutil
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from seg_viewer.core.encoded import EncodedPacket, StreamFormat
from seg_viewer.core.errors import ExportError, UsageError
from seg_viewer.core.frame import TICKS, Shot, YuvPlanes
from seg_viewer.core.long_names import joined
from seg_viewer.core.overlay import Overlay
from seg_viewer.core.part_file import PartFile, explain, sync
from seg_viewer.media.av_file import open_output
from seg_viewer.media.h264 import H264Track
from seg_viewer.media.packets import add_packet_stream
from seg_viewer.media.playable import cut_to_whole_fragments, why_unplayable
from seg_viewer.sinks.base import Sink, SinkKind, SinkRequest
from seg_viewer.sinks.left_behind import tidy

LEAST_FREE_BYTES = 64 << 20
"""A recording ends while there is still this much room: a file needs some to be closed well."""

_TICK = Fraction(1, TICKS)
_LEAST_TICKS = TICKS // 1000  # Matroska counts in milliseconds
_CHECK_DISK_EVERY_S = 1.0


class RecordingSink(Sink[EncodedPacket | Shot]):
    """Writes packets or shots into one file after the other.

    A file appears under its name when it is finished and its first picture was decoded; an error, and the disk running
    full, finish it too. So does `abandon`: what is whole is kept.

    Args:
        path: .mp4 or .mkv; with a limit, the second file is `NAME_002`, and so on.
        overlay: paints shots, may be set anew on the way; None for packets.
        rate: average frames per second of shots, or None.
        sample_aspect: width ÷ height of one pixel of shots.
        split_s: start another file after as many seconds, or None.
        split_bytes: start another file after as many bytes, or None.
    """

    def __init__(
        self,
        path: Path,
        *,
        overlay: Overlay | None = None,
        rate: float | None = None,
        sample_aspect: Fraction = Fraction(1),
        split_s: float | None = None,
        split_bytes: int | None = None,
    ) -> None:
        if path.suffix.lower() not in SINK.suffixes:
            raise UsageError(f"{path}: recordings are {' or '.join(SINK.suffixes)}; choose such a name")
        self.path = path
        self.frames = 0
        self.overlay = overlay
        self._other: Overlay | None = None  # for shots of another model than that of `overlay`
        self._rate = rate
        self._sample_aspect = sample_aspect
        self._split_s, self._split_bytes = split_s, split_bytes
        self._file: _File | None = None
        self._format: StreamFormat | None = None  # of the file being written
        self._count = 0
        self._checked_s = 0.0

    @property
    def size(self) -> int:
        """Bytes of the file that is being written; 0 without one."""
        file = self._file
        try:
            return file.size() if file is not None else 0
        except OSError:
            return 0

    def write(self, item: EncodedPacket | Shot) -> None:
        """Take a packet or a shot; those before the first key frame are of no use and left out.

        Raises: ExportError, UsageError.
        """
        self._check_disk()
        starts = not isinstance(item, EncodedPacket) or item.keyframe
        if self._file is not None and starts and self._should_split(self._file, item):
            self._close()
        if self._file is None:
            if not starts:
                return  # nothing can be decoded before the first key frame
            self._file = self._open(item)
        self._file.write(item)
        self.frames += 1

    def finish(self) -> None:
        self._close()

    def abandon(self) -> None:
        self._close()

    def _check_disk(self) -> None:
        now_s = time.perf_counter()
        if now_s - self._checked_s < _CHECK_DISK_EVERY_S:
            return
        self._checked_s = now_s
        try:
            disk = shutil.disk_usage(self.path.parent)
        except OSError as error:
            raise ExportError(explain(self.path, error)) from error
        if disk.total and disk.free < LEAST_FREE_BYTES:
            raise ExportError(f"{self.path}: the disk is full; the recording was ended while it could be")

    def _should_split(self, file: _File, item: EncodedPacket | Shot) -> bool:
        if _format_of(item) != self._format:
            return True  # after a reconnect: another size, perhaps another codec
        if self._split_s is not None and file.length_s(item) >= self._split_s:
            return True
        return self._split_bytes is not None and file.size() >= self._split_bytes

    def _open(self, item: EncodedPacket | Shot) -> _File:
        self._count += 1
        path = (
            self.path
            if self._count == 1
            else self.path.with_name(joined(self.path.stem, f"_{self._count:03}{self.path.suffix}"))
        )
        if self._count == 1:
            if path.exists():
                raise UsageError(f"{path}: exists already; choose another name")
            self.notes += tidy(path, whole_folder=True)
        self._format = _format_of(item)
        if isinstance(item, EncodedPacket):
            return _PacketFile(path, item)
        return _ShotFile(path, self._paint, self._rate, self._sample_aspect, item)

    def _paint(self, planes: YuvPlanes, shot: Shot) -> None:
        """In the style of `overlay`, with the colours of the shot's own model: it may have changed since, or before."""
        asked = self.overlay
        assert asked is not None
        if asked.labels != shot.labels:
            if self._other is None or self._other.labels != shot.labels or self._other.style != asked.style:
                self._other = Overlay(shot.labels, asked.style)
            asked = self._other
        asked.paint_yuv(planes, shot.classes)

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is None:
            return
        made = file.finish()
        if made is not None:
            self.files = (*self.files, made)
            if made != file.path:
                self.notes += (f"{file.path}: is there already; this recording is {made}",)
        if file.problem:
            raise ExportError(file.problem)


class _File(ABC):
    """One file that is being written under a hidden name beside its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problem = ""
        """What went wrong when it was finished, one line."""
        self._part = PartFile(path, overwrite=False, keep=True)
        # fragments make an MP4 that is cut off playable; closed well, it becomes one that every player knows
        options = {"flush_packets": "1"} | ({"movflags": "+hybrid_fragmented"} if path.suffix.lower() == ".mp4" else {})
        try:
            self._out = open_output(self._part.part, options=options)
        except (av.FFmpegError, OSError) as error:
            self._part.discard()
            raise ExportError(explain(path, error)) from error
        self._first_s: float | None = None
        self._failed = False

    def write(self, item: EncodedPacket | Shot) -> None:
        """Raises: ExportError."""
        try:
            self._out.mux(self._packets(item))
        except (av.FFmpegError, OSError) as error:
            self._failed = True
            raise ExportError(explain(self.path, error)) from error

    def length_s(self, item: EncodedPacket | Shot) -> float:
        """From the first item to this one."""
        return 0.0 if self._first_s is None else _time_s(item) - self._first_s

    def size(self) -> int:
        return self._part.part.stat().st_size

    def finish(self) -> Path | None:
        """Close it and give it its name; one that failed keeps what is whole. `problem` says what went wrong.

        Returns:
            the name it has, None where there is nothing to keep, or it could not have one.
        """
        self._end()
        part = self._part.part
        try:
            if self._first_s is None or not part.stat().st_size:
                self._part.discard()
                return None
            if self._failed and self.path.suffix.lower() == ".mp4":
                cut_to_whole_fragments(part)
            with suppress(OSError):
                sync(part)
            reason = why_unplayable(part)
            if not reason:
                return self._part.commit()
            kept = self._part.commit(self.path.with_name(joined(self.path.stem, f"_unplayable{self.path.suffix}")))
            self._note(f"{self.path}: was recorded but cannot be played ({reason}); what there is lies in {kept}")
        except ExportError as error:
            self._note(str(error))
        except OSError as error:
            self._part.leave()
            self._note(f"{explain(self.path, error)}; what was written is in {part}")
        return None

    def discard(self) -> None:
        """Nothing was written."""
        with suppress(av.FFmpegError, OSError):
            self._out.close()
        self._part.discard()

    def _end(self) -> None:
        try:
            if not self._failed:
                self._out.mux(self._rest())
        except (av.FFmpegError, OSError) as error:
            self._failed = True
            self._note(explain(self.path, error))
        try:
            self._out.close()
        except (av.FFmpegError, OSError) as error:
            if not self._failed:
                self._note(explain(self.path, error))
            self._failed = True

    def _note(self, text: str) -> None:
        self.problem = "; ".join(filter(None, [self.problem, text]))

    @abstractmethod
    def _packets(self, item: EncodedPacket | Shot) -> list[av.Packet[Any]]: ...

    def _rest(self) -> list[av.Packet[Any]]:
        return []


class _PacketFile(_File):
    """Packets copied as they are."""

    def __init__(self, path: Path, first: EncodedPacket) -> None:
        super().__init__(path)
        try:
            self._stream = add_packet_stream(self._out, first)
        except ValueError:
            self.discard()
            raise UsageError(f"{path}: {path.suffix} cannot hold {first.format.codec} video; name it .mkv") from None
        self._start = first.pts
        self._last_dts: int | None = None

    def _packets(self, item: EncodedPacket | Shot) -> list[av.Packet[Any]]:
        assert isinstance(item, EncodedPacket)
        if self._first_s is None:
            self._first_s = _time_s(item)
        packet = av.Packet(item.data)
        dts = item.dts - self._start
        if self._last_dts is not None:
            dts = max(dts, self._last_dts + _LEAST_TICKS)
        self._last_dts = dts
        packet.dts, packet.pts = dts, max(dts, item.pts - self._start)
        packet.time_base = _TICK
        packet.is_keyframe = item.keyframe
        packet.stream = self._stream
        return [packet]


class _ShotFile(_File):
    """Shots painted and encoded."""

    def __init__(
        self,
        path: Path,
        paint: Callable[[YuvPlanes, Shot], None],
        rate: float | None,
        sample_aspect: Fraction,
        first: Shot,
    ) -> None:
        super().__init__(path)
        self._paint = paint
        self._track: H264Track | None = None
        self._rate = Fraction(rate or 25).limit_denominator(1000)
        self._sample_aspect = sample_aspect
        self._start_s = first.frame.time_s

    def _packets(self, item: EncodedPacket | Shot) -> list[av.Packet[Any]]:
        assert isinstance(item, Shot)
        planes = item.frame.picture.yuv420()
        self._paint(planes, item)
        if self._track is None:
            self._first_s = self._start_s
            self._track = H264Track(
                self._out,
                planes,
                rate=self._rate,
                time_base=_TICK,
                sample_aspect=self._sample_aspect,
                options={"crf": "20", "preset": "superfast", "bf": "0", "g": str(round(2 * self._rate))},
            )
        return self._track.encode(planes, item.frame.time_s - self._start_s)

    def _rest(self) -> list[av.Packet[Any]]:
        return self._track.flush() if self._track is not None else []


def _format_of(item: EncodedPacket | Shot) -> StreamFormat:
    if isinstance(item, EncodedPacket):
        return item.format
    return StreamFormat("", item.frame.picture.width, item.frame.picture.height)


def _time_s(item: EncodedPacket | Shot) -> float:
    return item.pts / TICKS if isinstance(item, EncodedPacket) else item.frame.time_s


def _make(request: SinkRequest) -> Sink[Shot]:
    return RecordingSink(
        request.path,
        overlay=Overlay(request.labels, request.style),
        rate=request.rate,
        sample_aspect=request.sample_aspect,
        split_s=request.split_s,
        split_bytes=request.split_bytes,
    )


SINK = SinkKind("recording", (".mp4", ".mkv"), "H.264 video that stays playable whatever ends it", _make, live=True)
