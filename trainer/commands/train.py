"""`seg-trainer check`, `datasets`, `train`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from seg_viewer.core.errors import UsageError
from trainer.commands.options import FILE, FOLDER, data_options, make_recipe, parse_data, recipe_options, with_split


def _console() -> Console:
    return Console(highlight=False, soft_wrap=True)


@click.command()
@click.argument("data", nargs=-1, required=True, metavar="[FORMAT=]FOLDER...")
@click.option(
    "--labels", default="native", show_default=True, help="native, driving, or a label map (name or TOML file)."
)
@click.option("--validation-split", type=click.FloatRange(0, 0.9), help="Share to hold out, 0 for none.")
@click.option("--split", "split_by", type=click.Choice(["given", "random", "blocks", "groups"]), help="How to split.")
@click.option("--split-gap", type=click.IntRange(0), help="Pairs before a held-out block that belong to neither part.")
@click.option("--seed", default=0, help="Of a random split.")
@click.option("-o", "--output", type=FOLDER, help="Folder for contact sheets and class shares (PNG).")
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

    Ends with exit code 1 when a file is damaged.
    """
    from trainer.data import check as checks
    from trainer.data.samples import find_source
    from trainer.files import make_folder
    from trainer.recipe import Recipe

    sources = [with_split(parse_data(text), split_by, validation_split, split_gap, seed) for text in data]
    recipe = Recipe(tuple(sources)).change(labels=labels)
    sets = [found for source in sources if (found := find_source(source, recipe, (), click.echo))]
    scans = checks.scan_all(sets, _console())
    for one, found in zip(sets, scans, strict=True):
        click.echo("\n".join(checks.describe(one, found)))
        if output:
            for path in checks.write_pictures(one, found, make_folder(output)):
                click.echo(f"  {path}")
    checks.refuse_damaged(scans)


@click.command("datasets")
def list_datasets() -> None:
    """List the formats that are read and the label maps that ship."""
    from trainer.data.formats import FORMATS
    from trainer.labels.label_map import shipped_maps

    click.echo("Formats (recognised by their files; or write FORMAT=FOLDER):")
    for name, made in FORMATS.items():
        click.echo(f"  {name:12} {made.files}")
    click.echo("\nLabel maps (--labels NAME, or a TOML file of your own; native and driving suit each format):")
    for name, title in shipped_maps().items():
        click.echo(f"  {name:22} {title}")
    click.echo(
        "\nA label map is a TOML file: [values] NAME = [mask values] (ignore = […] too), [classes] NAME = [r, g, b],"
        '\nor target = "driving" instead of [classes]; [colors] NAME = [[r, g, b], …] for masks that are colour'
        '\npictures; rest = "ignore" or a class for whatever is not listed; read = "otsu" for grey masks.'
    )


@click.command()
@click.argument("recipe", required=False)
@data_options
@recipe_options
@click.option("--run", type=FOLDER, help="Run folder; a run there goes on where it stopped.  [default: runs/NAME]")
@click.option("--stop-at", type=click.IntRange(1), help="Stop after so many steps; the same command goes on later.")
@click.option("--show-augmentation", type=FILE, metavar="PNG", help="Only write a picture of what augmentation does.")
def train(
    recipe: str | None,
    data: tuple[str, ...],
    root: tuple[Path, ...],
    run: Path | None,
    stop_at: int | None,
    show_augmentation: Path | None,
    **options: Any,
) -> None:
    """Train a model, by a RECIPE (TOML file, or the name of one that ships, such as driving-fast), by options, or both.

    The run folder keeps the resolved recipe, checkpoints, the best weights, history.csv, TensorBoard events, and at
    the end model.keras and report.html. Run the same command again to go on after a stop or a kill.
    """
    from trainer.cli import need
    from trainer.training.run import new_run_folder, prepare, run_training
    from trainer.training.run import show_augmentation as show

    if recipe is None and not data and run and (run / "recipe.toml").is_file():
        recipe = str(run / "recipe.toml")
    chosen = make_recipe(recipe, data, options)
    console = _console()
    if show_augmentation:
        from trainer.data.samples import Store
        from trainer.training.progress import Reporter

        prepared = prepare(chosen, root, Reporter(console), console)
        store = Store(prepared.recipe, prepared.found, prepared.scans)
        click.echo(f"{show(store, show_augmentation)}")
        return
    need("keras")
    if run is None:
        name = Path(recipe).stem if recipe else Path(chosen.data[0].path).name or "run"
        run = new_run_folder(name, _resolved(chosen, root))
    if run.exists() and not run.is_dir():
        raise UsageError(f"{run}: is a file; give a folder with --run")
    console.print(f"run folder: {run}", markup=False)
    run_training(chosen, root, run, console, stop_at)


def _resolved(recipe: Any, roots: tuple[Path, ...]) -> Any:
    """The recipe with absolute paths, as the run folder keeps it."""
    from trainer.data.samples import folder_of

    placed = tuple(
        source if source.kind == "tfds" else dataclasses.replace(source, path=str(folder_of(source, roots).resolve()))
        for source in recipe.data
    )
    return dataclasses.replace(recipe, data=placed)
