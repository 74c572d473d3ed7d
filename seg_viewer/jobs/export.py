"""Export: every frame of a source into a file: painted, as a video, or what else its name says."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from seg_viewer.core.errors import ExportError, UsageError
from seg_viewer.core.model_file import ModelSpec
from seg_viewer.core.part_file import check_target
from seg_viewer.engines import Engine, LoadProgress, LoadStopped, LoadWatch
from seg_viewer.jobs.options import RunOptions
from seg_viewer.pipeline import EngineSegmenter, Pipeline, Policy
from seg_viewer.sinks import PRESETS, sink_for
from seg_viewer.sinks.base import SinkRequest
from seg_viewer.sources import open_source
from seg_viewer.sources.base import Source, SourceInfo

_REPORT_EVERY_S = 0.1
_LEAST_FREE_BYTES = 8 << 20


class ExportCancelled(ExportError):
    """The person stopped it; nothing was left behind."""


@dataclass(frozen=True)
class ExportProgress:
    """How far an export is.

    Args:
        frames: written so far.
        total: expected in all, or None when the source does not say.
        rate: frames per second since the start.
        time_left_s: seconds, or None when the total is unknown.
    """

    frames: int
    total: int | None
    rate: float
    time_left_s: float | None


@dataclass(frozen=True)
class ExportResult:
    """What an export made.

    Args:
        path: the file made; not the one asked for where somebody else took that name meanwhile.
        frames: in it.
        seconds: it took.
        audio: "aac copied", "pcm_s16le encoded as aac", "none", …
        engine: what ran, one line.
        warnings: what was wrong with the source, the engine or the file, a line each.
        model: what ran, e.g. "driving-fast (512×288)".
    """

    path: Path
    frames: int
    seconds: float
    audio: str
    engine: str = ""
    warnings: tuple[str, ...] = ()
    model: str = ""


@dataclass(frozen=True)
class ExportJob:
    """A file to make of every frame; a plain value that can be kept, sent and run elsewhere.

    Args:
        source: what `open_source` takes; not live.
        out: the file; its suffix says what it holds, see `seg_viewer.sinks.sink_for`.
        options: model, engine, look.
        crf: 0…51, lower is better and larger.
        preset: one of `PRESETS`.
        overwrite: an existing `out` may be replaced, once the new file is whole.
    """

    source: str | Path
    out: Path
    options: RunOptions = field(default_factory=RunOptions)
    crf: int = 20
    preset: str = "veryfast"
    overwrite: bool = False

    def check(self) -> None:
        """Raises: UsageError for what cannot be meant, as far as it can be told without opening anything."""
        sink_for(self.out)
        if not 0 <= self.crf <= 51:
            raise UsageError(f"crf {self.crf}: choose 0 (lossless) to 51 (smallest)")
        if self.preset not in PRESETS:
            raise UsageError(f"preset '{self.preset}': choose one of {', '.join(PRESETS)}")


def run_export(
    job: ExportJob,
    *,
    on_progress: Callable[[ExportProgress], None] | None = None,
    on_loading: LoadProgress | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> ExportResult:
    """Write the file.

    Args:
        job: what is to be done.
        on_progress: called about ten times a second, on this thread.
        on_loading: told how far an engine is that takes long to make ready; its answer False stops that.
        cancelled: asked after every frame.

    Raises:
        UsageError: the input is missing, or the output cannot be meant (the input itself, exists, another suffix).
        SourceError, ModelFileError, EngineError: the parts cannot be had.
        ExportError: the file cannot be written. ExportCancelled: `cancelled` said so.
    """
    job.check()
    spec = job.options.read_spec()
    start_s = time.perf_counter()
    with ExitStack() as stack:
        source = open_source(job.source)
        stack.callback(source.close)
        _check_output(job.out, source, job.overwrite)
        segmenter = _segmenter(job.options, spec, job.out, cancelled, on_loading)
        pipeline = stack.enter_context(Pipeline(source, segmenter, policy=Policy.EVERY_FRAME))
        sink = stack.enter_context(sink_for(job.out).make(_request(job, spec, source.info)))
        total = _expected_frames(source.info)
        frames, reported_s = 0, start_s
        for shot in pipeline:
            sink.write(shot)
            frames += 1
            now_s = time.perf_counter()
            if on_progress and now_s - reported_s > _REPORT_EVERY_S:
                reported_s = now_s
                on_progress(_progress(frames, total, now_s - start_s))
            if cancelled():
                raise ExportCancelled(f"{job.out}: export stopped; nothing was written")
        report = pipeline.engine_report
    seconds = time.perf_counter() - start_s
    if on_progress:
        on_progress(_progress(frames, frames, seconds))
    fallback = (report.fallback,) if report and report.fallback else ()
    path = sink.files[0] if sink.files else job.out
    ran = report.line() if report else ""
    return ExportResult(path, frames, seconds, sink.sound, ran, (*source.warnings, *fallback, *sink.notes), spec.title)


def _request(job: ExportJob, spec: ModelSpec, info: SourceInfo) -> SinkRequest:
    return SinkRequest(
        job.out,
        spec.labels,
        job.options.style,
        overwrite=job.overwrite,
        rate=info.rate,
        time_base=info.time_base,
        sample_aspect=info.sample_aspect,
        sound_from=info.path if info.has_audio else None,
        crf=job.crf,
        preset=job.preset,
    )


def _expected_frames(info: SourceInfo) -> int | None:
    return info.frame_count or (round(info.duration_s * info.rate) if info.duration_s and info.rate else None)


def _segmenter(
    options: RunOptions, spec: ModelSpec, out: Path, cancelled: Callable[[], bool], on_loading: LoadProgress | None
) -> EngineSegmenter:
    """Building an engine that takes long stops with the export."""

    def progress(what: str, share: float) -> bool:
        return not cancelled() and (on_loading is None or on_loading(what, share))

    watch = LoadWatch(progress)

    def load() -> Engine:
        try:
            return options.load(spec, progress=watch)
        except LoadStopped as error:
            if cancelled():
                raise ExportCancelled(f"{out}: export stopped; nothing was written") from error
            raise

    return EngineSegmenter(spec, load, interrupt=watch.stop)


def _check_output(out: Path, source: Source, overwrite: bool) -> None:
    if source.info.live:
        raise UsageError(f"{source.info.name}: is live and never ends; use 'seg-viewer record' (in the window, R)")
    check_target(out, overwrite=overwrite, sources=(source.info.path,) if source.info.path else ())
    disk = shutil.disk_usage(out.parent)
    if disk.total and disk.free < _LEAST_FREE_BYTES:
        raise ExportError(f"{out.parent}: the disk is full; free some space or choose another folder")


def _progress(frames: int, total: int | None, seconds: float) -> ExportProgress:
    rate = frames / seconds if seconds > 0 else 0.0
    if total is None or rate == 0:
        return ExportProgress(frames, total, rate, None)
    return ExportProgress(frames, max(total, frames), rate, max(0, total - frames) / rate)
