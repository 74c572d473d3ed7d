"""A recording under way: what it holds, where it goes, and how long its end is waited for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from seg_viewer.core.encoded import EncodedPacket, PacketRing, SoundFormat, SoundPacket
from seg_viewer.core.errors import ExportError, UsageError
from seg_viewer.core.frame import Shot
from seg_viewer.core.long_names import joined
from seg_viewer.core.overlay import Overlay
from seg_viewer.core.part_file import check_new
from seg_viewer.jobs.recording_names import holds_sound, suffix_for_source
from seg_viewer.sinks import sink_for
from seg_viewer.sinks.base import Sink
from seg_viewer.sinks.queued import Queued, WhenFull
from seg_viewer.sinks.recording import RecordingSink
from seg_viewer.sinks.recording_file import RecordedFile
from seg_viewer.sources import LiveSource

STUCK_S = 30.0
"""For how long a recording that ends may write nothing before the program gives it up: a disk may sleep."""
_MOST_WAITING_BYTES = 128 << 20  # twice what a pre-roll may hold, which comes at once
_MOST_WAITING_SHOTS = 4


class RecordWhat(StrEnum):
    """annotated: what is shown, painted. source: what comes in, as it is. both: two files."""

    ANNOTATED = "annotated"
    SOURCE = "source"
    BOTH = "both"


@dataclass(frozen=True)
class RecordPlan:
    """What a recording holds and where it goes.

    Args:
        path: the file to make; with "both", the source goes into `NAME_source`.
        what: see `RecordWhat`.
        split_s: another file after as many seconds, or None.
        split_bytes: another file after as many bytes, or None.
        sound: the source's sound is recorded, where it has some.
    """

    path: Path
    what: RecordWhat = RecordWhat.ANNOTATED
    split_s: float | None = None
    split_bytes: int | None = None
    sound: bool = True


class Recording(Sink[Shot]):
    """Under way from the moment it is made until `stop`; writing to it never waits, unless that is asked for.

    What ends it early is told by `problem`.

    Args:
        plan: what and where.
        source: a live one that is being iterated by somebody else.
        overlay: for "annotated"; `set_overlay` changes it on the way.

    Raises:
        UsageError: the file exists, has no folder or another suffix, or the source has nothing to record as it is.
        ExportError: the folder cannot be written, or the disk is full.
    """

    def __init__(
        self,
        plan: RecordPlan,
        source: LiveSource,
        overlay: Overlay | None,
    ) -> None:
        self.plan = plan
        self.source = source
        self.started_s = time.perf_counter()
        self._ended_s: float | None = None
        self.on_left_out: Callable[[], None] = lambda: None
        """Called, on the thread that writes, for each shot that the encoder had no time for; set it to be told."""
        self.reports: tuple[RecordedFile, ...] = ()
        """Of the files, once it has ended."""
        self._sinks: list[RecordingSink] = []
        self._queues: list[Queued[Any]] = []
        self._shots: Queued[Shot] | None = None
        self._packets: Queued[EncodedPacket] | None = None
        paths = plan_paths(plan, source.packets)
        check_free(*paths.values())
        with ExitStack() as begun:
            begun.callback(self.stop)
            if (path := paths.get(RecordWhat.SOURCE)) is not None:
                if source.packets is None:
                    raise UsageError(f"{source.info.name}: can only be recorded with its overlay (annotated)")
                self._packets = self._queue_packets(path)
            if (path := paths.get(RecordWhat.ANNOTATED)) is not None:
                assert overlay is not None
                self._shots = self._queue_shots(path, overlay)
            if source.packets is not None:  # last: from here on there is something to lose
                if plan.sound:
                    source.packets.listen_to_sound(self._sound)
                if self._packets is not None:
                    source.packets.listen(self._packet)
            begun.pop_all()

    def _queue_packets(self, path: Path) -> Queued[EncodedPacket]:
        ring = self.source.packets
        sound = ring.sound if self.plan.sound and ring is not None else None
        if sound is not None and path.suffix.lower() == ".mp4" and not holds_sound(path.suffix, sound):
            raise UsageError(
                f"{path}: {path.suffix} cannot hold {sound.codec} sound; name it .mkv, or record it without sound"
            )
        sink = RecordingSink(
            path, split_s=self.plan.split_s, split_bytes=self.plan.split_bytes, expects_sound=self._expects_sound
        )
        queue: Queued[EncodedPacket] = Queued(
            sink,
            name="seg-record",
            most=_MOST_WAITING_BYTES,
            weigh=lambda packet: len(packet.data),
            when_full=WhenFull.FAIL,
            too_slow=f"{path}: the disk is too slow for this stream; choose another one",
        )
        self._sinks.append(sink)
        self._queues.append(queue)
        return queue

    def _queue_shots(self, path: Path, overlay: Overlay) -> Queued[Shot]:
        info = self.source.info
        sink = RecordingSink(
            path,
            overlay=overlay,
            rate=info.rate,
            sample_aspect=info.sample_aspect,
            split_s=self.plan.split_s,
            split_bytes=self.plan.split_bytes,
            expects_sound=self._expects_sound,
            sound_hint=self._sound_hint,
        )
        queue: Queued[Shot] = Queued(
            sink,
            name="seg-record",
            most=_MOST_WAITING_SHOTS,
            when_full=WhenFull.LEAVE_OUT,
            on_left_out=lambda: self.on_left_out(),
        )
        self._sinks.append(sink)
        self._queues.append(queue)
        return queue

    @property
    def _expects_sound(self) -> bool:
        return self.plan.sound and self.source.packets is not None and self.source.packets.has_sound

    def _sound_hint(self) -> SoundFormat | None:
        return self.source.packets.sound if self._expects_sound and self.source.packets is not None else None

    def _sound(self, packet: SoundPacket) -> None:
        for sink in self._sinks:
            sink.add_sound(packet)

    def _packet(self, packet: EncodedPacket) -> None:
        if self._packets is not None:
            with suppress(ExportError):  # told by `problem`
                self._packets.write(packet)

    def write(self, item: Shot) -> None:
        """What is shown; what ended the recording before is told by `problem` alone."""
        if self._shots is not None:
            with suppress(ExportError):
                self._shots.write(item)

    def set_overlay(self, overlay: Overlay) -> None:
        """Paint what comes with other colours."""
        for sink in self._sinks:
            if sink.overlay is not None:
                sink.overlay = overlay

    @property
    def problem(self) -> str:
        """Why it ended by itself, one line; empty while all is well."""
        return next((queue.problem for queue in self._queues if queue.problem), "")

    @property
    def seconds(self) -> float:
        """For which it has been running, or ran."""
        return (self._ended_s or time.perf_counter()) - self.started_s

    @property
    def frames(self) -> int:
        """Written so far; of both files, those of the source."""
        return self._sinks[0].frames if self._sinks else 0

    @property
    def frames_of_each(self) -> tuple[int, ...]:
        """Written so far, of each file: that of the source first."""
        return tuple(sink.frames for sink in self._sinks)

    def progress(self) -> tuple[int, ...]:
        """Another value as long as something is written."""
        return tuple(
            number
            for queue, sink in zip(self._queues, self._sinks, strict=True)
            for number in (queue.waiting, sink.frames, len(sink.files), sink.size)
        )

    def stop(self) -> list[Path]:
        """Finish the files and return them; waits for that, and `problem` shows how it went. Again is fine."""
        self._ended_s = self._ended_s or time.perf_counter()
        if self.source.packets is not None:
            self.source.packets.leave(self._packet)
            self.source.packets.leave_sound(self._sound)
        for queue in self._queues:
            queue.stop()
        self.files = tuple(path for queue in self._queues for path in queue.files)
        self.notes = tuple(note for queue in self._queues for note in queue.notes)
        if self.files:
            self.notes += tuple(
                f"{sink.path}: not made: no picture came for it in time"
                for queue, sink in zip(self._queues, self._sinks, strict=True)
                if not queue.files and not sink.frames and not queue.problem
            )
        self.reports = tuple(report for sink in self._sinks for report in sink.reports)
        return list(self.files)

    def finish(self) -> None:
        """As `stop`. Raises: ExportError when it ended by itself."""
        self.stop()
        if self.problem:
            raise ExportError(self.problem)

    def abandon(self) -> None:
        """As `stop`: what was recorded is kept."""
        self.stop()


def wait_while_writing(ending: threading.Thread, recording: Recording, stuck_s: float = STUCK_S) -> bool:
    """Wait for a thread that stops a recording, as long as something is written.

    Args:
        ending: the thread.
        recording: what it stops.
        stuck_s: give up after as many seconds in which nothing was written. The part stays, and the next recording
            into that folder finds it.

    Returns:
        whether it ended.
    """
    progress, changed_s = recording.progress(), time.perf_counter()
    while ending.is_alive():
        ending.join(0.05)
        now = recording.progress()
        if now != progress:
            progress, changed_s = now, time.perf_counter()
        elif time.perf_counter() - changed_s > stuck_s:
            return False
    return True


def check_free(*paths: Path) -> None:
    """Raises: UsageError when a file exists, or its folder does not; ExportError when that cannot be written."""
    for path in paths:
        check_new(path)


def plan_paths(plan: RecordPlan, packets: PacketRing | None) -> dict[RecordWhat, Path]:
    """The first file of each kind. What comes in as MP4 cannot hold goes into .mkv where both are made."""
    sink_for(plan.path, live=True)
    if plan.what is not RecordWhat.BOTH:
        return {plan.what: plan.path}
    beside = plan.path.with_name(joined(plan.path.stem, f"_source{plan.path.suffix}"))
    beside = beside.with_suffix(suffix_for_source(packets, sound=plan.sound, wish=plan.path.suffix))
    return {RecordWhat.SOURCE: beside, RecordWhat.ANNOTATED: plan.path}
