"""The command `seg-trainer predict`."""

from __future__ import annotations

from pathlib import Path

import click
import cv2
import numpy as np

from seg_viewer.core.console import plain_console
from seg_viewer.core.counted import counted
from seg_viewer.core.errors import SourceError, UsageError
from seg_viewer.core.part_file import check_target
from trainer.commands.help import Command, Example
from trainer.commands.options import ENGINES, FILE, FOLDER, foreign_options
from trainer.console import progress_bar


@click.command(
    cls=Command,
    examples=[
        Example("seg-trainer predict runs/discs photos -o out", "every picture in the folder photos"),
        Example("seg-trainer predict model.onnx a.jpg b.png -o out --engine openvino", "two pictures, in OpenVINO"),
    ],
)
@click.argument("model", type=FILE)
@click.argument("inputs", nargs=-1, required=True, type=FILE)
@click.option("-o", "--output", type=FOLDER, required=True, help="Folder; gets masks/, overlays/ and side_by_side/.")
@click.option("--engine", type=ENGINES, default="onnxruntime", show_default=True, help="Runtime of an .onnx file.")
@foreign_options("Models from elsewhere")
@click.option("--opacity", type=click.FloatRange(0, 1), default=0.5, show_default=True, help="Of the overlay.")
@click.option(
    "--grid",
    type=FILE,
    metavar="FILE.png",
    help="Also draw pictures, predictions and overlays in one grid with a legend: up to 50 that follow each other, from"
    " a random one on.",
)
@click.option("--seed", type=int, help="Of the random start of --grid.")
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
def predict(
    model: Path,
    inputs: tuple[Path, ...],
    output: Path,
    engine: str,
    pixels: str,
    size: tuple[int, int] | None,
    opacity: float,
    grid: Path | None,
    seed: int | None,
    overwrite: bool,
) -> None:
    """Write class maps (PNG, class ids), overlays and side-by-sides of pictures, or of folders of them, by MODEL.

    MODEL is a run folder (finished or not), a .keras, .h5, .onnx or .plan file. A picture that cannot be read is named
    and left out; the exit code is 1 then.
    """
    from trainer.data.formats.base import pictures_in
    from trainer.data.picture_files import depth_note, picture_bits, read_picture
    from trainer.drawing.legend import Legend
    from trainer.drawing.pictures import beside, colored, overlay, write_png
    from trainer.files import make_folder
    from trainer.labels.label_map import plain_map
    from trainer.scoring.evaluate import to_frame
    from trainer.scoring.grids import predicted_grid, predicted_row, random_run
    from trainer.scoring.runner import check_foreign, open_model

    files = [file for item in inputs for file in (pictures_in(item) if item.is_dir() else [item])]
    gone = next((file for file in files if not file.is_file()), None)
    if gone:
        raise UsageError(f"{gone}: no such picture or folder")
    stems = [file.stem for file in files]
    twice = next((stem for stem in stems if stems.count(stem) > 1), None)
    if twice:
        raise UsageError(f"two inputs are called '{twice}': their outputs would overwrite each other")
    parts = {part: output / part for part in ("masks", "overlays", "side_by_side")}
    there = next((t for s in stems for f in parts.values() if (t := f / f"{s}.png").exists()), None)
    if there and not overwrite:
        raise UsageError(f"{there}: exists already; choose another folder or give --overwrite")
    if any(file.resolve().parent in {folder.resolve() for folder in parts.values()} for file in files):
        raise UsageError(f"{output}: an input lies where its output would go; choose another folder")
    if grid:
        if grid.suffix.lower() != ".png":
            raise UsageError(f"--grid {grid}: the name must end with .png")
        if grid.parent.exists() or grid.parent not in (output, *parts.values()):  # those are made below
            check_target(grid, overwrite=overwrite, sources=tuple(files))
    wanted = random_run(len(files), np.random.default_rng(seed)) if grid else []
    rows = {}
    check_foreign([model], pixels, size)
    running = open_model(model, engine, pixels, size)
    left_out: list[SourceError] = []
    bits = picture_bits(files)
    if note := depth_note(bits):
        click.echo(note, err=True)
    try:
        for folder in parts.values():
            make_folder(folder)
        with progress_bar(plain_console(stderr=True)) as bar:
            for number, file in enumerate(bar.track(files, description=running.name)):
                try:
                    picture = read_picture(file, bits)
                except SourceError as error:
                    left_out.append(error)
                    continue
                small = running.predict(to_frame(picture, running.size))
                class_map = cv2.resize(small, picture.shape[1::-1], interpolation=cv2.INTER_NEAREST_EXACT)
                labels = running.labels or plain_map(running.classes).labels
                shown = overlay(picture, class_map, labels, opacity)
                write_png(parts["masks"] / f"{file.stem}.png", class_map)
                write_png(parts["overlays"] / f"{file.stem}.png", shown)
                both = beside([picture, colored(class_map, labels), shown], Legend(labels))
                write_png(parts["side_by_side"] / f"{file.stem}.png", both)
                if number in wanted:
                    rows[number] = predicted_row(picture, class_map, labels)
    finally:
        running.close()
    if grid and rows:
        order = [number for number in wanted if number in rows]
        write_png(grid, predicted_grid([rows[n] for n in order], [files[n].name for n in order], labels))
        click.echo(f"{grid}: {counted(len(order), 'picture')}, from {files[order[0]].name} on")
    if len(left_out) < len(files):
        done = len(files) - len(left_out)
        click.echo(f"{counted(done, 'picture')}: {output}/masks, overlays, side_by_side ({running.runs_as})")
    for damaged in left_out[:-1] if len(left_out) == len(files) else left_out:
        click.echo(f"left out: {damaged}", err=True)
    if len(left_out) == len(files):
        raise left_out[-1]
    if left_out:
        were = "was" if len(left_out) == 1 else "were"
        pictures = counted(len(files), "picture")
        raise SourceError(f"{len(left_out)} of {pictures} could not be read and {were} left out")
