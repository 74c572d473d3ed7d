"""The command `seg-trainer export`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from seg_viewer.core.counted import counted
from seg_viewer.core.errors import UsageError
from trainer.commands.help import Command, Example, option
from trainer.commands.needs import need
from trainer.commands.options import FILE, FOLDER, Values
from trainer.recipe import SIZE

if TYPE_CHECKING:
    from trainer.export.release import Report


MODEL, CARD, FILES = "Model", "Measures and card", "Files"


@click.command(
    cls=Command,
    examples=[
        Example("seg-trainer export runs/discs -o discs.onnx", "int8, for processors; with a card beside it"),
        Example("seg-trainer export runs/discs -o discs.onnx --precision float16 --overwrite", "for graphics cards"),
    ],
)
@click.argument("run", type=FOLDER)
@option(FILES, "-o", "--output", type=FILE, required=True, help="The .onnx file; its stem becomes the model's name.")
@option(
    MODEL,
    "--precision",
    type=click.Choice(["float32", "float16", "int8"]),
    default="int8",
    show_default=True,
    help="Of the weights and of what is computed with them.",
)
@option(MODEL, "--size", type=Values(int, 2, size=True), metavar=SIZE, help="Input of the model.  [default: the run's]")
@option(MODEL, "--labels", metavar="NAME", help="Give these classes instead: the run's own --details, such as streets.")
@option(FILES, "--root", type=FOLDER, multiple=True, help="Folder where the run's data sets lie now, if they moved.")
@option(
    MODEL, "--calibration", type=click.IntRange(8), default=256, show_default=True, help="Pictures for int8 ranges."
)
@option(
    CARD,
    "--clip",
    "clips",
    multiple=True,
    metavar="VIDEO",
    help="Measure how much flickers in this clip, for the card and the file ('demo' is the one that ships).",
)
@option(CARD, "--speed", is_flag=True, help="Measure inference beside the float32 graph in ONNX Runtime, for the card.")
@option(
    MODEL,
    "--margin/--no-margin",
    default=True,
    show_default=True,
    help="Also say how sure the model is of each pixel; about 2 % of the inference.",
)
@option(CARD, "--card", type=FILE, help="Model card (Markdown).  [default: STEM.MODEL_CARD.md beside OUTPUT]")
@option(CARD, "--known", type=FILE, help="Markdown with known failure cases, for the card.")
@option(MODEL, "--allow-worse", is_flag=True, help="Write the file although it fails the gate; it says by how much.")
@option(FILES, "--overwrite", is_flag=True, help="Replace an output that exists.")
def export(
    run: Path,
    output: Path,
    precision: str,
    size: tuple[int, int] | None,
    labels: str | None,
    root: tuple[Path, ...],
    calibration: int,
    clips: tuple[str, ...],
    speed: bool,
    margin: bool,
    card: Path | None,
    known: Path | None,
    allow_worse: bool,
    overwrite: bool,
) -> None:
    """Make the model file from the run folder RUN: one .onnx that seg-viewer plays, and its card.

    The graph must give the classes that Keras gives (float32 99.99 %, float16 99.9 %, int8 99 % of the pixels of real
    pictures, in ONNX Runtime and in OpenVINO) and lose no more than 0.5 mIoU, or nothing is written.
    """
    from seg_viewer.core.part_file import write_text
    from trainer.data.samples import find_all
    from trainer.export.card import card_path, card_text, read_known
    from trainer.export.release import export_run
    from trainer.recipe import read_recipe
    from trainer.run_folder.checkpoint import RECIPE
    from trainer.scoring.clips import clip_names

    need("tensorflow", "keras", "tf2onnx", "onnxruntime")
    if output.suffix != ".onnx":
        raise UsageError(f"{output}: the name must end with .onnx")
    card = card or card_path(output)
    for target in (output, card):
        if target.exists() and not overwrite:
            raise UsageError(f"{target}: exists already; choose another name or give --overwrite")
    if known and known.exists() and card.exists() and known.samefile(card):
        raise UsageError(f"{known}: is the card itself; keep known failures in a file of their own")
    if not (run / RECIPE).is_file():
        raise UsageError(f"{run}: is no run folder (it holds no {RECIPE}); train first: seg-trainer train")
    known_text = read_known(known) if known else ""
    named = clip_names(clips)
    recipe = read_recipe(str(run / RECIPE))
    if labels:
        if labels not in (recipe.run.labels, recipe.run.details):
            learned = " or ".join(filter(None, (recipe.run.labels, recipe.run.details)))
            raise UsageError(f"--labels {labels}: this run learned {learned}")
        recipe = recipe.change(labels=labels, rare=())
    found = find_all(recipe, root, click.echo)
    report = export_run(
        recipe, found, run, output, precision, click.echo, calibration, size, allow_worse, named, speed, margin
    )
    _tell(report)
    write_text(card, card_text(report, recipe, [data for _, data in found], run, known_text))
    click.echo(f"{output}: {output.stat().st_size / 1e6:.2f} MB; {card}")


def _tell(report: Report) -> None:
    """What an export found out, as text."""
    from trainer.scoring.flicker import flicker_text
    from trainer.scoring.tables import table_text

    precision = report.spec.precision
    click.echo(f"float32\n{table_text(report.float_scores)}")
    if precision != "float32":
        click.echo(f"{precision} ({report.runs_as})\n{table_text(report.scores)}")
    for engine, share in report.parity.items():
        click.echo(f"same class as Keras, {engine}: {share:.4%} of the pixels of {counted(report.pictures, 'picture')}")
    for name, flicker in report.flicker.items():
        rows = {f"{precision}, as seen": flicker, "float32": report.float_flicker[name]}
        click.echo("\n".join(flicker_text(name, rows)))
    if report.speed:
        click.echo(f"bare inference: {report.speed.line()}")
