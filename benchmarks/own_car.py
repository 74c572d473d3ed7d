"""How much of the own car a model paints as car, person or road, over whole clips: what a dashcam's owner sees first.

    python -m benchmarks.own_car FOLDER MODEL… [--sheet FILE.png] [--every N]

FOLDER holds the clips named below, MODELs are .onnx files or run folders. The own car (bonnet, dashboard, holder, what
stands still before the glass) was outlined once by hand, a little inside its edge; the camera of each clip is fixed, so
that one outline holds for all its frames. Clips that are not there are left out, with a line that says so.
"""

from __future__ import annotations

from pathlib import Path

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.errors import SegViewerError
from trainer.scoring.clips import clip_pictures
from trainer.scoring.runner import Runner, open_model

Outlines = list[list[tuple[float, float]]]

CITY: Outlines = [
    [
        (0, 70), (2, 71.5), (4.5, 74), (10.5, 75), (12, 76.3), (20, 75.5), (36, 75), (52, 75.5), (62, 76.3), (70, 78),
        (78, 80), (84, 81), (92, 81.2), (96, 80), (100, 77), (100, 100), (0, 100),
    ],
]  # fmt: skip
HIGHWAY: Outlines = [
    [
        (0, 81), (11, 89.3), (13, 88.7), (18, 86.3), (22, 84), (26, 82.8), (32, 82.2), (36, 83.2), (40, 84.7),
        (56, 84.3), (72, 84.7), (76, 83.2), (81, 82), (87, 82.7), (92, 84), (97, 86.3), (100, 86), (100, 100), (0, 100),
    ],
    [(78.8, 65), (81, 62), (85, 58.5), (93, 51.5), (100, 46.5), (100, 70), (86, 70), (81, 68.5)],
]  # fmt: skip
SUBURB: Outlines = [
    [
        (0, 94.6), (14, 95.2), (16, 95.8), (23, 95.8), (28, 95.6), (33, 94.9), (38, 94.1), (45, 93.6), (55, 93.4),
        (62, 93.6), (67, 94), (72, 94.6), (85, 94.6), (88, 93.8), (92, 92.9), (100, 92.1), (100, 100), (0, 100),
    ],
]  # fmt: skip
OUTLINES: dict[str, Outlines] = {
    "city_dashcam_480x360.mp4": CITY,
    "highway_dashcam_360p_audio.mp4": HIGHWAY,
    "suburb_720p.mp4": SUBURB,
}
"""Polygons of x, y in percent of the picture, for each clip."""

SHOWN = 3
"""Frames of each clip on the sheet."""


def own_car(outlines: Outlines, size: tuple[int, int]) -> NDArray[np.bool_]:
    """(H, W) bool: where the own car is, for a picture of (width, height)."""
    mask = np.zeros(size[::-1], np.uint8)
    for outline in outlines:
        points = np.array(outline) / 100 * size - 0.5
        cv2.fillPoly(mask, [np.round(points).astype(np.int32)], 1)
    return mask.astype(bool)


def painted(model: Runner, clip: Path, every: int = 1) -> tuple[dict[str, float], list[NDArray[np.uint8]]]:
    """Share of the own car's pixels that each painted class gets over all frames, 0…1; some frames to look at (RGB)."""
    mask = own_car(OUTLINES[clip.name], model.size)
    counts = np.zeros(256, np.int64)
    maps: list[tuple[NDArray[np.uint8], NDArray[np.uint8]]] = []
    for number, picture in enumerate(clip_pictures(str(clip))):
        if number % every:
            continue
        frame = picture.scaled_rgb(*model.size)
        class_map = model.predict(frame)
        counts += np.bincount(class_map[mask], minlength=256)
        if number % 12 == 0:
            maps.append((frame.copy(), class_map.copy()))
    assert model.labels is not None, "the shares are of named classes"
    total = max(1, int(counts.sum()))
    shares = {label.name: counts[label.id] / total for label in model.labels if label.painted}
    chosen = [maps[round(at * (len(maps) - 1))] for at in np.linspace(0.1, 0.9, SHOWN)]
    colors = np.zeros((256, 3), np.uint8)
    for label in model.labels:
        colors[label.id] = label.color
    edge = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    return shares, [_shown(frame, class_map, colors, edge) for frame, class_map in chosen]


def _shown(
    frame: NDArray[np.uint8], class_map: NDArray[np.uint8], colors: NDArray[np.uint8], edge: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    mixed = np.where((class_map > 0)[:, :, None], frame * 0.5 + colors[class_map] * 0.5, frame).astype(np.uint8)
    mixed[edge] = (255, 255, 0)
    return np.asarray(cv2.resize(mixed, (512, 288), interpolation=cv2.INTER_AREA), np.uint8)


@click.command(help=__doc__)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("models", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--sheet", type=click.Path(path_type=Path), help="Frames with what is painted and the outline, as PNG.")
@click.option(
    "--every", default=1, show_default=True, type=click.IntRange(1, 12), help="Of so many frames, look at one."
)
def main(folder: Path, models: tuple[Path, ...], sheet: Path | None, every: int) -> None:
    """Measure every model on every clip that is there."""
    clips = [folder / name for name in OUTLINES]
    for clip in clips:
        if not clip.is_file():
            click.echo(f"{clip}: not there, left out")
    rows = []
    try:
        for path in models:
            model = open_model(path)
            try:
                click.echo(f"{path}")
                for clip in filter(Path.is_file, clips):
                    shares, frames = painted(model, clip, every)
                    rows.append(np.hstack(frames))
                    told = "  ".join(f"{name} {share * 100:6.2f} %" for name, share in shares.items())
                    click.echo(f"  {clip.stem:32} {told}")
            finally:
                model.close()
    except SegViewerError as error:
        raise click.ClickException(str(error)) from error
    if sheet is not None and rows:
        cv2.imwrite(str(sheet), cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR))


if __name__ == "__main__":
    main()
