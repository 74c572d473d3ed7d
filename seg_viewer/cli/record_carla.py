"""The command `seg-viewer record-carla`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from seg_viewer.cli.console import StatusLine, say, warn
from seg_viewer.core.counted import counted
from seg_viewer.core.signals import stop_event
from seg_viewer.core.typed_path import typed_path


@click.command("record-carla")
@click.argument("source", default="carla://localhost:2000")
@click.option("-o", "--output", metavar="DIR", type=click.Path(path_type=Path), help="Folder to make.")
@click.option("-n", "--pairs", type=click.IntRange(1), help="Pictures with their masks, in all.")
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="TOML with [[drive]] tables: town, weather, vehicles, walkers, seed, pairs. [default: eight weathers in turn,"
    " traffic from none to dense]",
)
@click.option("--towns", default="", metavar="A,B", help="For the default plan. [default: the town that is loaded]")
@click.option("--every", type=click.IntRange(1), default=10, show_default=True, help="Ticks from one pair to the next.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the default plan.")
@click.option(
    "--clean-up",
    is_flag=True,
    help="Record nothing: remove what drives of seg-viewer that were killed left in the simulator, and say what.",
)
@click.option(
    "--also-of",
    metavar="MACHINE",
    multiple=True,
    help="With --clean-up: also what is left of drives from there, which cannot be looked up from here.",
)
def record_carla(
    source: str,
    output: Path | None,
    pairs: int | None,
    plan_file: Path | None,
    towns: str,
    every: int,
    seed: int,
    clean_up: bool,
    also_of: tuple[str, ...],
) -> None:
    """Drive through CARLA and write the trainer's data set: CameraRGB, CameraMask.

    SOURCE is carla://HOST:PORT?… as for 'view'; what the plan says wins.
    """
    if clean_up:
        if output is not None or pairs is not None or plan_file is not None or towns:
            raise click.UsageError("--clean-up records nothing; leave -o, -n, --plan and --towns out")
        _clean_up(source, also_of)
        return
    if also_of:
        raise click.UsageError("--also-of goes with --clean-up")
    if output is None:
        raise click.UsageError("Missing option '-o' / '--output': name the folder to make")
    from seg_viewer.jobs.record_carla import PlannedDrive, RecordCarlaJob, make_plan, read_plan, run_record_carla

    if plan_file is None and pairs is None:
        raise click.UsageError("say how many pairs (-n 1000) or give a plan (--plan FILE)")
    if plan_file is not None and towns:
        raise click.UsageError("--towns is for the default plan; a plan of your own names its towns")
    if plan_file is not None:
        plan = read_plan(plan_file, pairs)
    else:
        named = tuple(town.strip() for town in towns.split(",") if town.strip())
        plan = make_plan(pairs or 1, named or ("",), seed)
    status = StatusLine("Getting into the car …")

    def on_progress(count: int, drive: PlannedDrive) -> None:
        where = " ".join(part for part in (drive.town, drive.weather) if part)
        total = sum(planned.pairs for planned in plan)
        around = f"{counted(drive.vehicles, 'vehicle')}, {counted(drive.walkers, 'walker')}"
        status.show(f"{count} of {total} pairs: {where}, {around}")

    try:
        with stop_event() as stop:
            job = RecordCarlaJob(source, typed_path(output), plan, every)
            done = run_record_carla(job, stop=stop, on_progress=on_progress)
    finally:
        status.stop()
    for warning in done.warnings:
        warn(warning)
    say(f"{done.folder}: {counted(done.pairs, 'pair')} of {counted(done.drives, 'drive')}")
    if not done.is_whole:
        sys.exit(130)


def _clean_up(source: str, also_of: tuple[str, ...]) -> None:
    from seg_viewer.sources.carla.address import parse_carla
    from seg_viewer.sources.carla.process import clean_up_simulator

    for line in clean_up_simulator(parse_carla(source), also_of):
        say(line)
