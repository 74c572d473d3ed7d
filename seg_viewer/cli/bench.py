"""The command `seg-viewer bench`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from seg_viewer.cli.options import LOAD_BAR, make_options, run_options
from seg_viewer.media.codecs import CODECS, QUALITIES, USUAL_QUALITY, VideoChoice


@click.command()
@click.argument("video")
@click.option(
    "--json", "json_path", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures here too."
)
@click.option("--frames", type=click.IntRange(50), default=400, show_default=True, help="To measure on.")
@click.option("--export", "exports", is_flag=True, help="Encode the painted frames too, as an export does.")
@click.option("--codec", type=click.Choice(list(CODECS)), help="Of the export.  [default: h264]")
@click.option(
    "--quality", type=click.Choice(QUALITIES), default=USUAL_QUALITY, show_default=True, help="Of the export."
)
@run_options
def bench(
    video: str, json_path: Path | None, frames: int, exports: bool, codec: str | None, quality: str, **choices: Any
) -> None:
    """Measure each stage alone and the whole pipeline on VIDEO, and its ratio to what the processor allows."""
    from seg_viewer.core.part_file import check_target, part_file
    from seg_viewer.jobs.bench import BenchJob, render, run_bench

    if json_path is not None:
        check_target(json_path, overwrite=True, sources=(Path(video),))
    result = run_bench(
        BenchJob(video, make_options(**choices), frames, VideoChoice(codec, quality) if exports else None),
        on_loading=LOAD_BAR,
    )
    click.echo(render(result))
    if json_path is not None:
        with part_file(json_path) as part:
            part.write_text(json.dumps(result.to_json(), indent=2) + "\n")
