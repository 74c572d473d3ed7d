"""Recordings of live sources: files that stay playable whatever ends them."""

from __future__ import annotations

import os
import secrets
import shutil
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av

from seg_viewer.core.encoded import EncodedPacket, StreamFormat
from seg_viewer.core.errors import ExportError, UsageError
from seg_viewer.core.frame import TICKS, ByteArray, Shot, YuvPlanes
from seg_viewer.core.overlay import Overlay
from seg_viewer.core.part_file import explain
from seg_viewer.media.h264 import H264Track

SUFFIXES = (".mp4", ".mkv")
LEAST_FREE_BYTES = 64 << 20
"""A recording ends while there is still this much room: a file needs some to be closed well."""

_TICK = Fraction(1, TICKS)
_LEAST_TICKS = TICKS // 1000  # Matroska counts in milliseconds
_MOST_WAITING_BYTES = 64 << 20
_MOST_WAITING_SHOTS = 4
_CHECK_DISK_EVERY_S = 1.0


def check_suffix(path: Path) -> None:
    """Raises: UsageError."""
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{path}: recordings are .mp4 or .mkv; choose such a name")


class Recorder:
    """Writes packets or shots into one file after the other, on a thread of its own.

    What was put is written, or the recording ends with a reason; nothing is left out silently. A file appears under
    its name when it is finished; the disk running full finishes it too.

    Args:
        path: .mp4 or .mkv; with a limit, the second file is `NAME_002`, and so on.
        overlay: paints shots, may be set anew on the way; None for packets.
        rate: average frames per second of shots, or None.
        split_s: start another file after as many seconds, or None.
        split_bytes: start another file after as many bytes, or None.
    """

    def __init__(
        self,
        path: Path,
        *,
        overlay: Overlay | None = None,
        rate: float | None = None,
        split_s: float | None = None,
        split_bytes: int | None = None,
    ) -> None:
        check_suffix(path)
        self.path = path
        self.files: list[Path] = []
        self.frames = 0
        self.problem = ""
        """Why it ended by itself; empty while all is well."""
        self.overlay = overlay
        self._rate = rate
        self._split_s, self._split_bytes = split_s, split_bytes
        self._changed = threading.Condition()
        self._waiting: deque[EncodedPacket | Shot] = deque()
        self._waiting_bytes = 0
        self._stopping = False
        self._file: _File | None = None
        self._format: StreamFormat | None = None  # of the file being written
        self._checked_s = 0.0
        self._thread = threading.Thread(target=self._run, name="seg-record", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        return self._thread.is_alive() and not self.problem

    def put_packet(self, packet: EncodedPacket) -> None:
        """Returns at once; when the disk cannot keep up, the recording ends."""
        with self._changed:
            if self._stopping or self.problem:
                return
            if self._waiting_bytes > _MOST_WAITING_BYTES:
                self.problem = f"{self.path}: the disk is too slow for this stream; choose another one"
            else:
                self._waiting.append(packet)
                self._waiting_bytes += len(packet.data)
            self._changed.notify_all()

    def put_shot(self, shot: Shot) -> None:
        """Waits while the encoder has enough to do."""
        with self._changed:
            self._changed.wait_for(
                lambda: len(self._waiting) < _MOST_WAITING_SHOTS or self._stopping or bool(self.problem)
            )
            if not self._stopping and not self.problem:
                self._waiting.append(shot)
                self._changed.notify_all()

    def stop(self) -> None:
        """Write what was put, finish the file, wait for that; again is fine."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread is not threading.current_thread():
            self._thread.join()

    # -- its own thread --------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: bool(self._waiting) or self._stopping or bool(self.problem))
                    if self.problem or not self._waiting:
                        break
                    item = self._waiting.popleft()
                    if isinstance(item, EncodedPacket):
                        self._waiting_bytes -= len(item.data)
                    self._changed.notify_all()
                self._check_disk()
                self._write(item)
        except (ExportError, UsageError) as error:
            self._fail(str(error))
        except Exception as error:  # told rather than lost with the thread
            self._fail(f"{self.path}: recording stopped: {type(error).__name__}: {error}")
        self._close()
        with self._changed:
            self._waiting.clear()
            self._changed.notify_all()

    def _fail(self, text: str) -> None:
        with self._changed:
            self.problem = self.problem or text
            self._changed.notify_all()

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

    def _write(self, item: EncodedPacket | Shot) -> None:
        starts = not isinstance(item, EncodedPacket) or item.keyframe
        if self._file is not None and starts and self._should_split(item):
            self._close()
        if self._file is None:
            if not starts:
                return  # nothing can be decoded before the first key frame
            self._file = self._open(item)
        self._file.write(item)
        self.frames += 1

    def _should_split(self, item: EncodedPacket | Shot) -> bool:
        assert self._file is not None
        if _format_of(item) != self._format:
            return True  # after a reconnect: another size, perhaps another codec
        if self._split_s is not None and self._file.length_s(item) >= self._split_s:
            return True
        return self._split_bytes is not None and self._file.size() >= self._split_bytes

    def _open(self, item: EncodedPacket | Shot) -> _File:
        path = self._next_path()
        self._format = _format_of(item)
        if isinstance(item, EncodedPacket):
            return _PacketFile(path, item)
        return _ShotFile(path, self._paint, self._rate, item)

    def _paint(self, planes: YuvPlanes, classes: ByteArray) -> None:
        assert self.overlay is not None
        self.overlay.paint_yuv(planes, classes)

    def _next_path(self) -> Path:
        number = len(self.files) + 1
        return self.path if number == 1 else self.path.with_stem(f"{self.path.stem}_{number:03}")

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is None:
            return
        try:
            file.finish()
        except ExportError as error:
            self._fail(str(error))
        if file.path.exists():
            self.files.append(file.path)


class _File:
    """One file that is being written under a hidden name beside its own."""

    def __init__(self, path: Path) -> None:
        if path.exists():
            raise UsageError(f"{path}: exists already; choose another name")
        self.path = path
        self._part = path.with_name(f".{path.stem}.{secrets.token_hex(4)}.part{path.suffix}")
        # fragments make an MP4 that is cut off playable; closed well, it becomes one that every player knows
        options = {"flush_packets": "1"} | ({"movflags": "+hybrid_fragmented"} if path.suffix.lower() == ".mp4" else {})
        try:
            self._out = av.open(str(self._part), "w", options=options)
        except (av.FFmpegError, OSError) as error:
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
        return self._part.stat().st_size

    def finish(self) -> None:
        """Close it and give it its name; one that failed keeps what is whole. Raises: ExportError."""
        try:
            if not self._failed:
                self._out.mux(self._rest())
        except (av.FFmpegError, OSError) as error:
            self._failed = True
            raise ExportError(explain(self.path, error)) from error
        finally:
            self._settle()

    def _settle(self) -> None:
        try:
            self._out.close()
        except (av.FFmpegError, OSError):
            self._failed = True
        try:
            if self._failed and self.path.suffix.lower() == ".mp4":
                cut_to_whole_fragments(self._part)
            with suppress(OSError), self._part.open("rb") as file:
                os.fsync(file.fileno())
            if self._first_s is not None and self._part.stat().st_size:
                os.replace(self._part, self.path)
        finally:
            self._part.unlink(missing_ok=True)

    def _packets(self, item: EncodedPacket | Shot) -> list[av.Packet]:
        raise NotImplementedError

    def _rest(self) -> list[av.Packet]:
        return []


class _PacketFile(_File):
    """Packets copied as they are."""

    def __init__(self, path: Path, first: EncodedPacket) -> None:
        super().__init__(path)
        form = first.format
        try:
            self._stream = self._out.add_mux_stream(
                form.codec,
                rate=Fraction(form.rate).limit_denominator(1000) if form.rate else None,
                width=form.width,
                height=form.height,
            )
        except ValueError:
            self._settle()
            raise UsageError(f"{path}: {path.suffix} cannot hold {form.codec} video; name it .mkv") from None
        self._stream.time_base = _TICK
        self._start = first.pts
        self._last_dts: int | None = None

    def _packets(self, item: EncodedPacket | Shot) -> list[av.Packet]:
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
        self, path: Path, paint: Callable[[YuvPlanes, ByteArray], None], rate: float | None, first: Shot
    ) -> None:
        super().__init__(path)
        self._paint = paint
        self._track: H264Track | None = None
        self._rate = Fraction(rate or 25).limit_denominator(1000)
        self._start_s = first.frame.time_s

    def _packets(self, item: EncodedPacket | Shot) -> list[av.Packet]:
        assert isinstance(item, Shot)
        planes = item.frame.picture.yuv420()
        self._paint(planes, item.classes)
        if self._track is None:
            self._first_s = self._start_s
            self._track = H264Track(
                self._out,
                planes,
                rate=self._rate,
                time_base=_TICK,
                sample_aspect=Fraction(1),
                options={"crf": "20", "preset": "superfast", "bf": "0", "g": str(round(2 * self._rate))},
            )
        return self._track.encode(planes, item.frame.time_s - self._start_s)

    def _rest(self) -> list[av.Packet]:
        return self._track.flush() if self._track is not None else []


def _format_of(item: EncodedPacket | Shot) -> StreamFormat:
    if isinstance(item, EncodedPacket):
        return item.format
    return StreamFormat("", item.frame.picture.width, item.frame.picture.height)


def _time_s(item: EncodedPacket | Shot) -> float:
    return item.pts / TICKS if isinstance(item, EncodedPacket) else item.frame.time_s


def cut_to_whole_fragments(path: Path) -> None:
    """Cut an MP4 behind its last whole fragment (ISO/IEC 14496-12: boxes of a 32-bit size and a type)."""
    size = path.stat().st_size
    whole = 0
    with path.open("r+b") as file:
        position = 0
        while position + 8 <= size:
            file.seek(position)
            length, kind = struct.unpack(">I4s", file.read(8))
            if length == 1:
                (length,) = struct.unpack(">Q", file.read(8).ljust(8, b"\0"))
            if length < 8 or position + length > size:
                break
            position += length
            if kind != b"moof":  # a fragment's index without its pictures is no whole fragment
                whole = position
        file.truncate(whole)
