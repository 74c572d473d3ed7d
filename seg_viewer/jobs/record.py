"""Recording a live source: as it comes in, with its overlay, or both."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from seg_viewer.core.encoded import EncodedPacket
from seg_viewer.core.errors import ExportError, UsageError
from seg_viewer.core.frame import Frame, Shot
from seg_viewer.core.ledger import Ledger
from seg_viewer.core.overlay import Overlay
from seg_viewer.core.part_file import check_target
from seg_viewer.engines import EngineReport, LoadProgress
from seg_viewer.jobs.options import RunOptions
from seg_viewer.pipeline import BUSY_RECORDER, Pipeline, Policy
from seg_viewer.sinks import sink_for
from seg_viewer.sinks.base import Sink
from seg_viewer.sinks.queued import Queued, WhenFull
from seg_viewer.sinks.recording import RecordingSink
from seg_viewer.sources import LiveSource, open_source, redact
from seg_viewer.sources.base import SourceInfo

STUCK_S = 30.0
"""For how long a recording that ends may write nothing before the program gives it up: a disk may sleep."""
_REPORT_EVERY_S = 0.5
_MOST_WAITING_BYTES = 64 << 20
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
    """

    path: Path
    what: RecordWhat = RecordWhat.ANNOTATED
    split_s: float | None = None
    split_bytes: int | None = None


class Recording(Sink[Shot]):
    """Under way from the moment it is made until `stop`; writing to it never waits, unless that is asked for.

    What ends it early is told by `problem`.

    Args:
        plan: what and where.
        source: a live one that is being iterated by somebody else.
        overlay: for "annotated"; `set_overlay` changes it on the way.
        on_left_out: called for each shot that the encoder had no time for.

    Raises:
        UsageError: the file exists, has no folder or another suffix, or the source has nothing to record as it is.
        ExportError: the folder cannot be written, or the disk is full.
    """

    def __init__(
        self,
        plan: RecordPlan,
        source: LiveSource,
        overlay: Overlay | None,
        on_left_out: Callable[[], None] = lambda: None,
    ) -> None:
        self.plan = plan
        self.source = source
        self.started_s = time.perf_counter()
        self._sinks: list[RecordingSink] = []
        self._queues: list[Queued[Any]] = []
        self._shots: Queued[Shot] | None = None
        self._packets: Queued[EncodedPacket] | None = None
        paths = plan_paths(plan, source.info)
        check_free(*paths.values())
        with ExitStack() as begun:
            begun.callback(self.stop)
            if (path := paths.get(RecordWhat.SOURCE)) is not None:
                if source.packets is None:
                    raise UsageError(f"{source.info.name}: can only be recorded with its overlay (annotated)")
                self._packets = self._queue_packets(path)
            if (path := paths.get(RecordWhat.ANNOTATED)) is not None:
                assert overlay is not None
                self._shots = self._queue_shots(path, overlay, on_left_out)
            if self._packets is not None and source.packets is not None:
                source.packets.listen(self._packet)  # last: from here on there is something to lose
            begun.pop_all()

    def _queue_packets(self, path: Path) -> Queued[EncodedPacket]:
        sink = RecordingSink(path, split_s=self.plan.split_s, split_bytes=self.plan.split_bytes)
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

    def _queue_shots(self, path: Path, overlay: Overlay, on_left_out: Callable[[], None]) -> Queued[Shot]:
        info = self.source.info
        sink = RecordingSink(
            path,
            overlay=overlay,
            rate=info.rate,
            sample_aspect=info.sample_aspect,
            split_s=self.plan.split_s,
            split_bytes=self.plan.split_bytes,
        )
        queue: Queued[Shot] = Queued(
            sink, name="seg-record", most=_MOST_WAITING_SHOTS, when_full=WhenFull.LEAVE_OUT, on_left_out=on_left_out
        )
        self._sinks.append(sink)
        self._queues.append(queue)
        return queue

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
        return time.perf_counter() - self.started_s

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
        if self.source.packets is not None:
            self.source.packets.leave(self._packet)
        for queue in self._queues:
            queue.stop()
        self.files = tuple(path for queue in self._queues for path in queue.files)
        self.notes = tuple(note for queue in self._queues for note in queue.notes)
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
        if path.exists():
            raise UsageError(f"{path}: exists already; choose another name")
        check_target(path, overwrite=False)


def plan_paths(plan: RecordPlan, info: SourceInfo) -> dict[RecordWhat, Path]:
    """The first file of each kind. What comes in as no H.264 or HEVC goes into .mkv where both are made."""
    sink_for(plan.path, live=True)
    if plan.what is not RecordWhat.BOTH:
        return {plan.what: plan.path}
    beside = plan.path.with_stem(f"{plan.path.stem}_source")
    if info.codec.startswith("mjpeg"):
        beside = beside.with_suffix(".mkv")
    return {RecordWhat.SOURCE: beside, RecordWhat.ANNOTATED: plan.path}


@dataclass(frozen=True)
class RecordJob:
    """A recording to make; a plain value that can be kept, sent and run elsewhere.

    Args:
        source: what `open_source` takes; live.
        plan: what and where.
        options: model, engine, look; not needed to record the source as it is.
        duration_s: seconds, or None for no limit.
    """

    source: str
    plan: RecordPlan
    options: RunOptions = field(default_factory=RunOptions)
    duration_s: float | None = None


@dataclass(frozen=True)
class RecordProgress:
    """How far a recording is.

    Args:
        seconds: it runs.
        frames: written so far; of two kinds, those of the source.
        problem: why nothing comes in at the moment, one line; "" while all is well.
    """

    seconds: float
    frames: int
    problem: str = ""


@dataclass(frozen=True)
class RecordResult:
    """What a recording made.

    Args:
        files: made, in order.
        frames: in them; of two kinds, those of the source.
        seconds: it ran.
        problem: why it ended early, or "".
        drops: frames that were not processed, by cause.
        ran: model and engine, one line; "" where only the source was recorded.
        warnings: what was wrong with the engine or the files, a line each.
    """

    files: tuple[Path, ...]
    frames: int
    seconds: float
    problem: str = ""
    drops: tuple[tuple[str, int], ...] = ()
    ran: str = ""
    warnings: tuple[str, ...] = ()


def run_record(
    job: RecordJob,
    *,
    on_progress: Callable[[RecordProgress], None] | None = None,
    on_loading: LoadProgress | None = None,
) -> RecordResult:
    """Record until `duration_s`, Ctrl-C, the end of the source or a full disk; each leaves whole files.

    Args:
        job: what is to be done.
        on_progress: called about twice a second while frames come, on this thread.
        on_loading: told how far an engine is that takes long to make ready; its answer False stops that.

    Raises:
        UsageError, SourceError, ExportError, ModelFileError, EngineError: nothing was recorded.
    """
    sink_for(job.plan.path, live=True)
    check_free(job.plan.path)
    annotated = job.plan.what is not RecordWhat.SOURCE
    ledger = Ledger()
    report: EngineReport | None = None
    with ExitStack() as stack:
        source = open_source(job.source)
        stack.callback(source.close)
        if not isinstance(source, LiveSource) or not source.info.live:
            raise UsageError(f"{redact(job.source)}: is not live; export it instead")
        spec = job.options.read_spec() if annotated else None
        overlay = Overlay(spec.labels, job.options.style) if spec else None
        recording = Recording(job.plan, source, overlay, lambda: ledger.drop(BUSY_RECORDER))
        stack.callback(recording.stop)
        try:
            if job.duration_s is not None:
                timer = threading.Timer(job.duration_s, source.interrupt)
                timer.daemon = True
                stack.callback(timer.cancel)
                timer.start()
            if spec is None:
                _follow(source, recording, source, on_progress)
            else:
                segmenter = job.options.segmenter(spec, "latency", on_loading)
                pipeline = Pipeline(source, segmenter, policy=Policy.LATEST, ledger=ledger)
                try:
                    with pipeline:
                        _follow(pipeline, recording, source, on_progress)
                finally:
                    report = pipeline.engine_report
        except KeyboardInterrupt:
            pass  # the usual way to end a recording
        seconds = recording.seconds
        recording.stop()
    if not recording.files:
        raise ExportError(recording.problem or f"{job.plan.path}: no picture came in time; nothing was recorded")
    ran = f"model {spec.title}, {report.line()}" if spec and report else ""
    fallback = (report.fallback,) if report and report.fallback else ()
    dropped = tuple(sorted(ledger.snapshot().drops.items()))
    warnings = (*fallback, *recording.notes)
    return RecordResult(recording.files, recording.frames, seconds, recording.problem, dropped, ran, warnings)


def _follow(
    items: Iterable[Shot | Frame],
    recording: Recording,
    source: LiveSource,
    on_progress: Callable[[RecordProgress], None] | None,
) -> None:
    reported_s = 0.0
    for item in items:
        if isinstance(item, Shot):
            recording.write(item)
        if recording.problem:
            return
        now_s = time.perf_counter()
        if on_progress is not None and now_s - reported_s > _REPORT_EVERY_S:
            reported_s = now_s
            status = source.status
            problem = "" if status.connected else status.problem
            on_progress(RecordProgress(recording.seconds, recording.frames, problem))


def parse_seconds(text: str) -> float:
    """ "90", "90s", "10min", "1.5h". Raises: ValueError."""
    return _measure(text, {"": 1, "s": 1, "min": 60, "m": 60, "h": 3600})


def parse_split(text: str) -> tuple[float | None, int | None]:
    """ "10min" → (600.0, None); "500MB" → (None, 500_000_000). Raises: ValueError."""
    try:
        return None, int(_measure(text, {"kb": 1e3, "mb": 1e6, "gb": 1e9}))
    except ValueError:
        return parse_seconds(text), None


def _measure(text: str, units: dict[str, float]) -> float:
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", text.lower())
    if match is None or match.group(2) not in units or float(match.group(1)) == 0:
        raise ValueError(text)
    return float(match.group(1)) * units[match.group(2)]
