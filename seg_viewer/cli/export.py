"""The command `seg-viewer export`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from seg_viewer.cli.console import progress_bar, say, warn
from seg_viewer.cli.options import (
    LOAD_BAR,
    OutputCommand,
    cache_option,
    hardware_option,
    make_options,
    run_options,
    smooth_option,
    steady_option,
    style_options,
    zone_option,
)
from seg_viewer.core.counted import counted
from seg_viewer.core.errors import ExportError, SegViewerError
from seg_viewer.core.redact import redact
from seg_viewer.core.zone import Zone
from seg_viewer.media.codecs import CODECS, QUALITIES, USUAL_QUALITY


@click.command(cls=OutputCommand)
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@click.option(
    "-o", "--output", "outputs", required=True, multiple=True, metavar="OUT",
    help="File to make; may be repeated: all are made in one pass. An existing folder takes NAME_seg.mp4; with several "
    "sources it is made if its name ends in a slash. {name} in OUT is the source's name without its end.",
)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="What exists may be replaced, once the new one is whole.")
@click.option("--resume", is_flag=True, help="Go on with what the same command left behind when it was broken off.")
@click.option("--dry-run", is_flag=True, help="Say what would be made and what left out; write nothing.")
@click.option("--start", metavar="TIME", help="Begin there: 90.5, 1:30, 1:02:03.5, or a frame number, 250f.")
@click.option("--end", metavar="TIME", help="End before that, likewise.")
@click.option("--every", type=click.IntRange(1), default=1, show_default=True, help="Take every so many frames only.")
@click.option("--size", metavar="WxH", help="Fit the pictures into it: 1280x720, 1280x, x720, 720p.")
@click.option(
    "--quality", type=click.Choice(QUALITIES), default=USUAL_QUALITY, show_default=True,
    help="Of video: high for cutting, fast for the least work, tiny for the smallest file.",
)  # fmt: skip
@click.option("--codec", type=click.Choice(tuple(CODECS)), help="Of video. [default: the usual one of the container]")
@click.option("--crf", type=click.IntRange(0, 63), help="Constant rate factor instead of --quality; lower is better.")
@click.option("--preset", metavar="NAME", help="The encoder's speed instead of that of --quality.")
@click.option("--hardware", is_flag=True, help="Encode on a graphics chip where one can; else says why not.")
@click.option("--stats", is_flag=True, help="Write time, shares and numbers of each class into the picture.")
@click.option(
    "--stream", type=click.IntRange(1), help="Which video stream, of a file that has several; the first is 1."
)
@click.option("--no-manifest", is_flag=True, help="Do not write OUT.manifest.json beside the first file.")
@click.option(
    "--jobs", type=click.IntRange(1), default=1, show_default=True,
    help="How many of several sources at a time, each in a process with its share of the cores. One uses them all "
    "already on a machine with few; try 2 to 4 on one with many.",
)  # fmt: skip
@click.option(
    "--ray", metavar="ADDRESS", help="Have a Ray cluster make it, long files by segments: auto, or HOST:PORT of its "
    "head. Its nodes need this program and see the files under the same paths.",
)  # fmt: skip
@zone_option
@run_options
@cache_option
@hardware_option
@style_options
@smooth_option
@steady_option
def export(
    sources: tuple[str, ...],
    outputs: tuple[str, ...],
    overwrite: bool,
    resume: bool,
    dry_run: bool,
    start: str | None,
    end: str | None,
    every: int,
    size: str | None,
    quality: str,
    codec: str | None,
    crf: int | None,
    preset: str | None,
    hardware: bool,
    stats: bool,
    stream: int | None,
    no_manifest: bool,
    jobs: int,
    ray: str | None,
    zone: Zone | None,
    **choices: Any,
) -> None:
    """Write SOURCE with its overlay as video, masks, tables or a report; times and sound are kept.

    Of several sources, one that fails does not keep the others from being exported, and those that were done before
    are skipped unless --overwrite is given. What is live never ends: 'seg-viewer record' writes that.
    """
    from seg_viewer.jobs.export_job import ExportJob, Wanted
    from seg_viewer.jobs.output_names import name_outputs
    from seg_viewer.sources.between import Moment, Selection

    first = ExportJob(
        sources[0],
        outputs,
        make_options(**choices),
        crf,
        preset,
        overwrite,
        Selection(None if start is None else Moment.read(start), None if end is None else Moment.read(end), every),
        None if size is None else Wanted.read(size),
        resume,
        not no_manifest,
        codec,
        quality,
        hardware,
        stats,
        stream,
        zone,
    )
    named = name_outputs(sources, outputs, overwrite=overwrite)
    for note in named.notes:
        warn(note)
    each = [replace(first, source=name, out=out) for name, out in zip(named.sources, named.outputs, strict=True)]
    if dry_run:
        _tell(each, named.folders)
    elif len(sources) == 1 and ray is None:
        _run(each[0])
    else:
        for folder in named.folders:
            folder.mkdir(exist_ok=True)
        _run_many(each, jobs, ray)


def _tell(jobs: Sequence[Any], folders: Sequence[Path]) -> None:
    """What would be made of each."""
    from seg_viewer.jobs.bulk_one import done_already
    from seg_viewer.jobs.export_plan import plan_export

    failed = 0
    for job in jobs:
        if len(jobs) > 1 and done_already(job):
            say(f"{_shown(job)}: done already")
            continue
        try:
            for line in plan_export(job, folders):
                say(line)
        except SegViewerError as error:
            if len(jobs) == 1:
                raise
            say(f"{_shown(job)}: would fail: {error}")
            failed += 1
    if failed:
        raise ExportError(f"{failed} of {len(jobs)} would fail; the reasons are above")


def _run_many(jobs: Sequence[Any], workers: int, address: str | None) -> None:
    from seg_viewer.cli.bulk_view import BulkView
    from seg_viewer.jobs.bulk import run_bulk
    from seg_viewer.jobs.cluster import run_on_cluster

    names = [_shown(job) for job in jobs]
    view = BulkView(
        [name if names.count(name) == 1 else str(job.source) for name, job in zip(names, jobs, strict=True)]
    )
    try:
        if address is not None:
            run_on_cluster(jobs, address, on_event=view.hear)
        else:
            run_bulk(jobs, workers=workers, on_event=view.hear)
    finally:
        view.stop()
        view.table()
    if view.failed:
        raise ExportError(
            f"{view.failed} of {len(jobs)} failed; the same command tries them again and skips what is done"
        )


def _run(job: Any) -> None:
    from seg_viewer.jobs.export import ExportProgress, run_export

    bar = progress_bar()
    task = bar.add_task(_shown(job), total=None, rate=0.0)

    def on_progress(progress: ExportProgress) -> None:
        bar.start()  # with the first frame: a refusal before it should be the only line
        bar.update(task, completed=progress.frames, total=progress.total, rate=progress.rate)

    try:
        result = run_export(job, on_progress=on_progress, on_loading=LOAD_BAR)
    finally:
        bar.stop()
    for warning in result.warnings:
        warn(warning)
    say(
        f"{result.path}: {counted(result.frames, 'frame')} in {result.seconds:.1f} s"
        f" ({(result.frames - result.resumed) / result.seconds:.1f} frames/s), sound: {result.audio},"
        f" model {result.model}, {result.engine}"
    )
    for path in result.files[1:]:
        say(str(path))


def _shown(job: Any) -> str:
    """The source's name for people, without passwords."""
    from seg_viewer.sources import is_live

    name = str(job.source)
    return redact(name) if is_live(name) else Path(name).name or name
