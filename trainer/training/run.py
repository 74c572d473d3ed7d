"""A training run from recipe to report, as `seg-trainer train` does it."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from seg_viewer.core.counted import counted
from seg_viewer.core.errors import UsageError
from seg_viewer.core.part_file import part_file, write_bytes, write_text
from seg_viewer.core.signals import stop_event
from trainer.data import check
from trainer.data.data_set import DataSet
from trainer.data.feed import Feed, usual_workers
from trainer.data.samples import Samples, find_all, placed
from trainer.data.scan import Scan
from trainer.drawing import charts
from trainer.drawing.legend import Legend
from trainer.drawing.pictures import fit, overlay, sheet, write_png
from trainer.files import locked, make_folder
from trainer.network.backend import start_backend
from trainer.network.build import float_unet, folded
from trainer.network.compile_cache import kept_compilations
from trainer.network.devices import best_precision, has_gpu, is_imitated, worker_index
from trainer.network.from_onnx import read_onnx
from trainer.network.keras_file import load_keras, save_keras
from trainer.network.own import check_network
from trainer.recipe import Recipe, Source, is_model_file, read_recipe, shipped_file
from trainer.run_folder.ancestor import write_ancestor
from trainer.run_folder.checkpoint import CHECKPOINT, RECIPE, Checkpoint, load_checkpoint, load_weights
from trainer.run_folder.classes import write_classes
from trainer.training.explained import explained
from trainer.training.loop import train
from trainer.training.objective import class_weights, loss_of
from trainer.training.progress import Reporter
from trainer.training.report import write_report
from trainer.training.resume import changes, refuse_in_vain
from trainer.training.step import check_steppable
from trainer.training.validation import Validation

SHOWN = 24
NETWORK = "network.keras"
"""A network of one's own, in the run folder."""


@dataclasses.dataclass
class Prepared:
    """A recipe with its data looked at.

    Args:
        recipe: with absolute paths, so that its file repeats the run from anywhere.
        found: its data sets.
        scans: what is known of them, in the same order.
    """

    recipe: Recipe
    found: list[tuple[Source, DataSet]]
    scans: list[Scan]

    @property
    def sets(self) -> list[DataSet]:
        """The data sets alone."""
        return [data for _, data in self.found]


def prepare(
    recipe: Recipe, roots: Sequence[Path], reporter: Reporter, console: Console, run: Path | None = None
) -> Prepared:
    """Find and check the data of a recipe; what can be known without reading a picture is told first.

    Args:
        recipe: as it was asked for.
        roots: folders that hold its data sets.
        reporter: hears what is found.
        console: shows how far the scan is.
        run: the run folder, where it is to be trained.

    Raises:
        SourceError: it is missing or damaged.
        UsageError: its parts do not fit together.
    """
    found = find_all(recipe, roots, reporter.note)
    for _, data in found:
        for line in check.describe_labels(data):
            reporter.note(f"{data.name}: {line}")
    recipe = placed(recipe, found, roots)
    if run is not None:
        refuse_in_vain(recipe, run)
    samples = Samples(recipe, found)
    class_weights(recipe, (), samples.labels)
    if run is not None and recipe.model.network:
        width, height = recipe.crop
        check_network(
            load_keras(Path(recipe.model.network))[0], recipe.model.network, samples.details.heads[0], height, width
        )
    scans = check.scan_all([data for _, data in found], console)
    for (_, data), result in zip(found, scans, strict=True):
        reporter.note(f"{data.name}: {result.train} training, {counted(len(data.held_out), 'held-out picture')}")
        for line in result.warnings():
            reporter.note(f"{data.name}: {line}")
    check.refuse_damaged(scans)
    if not any(data.held_out for _, data in found):
        reporter.note(_nothing_held_out(recipe))
    return Prepared(recipe, found, scans)


def run_training(
    recipe: Recipe,
    roots: Sequence[Path],
    run: Path,
    console: Console,
    stop_at: int | None = None,
    workers: int | None = None,
) -> Checkpoint:
    """Train, then write model.keras and the report.

    Args:
        recipe: what to do.
        roots: folders that hold its data sets.
        run: the run folder.
        console: is told what happens.
        stop_at: as in `trainer.training.loop.train`.
        workers: processes that make samples, 0 for threads; as many as suit the machine when None.

    Raises: as `prepare` and `trainer.training.loop.train`.
    """
    _check_folder(run)
    start_backend()
    check_steppable(recipe)
    recipe = _with_earlier(recipe, roots, run, console, workers)
    if recipe.optimizer.resume_rate and not (run / CHECKPOINT).exists():
        console.print(
            f"--resume-rate {recipe.optimizer.resume_rate:g} is for a run that goes on: this one begins, with"
            f" --learning-rate {recipe.optimizer.learning_rate:g}"
        )
        recipe = recipe.change(resume_rate=0.0)
    if recipe.optimizer.precision == "auto":
        recipe = recipe.change(precision="float32" if recipe.model.network else best_precision())
    chief = worker_index() == 0
    reporter = Reporter(console if chief else Console(quiet=True), run / "tensorboard" if chief else None)
    if is_imitated(recipe.optimizer.precision):
        reporter.note(
            f"this processor only imitates {recipe.optimizer.precision}, which takes several times as long as"
            " --precision float32; auto takes what there is"
        )
    prepared = prepare(_with_network(recipe, run), roots, reporter, console, run)
    make_folder(run)
    prepared.recipe = _with_network(prepared.recipe, run, write=True)
    if without := charts.missing():
        reporter.note(f"{' and '.join(without)} not installed: no drawings, and no report at the end")
    with locked(run) if chief else contextlib.nullcontext(), explained(recipe, run), kept_compilations(run):
        return _train(prepared, run, reporter, chief, stop_at, workers)


def _nothing_held_out(recipe: Recipe) -> str:
    """What a run cannot do without held-out pictures."""
    text = "nothing is held out: there are no scores, and the last weights are kept"
    waiting = ["--early-stopping"] if recipe.run.early_stopping else []
    waiting += ["--schedule plateau"] if recipe.optimizer.schedule == "plateau" else []
    return f"{text}; {' and '.join(waiting)} cannot act (--validation-split 0.1 holds some out)" if waiting else text


def _check_folder(run: Path) -> None:
    """Raises: UsageError when no run folder can be there; it is made later, when the data are known to be sound."""
    above = next(folder for folder in (run, *run.absolute().parents) if folder.exists())
    if not above.is_dir():
        raise UsageError(f"{above}: is a file; give another folder with --run")
    if not os.access(above, os.W_OK | os.X_OK):
        raise UsageError(f"{above}: no permission to write there; give another folder with --run")


def _train(
    prepared: Prepared, run: Path, reporter: Reporter, chief: bool, stop_at: int | None, workers: int | None
) -> Checkpoint:
    """The training itself, in a run folder that is ours. Raises: as `run_training`."""
    recipe = prepared.recipe
    for name, was, now in changes(recipe, run):
        reporter.note(f"changed: {name} was {was}, is now {now}")
    samples = Samples(recipe, prepared.found, prepared.scans)
    validation = Validation(recipe, prepared.sets, loss_of(recipe, prepared.scans, samples.details))
    if chief and not (run / CHECKPOINT).exists():
        _write_start(prepared, samples, run)
        write_ancestor(recipe.model.start, run)
    if chief:
        write_classes(run, samples.details)
    processes = usual_workers(has_gpu()) if workers is None else workers
    with stop_event() as stop, Feed(samples, processes, note=reporter.note) as feed:
        checkpoint = train(recipe, samples, validation, run, reporter, prepared.scans, stop_at, stop, feed)
    if not checkpoint.finished:
        reporter.note(f"stopped after {checkpoint.updates} steps; the same command with --run {run} goes on")
        return checkpoint
    if not chief:
        return checkpoint
    weights, _ = load_weights(run)
    model = float_unet(recipe.model, weights, recipe.run.size, samples.details)
    save_keras(run / "model.keras", folded(model, samples.details), samples.labels)
    if charts.missing():
        reporter.note(f"model: {run / 'model.keras'}; no report")
        return checkpoint
    page = write_report(run, recipe, checkpoint, weights, validation, run.resolve().name)
    if validation.last is not None:
        for name in ("worst", "best", "sequence"):
            _to_board(reporter, run, name, checkpoint)
    reporter.note(f"model: {run / 'model.keras'}; report: {page}")
    return checkpoint


def _with_earlier(recipe: Recipe, roots: Sequence[Path], run: Path, console: Console, workers: int | None) -> Recipe:
    """A start or teacher that is no folder is a recipe: it is trained first, in a folder beside this run's."""
    places: dict[str, str] = {}
    begun = (run / CHECKPOINT).exists() and not recipe.optimizer.blend
    for kind, name in (("teacher", recipe.loss.teacher), ("start", recipe.model.start)):
        if not name or (kind == "start" and begun):
            continue
        if Path(name).is_dir():
            if not (Path(name) / RECIPE).is_file():
                raise UsageError(
                    f"{kind}: {name} holds no {RECIPE}; give the folder of a run of seg-trainer train, or an .onnx file"
                )
            load_weights(Path(name))
            continue
        if is_model_file(Path(name)):
            path = shipped_file(name)
            read_onnx(path)  # what is wrong with it is said before the data are looked at
            places |= {kind: str(path)} if path != Path(name) else {}
            continue
        _refuse_circle(name)
        before = run.with_name(f"{run.name}-{kind}")
        checkpoint = load_checkpoint(before)
        if checkpoint is None or not checkpoint.finished:
            find_all(recipe, roots)  # what is wrong with its own data is said before anything else is trained
            console.print(f"first the recipe of its {kind}, {name}: {before}")
            if not run_training(read_recipe(name), roots, before, console, workers=workers).finished:
                raise UsageError(f"{before}: was stopped; the same command goes on")
        places[kind] = str(before.resolve())
    return recipe.change(**places)


def _with_network(recipe: Recipe, run: Path, write: bool = False) -> Recipe:
    """A network of one's own is kept in the run folder, so that the run can be repeated from it.

    Args:
        recipe: as it was asked for, or as this gave it before.
        run: the run folder.
        write: keep it there, where it is not yet; the folder exists then.

    Returns:
        The recipe with the path of the kept network.

    Raises: UsageError when there is no such file, or the run began with another one.
    """
    if not recipe.model.network:
        return recipe
    kept, given = run / NETWORK, Path(recipe.model.network)
    if not given.is_file() and given.name == NETWORK and kept.is_file():
        given = kept  # the run folder was moved
    if not given.is_file():
        raise UsageError(f"network: {given}: no such file")
    if not kept.exists():
        if not write:
            return recipe
        write_bytes(kept, given.read_bytes())
    elif given.resolve() != kept.resolve() and given.read_bytes() != kept.read_bytes():
        raise UsageError(f"network: {given} is not the one that {run} began with; give another --run folder")
    return recipe.change(network=str(kept.resolve()))


def keep_network(model: Any, classes: int, size: tuple[int, int], run: Path) -> Path:
    """Write a keras.Model where the run folder keeps it; one that a run began with stays, and must be alike.

    Args:
        model: takes pixels 0…255 and gives logits.
        classes: of the data.
        size: (width, height) of the pictures.
        run: the run folder; made when missing.

    Returns:
        Path of the file.

    Raises:
        UsageError: it cannot be trained, or the run began with another one.
        ExportError: it cannot be written.
    """
    check_network(model, getattr(model, "name", "model"), classes, size[1], size[0])
    kept = make_folder(run) / NETWORK
    if (run / CHECKPOINT).is_file() and kept.is_file():
        if [weight.shape for weight in model.weights] != [weight.shape for weight in load_keras(kept)[0].weights]:
            raise UsageError(f"{run}: began with another network; give another run folder")
        return kept
    with part_file(kept) as part:
        model.save(part)
    return kept


def _refuse_circle(name: str, above: tuple[str, ...] = ()) -> None:
    """Raises: UsageError when recipes begin with, or learn from, one another in a circle."""
    if not name or Path(name).is_dir() or is_model_file(Path(name)):
        return
    if name in above:
        raise UsageError(f"start: {name} leads back to itself; let the first recipe start from nothing")
    recipe = read_recipe(name)
    for further in (recipe.model.start, recipe.loss.teacher):
        _refuse_circle(further, (*above, name))


def _to_board(reporter: Reporter, run: Path, name: str, checkpoint: Checkpoint) -> None:
    from trainer.data.picture_files import read_picture

    reporter.pictures(f"held out/{name}", read_picture(run / "report" / f"{name}.png"), checkpoint.updates)


def _write_start(prepared: Prepared, samples: Samples, run: Path) -> None:
    """Summary and drawing of the network, what augmentation does, contact sheets and class shares."""
    from trainer.network.unet import build

    recipe = prepared.recipe
    classes, own = samples.details.heads
    model = build(recipe.model, classes, recipe.run.size[1], recipe.run.size[0], own)
    text = io.StringIO()
    model.summary(line_length=110, print_fn=lambda line, **_: text.write(f"{line}\n"))
    write_text(run / "summary.txt", text.getvalue())
    if charts.missing():
        return
    charts.architecture(model, run / "architecture.png")
    if recipe.augment.augment:
        show_augmentation(samples, run / "augmentation.png")
    folder = make_folder(run / "check")
    for data, found in zip(prepared.sets, prepared.scans, strict=True):
        check.write_pictures(data, found, folder)


def show_augmentation(samples: Samples, path: Path) -> Path:
    """Training samples as the network gets them, their masks laid over them. Raises: ExportError, SourceError."""
    plan = samples.plan(0).reshape(-1, 2)
    cells, names = [], []
    # half the sheet shows how one picture varies, half shows different pictures
    places = [(0, 0)] * (SHOWN // 2) + [(place, place) for place in range(1, 1 + SHOWN // 2)]
    for number, (which, place) in enumerate(places):
        entry = plan[which % len(plan)]
        picture, mask = samples.sample(number, place, entry)
        mask = fit(samples.details.folded_ids()[mask], (picture.shape[1], picture.shape[0]), nearest=True)
        cells.append(np.concatenate([picture, overlay(picture, mask, samples.labels, 0.55)]))
        names.append(samples.pair(entry).picture.name)
    return write_png(path, sheet(cells, names, 6, Legend(samples.labels, painted=True)))


def new_run_folder(name: str, recipe: Recipe, base: Path = Path("runs")) -> Path:
    """runs/NAME, or runs/NAME-2, …: the first that is free, or that holds an unfinished run of the same recipe."""
    for number in range(1, 10_000):
        folder = base / (name if number == 1 else f"{name}-{number}")
        if not folder.exists() or not any(folder.iterdir()):
            return folder
        with contextlib.suppress(UsageError):
            same = (folder / RECIPE).is_file() and _but_precision(read_recipe(str(folder / RECIPE))) == _but_precision(
                recipe
            )
            checkpoint = load_checkpoint(folder) if same else None
            if same and (checkpoint is None or not checkpoint.finished):
                return folder
    raise UsageError(f"{base}: too many runs called {name}; give --run FOLDER")


def _but_precision(recipe: Recipe) -> Recipe:
    """The run folder holds what "auto" came to."""
    return recipe.change(precision="auto")
