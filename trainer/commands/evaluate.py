"""The command `seg-trainer evaluate`."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seg_viewer.core.console import plain_console
from seg_viewer.core.counted import counted
from seg_viewer.core.errors import SourceError, UsageError
from seg_viewer.core.labels import DRIVING, LabelSet
from seg_viewer.core.part_file import write_text
from trainer.commands.help import Command, Example, option
from trainer.commands.options import DATA, ENGINES, FILE, data_options, foreign_options
from trainer.console import progress_bar
from trainer.data.chosen import make_recipe
from trainer.files import check_output
from trainer.recipe import Recipe, Source

if TYPE_CHECKING:
    from trainer.data.data_set import DataSet
    from trainer.scoring.evaluate import Measured, MeasuredModel
    from trainer.scoring.runner import Runner
    from trainer.scoring.worst import Apart

WORST = 20
ON_PAGE = 12
"""Pictures that a page shows."""
MODELS, SHOWN, FILES = "Models", "What is measured", "Files"


def find_for(
    recipe: Recipe, roots: Sequence[Path], labels: LabelSet | None, classes: int, given: bool
) -> list[tuple[Source, DataSet]]:
    """The recipe's data sets in the classes of a model, or in as many. Raises: UsageError when they cannot be."""
    from trainer.data.samples import find_all

    wishes = [recipe.run.labels] if given else ["native", "driving"] if labels != DRIVING else ["driving", "native"]
    seen: list[str] = []
    for wish in wishes:
        try:
            found = find_all(recipe.change(labels=wish), roots, lambda text: click.echo(text, err=True))
        except UsageError as error:
            seen.append(str(error))
            continue
        names = found[0][1].labels.names
        if names == labels.names if labels else len(names) == classes:
            if not given:
                _tell_guess(found, labels)
            return found
        seen.append(f"the data has the classes {', '.join(names)}")
    what = f"the classes {', '.join(labels.names)}" if labels else f"{classes} classes, whose names it does not say"
    raise UsageError(f"the model has {what}; {seen[0]}: give the label map that fits with --labels")


def _tell_guess(found: Sequence[tuple[Source, DataSet]], labels: LabelSet | None) -> None:
    """Show what was taken for our four classes although nobody asked for them."""
    told = [data for _, data in found if data.labels == DRIVING]
    if told and labels is None:
        names = ", ".join(DRIVING.names)
        click.echo(f"the model does not name its classes: taken for {names}, in this order (--labels)", err=True)
    for data in told:
        if data.label_map.name == "driving":  # nothing but ids says so; those of a known format have maps of their own
            meant = ", ".join(f"{value} {name}" for value, name in enumerate(DRIVING.names))
            click.echo(f"{data.name}: mask values taken for {meant}, 255 ignored (--labels native|FILE.toml)", err=True)


def _galleries(
    asked: Sequence[str], found: Sequence[tuple[Source, DataSet]], roots: Sequence[Path], overwrite: bool
) -> dict[str, Path]:
    """Set → file of every --gallery. Raises: UsageError for one that may not or cannot be drawn."""
    from trainer.data import formats
    from trainer.data.samples import kind_of

    kinds = {data.name: kind_of(source, roots) for source, data in found}
    drawn = [name for name, made in formats.FORMATS.items() if made.ours]
    ours = " or ".join(f"'{name}'" for name in drawn)
    files: dict[str, Path] = {}
    for text in asked:
        name, _, file = text.partition("=")
        if not name or not file.endswith(".png"):
            raise UsageError(f"--gallery {text}: write SET=FILE.png")
        if name not in kinds:
            raise UsageError(f"--gallery {text}: no set is called '{name}'; there are {', '.join(kinds) or 'none'}")
        if kinds[name] not in drawn:
            raise UsageError(
                f"--gallery {text}: pictures of {kinds[name]} are not ours to pass on; only sets of the format"
                f" {ours} are drawn"
            )
        if not next(data for _, data in found if data.name == name).held_out:
            raise UsageError(f"--gallery {text}: nothing of {name} is held out; give --validation-split")
        files[name] = Path(file)
    for path in files.values():
        check_output(path, overwrite=overwrite)
    return files


def column_names(models: Sequence[Path]) -> list[str]:
    """The shortest names that tell the models apart. Raises: UsageError when it is twice the same."""
    files = [path.resolve() for path in models]
    if len(set(files)) < len(files):
        raise UsageError(f"{models[-1]}: is the same model twice; give another one with --against")
    for names in ([file.stem for file in files], [file.name for file in files]):
        if len(set(names)) == len(names):
            return names
    return [f"{file.parent.name}/{file.name}" for file in files]


def open_models(
    models: Sequence[Path], engine: str, pixels: str, size: tuple[int, int] | None, stack: contextlib.ExitStack
) -> dict[str, Runner]:
    """Column's name → model, ready; closed with the stack. Raises: UsageError when their classes differ."""
    from trainer.scoring.runner import check_foreign, is_keras_file, open_model

    check_foreign(models, pixels, size)
    running: dict[str, Runner] = {}
    for name, path in zip(column_names(models), models, strict=True):
        running[name] = open_model(path, engine, *((pixels, size) if is_keras_file(path) else ()))
        stack.callback(running[name].close)
    first, *others = running.values()
    for one in others:
        if first.labels and one.labels and one.labels.names != first.labels.names:
            raise UsageError(f"{models[-1]}: has the classes {', '.join(one.labels.names)}, not those of {models[0]}")
        if one.classes != first.classes:
            raise UsageError(f"{models[-1]}: has {one.classes} classes, {models[0]} has {first.classes}")
    return running


@click.command(
    cls=Command,
    examples=[
        Example("seg-trainer evaluate runs/discs --data discs", "the table of a run, finished or not"),
        Example("seg-trainer evaluate --model unet.h5 --data carvana", "a network from elsewhere"),
        Example("seg-trainer evaluate discs.onnx --against runs/discs --data discs", "two models side by side"),
        Example("seg-trainer evaluate discs.onnx --clip drive.mp4", "flicker in a video; needs no data"),
    ],
)
@click.argument("model_argument", required=False, type=FILE, metavar="[MODEL]")
@option(MODELS, "--model", "model_option", type=FILE, help="Run folder, .keras, .h5, .onnx or .plan file.")
@option(MODELS, "--against", type=FILE, help="Another model: both scores side by side, of the same pictures.")
@foreign_options(MODELS)
@option(DATA, "--recipe", help="Recipe whose held-out pictures are scored, instead of --data.")
@data_options
@option(DATA, "--labels", help="Label map of the data.  [default: the one that fits the model]")
@option(DATA, "--seed", type=int, help="Of a random split.")
@option(SHOWN, "--heights", is_flag=True, help="Cars and people also by how high they stand in the picture.")
@option(SHOWN, "--worst", type=click.IntRange(0), help="Name the N worst pictures of each set.", metavar="N")
@option(
    SHOWN,
    "--gallery",
    multiple=True,
    metavar="SET=FILE.png",
    help="Draw the worst pictures of a set of our own (format 'folder'): picture, truth, prediction.",
)
@option(
    SHOWN,
    "--clip",
    "clips",
    multiple=True,
    metavar="VIDEO",
    help="Measure how much flickers in this clip ('demo' is the one that ships); needs no data set.",
)
@option(MODELS, "--engine", type=ENGINES, default="onnxruntime", show_default=True, help="Runtime of .onnx files.")
@option(
    FILES,
    "--report",
    type=FILE,
    metavar="FILE.html",
    help="Write a page of all of it, with the worst pictures; with --against, with those that differ most.",
)
@option(FILES, "--json", "json_file", type=FILE, help="Write all of it to this file too.")
@option(FILES, "--csv", "csv_file", type=FILE, help="Write the table to this file: a row for each set and class.")
@option(FILES, "--overwrite", is_flag=True, help="Replace files that exist.")
def evaluate(
    model_argument: Path | None,
    model_option: Path | None,
    against: Path | None,
    recipe: str | None,
    data: tuple[str, ...],
    root: tuple[Path, ...],
    heights: bool,
    worst: int | None,
    gallery: tuple[str, ...],
    clips: tuple[str, ...],
    engine: str,
    pixels: str,
    size: tuple[int, int] | None,
    report: Path | None,
    json_file: Path | None,
    csv_file: Path | None,
    overwrite: bool,
    **options: object,
) -> None:
    """Score MODEL on the held-out pictures of data sets, at the resolution of their masks: one table for each set."""
    from trainer.pages.measured import Results, Subject, differences_of, write_comparison, write_model_page
    from trainer.scoring.clips import clip_names
    from trainer.scoring.evaluate import MeasuredModel
    from trainer.scoring.tables import csv_text
    from trainer.scoring.worst import Apart, write_gallery

    path = model_option or model_argument
    if path is None:
        raise UsageError("no model: seg-trainer evaluate MODEL --data FOLDER")
    chosen = None if clips and not (data or recipe) else make_recipe(recipe, data, options)
    for file in filter(None, (json_file, csv_file, report)):
        check_output(file, overwrite=overwrite)
    if csv_file and chosen is None:
        raise UsageError("--csv holds scores of data sets: give --data too (--json holds flicker)")
    if gallery and worst == 0:
        raise UsageError("--gallery draws the worst pictures, and --worst 0 asks for none")
    named = clip_names(clips)
    paths = [path, against] if against else [path]
    with contextlib.ExitStack() as stack:
        running = open_models(paths, engine, pixels, size, stack)
        known = next((one.labels for one in running.values() if one.labels), None)
        given = bool(options.get("labels")) or recipe is not None
        classes = next(iter(running.values())).classes
        found = find_for(chosen, root, known, classes, given) if chosen else []
        files = _galleries(gallery, found, root, overwrite)
        labels = known or (found[0][1].labels if found else None)
        for name, one in running.items():
            click.echo(f"{name if against else one.name}: {one.runs_as}")
        models = {name: MeasuredModel(one.predict, one.size, labels) for name, one in running.items()}
        kept = worst if worst is not None else WORST if files else ON_PAGE if report else 0
        apart = Apart(ON_PAGE) if report and against else None
        measured = measure_sets(models, [one for _, one in found], kept, heights, apart)
        if found and not measured:
            raise SourceError("nothing was scored: no held-out picture in any data set")
        flicker = measure_clips(models, named)
    sets = {one.name: one for _, one in found}
    for name, file in files.items():
        rated = measured[name][0].worst
        if not rated:
            raise SourceError(f"--gallery {name}: no picture to draw; nothing is labelled in the held-out ones")
        click.echo(f"{write_gallery(file, sets[name], rated)}: {counted(len(rated), 'picture')}")
    if csv_file:
        rows = {(str(one), name): measured[name][place].scores for place, one in enumerate(paths) for name in measured}
        write_text(csv_file, csv_text(rows), overwrite=overwrite)
    if report:
        subjects = [
            Subject(name, place, one.runs_as) for place, (name, one) in zip(paths, running.items(), strict=True)
        ]
        results = Results(found, measured, flicker, labels)
        if apart is not None:
            write_comparison(report, subjects, results, apart.found, differences_of(paths), (), root, overwrite)
        else:
            write_model_page(report, subjects[0], results, root, overwrite)
        click.echo(f"report: {report}")
    if json_file:
        as_json = [
            {"model": str(one_path), "engine": one.runs_as} | _as_json(place, measured, flicker, heights, kept)
            for place, (one_path, one) in enumerate(zip(paths, running.values(), strict=True))
        ]
        first = as_json[0] | ({"against": as_json[1]} if against else {})
        write_text(json_file, json.dumps(first, indent=2) + "\n", overwrite=overwrite)


def measure_sets(
    models: Mapping[str, MeasuredModel],
    sets: Sequence[DataSet],
    worst: int,
    heights: bool,
    apart: Apart | None = None,
) -> dict[str, list[Measured]]:
    """Set → what each model did, shown set by set. Raises: SourceError."""
    from trainer.scoring.evaluate import measure

    console = plain_console(stderr=True)
    measured = {}
    for data in sets:
        if not data.held_out:
            own = any(pair.pseudo for pair in data.train) and all(pair.pseudo for pair in data.train)
            why = "nobody has corrected its masks ('seg-trainer check')" if own else "give --validation-split"
            click.echo(f"{data.name}: nothing held out; {why}", err=True)
            continue
        with progress_bar(console) as bar:  # it is gone before the table comes, which would be written into its line
            task = bar.add_task(data.name)
            advance: Callable[[int, int], None] = lambda d, n, b=bar, t=task: b.update(t, completed=d, total=n)  # type: ignore[misc] # noqa: E731
            measured[data.name] = measure(list(models.values()), data, worst, advance, apart)
        click.echo(_table(data.name, dict(zip(models, measured[data.name], strict=True)), heights))
    return measured


def _table(name: str, measured: Mapping[str, Measured], heights: bool) -> str:
    """All about one set, as text."""
    from trainer.scoring.heights import heights_text
    from trainer.scoring.tables import full_table, side_by_side
    from trainer.scoring.worst import worst_text

    first, *others = measured.values()
    if others:
        lines = [side_by_side(name, {column: one.scores for column, one in measured.items()})]
    else:
        lines = [full_table(name, first.scores)]
    if heights:
        lines += heights_text({column: one.heights for column, one in measured.items()})
    for column, one in measured.items():
        lines += worst_text(one.worst, column if others else "")
    return "\n".join(lines)


def measure_clips(models: Mapping[str, MeasuredModel], clips: Mapping[str, str]) -> dict[str, list[dict[str, Any]]]:
    """Clip → flicker of each model, shown clip by clip. Raises: SourceError."""
    from trainer.scoring.clips import clip_pictures
    from trainer.scoring.flicker import flicker_text, measure_flicker

    flicker = {}
    for name, clip in clips.items():
        flicker[name] = measure_flicker(list(models.values()), clip_pictures(clip))
        click.echo("\n".join(flicker_text(name, dict(zip(models, flicker[name], strict=True)))))
    return flicker


def _as_json(
    place: int,
    measured: Mapping[str, Sequence[Measured]],
    flicker: Mapping[str, Sequence[dict[str, Any]]],
    heights: bool,
    worst: int,
) -> dict[str, Any]:
    """The model at a place in the lists, as JSON."""
    sets = {}
    for label, found in measured.items():
        one = found[place]
        sets[label] = one.scores.to_full_json()
        sets[label] |= {"heights": one.heights} if heights else {}
        sets[label] |= {"worst": [rated.to_json() for rated in one.worst]} if worst else {}
    return sets | ({"calm": {clip: found[place] for clip, found in flicker.items()}} if flicker else {})
