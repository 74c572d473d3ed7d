"""Memory over many frames: a clip is looped through the whole pipeline, overlay and conversion for the window included.

python -m benchmarks.memory [CLIP] [--frames 10000]
"""

from __future__ import annotations

import click
import psutil

from seg_viewer.core.overlay import Overlay
from seg_viewer.jobs.options import RunOptions
from seg_viewer.pipeline import Pipeline
from seg_viewer.sources import open_source


@click.command(help=__doc__)
@click.argument("clip", default="demo")
@click.option("--frames", default=10_000)
def main(clip: str, frames: int) -> None:
    options = RunOptions()
    spec = options.read_spec()
    overlay = Overlay(spec.labels)
    process = psutil.Process()
    with Pipeline(open_source(clip), options.segmenter(spec), loop=True) as pipeline:
        for number, shot in enumerate(pipeline, start=1):
            picture = shot.frame.picture
            overlay.paint_yuv(picture.yuv420(), shot.classes)
            picture.scaled_bgra(picture.width, picture.height)
            overlay.mask_bgra(shot.classes)
            if number in (100, 1000) or number % max(1, frames // 10) == 0:
                click.echo(f"{number:6d} frames  {process.memory_info().rss / 2**20:6.0f} MiB")
            if number >= frames:
                break


if __name__ == "__main__":
    main()
