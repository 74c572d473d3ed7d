"""The command `seg-viewer export`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from seg_viewer.cli.console import progress_bar, say, warn
from seg_viewer.cli.options import LOAD_BAR, OutputCommand, make_options, run_options, style_options
from seg_viewer.core.errors import UsageError
from seg_viewer.core.redact import redact
from seg_viewer.media.codecs import CODECS, QUALITIES, USUAL_QUALITY


@click.command(cls=OutputCommand)
@click.argument("source")
@click.option(
    "-o", "--output", "outputs", required=True, multiple=True, metavar="OUT",
    help="File to make; may be repeated: all are made in one pass. An existing folder takes NAME_seg.mp4.",
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
@run_options
@style_options
def export(
    source: str,
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
    **choices: Any,
) -> None:
    """Write SOURCE with its overlay as video, masks, tables or a report; times and sound are kept.

    What is live never ends: 'seg-viewer record' writes that.
    """
    from seg_viewer.jobs.export import ExportJob
    from seg_viewer.jobs.export_job import Wanted
    from seg_viewer.sources.between import Moment, Selection

    job = ExportJob(
        source,
        tuple(_output(source, each) for each in outputs),
        make_options(**choices),
        crf,
        preset,
        overwrite,
        Selection(Moment.read(start) if start else None, Moment.read(end) if end else None, every),
        Wanted.read(size) if size else None,
        resume,
        not no_manifest,
        codec,
        quality,
        hardware,
        stats,
        stream,
    )
    if dry_run:
        from seg_viewer.jobs.export_plan import plan_export

        for line in plan_export(job):
            say(line)
        return
    _run(job)


def _run(job: Any) -> None:
    from seg_viewer.jobs.export import ExportProgress, run_export
    from seg_viewer.sources import is_live

    name = str(job.source)
    bar = progress_bar()
    task = bar.add_task(redact(name) if is_live(name) else Path(name).name, total=None, rate=0.0)

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
        f"{result.path}: {result.frames} frames in {result.seconds:.1f} s"
        f" ({(result.frames - result.resumed) / result.seconds:.1f} frames/s), sound: {result.audio},"
        f" model {result.model}, {result.engine}"
    )
    for path in result.files[1:]:
        say(str(path))


def _output(source: str, text: str) -> str:
    """The name with `~` and `{name}` replaced; an existing folder takes a video of the source's name."""
    stem = Path(source).stem or "export"
    name = os.path.expanduser(text.replace("{name}", stem))
    if Path(name).is_dir() and not name.endswith(("/", os.sep)):
        return os.path.join(name, f"{stem}_seg.mp4")
    if not name.strip():
        raise UsageError("-o is empty: name a file")
    return name
