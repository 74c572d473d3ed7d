"""The command `seg-trainer train`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import click

from seg_viewer.core.console import plain_console
from seg_viewer.core.errors import UsageError
from trainer.commands.help import Command, Example, option
from trainer.commands.needs import need
from trainer.commands.options import FILE, FOLDER, data_options, recipe_options
from trainer.data.chosen import make_recipe
from trainer.recipe import Recipe

PLACE = "Run folder"


@click.command(
    cls=Command,
    examples=[
        Example(
            "seg-trainer train --data discs --epochs 40", "a folder of yours (images/ and masks/), the rest as it is"
        ),
        Example(
            "seg-trainer train --data carvana --arch unet --loss bce+dice --epochs 50 --batch-size 16",
            "the U-Net of the paper, a binary loss",
        ),
        Example("seg-trainer train driving-fast --root DATA", "a recipe that ships; DATA holds its data sets"),
        Example("seg-trainer train --run runs/discs --epochs 60", "a run goes on, after a stop or after its end"),
        Example("seg-trainer train driving-fast --root DATA --minutes 8 --echo 2", "a GPU that is there for minutes"),
    ],
)
@click.argument("recipe", required=False)
@data_options
@recipe_options
@option(PLACE, "--run", type=FOLDER, help="Run folder; a run there goes on where it stopped.  [default: runs/NAME]")
@option(PLACE, "--stop-at", type=click.IntRange(1), help="Stop after so many steps; the same command goes on later.")
@option(
    PLACE,
    "--workers",
    type=click.IntRange(0, 256),
    help="Processes that make samples; 0: threads. The run is the same with any number."
    "  [default: with a GPU one less than the cores, else one for every four]",
)
@option(PLACE, "--show-augmentation", type=FILE, metavar="PNG", help="Only write a picture of what augmentation does.")
def train(
    recipe: str | None,
    data: tuple[str, ...],
    root: tuple[Path, ...],
    run: Path | None,
    stop_at: int | None,
    workers: int | None,
    show_augmentation: Path | None,
    **options: Any,
) -> None:
    """Train a model, by a RECIPE (TOML file, or the name of one that ships, such as driving-fast), by options, or both.

    The run folder keeps the resolved recipe, checkpoints, the best weights, history.csv, TensorBoard events, and at
    the end model.keras and report.html. Run the same command again to go on after a stop or a kill.
    """
    from trainer.training.run import new_run_folder, prepare, run_training
    from trainer.training.run import show_augmentation as show

    if recipe is None and not data and run and (run / "recipe.toml").is_file():
        recipe = str(run / "recipe.toml")
    chosen = make_recipe(recipe, data, options)
    console = plain_console(soft_wrap=True)
    if show_augmentation:
        from trainer.data.samples import Samples
        from trainer.training.progress import Reporter

        prepared = prepare(chosen, root, Reporter(console), console)
        samples = Samples(prepared.recipe, prepared.found, prepared.scans)
        click.echo(f"{show(samples, show_augmentation)}")
        return
    need("keras")
    if options["minutes"] and options["epochs"]:
        raise UsageError("--minutes and --epochs: a run ends by time or by epochs; give one of them")
    if run is None:
        name = Path(recipe).stem if recipe else Path(chosen.data[0].path).name or "run"
        run = new_run_folder(name, _resolved(chosen, root))
    if run.exists() and not run.is_dir():
        raise UsageError(f"{run}: is a file; give a folder with --run")
    console.print(f"run folder: {run}")
    run_training(chosen, root, run, console, stop_at, workers)


def _resolved(recipe: Recipe, roots: tuple[Path, ...]) -> Recipe:
    """The recipe with absolute paths, as the run folder keeps it."""
    from trainer.data.formats import TFDS
    from trainer.data.samples import each_source, folder_of

    placed = tuple(
        source if source.kind == TFDS else dataclasses.replace(source, path=str(folder_of(source, roots).resolve()))
        for source in each_source(recipe, roots)
    )
    return dataclasses.replace(recipe, data=placed)
