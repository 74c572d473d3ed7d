"""The command `seg-trainer compare`."""

from __future__ import annotations

import contextlib
from pathlib import Path

import click

from seg_viewer.core.errors import UsageError
from trainer.commands.help import Command, Example, option
from trainer.commands.options import FILE, data_options
from trainer.data.chosen import make_recipe
from trainer.files import check_output

SHOWN_AS, FILES = "What is compared", "Files"
SHOWN = 5
"""Pictures that the terminal names."""


@click.command(
    cls=Command,
    examples=[
        Example("seg-trainer compare runs/discs runs/discs-2", "recipes, scores, pictures, in the terminal"),
        Example("seg-trainer compare runs/discs runs/discs-2 --clip demo -o both.html", "a page, with flicker too"),
    ],
)
@click.argument("runs", nargs=2, type=FILE, metavar="RUN RUN")
@data_options
@option(
    SHOWN_AS,
    "--clip",
    "clips",
    multiple=True,
    metavar="VIDEO",
    help="Compare how much flickers in this clip too ('demo' is the one that ships).",
)
@option(FILES, "-o", "--output", type=FILE, metavar="FILE.html", help="Write a page, with the pictures.")
@option(FILES, "--overwrite", is_flag=True, help="Replace the page where it exists.")
def compare(
    runs: tuple[Path, Path],
    data: tuple[str, ...],
    root: tuple[Path, ...],
    clips: tuple[str, ...],
    output: Path | None,
    overwrite: bool,
    **options: object,
) -> None:
    """Put two runs side by side: where their recipes differ, their scores, the pictures where they differ most.

    Both are scored on the held-out pictures of both, or of --data; pictures that one of them trained on are left out.
    Files are compared by: seg-trainer evaluate MODEL --against OTHER --report FILE.html
    """
    from trainer.commands import evaluate
    from trainer.data.samples import find_all
    from trainer.pages.measured import Results, Subject, write_comparison
    from trainer.scoring.clips import clip_names
    from trainer.scoring.compare import common_sets, difference_text, differences, find_of_run, recipe_of
    from trainer.scoring.evaluate import MeasuredModel
    from trainer.scoring.worst import Apart, apart_text

    recipes = [recipe_of(run) for run in runs]
    names = evaluate.column_names(runs)
    if output:
        check_output(output, overwrite=overwrite)
    if not data and any(value is not None for value in options.values()):
        raise UsageError("a split is said of --data; without it each run keeps its own")
    named = clip_names(clips)
    notes: list[str] = []

    def tell(line: str) -> None:
        notes.append(line)
        click.echo(line, err=True)

    unlike = differences(*recipes)
    click.echo("\n".join(difference_text(unlike, names)))
    own = [find_of_run(run, lambda recipe: find_all(recipe, root), tell) for run in runs]
    with contextlib.ExitStack() as stack:
        running = evaluate.open_models(runs, "onnxruntime", "auto", None, stack)
        labels = next((one.labels for one in running.values() if one.labels), None)
        classes = next(iter(running.values())).classes
        given = evaluate.find_for(make_recipe(None, data, options), root, labels, classes, False) if data else None
        common = common_sets(own, given, names, labels)
        for line in common.notes:
            tell(line)
        models = {name: MeasuredModel(one.predict, one.size, labels) for name, one in running.items()}
        apart = Apart(evaluate.ON_PAGE)
        measured = evaluate.measure_sets(models, common.sets, 0, True, apart)
        flicker = evaluate.measure_clips(models, named)
    click.echo("\n".join(apart_text(apart.found[:SHOWN], names)))
    if output:
        found = list(zip(common.sources, common.sets, strict=True))
        subjects = [Subject(name, run, running[name].runs_as) for name, run in zip(names, runs, strict=True)]
        results = Results(found, measured, flicker, labels or common.sets[0].labels)
        write_comparison(output, subjects, results, apart.found, unlike, notes, root, overwrite)
        click.echo(f"report: {output}")
