"""Recording a live source: as it comes in, with its overlay, or both."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from seg_viewer.core.encoded import EncodedPacket
from seg_viewer.core.errors import ExportError, UsageError
from seg_viewer.core.frame import Shot
from seg_viewer.core.overlay import Overlay
from seg_viewer.core.part_file import check_target
from seg_viewer.engines import EngineReport, LoadProgress
from seg_viewer.jobs.options import RunOptions
from seg_viewer.pipeline import Pipeline, Policy
from seg_viewer.sinks.recording import Recorder, check_suffix
from seg_viewer.sources import LiveSource, open_source, redact
from seg_viewer.sources.base import SourceInfo

_REPORT_EVERY_S = 0.5


class RecordWhat(StrEnum):
    """annotated: what is shown, painted. source: what comes in, as it is. both: two files."""

    ANNOTATED = "annotated"
    SOURCE = "source"
    BOTH = "both"


@dataclass(frozen=True)
class RecordPlan:
    """
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


class Recording:
    """Under way from the moment it is made until `stop`.

    Args:
        plan: what and where.
        source: a live one that is being iterated by somebody else.
        overlay: for "annotated"; `set_overlay` changes it on the way.

    Raises:
        UsageError: the file exists, has no folder or another suffix, or the source has nothing to record as it is.
        ExportError: the folder cannot be written, or the disk is full.
    """

    def __init__(self, plan: RecordPlan, source: LiveSource, overlay: Overlay | None) -> None:
        self.plan = plan
        self.started_s = time.perf_counter()
        self.source = source
        self._shots: Recorder | None = None
        self._packets: Recorder | None = None
        paths = plan_paths(plan, source.info)
        split = {"split_s": plan.split_s, "split_bytes": plan.split_bytes}
        check_free(*paths.values())
        if (path := paths.get(RecordWhat.SOURCE)) is not None:
            if source.packets is None:
                raise UsageError(f"{source.info.name}: can only be recorded with its overlay (annotated)")
            self._packets = Recorder(path, **split)  # type: ignore[arg-type]
            for packet in source.packets.listen(self._packet):
                self._packets.put_packet(packet)
        if (path := paths.get(RecordWhat.ANNOTATED)) is not None:
            assert overlay is not None
            self._shots = Recorder(path, overlay=overlay, rate=source.info.rate, **split)  # type: ignore[arg-type]

    def _packet(self, packet: EncodedPacket) -> None:
        if self._packets is not None:
            self._packets.put_packet(packet)

    def shot(self, shot: Shot) -> None:
        """What is shown; waits while the encoder has enough to do."""
        if self._shots is not None:
            self._shots.put_shot(shot)

    def set_overlay(self, overlay: Overlay) -> None:
        """Paint what comes with other colours."""
        if self._shots is not None:
            self._shots.overlay = overlay

    @property
    def problem(self) -> str:
        """Why it ended by itself, one line; empty while all is well."""
        return next((recorder.problem for recorder in self._recorders() if recorder.problem), "")

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.started_s

    @property
    def frames(self) -> int:
        """Written so far; of both files, those of the source."""
        recorders = self._recorders()
        return recorders[0].frames if recorders else 0

    def stop(self) -> list[Path]:
        """Finish the files and return them; waits for that."""
        if self.source.packets is not None:
            self.source.packets.leave(self._packet)
        for recorder in self._recorders():
            recorder.stop()
        return [path for recorder in self._recorders() for path in recorder.files]

    def _recorders(self) -> list[Recorder]:
        return [recorder for recorder in (self._packets, self._shots) if recorder is not None]


def check_free(*paths: Path) -> None:
    """Raises: UsageError when a file exists, or its folder does not; ExportError when that cannot be written."""
    for path in paths:
        if path.exists():
            raise UsageError(f"{path}: exists already; choose another name")
        check_target(path, overwrite=False)


def plan_paths(plan: RecordPlan, info: SourceInfo) -> dict[RecordWhat, Path]:
    """The first file of each kind. What comes in as no H.264 or HEVC goes into .mkv where both are made."""
    check_suffix(plan.path)
    if plan.what is not RecordWhat.BOTH:
        return {plan.what: plan.path}
    beside = plan.path.with_stem(f"{plan.path.stem}_source")
    if info.codec.startswith("mjpeg"):
        beside = beside.with_suffix(".mkv")
    return {RecordWhat.SOURCE: beside, RecordWhat.ANNOTATED: plan.path}


@dataclass(frozen=True)
class RecordResult:
    """
    Args:
        files: made, in order.
        frames: in them; of two kinds, those of the source.
        seconds: it ran.
        problem: why it ended early, or "".
        drops: frames that were not processed, by cause.
        ran: model and engine, one line; "" where only the source was recorded.
        warnings: what was wrong with the engine, a line each.
    """

    files: tuple[Path, ...]
    frames: int
    seconds: float
    problem: str = ""
    drops: tuple[tuple[str, int], ...] = ()
    ran: str = ""
    warnings: tuple[str, ...] = ()


def record_live(
    text: str,
    plan: RecordPlan,
    options: RunOptions,
    *,
    duration_s: float | None = None,
    on_progress: Callable[[Recording, LiveSource], None] | None = None,
    on_loading: LoadProgress | None = None,
) -> RecordResult:
    """Record until `duration_s`, Ctrl-C, the end of the source or a full disk; each leaves whole files.

    Args:
        text: what `open_source` takes; live.
        plan: what and where.
        options: model, engine, look; not needed to record the source as it is.
        duration_s: seconds, or None for no limit.
        on_progress: called about twice a second while frames come.
        on_loading: told how far an engine is that takes long to make ready; its answer False stops that.

    Raises:
        UsageError, SourceError, ExportError, ModelFileError, EngineError: nothing was recorded.
    """
    check_suffix(plan.path)
    check_free(plan.path)
    source = open_source(text)
    if not isinstance(source, LiveSource) or not source.info.live:
        source.close()
        raise UsageError(f"{redact(text)}: is not live; export it instead")
    annotated = plan.what is not RecordWhat.SOURCE
    try:
        spec = options.read_spec() if annotated else None
        recording = Recording(plan, source, Overlay(spec.labels, options.style) if spec else None)
    except BaseException:
        source.close()
        raise
    timer = threading.Timer(duration_s, source.interrupt) if duration_s is not None else None
    drops: dict[str, int] = {}
    report: EngineReport | None = None
    try:
        if timer is not None:
            timer.daemon = True
            timer.start()
        if spec is None:
            _follow(source, recording, None, on_progress)
        else:
            with Pipeline(source, options.segmenter(spec, "latency", on_loading), policy=Policy.LATEST) as pipeline:
                try:
                    _follow(source, recording, pipeline, on_progress)
                finally:
                    report, drops = pipeline.engine_report, pipeline.ledger.snapshot().drops
    except KeyboardInterrupt:
        pass  # the usual way to end a recording
    finally:
        if timer is not None:
            timer.cancel()
        seconds = recording.seconds
        files = recording.stop()
        source.close()
    if not files:
        raise ExportError(recording.problem or f"{plan.path}: no picture came in time; nothing was recorded")
    ran = f"model {spec.title}, {report.line()}" if spec and report else ""
    warnings = (report.fallback,) if report and report.fallback else ()
    dropped = tuple(sorted(drops.items()))
    return RecordResult(tuple(files), recording.frames, seconds, recording.problem, dropped, ran, warnings)


def _follow(
    source: LiveSource,
    recording: Recording,
    pipeline: Pipeline | None,
    on_progress: Callable[[Recording, LiveSource], None] | None,
) -> None:
    reported_s = 0.0
    for item in pipeline if pipeline is not None else source:
        if isinstance(item, Shot):
            recording.shot(item)
        if recording.problem:
            return
        now_s = time.perf_counter()
        if on_progress is not None and now_s - reported_s > _REPORT_EVERY_S:
            reported_s = now_s
            on_progress(recording, source)


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
