"""`seg-trainer`: train, evaluate, export."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import os
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import click

from seg_viewer import __version__
from seg_viewer.core.errors import ExportError, SegViewerError, UsageError
from trainer.commands_engine import build_engine

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path)


class _Group(click.Group):
    """Reports the errors a person can cause as one line, with the exit code they carry."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SegViewerError as error:
            if ctx.params.get("debug"):
                traceback.print_exc()
            click.echo(f"seg-trainer: {error}", err=True)
            ctx.exit(error.exit_code)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="seg-trainer")
@click.option("--debug", is_flag=True, help="Show the traceback of an error too.")
def main(debug: bool) -> None:
    """Train, score and export the model that seg-viewer runs."""


def _need(*modules: str) -> None:
    """Raises: UsageError naming the extra when a package of the trainer is missing."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    for module in modules:
        if importlib.util.find_spec(module) is None:
            raise UsageError(f"{module} is not installed: pip install 'seg-viewer[trainer]'")


def write_text(path: Path, text: str) -> None:
    """Write a text file under another name, then put it in place. Raises: ExportError."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        os.replace(part, path)
    except OSError as error:
        raise ExportError(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)


def _note(text: str) -> None:
    click.echo(f"{time.strftime('%H:%M:%S')}  {text}")
    sys.stdout.flush()


_data = click.option(
    "--data",
    type=FOLDER,
    multiple=True,
    required=True,
    help="Folder that holds the data sets; may be given again, the first that has a set gives it.",
)
_run = click.option("--run", type=FOLDER, required=True, help="Run folder: checkpoint, weights, history.")


@main.command()
@click.argument("recipe")
@_data
@_run
@click.option("--steps", type=click.IntRange(1), help="Steps in all, instead of the recipe's.")
@click.option("--stop-at", type=click.IntRange(1), help="Stop after this step; the same command goes on later.")
def train(recipe: str, data: tuple[Path, ...], run: Path, steps: int | None, stop_at: int | None) -> None:
    """Train by RECIPE (a TOML file, or the name of one that ships: first). Goes on where the run folder stopped."""
    _need("tensorflow", "keras")
    from trainer.fit import train as fit
    from trainer.recipe import read_recipe

    chosen = read_recipe(recipe)
    if steps:
        chosen = chosen.replace(steps=steps)
    fit(chosen, data, run, _note, stop_at)


@main.command()
@click.argument("model", type=FILE)
@click.option("--recipe", default="first", show_default=True, help="Recipe whose held-out pictures are scored.")
@_data
@click.option("--engine", default="onnxruntime", show_default=True, help="Runtime: onnxruntime, openvino or auto.")
@click.option("--json", "json_file", type=FILE, help="Write the scores to this file too.")
def evaluate(model: Path, recipe: str, data: tuple[Path, ...], engine: str, json_file: Path | None) -> None:
    """Score MODEL (an .onnx file) on the held-out pictures of the data sets, at the resolution of their masks."""
    from seg_viewer.engines import load_engine
    from trainer.evaluate import score_all
    from trainer.metrics import table_text
    from trainer.recipe import read_recipe

    chosen = read_recipe(recipe)
    running = load_engine(model, engine)
    try:
        spec = running.spec
        size = (spec.width, spec.height)
        _note(f"{spec.name}: {running.report.line()}")
        sized = chosen.replace(augment=dataclasses.replace(chosen.augment, frame=size))
        scores = score_all(running.segment, sized, data, spec.labels)
    finally:
        running.close()
    click.echo(table_text(scores))
    if json_file:
        write_text(json_file, json.dumps({name: found.to_json() for name, found in scores.items()}, indent=2) + "\n")


@main.command()
@click.argument("recipe")
@_data
@_run
@click.option("-o", "--output", type=FILE, required=True, help="The .onnx file; its stem becomes the model's name.")
@click.option("--precision", type=click.Choice(["float32", "int8"]), default="int8", show_default=True)
@click.option("--calibration", type=click.IntRange(8), default=256, show_default=True, help="Pictures for int8 ranges.")
@click.option("--card", type=FILE, help="Write a model card (Markdown) to this file too.")
@click.option("--overwrite", is_flag=True, help="Replace an output that exists.")
def export(
    recipe: str,
    data: tuple[Path, ...],
    run: Path,
    output: Path,
    precision: str,
    calibration: int,
    card: Path | None,
    overwrite: bool,
) -> None:
    """Make the model file from a run of RECIPE, checked against Keras and scored on held-out pictures."""
    _need("tensorflow", "keras", "tf2onnx", "onnxruntime")
    for target in filter(None, (output, card)):
        if target.exists() and not overwrite:
            raise UsageError(f"{target}: exists already; choose another name or give --overwrite")
    from trainer.card import card_text
    from trainer.metrics import table_text
    from trainer.recipe import read_recipe
    from trainer.ship import export_run

    chosen = read_recipe(recipe)
    report = export_run(chosen, data, run, output, precision, _note, calibration)
    click.echo("float32\n" + table_text(report.float_scores))
    if precision != "float32":
        click.echo(f"{precision}\n" + table_text(report.scores))
    if card:
        write_text(card, card_text(report, chosen, recipe))
    _note(f"{output}: {output.stat().st_size / 1e6:.2f} MB")


main.add_command(build_engine)

if __name__ == "__main__":
    main()
