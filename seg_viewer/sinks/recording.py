"""Recordings of live sources: files that stay playable whatever ends them."""

from __future__ import annotations

import shutil
import time
from collections import deque
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from seg_viewer.core.encoded import EncodedPacket, SoundFormat, SoundPacket, StreamFormat
from seg_viewer.core.errors import ExportError, UsageError
from seg_viewer.core.frame import TICKS, Shot, YuvPlanes
from seg_viewer.core.long_names import joined
from seg_viewer.core.overlay import Overlay
from seg_viewer.core.part_file import check_new, explain
from seg_viewer.media.live_sound import Heard, SoundCheck, damaged_line
from seg_viewer.sinks.base import Sink, SinkKind, SinkRequest
from seg_viewer.sinks.left_behind import tidy
from seg_viewer.sinks.recording_file import PacketFile, RecordedFile, RecordingFile, ShotFile, item_ticks

LEAST_FREE_BYTES = 64 << 20
"""A recording ends while there is still this much room: a file needs some to be closed well."""

_CHECK_DISK_EVERY_S = 1.0
_AWAITED_S = 3.0
_MOST_AWAITING_SHOTS = 8
_LATE_S = 1.5
_STOPPED_S = 10.0
_STEADY_S = 1.0  # two kinds of sound that take turns do not make a file for each picture
_LOOKED_BACK_S = 5.0
_MOST_SOUND_BYTES = 16 << 20
_MOST_INBOX = 20_000


class RecordingSink(Sink[EncodedPacket | Shot]):
    """Writes packets or shots into one file after the other.

    A file appears under its name when it is finished and its first picture was decoded; an error, and the disk running
    full, finish it too. So does `abandon`: what is whole is kept. Whatever comes as sound, the pictures go on.

    Args:
        path: .mp4 or .mkv; with a limit, the second file is `NAME_002`, and so on.
        overlay: paints shots, may be set anew on the way; None for packets.
        rate: average frames per second of shots, or None.
        sample_aspect: width ÷ height of one pixel of shots.
        split_s: start another file after as many seconds, or None.
        split_bytes: start another file after as many bytes, or None.
        expects_sound: sound may come by `add_sound`; the first file waits a moment for it.
        sound_hint: what it will be, as far as that is known before it comes.
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
        expects_sound: bool = False,
        sound_hint: Callable[[], SoundFormat | None] = lambda: None,
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
        self._file: RecordingFile | None = None
        self._leaving: tuple[RecordingFile, int] | None = None  # ended there, open for sound that comes late
        self._format: StreamFormat | None = None  # of the file being written
        self._count = 0
        self._checked_s = 0.0
        self._awaiting: list[EncodedPacket | Shot] | None = [] if expects_sound else None
        self._sound_hint = sound_hint
        self._inbox: deque[SoundPacket] = deque()
        self._check = SoundCheck()
        self._last_heard: Heard | None = None
        self._sounds: deque[Heard] = deque()
        self._sound_bytes = self._sounds_left_out = 0
        self.reports: tuple[RecordedFile, ...] = ()
        """Of the files that are whole."""

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
        self._take_sounds()
        starts = not isinstance(item, EncodedPacket) or item.keyframe
        if self._awaiting is None:
            self._write(item, starts)
        elif self._awaiting or starts:
            self._awaiting.append(item)
            if self._sounds or self._waited_enough(self._awaiting):
                self._write_awaiting()

    def add_sound(self, packet: SoundPacket) -> None:
        """Take sound, from any thread and at once; it is written with the pictures of its time."""
        if len(self._inbox) < _MOST_INBOX:
            self._inbox.append(packet)
        else:  # the disk hangs
            self._sounds_left_out += 1

    def finish(self) -> None:
        self._end()

    def abandon(self) -> None:
        self._end()

    def _end(self) -> None:
        left_out = 0
        try:
            self._take_sounds()
            if self._awaiting:
                self._write_awaiting()
            if self._file is not None:
                left_out = self._place_the_rest(self._file)
            self._sounds.clear()
        finally:
            try:
                self._close_leaving()
            finally:
                self._close()
        damaged = damaged_line(self._check.damaged)
        lost = f"sound packets left out: {self._sounds_left_out}" if self._sounds_left_out else ""
        apart = f"{left_out / TICKS:.1f} s of sound left out: it does not follow what was before" if left_out else ""
        self._check.damaged = self._sounds_left_out = 0
        self.notes += tuple(f"{self.path}: {line}" for line in (damaged, lost, apart) if line)

    def _waited_enough(self, awaiting: list[EncodedPacket | Shot]) -> bool:
        most = len(awaiting) >= _MOST_AWAITING_SHOTS and not isinstance(awaiting[0], EncodedPacket)
        return most or item_ticks(awaiting[-1]) - item_ticks(awaiting[0]) > _AWAITED_S * TICKS

    def _write_awaiting(self) -> None:
        awaiting, self._awaiting = self._awaiting or [], None
        for item in awaiting:
            self._write(item, not isinstance(item, EncodedPacket) or item.keyframe)

    def _write(self, item: EncodedPacket | Shot, starts: bool) -> None:
        if self._file is not None and starts and self._should_split(self._file, item):
            self._leave(item_ticks(item))
        if self._file is None:
            if not starts:
                return  # nothing can be decoded before the first key frame
            self._file = self._open(item)
        self._file.write(item)
        self.frames += 1
        self._place_sounds(self._file)
        if self._leaving is not None and item_ticks(item) - self._leaving[1] > _LATE_S * TICKS:
            self._close_leaving()

    # -- sound -----------------------------------------------------------------------------------------------------

    def _take_sounds(self) -> None:
        """Bring what has come into order; what is damaged is left out."""
        while self._inbox:
            heard = self._check.look(self._inbox.popleft())
            if heard is None:
                continue
            self._last_heard = heard
            if self._leaving is not None and heard.packet.pts < self._leaving[1]:
                self._leaving[0].write_sound(heard)
                continue
            while self._sounds and self._sounds[-1].packet.pts > heard.packet.pts + TICKS:  # its clock stepped back
                self._sound_bytes -= _weight(self._sounds.pop())
                self._sounds_left_out += 1
            self._sounds.append(heard)
            self._sound_bytes += _weight(heard)
        while self._sounds and (self._is_too_old(self._sounds[0]) or self._sound_bytes > _MOST_SOUND_BYTES):
            self._sounds_left_out += self._count > 1  # before the first file there was nothing to record
            self._sound_bytes -= _weight(self._sounds.popleft())

    def _is_too_old(self, heard: Heard) -> bool:
        if self._file is not None:
            return heard.packet.pts < self._file.start
        if self._awaiting:
            return heard.packet.pts < item_ticks(self._awaiting[0])
        return self._sounds[-1].packet.pts - heard.packet.pts > _LOOKED_BACK_S * TICKS

    def _place_the_rest(self, file: RecordingFile) -> int:
        """Write the sound of pictures that never came, as long as one follows the other.

        Returns:
            how much is of another time, and left out: ticks.
        """
        end, left_out = file.latest, 0
        for heard in self._sounds:
            packet = heard.packet
            if packet.pts > end + _LATE_S * TICKS:
                left_out += packet.duration
            elif packet.pts >= file.start:
                file.write_sound(heard)
                end = max(end, packet.pts + packet.duration)
        return left_out

    def _place_sounds(self, file: RecordingFile) -> None:
        """Write the sound up to the latest picture; what is of a later time may be the next file's."""
        while self._sounds and self._sounds[0].packet.pts <= file.latest:
            heard = self._sounds.popleft()
            self._sound_bytes -= _weight(heard)
            if heard.packet.pts >= file.start:
                file.write_sound(heard)

    def _leave(self, end: int) -> None:
        """Begin to end a file: sound of its time may still come."""
        self._close_leaving()
        file, self._file = self._file, None
        assert file is not None
        while self._sounds and self._sounds[0].packet.pts < end:
            heard = self._sounds.popleft()
            self._sound_bytes -= _weight(heard)
            file.write_sound(heard)
        self._leaving = (file, end)
        if file.sound is None:
            self._close_leaving()

    def _close_leaving(self) -> None:
        leaving, self._leaving = self._leaving, None
        if leaving is not None:
            self._finish(leaving[0])

    # -- files -----------------------------------------------------------------------------------------------------

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

    def _should_split(self, file: RecordingFile, item: EncodedPacket | Shot) -> bool:
        if _format_of(item) != self._format:
            return True  # after a reconnect: another size, perhaps another codec
        if self._sounds and not file.holds(self._sounds[-1].packet.format) and file.length_s(item) > _STEADY_S:
            return True
        if self._split_s is not None and file.length_s(item) >= self._split_s:
            return True
        return self._split_bytes is not None and file.size() >= self._split_bytes

    def _open(self, item: EncodedPacket | Shot) -> RecordingFile:
        self._count += 1
        path = (
            self.path
            if self._count == 1
            else self.path.with_name(joined(self.path.stem, f"_{self._count:03}{self.path.suffix}"))
        )
        if self._count == 1:
            check_new(path)
            self.notes += tidy(path, whole_folder=True)
        self._format = _format_of(item)
        file: RecordingFile
        if isinstance(item, EncodedPacket):
            file = PacketFile(path, item)
        else:
            file = ShotFile(path, self._paint, self._rate, self._sample_aspect, item)
        last = self._last_heard
        if last is not None and file.start - last.packet.pts < _STOPPED_S * TICKS:
            file.add_sound(next((heard for heard in self._sounds if heard.packet.pts >= file.start), last))
        elif isinstance(file, ShotFile) and (form := self._sound_hint()) is not None:
            file.expect_sound(form)
        return file

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
        if file is not None:
            self._finish(file)

    def _finish(self, file: RecordingFile) -> None:
        made = file.finish()
        if made is not None:
            self.files = (*self.files, made)
            report = file.report(made)
            self.reports = (*self.reports, report)
            self.sound = report.sound
            if made != file.path:
                self.notes += (f"{file.path}: is there already; this recording is {made}",)
        if file.problem:
            raise ExportError(file.problem)


def _weight(heard: Heard) -> int:
    return len(heard.packet.data) + sum(frame.samples for frame in heard.frames)


def _format_of(item: EncodedPacket | Shot) -> StreamFormat:
    if isinstance(item, EncodedPacket):
        return item.format
    return StreamFormat("", item.frame.picture.width, item.frame.picture.height)


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
