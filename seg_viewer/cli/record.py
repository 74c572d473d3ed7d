"""The command `seg-viewer record`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from seg_viewer.cli.console import StatusLine, say, warn
from seg_viewer.cli.leaving import leave_at_once
from seg_viewer.cli.options import (
    LOAD_BAR,
    LiveOutputCommand,
    ca_option,
    deadline_option,
    make_options,
    run_options,
    smooth_option,
    steady_option,
    style_options,
    with_ca,
    zone_option,
)
from seg_viewer.core.counted import counted
from seg_viewer.core.errors import SegViewerError
from seg_viewer.core.typed_path import typed_path
from seg_viewer.core.zone import Zone


def _seconds(_context: click.Context, _option: click.Parameter, text: str | None) -> float | None:
    from seg_viewer.jobs.record import parse_seconds

    try:
        return None if text is None else parse_seconds(text)
    except ValueError:
        raise click.BadParameter(f"'{text}': write a time as 90s, 10min or 1.5h") from None


def _split(_context: click.Context, _option: click.Parameter, text: str | None) -> tuple[float | None, int | None]:
    from seg_viewer.jobs.record import parse_split

    try:
        return (None, None) if text is None else parse_split(text)
    except ValueError:
        raise click.BadParameter(f"'{text}': write a time (10min) or a size (500MB)") from None


@click.command(cls=LiveOutputCommand)
@click.argument("source")
@click.option(
    "-o",
    "--output",
    metavar="OUT.mp4",
    help="File to make, .mp4 or .mkv. [default: named by source and time, in Videos/seg-viewer]",
)
@click.option(
    "--what",
    type=click.Choice(("annotated", "source", "both")),
    default="annotated",
    show_default=True,
    help="With the overlay, as it comes in, or both.",
)
@click.option("--duration", callback=_seconds, metavar="TIME", help="Stop after 90s, 10min, 1.5h. [default: Ctrl-C]")
@click.option("--split", callback=_split, metavar="TIME|SIZE", help="Another file every 10min, or 500MB.")
@click.option("--wait", is_flag=True, help="Wait for a source that is not there yet, and record from then on.")
@ca_option
@click.option("--events", metavar="FILE", help="Log what enters the ego zone and leaves it: .csv or .jsonl.")
@zone_option
@click.option("--no-sound", is_flag=True, help="Record the picture alone.")
@deadline_option
@run_options
@style_options
@smooth_option
@steady_option
def record(
    source: str,
    output: str | None,
    what: str,
    duration: float | None,
    split: tuple[float | None, int | None],
    wait: bool,
    ca: Path | None,
    events: str | None,
    zone: Zone | None,
    no_sound: bool,
    deadline: float | None,
    **choices: Any,
) -> None:
    """Record the live SOURCE (camera, address, screen; see 'view --help') until Ctrl-C or --duration."""
    from seg_viewer.jobs.record import RecordJob, RecordProgress, run_record
    from seg_viewer.jobs.recording import RecordPlan, RecordWhat
    from seg_viewer.jobs.recording_names import usual_folder

    leave_at_once()
    status = StatusLine("Recording …")

    def on_progress(progress: RecordProgress) -> None:
        if not progress.seconds:
            status.show(f"waiting: {progress.problem}; Ctrl-C ends it")
            return
        state = progress.problem or "recording"
        by = f", {progress.doing}" if progress.doing else ""
        status.show(f"{state}: {progress.seconds:.0f} s, {counted(progress.frames, 'frame')}{by}; Ctrl-C ends it")

    path = usual_folder() if output is None else typed_path(output)
    plan = RecordPlan(path, RecordWhat(what), *split, sound=not no_sound)
    try:
        log = None if events is None else typed_path(events)
        options = make_options(**choices)
        names_itself = output is None
        job = RecordJob(with_ca([source], ca)[0], plan, options, duration, wait, log, zone, names_itself, deadline)
        result = run_record(job, on_progress=on_progress, on_loading=LOAD_BAR)
    finally:
        status.stop()
    for report in result.reports:
        say(report.line())
    drops = "".join(f", {count} {cause}" for cause, count in result.drops)
    for warning in result.warnings:
        warn(warning)
    ran = f", {result.ran}" if result.ran else ""
    say(f"{counted(result.frames, 'frame')} in {result.seconds:.1f} s{drops}{ran}")
    if result.lost:
        say(result.lost)
    if result.problem:
        raise SegViewerError(result.problem)
