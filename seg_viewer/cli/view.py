"""The command `seg-viewer view`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from seg_viewer.cli.options import (
    ca_option,
    cache_option,
    hardware_option,
    make_options,
    run_options,
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
@run_options
@cache_option
@hardware_option
@style_options
def view(source: tuple[str, ...] = (), truth_csv: Path | None = None, ca: Path | None = None, **choices: Any) -> None:
    """Open the window, and in it SOURCE; several are a playlist, and so are an .m3u file and a folder of videos.

    'seg-viewer SOURCE' does the same.
    """
    from seg_viewer.core.part_file import check_target
    from seg_viewer.gui.app import run_viewer

    if any(not text.strip() for text in source):  # as of a variable that is not set
        raise UsageError("SOURCE is empty: name a file, a folder or an address, or leave it out")
    if truth_csv is not None:
        if not source:
            raise UsageError("--truth-csv needs a SOURCE whose scores to write")
        if len(source) > 1:
            raise UsageError("--truth-csv takes the scores of one SOURCE: name one")
        check_target(truth_csv, overwrite=False)
    sys.exit(run_viewer(with_ca(source, ca), make_options(**choices), truth_csv=truth_csv))
