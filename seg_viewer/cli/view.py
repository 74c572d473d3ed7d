"""The command `seg-viewer view`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from seg_viewer.cli.console import warn
from seg_viewer.cli.leaving import leave_at_once
from seg_viewer.cli.options import (
    ca_option,
    cache_option,
    deadline_option,
    hardware_option,
    make_options,
    run_options,
    steady_option,
    style_options,
    with_ca,
)
from seg_viewer.core.errors import UsageError


class _SourceCommand(click.Command):
    """Its help lists what can be opened, as the sources themselves say."""

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Written below the command's own words."""
        from seg_viewer.sources import source_kinds

        super().format_help_text(ctx, formatter)
        kinds = source_kinds().values()
        for title, live in (("Sources", False), ("Live sources", True)):
            with formatter.section(title):
                formatter.write_dl([form for kind in kinds if kind.live is live for form in kind.forms])


@click.command(cls=_SourceCommand)
@click.argument("source", nargs=-1)
@click.option(
    "--truth-csv",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where SOURCE brings ground truth (CARLA): write IoU and mIoU of every frame here.",
)
@ca_option
@click.option(
    "--truth-report",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The same as one HTML page: scores by class, what is taken for what, the worst pictures.",
)
@click.option(
    "--events",
    metavar="FILE",
    help="Switch the ego zone on, and log what enters it and leaves it: .csv or .jsonl. No safety function.",
)
@deadline_option
@run_options
@cache_option
@hardware_option
@style_options
@steady_option
def view(
    source: tuple[str, ...] = (),
    truth_csv: Path | None = None,
    truth_report: Path | None = None,
    events: str | None = None,
    deadline: float | None = None,
    ca: Path | None = None,
    **choices: Any,
) -> None:
    """Open the window, and in it SOURCE; several are a playlist, and so are an .m3u file and a folder of videos.

    Two to four that are live are shown beside each other, on one engine; then a deadline, a second model, scores and
    the ego zone are not there: each of them is for one SOURCE.

    'seg-viewer SOURCE' does the same.
    """
    from seg_viewer.core.part_file import check_new
    from seg_viewer.core.typed_path import typed_path
    from seg_viewer.gui.app import run_viewer
    from seg_viewer.sinks.zone_log import check_log

    if any(not text.strip() for text in source):  # as of a variable that is not set
        raise UsageError("SOURCE is empty: name a file, a folder or an address, or leave it out")
    scores = {"--truth-csv": truth_csv, "--truth-report": truth_report}
    given = {option: path for option, path in scores.items() if path is not None}
    for option, path in given.items():
        if not source:
            raise UsageError(f"{option} needs a SOURCE whose scores to write")
        if len(source) > 1:
            raise UsageError(f"{option} takes the scores of one SOURCE: name one")
        check_new(path)
        if (path.suffix.lower() == ".html") is not (option == "--truth-report"):
            kind = "a page: give it a name that ends in .html" if option == "--truth-report" else "a table, no page"
            raise UsageError(f"{path}: {option} writes {kind}")
    log = None if events is None else typed_path(events)
    if log is not None:
        check_log(log)
    _check_live(source, deadline, events)
    files = tuple(given.values())
    leave_at_once()
    options, sources = make_options(**choices), with_ca(source, ca)
    sys.exit(run_viewer(sources, options, scores=files, events=log, deadline_s=deadline, on_parting=warn))


def _check_live(source: tuple[str, ...], deadline: float | None, events: str | None) -> None:
    """What goes only with live sources, or only with one of them. Raises: UsageError."""
    from seg_viewer.gui.app import is_grid
    from seg_viewer.player.pool import MOST_IN_GRID
    from seg_viewer.sources import is_live

    if deadline is not None and source and not any(is_live(text) for text in source):
        raise UsageError(f"--deadline is for live sources; {source[0]} is none")
    if not is_grid(source):
        return
    if len(source) > MOST_IN_GRID:
        raise UsageError(
            f"at most {MOST_IN_GRID} live sources are shown beside each other, {len(source)} were named; a playlist"
            " file (.m3u) with their addresses shows one after the other"
        )
    if deadline is not None:
        raise UsageError("--deadline is for one live SOURCE; several take turns on one engine")
    if events is not None:
        raise UsageError("--events is for one SOURCE: the ego zone is before one camera")
