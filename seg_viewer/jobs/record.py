"""Recording a live source: as it comes in, with its overlay, or both."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from seg_viewer.core.errors import ExportError, SegViewerError, UsageError
from seg_viewer.core.frame import Frame, Shot
from seg_viewer.core.ledger import Ledger
from seg_viewer.core.overlay import Overlay
from seg_viewer.core.part_file import make_folder
from seg_viewer.core.zone import Zone
from seg_viewer.engines import EngineReport, LoadProgress
from seg_viewer.jobs.deadline import govern, kept_line
from seg_viewer.jobs.options import RunOptions
from seg_viewer.jobs.recording import Recording, RecordPlan, RecordWhat, check_free
from seg_viewer.jobs.recording_names import free_path, suffix_for_source
from seg_viewer.pipeline import BUSY_RECORDER, Governing, Pipeline, Policy
from seg_viewer.sinks import sink_for
from seg_viewer.sinks.recording_file import RecordedFile
from seg_viewer.sinks.zone_log import ZoneEvents, ZoneLog, check_log
from seg_viewer.sources import LiveSource, open_source, redact
from seg_viewer.sources.awaited import open_when_there
from seg_viewer.sources.live import again_text

_REPORT_EVERY_S = 0.5


@dataclass(frozen=True)
class RecordJob:
    """A recording to make; a plain value that can be kept, sent and run elsewhere.

    Args:
        source: what `open_source` takes; live.
        plan: what and where.
        options: model, engine, look; not needed to record the source as it is.
        duration_s: seconds from its first moment on, or None for no limit.
        wait: for a source that is not there yet.
        events: a log to make of what enters the zone and leaves it, or None; see `seg_viewer.sinks.zone_log`.
        zone: that is watched; None for the usual one.
        names_itself: the plan's path is a folder, made when it is not there; the file is named by source and time.
        deadline_s: how old pictures may be when they are painted, seconds; None for no deadline.
    """

    source: str
    plan: RecordPlan
    options: RunOptions = field(default_factory=RunOptions)
    duration_s: float | None = None
    wait: bool = False
    events: Path | None = None
    zone: Zone | None = None
    names_itself: bool = False
    deadline_s: float | None = None


@dataclass(frozen=True)
class RecordProgress:
    """How far a recording is.

    Args:
        seconds: it runs.
        frames: written so far; of two kinds, those of the source.
        problem: why nothing comes in at the moment, one line; "" while all is well.
        doing: what is done to keep a deadline, "driving-fast, every 2nd picture"; "" without one.
    """

    seconds: float
    frames: int
    problem: str = ""
    doing: str = ""


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
        reports: of each file: length, pictures, sound, what is missing.
        lost: on the way, before it could be recorded: "3 of 250 pictures missing (…)"; "" where nothing was.
    """

    files: tuple[Path, ...]
    frames: int
    seconds: float
    problem: str = ""
    drops: tuple[tuple[str, int], ...] = ()
    ran: str = ""
    warnings: tuple[str, ...] = ()
    reports: tuple[RecordedFile, ...] = ()
    lost: str = ""


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
    if not job.names_itself:
        sink_for(job.plan.path, live=True)
        check_free(job.plan.path)
    annotated = job.plan.what is not RecordWhat.SOURCE
    _check_events(job, annotated)
    if job.deadline_s is not None and not annotated:
        raise UsageError("--deadline is for what is painted; --what source records everything as it comes in")
    ledger = Ledger()
    report: EngineReport | None = None
    broke: SegViewerError | None = None
    governing: Governing | None = None
    with ExitStack() as stack:
        source = _open_live(job, on_progress)
        stack.callback(source.close)
        spec = job.options.read_spec() if annotated else None
        overlay = Overlay(spec.labels, job.options.style) if spec else None
        plan = _named(job.plan, source) if job.names_itself else job.plan
        recording = Recording(plan, source, overlay)
        stack.callback(recording.stop)
        events = _Events(job, source)
        stack.callback(events.stop)
        recording.on_left_out = lambda: ledger.drop(BUSY_RECORDER)
        try:
            if job.duration_s is not None:
                timer = threading.Timer(job.duration_s, source.interrupt)
                timer.daemon = True
                stack.callback(timer.cancel)
                timer.start()
            if spec is None:
                _follow(source, recording, source, on_progress)
            else:
                segmenter = job.options.with_steady(job.options.segmenter(spec, "latency", on_loading))
                pipeline = Pipeline(source, segmenter, policy=Policy.LATEST, ledger=ledger)
                if job.deadline_s is not None:
                    governing = govern(pipeline, job.deadline_s, job.options, spec, on_loading)
                try:
                    with pipeline:
                        try:
                            _follow(events.seen(pipeline), recording, source, on_progress, governing)
                        finally:
                            pipeline.stop()  # what takes leave of a server does so meanwhile
                            recording.stop()
                finally:
                    report = pipeline.engine_report
        except KeyboardInterrupt:
            pass  # the usual way to end a recording
        except SegViewerError as error:
            broke = error  # told after the files are whole: what there is of it is kept
        seconds = recording.seconds
        recording.stop()
    if not recording.files:
        if broke is not None:
            raise broke
        raise ExportError(recording.problem or f"{plan.path}: no picture came in time; nothing was recorded")
    kept = f"; {kept_line(governing.status)}" if governing is not None else ""
    fallback = (report.fallback,) if report and report.fallback else ()
    return RecordResult(
        recording.files,
        recording.frames,
        seconds,
        recording.problem or str(broke or ""),
        tuple(sorted(ledger.snapshot().drops.items())),
        f"model {spec.title}, {report.line()}{kept}" if spec and report else "",
        (*fallback, *source.warnings, *recording.notes, *events.notes),
        recording.reports,
        source.status.loss.line(),
    )


def _check_events(job: RecordJob, annotated: bool) -> None:
    if job.events is None:
        if job.zone is not None:
            raise UsageError("--zone goes with --events FILE, a log of what enters the zone and leaves it")
        return
    if not annotated:
        raise UsageError("--events needs the model: record with --what annotated or --what both")
    check_log(job.events)


class _Events:
    """The log of the zone beside a recording, which goes on where that cannot be written any more."""

    def __init__(self, job: RecordJob, source: LiveSource) -> None:
        self.notes: tuple[str, ...] = ()
        self._sink: ZoneEvents | None = None
        if job.events is not None:
            zone = job.zone or Zone()
            self._sink = ZoneEvents(ZoneLog(job.events, source.info.name, zone), zone, live=True)

    def seen(self, shots: Iterable[Shot]) -> Iterator[Shot]:
        """The same shots."""
        for shot in shots:
            if self._sink is not None:
                self._do(partial(self._sink.write, shot))
            yield shot

    def stop(self) -> None:
        if self._sink is not None:
            self._do(self._sink.finish)
        self._sink = None

    def _do(self, step: Callable[[], object]) -> None:
        try:
            step()
        except ExportError as error:
            self.notes = (f"{error}; the recording went on without the log",)
            self._sink = None


def _named(plan: RecordPlan, source: LiveSource) -> RecordPlan:
    """The plan with a file in its folder that can hold what comes. Raises: ExportError."""
    suffix = ".mp4"
    if plan.what is RecordWhat.SOURCE:
        suffix = suffix_for_source(source.packets, sound=plan.sound)
    return replace(plan, path=free_path(make_folder(plan.path), source.info, suffix))


def _open_live(job: RecordJob, on_progress: Callable[[RecordProgress], None] | None) -> LiveSource:
    waits_for = "", 0.0

    def waiting(problem: str, again_s: float) -> None:
        nonlocal waits_for
        waits_for = problem, again_s

    def wait(seconds: float) -> bool:
        until_s = time.perf_counter() + seconds
        while (left_s := until_s - time.perf_counter()) > 0:  # Ctrl-C ends it
            if on_progress is not None:
                on_progress(RecordProgress(0.0, 0, again_text(*waits_for)))
            time.sleep(min(left_s, _REPORT_EVERY_S))
        return False

    source = open_when_there(job.source, wait=wait, on_waiting=waiting) if job.wait else open_source(job.source)
    if not isinstance(source, LiveSource) or not source.info.live:
        assert source is not None
        source.close()
        raise UsageError(f"{redact(job.source)}: is not live; export it instead")
    return source


def _follow(
    items: Iterable[Shot | Frame],
    recording: Recording,
    source: LiveSource,
    on_progress: Callable[[RecordProgress], None] | None,
    governing: Governing | None = None,
) -> None:
    reported_s = 0.0
    for item in items:
        if isinstance(item, Shot):
            recording.write(item)
            if governing is not None:
                governing.look(item)
        if recording.problem:
            return
        now_s = time.perf_counter()
        if on_progress is not None and now_s - reported_s > _REPORT_EVERY_S:
            reported_s = now_s
            status = source.status
            problem = "" if status.connected else status.problem
            doing = governing.status.line() if governing is not None else ""
            on_progress(RecordProgress(recording.seconds, recording.frames, problem, doing))


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
