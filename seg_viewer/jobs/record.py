"""Recording a live source: as it comes in, with its overlay, or both."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from seg_viewer.core.errors import ExportError, SegViewerError, UsageError
from seg_viewer.core.frame import Frame, Shot
from seg_viewer.core.ledger import Ledger
from seg_viewer.core.overlay import Overlay
from seg_viewer.engines import EngineReport, LoadProgress
from seg_viewer.jobs.options import RunOptions
from seg_viewer.jobs.recording import Recording, RecordPlan, RecordWhat, check_free
from seg_viewer.pipeline import BUSY_RECORDER, Pipeline, Policy
from seg_viewer.sinks import sink_for
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
    """

    source: str
    plan: RecordPlan
    options: RunOptions = field(default_factory=RunOptions)
    duration_s: float | None = None
    wait: bool = False


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
    broke: SegViewerError | None = None
    with ExitStack() as stack:
        source = _open_live(job, on_progress)
        stack.callback(source.close)
        spec = job.options.read_spec() if annotated else None
        overlay = Overlay(spec.labels, job.options.style) if spec else None
        recording = Recording(job.plan, source, overlay)
        stack.callback(recording.stop)
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
                segmenter = job.options.segmenter(spec, "latency", on_loading)
                pipeline = Pipeline(source, segmenter, policy=Policy.LATEST, ledger=ledger)
                try:
                    with pipeline:
                        _follow(pipeline, recording, source, on_progress)
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
        raise ExportError(recording.problem or f"{job.plan.path}: no picture came in time; nothing was recorded")
    fallback = (report.fallback,) if report and report.fallback else ()
    return RecordResult(
        recording.files,
        recording.frames,
        seconds,
        recording.problem or str(broke or ""),
        tuple(sorted(ledger.snapshot().drops.items())),
        f"model {spec.title}, {report.line()}" if spec and report else "",
        (*fallback, *recording.notes),
    )


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
