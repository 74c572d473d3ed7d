"""Two models on the same frames against each alone, in one process, in turns: frames per second in the pipeline.

    python -m benchmarks.pair_rate [CLIP] [--first driving-fast] [--second driving-fine] [--frames 60] [--rounds 5]

`share`: what of the rate is reached that would be if both only took turns on the processor, 1 / (1/first + 1/second).
Below 1, running beside each other costs something; above, one fills what the other leaves free. CPU-seconds of a frame
(all threads) are told too: other programs on the machine disturb them less.
"""

from __future__ import annotations

import statistics
import time
from contextlib import closing

import click

from seg_viewer.core.assets import FAST_MODEL, FINE_MODEL
from seg_viewer.jobs.options import RunOptions
from seg_viewer.pipeline import PairSegmenter, Pipeline, Segmenter
from seg_viewer.sources import DEMO, open_source

_WARM_UP = 8


def _segmenter(models: tuple[str, ...]) -> Segmenter:
    made = [(options := RunOptions(model)).segmenter(options.read_spec()) for model in models]
    return made[0] if len(made) == 1 else PairSegmenter(made[0], made[1], (models[0], models[1]))


def _measure(clip: str, models: tuple[str, ...], frames: int) -> tuple[float, float]:
    """Frames per second, and CPU-seconds of a frame."""
    with closing(Pipeline(open_source(clip), _segmenter(models), loop=True)) as pipeline:
        for _ in range(_WARM_UP):
            next(pipeline)
        start_s, cpu_s = time.perf_counter(), time.process_time()
        for _ in range(frames):
            next(pipeline)
        spent_s, cpu_s = time.perf_counter() - start_s, time.process_time() - cpu_s
    return frames / spent_s, cpu_s / frames


@click.command()
@click.argument("clip", default=DEMO)
@click.option("--first", default=FAST_MODEL, show_default=True)
@click.option("--second", default=FINE_MODEL, show_default=True)
@click.option("--frames", default=60, show_default=True)
@click.option("--rounds", default=5, show_default=True)
def main(clip: str, first: str, second: str, frames: int, rounds: int) -> None:
    """Measure."""
    contestants = {first: (first,), second: (second,), "both": (first, second)}
    rates: dict[str, list[float]] = {name: [] for name in contestants}
    cpu_ms: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, models in contestants.items():
            rate, cpu_s = _measure(clip, models, frames)
            rates[name].append(rate)
            cpu_ms[name].append(1000 * cpu_s)
    for name in contestants:
        rate, cpu = statistics.median(rates[name]), statistics.median(cpu_ms[name])
        click.echo(f"{name:14} {rate:6.1f} fps, {cpu:6.1f} ms of CPU a frame")
    shares = [
        both * (1 / one + 1 / other)
        for one, other, both in zip(rates[first], rates[second], rates["both"], strict=True)
    ]
    click.echo(
        f"share {statistics.median(shares):.2f} (median of {rounds} rounds; {min(shares):.2f} to {max(shares):.2f})"
    )


if __name__ == "__main__":
    main()
