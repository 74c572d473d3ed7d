"""The command `seg-trainer check`: a look at every pair before it is trained on."""

from __future__ import annotations

from pathlib import Path

import click

from seg_viewer.core.console import plain_console
from trainer.commands.help import Command, Example
from trainer.commands.options import FOLDER
from trainer.data.chosen import parse_data, with_split
from trainer.pairs import SPLITS


@click.command(
    cls=Command,
    examples=[
        Example("seg-trainer check discs -o check", "also draws contact sheets and class shares"),
        Example(
            "seg-trainer check camvid=CamVid carla=drives --labels driving", "two data sets, in the driving classes"
        ),
    ],
)
@click.argument("data", nargs=-1, required=True, metavar="[FORMAT=]FOLDER...")
@click.option(
    "--labels", default="native", show_default=True, help="native, driving, or a label map (name or TOML file)."
)
@click.option("--validation-split", type=click.FloatRange(0, 0.9), help="Share to hold out, 0 for none.")
@click.option("--split", "split_by", type=click.Choice(SPLITS), help="How to split.")
@click.option("--split-gap", type=click.IntRange(0), help="Pairs before a held-out block that belong to neither part.")
@click.option("--seed", default=0, help="Of a random split.")
@click.option("-o", "--output", type=FOLDER, help="Folder for contact sheets, class shares (PNG) and lists (CSV).")
def check(
    data: tuple[str, ...],
    labels: str,
    validation_split: float | None,
    split_by: str | None,
    split_gap: int | None,
    seed: int,
    output: Path | None,
) -> None:
    """Look at every pair of data sets: sizes, stray mask values, class shares, duplicates across the split.

    Of frames that seg-viewer sent (key D) it also says whose masks nobody has corrected, and orders them by how unsure
    the model was: what to correct first. With -o the whole order is FOLDER/NAME_correct_first.csv.

    Ends with exit code 1 when a file is damaged.
    """
    from trainer.data import check as checks
    from trainer.data.samples import each_source, find_source
    from trainer.data.sent import Doubt, to_correct
    from trainer.files import make_folder
    from trainer.recipe import Recipe

    sources = [with_split(parse_data(text), split_by, validation_split, split_gap, seed) for text in data]
    recipe = Recipe(tuple(sources)).change(labels=labels)
    every = each_source(recipe, ())
    sets = [data_set for source in every if (data_set := find_source(source, recipe, (), click.echo))]
    scans = checks.scan_all(sets, plain_console(soft_wrap=True))
    doubts: list[Doubt] = []
    for one, found in zip(sets, scans, strict=True):
        unsure = to_correct(one)
        click.echo("\n".join(checks.describe(one, found) + checks.describe_doubts(unsure)))
        if output:
            folder = make_folder(output)
            for path in [*checks.write_pictures(one, found, folder), *checks.write_doubts(one, unsure, folder)]:
                click.echo(f"  {path}")
        doubts += unsure
    checks.refuse_damaged(scans, doubts)
