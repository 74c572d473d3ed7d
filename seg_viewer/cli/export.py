"""The command `seg-viewer export`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from seg_viewer.cli.console import progress_bar, say, warn
from seg_viewer.cli.options import LOAD_BAR, OutputCommand, make_options, run_options, style_options
from seg_viewer.core.redact import redact
from seg_viewer.sinks import PRESETS


@click.command(cls=OutputCommand)
@click.argument("source")
@click.option("-o", "--output", required=True, metavar="OUT.mp4", help="File to make.")
@click.option("--overwrite", is_flag=True, help="An existing OUT.mp4 may be replaced, once the new one is whole.")
@click.option("--crf", type=click.IntRange(0, 51), default=20, show_default=True, help="Quality; lower is better.")
@click.option("--preset", type=click.Choice(PRESETS), default="veryfast", show_default=True, help="x264's speed.")
@run_options
@style_options
def export(source: str, output: str, overwrite: bool, crf: int, preset: str, **choices: Any) -> None:
    """Write SOURCE with its overlay as H.264 video; times and sound are kept.

    What is live never ends: 'seg-viewer record' writes that.
    """
    from seg_viewer.jobs.export import ExportJob, ExportProgress, run_export
    from seg_viewer.sources import is_live

    bar = progress_bar()
    task = bar.add_task(redact(source) if is_live(source) else Path(source).name, total=None, rate=0.0)

    def on_progress(progress: ExportProgress) -> None:
        bar.start()  # with the first frame: a refusal before it should be the only line
        bar.update(task, completed=progress.frames, total=progress.total, rate=progress.rate)

    try:
        job = ExportJob(source, Path(output).expanduser(), make_options(**choices), crf, preset, overwrite)
        result = run_export(job, on_progress=on_progress, on_loading=LOAD_BAR)
    finally:
        bar.stop()
    for warning in result.warnings:
        warn(warning)
    say(
        f"{result.path}: {result.frames} frames in {result.seconds:.1f} s"
        f" ({result.frames / result.seconds:.1f} frames/s), sound: {result.audio},"
        f" model {result.model}, {result.engine}"
    )
