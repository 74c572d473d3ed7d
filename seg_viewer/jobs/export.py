"""Export: every frame of a source into files: painted, as a video, or what else their names say."""

from __future__ import annotations

import errno
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from seg_viewer.core.errors import ExportError, SegViewerError, SourceError
from seg_viewer.core.frame import Shot
from seg_viewer.core.model_file import ModelSpec
from seg_viewer.core.part_file import remove_left_behind
from seg_viewer.engines import Engine, LoadProgress, LoadStopped, LoadWatch
from seg_viewer.engines.base import EngineReport
from seg_viewer.jobs.export_job import ExportJob
from seg_viewer.jobs.export_request import expected_frames, facts, one_size, requests
from seg_viewer.jobs.manifest import LEFT_OUT, SourceHash, write_manifest
from seg_viewer.jobs.options import RunOptions
from seg_viewer.jobs.parts import ExportParts, refuse_busy
from seg_viewer.jobs.replay import NAME as MAPS
from seg_viewer.jobs.replay import MapKeeper, PictureFinder, replay
from seg_viewer.media.segments import segment_at
from seg_viewer.pipeline import EngineSegmenter, Pipeline, Policy, Segmenter
from seg_viewer.pipeline.cached import CachedSegmenter
from seg_viewer.pipeline.map_cache import MapCache
from seg_viewer.sinks.base import Sink
from seg_viewer.sinks.tee import Tee
from seg_viewer.sources import open_source
from seg_viewer.sources.base import SourceInfo
from seg_viewer.sources.between import Between, Place

__all__ = ["ExportCancelled", "ExportJob", "ExportProgress", "ExportResult", "run_export"]

_REPORT_EVERY_S = 0.1
_LONGEST_STILL_S = 86_400.0
"""That one picture may stand for; a result has a segment for every few seconds of it."""


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
        path: the first file made; not the one asked for where somebody else took that name meanwhile.
        frames: in it.
        seconds: it took.
        audio: "aac copied", "pcm_s16le encoded as aac", "none", …
        engine: what ran, one line.
        warnings: what was wrong with the source, the engine or the file, and what was left out, a line each.
        model: what ran, e.g. "driving-fast (512×288)".
        files: all that were made, the manifest not counted.
        manifest: says what was made, of what and how; None where none was wanted.
        resumed: how many of the frames an earlier run had made.
    """

    path: Path
    frames: int
    seconds: float
    audio: str
    engine: str = ""
    warnings: tuple[str, ...] = ()
    model: str = ""
    files: tuple[Path, ...] = ()
    manifest: Path | None = None
    resumed: int = 0

    @property
    def left_out(self) -> tuple[str, ...]:
        """What the source holds and the result does not."""
        return tuple(line.removeprefix(LEFT_OUT) for line in self.warnings if line.startswith(LEFT_OUT))


def run_export(
    job: ExportJob,
    *,
    on_progress: Callable[[ExportProgress], None] | None = None,
    on_loading: LoadProgress | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> ExportResult:
    """Write the files.

    Args:
        job: what is to be done.
        on_progress: called about ten times a second, on this thread.
        on_loading: told how far an engine is that takes long to make ready; its answer False stops that.
        cancelled: asked after every frame.

    Raises:
        UsageError: the input is missing, or the output cannot be meant (the input itself, exists, another suffix).
        SourceError, ModelFileError, EngineError: the parts cannot be had.
        ExportError: the file cannot be written. ExportCancelled: `cancelled` said so.
        KeyboardInterrupt: Ctrl-C; its text says what is kept for `resume`, if anything is.
    """
    job.check()
    spec = job.options.read_spec()
    start_s = time.perf_counter()
    with ExitStack() as stack:
        source = open_source(job.source, job.stream, hardware=job.options.hardware)
        stack.callback(source.close)
        job.check_outputs(source.info)
        refuse_busy(job)
        for path, kind in job.outputs:
            if not (kind.keeps_parts or kind.is_folder):
                remove_left_behind(path)
        key = job.key(source.info.fingerprint, spec.sha256)
        digest = stack.enter_context(closing(SourceHash(source.info.path if job.manifest else None)))
        parts = stack.enter_context(_parts(job, key))
        between = Between(source, job.selection, after=parts.place, change=one_size(job, source.info))
        if parts.start_s is None:
            parts.start_s = between.first().time_s if job.selection.start is not None else 0.0
        cache = MapCache(off=not job.options.cache)
        stack.callback(cache.close)
        segmenter = job.options.with_cache(
            _segmenter(job.options, spec, job.first, cancelled, on_loading), spec, source.info, cache
        )
        steady = job.with_steady(segmenter, parts.start_s)
        pipeline = stack.enter_context(Pipeline(between, steady, policy=Policy.EVERY_FRAME))
        tee: Tee[Shot] = stack.enter_context(Tee())
        about = facts(spec, source.info)
        asked = requests(
            job, spec, source.info, parts.folder, parts.start_s, about, lambda: (*parts.warnings, *source.warnings)
        )
        for kind, request in asked:
            tee.add(kind.make(request))
        sinks = tee.sinks
        done = _show_again(job, spec, source.info, parts, sinks)
        if _needs_maps(job):
            tee.add(MapKeeper(parts.folder.path, parts.start_s))
        for frames in _written(job, between, pipeline, tee, parts, done, cancelled):
            if on_progress:
                on_progress(_progress(frames, done, expected_frames(job, source.info), time.perf_counter() - start_s))
        report = engine = pipeline.engine_report
        if report is not None:
            # what is made says what computed it, at whatever time
            computed_by = segmenter.computed_by if isinstance(segmenter, CachedSegmenter) else report
            about["engine"] = computed_by.line()
            engine = replace(computed_by, note=report.note, fallback=report.fallback)
        warnings = (*parts.warnings, *source.warnings)
        parts.joining = True
        tee.finish()
        sound = tee.sound
        parts.remove()
        cache.flush()
        fallback = (report.fallback,) if report and report.fallback else ()
        files = tuple(file for sink in sinks for file in sink.files) or tuple(path for path, _kind in job.outputs)
        told = tuple(dict.fromkeys((*job.unheeded, *parts.notes, *warnings, *fallback, *tee.notes, *cache.notes)))
        manifest = None
        if job.manifest:
            try:
                manifest = write_manifest(
                    job, key, source.info, spec, engine, files=files, frames=frames, sound=sound, warnings=told,
                    source_sha256=digest.wait(),
                )  # fmt: skip
            except ExportError as error:  # what was asked for is there, whole
                told = (*told, f"no manifest was written: {error}")
    seconds = time.perf_counter() - start_s
    if on_progress:
        on_progress(_progress(frames, done, frames, seconds))
    ran = _ran(report, segmenter) if report else ""
    return ExportResult(files[0], frames, seconds, sound, ran, told, spec.title, files, manifest, done)


def _ran(report: EngineReport, segmenter: Segmenter) -> str:
    """What computed the class maps, and which of them earlier; one line."""
    earlier = segmenter.note if isinstance(segmenter, CachedSegmenter) else ""
    return "; ".join(filter(None, [report.line(), earlier]))


@contextmanager
def _parts(job: ExportJob, key: str) -> Iterator[ExportParts]:
    """The folder of what is not whole yet; an error leaves in it what can be gone on with, and says so."""
    names = [str(number) for number, (_path, kind) in enumerate(job.outputs) if kind.keeps_parts]
    parts = ExportParts(job, key, [*names, *([MAPS] if _needs_maps(job) else [])])
    try:
        yield parts
    except ExportCancelled:
        parts.remove()
        raise
    except KeyboardInterrupt as error:
        raise KeyboardInterrupt(parts.leave()) from error
    except SegViewerError as error:
        if parts.joining and not _is_of_the_disk(error):
            parts.remove()  # it would end so again
            raise
        # a file of the folder means nothing to a person: what it is for does
        inside = re.escape(f"{parts.folder.path}{os.sep}") + r"[^:]*"
        text = re.sub(inside, lambda _found: str(job.first), str(error))
        kept = parts.leave()
        if kept or text != str(error):
            raise type(error)(f"{text}; {kept}" if kept else text) from error
        raise
    except BaseException:
        parts.leave()
        raise
    parts.remove()


def _is_of_the_disk(error: BaseException) -> bool:
    """Whether it may go well another time: room can be made on a disk."""
    cause: BaseException | None = error
    while cause is not None:
        if getattr(cause, "errno", None) in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EACCES):
            return True
        cause = cause.__cause__
    return False


def _needs_maps(job: ExportJob) -> bool:
    return any(not kind.keeps_parts for _path, kind in job.outputs)


def _show_again(
    job: ExportJob, spec: ModelSpec, info: SourceInfo, parts: ExportParts, sinks: Sequence[Sink[Shot]]
) -> int:
    """Have those sinks that keep no segments take what was done by an earlier run. Returns how many frames that was."""
    if parts.place is None:
        return 0
    again = [sink for sink, (_path, kind) in zip(sinks, job.outputs, strict=True) if not kind.keeps_parts]
    if again:
        with closing(PictureFinder(lambda: open_source(job.source, job.stream), one_size(job, info))) as find:
            shots = replay(parts.folder.path, parts.resumed, spec.labels, spec.sha256, info.fingerprint, find)
            for shot in shots:
                for sink in again:
                    sink.write(shot)
    return parts.place.ordinal // job.selection.every + 1


def _written(
    job: ExportJob,
    between: Between,
    pipeline: Pipeline,
    tee: Tee[Shot],
    parts: ExportParts,
    frames: int,
    cancelled: Callable[[], bool],
) -> Iterator[int]:
    """Hand all shots on. Yields now and then how many frames are done, and at the end."""
    reported_s = time.perf_counter()
    start_s, last, segment = parts.start_s or 0.0, parts.place, parts.resumed
    for shot in pipeline:
        number = segment_at(shot.frame.time_s - start_s)
        before_s = start_s if last is None else last.time_s
        if shot.frame.time_s - before_s > _LONGEST_STILL_S:
            raise SourceError(_leaps(job, before_s, shot.frame.time_s))
        if number > segment and last is not None:
            parts.save(range(segment + 1, number + 1), start_s, last, between.warnings)
            segment = number
        tee.write(shot)
        last = Place(shot.frame.id.pts, shot.frame.time_s, shot.frame.index, frames * job.selection.every)
        frames += 1
        if cancelled():
            raise ExportCancelled(f"{job.first}: export stopped; nothing was written")
        now_s = time.perf_counter()
        if now_s - reported_s > _REPORT_EVERY_S:
            reported_s = now_s
            yield frames
    yield frames


def _leaps(job: ExportJob, before_s: float, after_s: float) -> str:
    days = (after_s - before_s) / 86_400
    return (
        f"{job.source}: its clock leaps by {days:.0f} days behind {before_s:.2f} s; export what lies before "
        f"(--end {before_s + 0.001:.3f}) and behind (--start {after_s:.3f}) each by itself"
    )


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


def _progress(frames: int, done: int, total: int | None, seconds: float) -> ExportProgress:
    """`done`: frames that an earlier run had made; they say nothing of how fast this one is."""
    rate = (frames - done) / seconds if seconds > 0 else 0.0
    if total is None or rate == 0:
        return ExportProgress(frames, total, rate, None)
    return ExportProgress(frames, max(total, frames), rate, max(0, total - frames) / rate)
