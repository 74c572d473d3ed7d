"""Whether making samples holds up training, and how many cores a GPU needs.

python -m benchmarks.training_feed [RECIPE] --data FOLDER [options of 'seg-trainer train']

Pictures per second with new batches, over the same with one repeated batch, for each number of processes (0: threads),
all in turns within one run: a figure for this machine alone means little, the ratio carries over. On a processor the
samples are made on the cores that train. Then milliseconds of a core that a sample costs, and the cores that keep a GPU
busy which takes --rate pictures a second: rate × milliseconds / 1000, and one that drives it.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np

from trainer.commands.options import Values, data_options, recipe_options
from trainer.data.chosen import make_recipe


@click.command()
@click.argument("recipe", required=False)
@data_options
@recipe_options
@click.option("--rounds", default=5, show_default=True, help="How often all are measured in turn.")
@click.option("--steps", default=20, show_default=True, help="Steps of one measurement.")
@click.option("--processes", type=Values(int, None, size=False), default=(0, 1, 2), help="Numbers of processes.")
@click.option("--rate", default=1500.0, show_default=True, help="Pictures a second that a GPU takes.")
@click.option("--samples", "count", default=300, show_default=True, help="Samples whose cost is measured.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write the figures here too.")
def main(
    recipe: str | None,
    data: tuple[str, ...],
    root: tuple[Path, ...],
    rounds: int,
    steps: int,
    processes: tuple[int, ...],
    rate: float,
    count: int,
    json_file: Path | None,
    **options: Any,
) -> None:
    """Ratio of training on new batches to training on one repeated batch; cores that a GPU needs."""
    from trainer.data.check import cache_folder
    from trainer.data.feed import Feed
    from trainer.data.samples import Samples, find_all
    from trainer.data.scan import scan

    chosen = make_recipe(recipe, data, options)
    found = find_all(chosen, root, click.echo)
    scans = [scan(one, cache=cache_folder()) for _, one in found]
    samples = Samples(chosen, found, scans)
    cost_ms = sample_cost_ms(samples, count)
    width, height = chosen.crop
    cores = math.ceil(rate * cost_ms / 1000) + 1
    click.echo(
        f"{cost_ms:.2f} ms of a core for a sample of {width}x{height}: {rate:g} pictures a second need {cores} cores"
    )
    figures: dict[str, Any] = {"sample_ms": cost_ms, "cores": cores}
    if rounds:
        step = made_step(chosen, samples)
        with contextlib.ExitStack() as opened:
            feeds = {one: opened.enter_context(Feed(samples, one)) for one in processes}
            figures |= measured(step, {one: endless(feed) for one, feed in feeds.items()}, rounds, steps)
        for one in processes:
            rates = figures[f"processes {one}"]
            ratio = statistics.median(rates) / statistics.median(figures["repeated"])
            click.echo(
                f"{one or 'no'} processes: {statistics.median(rates) * chosen.run.batch_size:.1f} pictures/s, ratio to"
                f" one repeated batch {ratio:.3f} ({rounds} rounds of {steps} steps)"
            )
    if json_file:
        json_file.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def sample_cost_ms(samples: Any, count: int) -> float:
    """Milliseconds of processor time of one sample whose pictures are decoded already."""
    cv2.setNumThreads(1)
    plan = samples.plan(0).reshape(-1, 2)[:count].tolist()
    for place, entry in enumerate(plan):
        samples.sample(0, place, entry)
    began = time.thread_time()
    for place, entry in enumerate(plan):
        samples.sample(0, place, entry)
    return (time.thread_time() - began) / len(plan) * 1000


def made_step(chosen: Any, samples: Any) -> Callable[[Any], None]:
    """A step of the recipe on a batch; the one before is waited for."""
    from trainer.network.backend import start_backend
    from trainer.network.devices import best_precision
    from trainer.network.losses import make_loss
    from trainer.network.tensorflow_layers import one_kernel
    from trainer.run_folder.checkpoint import Checkpoint
    from trainer.training.step import make_stepper

    start_backend()
    if chosen.optimizer.precision == "auto":
        chosen = chosen.change(precision=best_precision())
    details = samples.details
    stepper = make_stepper(chosen, details, make_loss(chosen.loss.loss, details=details, wrap=one_kernel))
    weights = stepper.model.get_weights()
    stepper.load(Checkpoint(weights, weights))

    def step(batch: Any) -> None:
        stepper.step(stepper.put(*batch), chosen.optimizer.learning_rate)
        stepper.read()

    return step


def endless(feed: Any) -> Iterator[Any]:
    """All batches of all epochs."""
    return itertools.chain.from_iterable(feed.epoch(epoch) for epoch in itertools.count())


def measured(
    step: Callable[[Any], None], fresh: dict[int, Iterator[Any]], rounds: int, steps: int
) -> dict[str, list[float]]:
    """Steps a second on new batches of each feed, and on one batch, in turns."""
    kept: Any = None
    for batches in fresh.values():
        kept = [np.array(part) for part in next(batches)]
        step(kept)
    rates: dict[str, list[float]] = {name: [] for name in (*(f"processes {one}" for one in fresh), "repeated")}
    for _ in range(rounds):
        for one, batches in fresh.items():
            rates[f"processes {one}"].append(_rate(lambda batches=batches: step(next(batches)), steps))  # type: ignore[misc]
        rates["repeated"].append(_rate(lambda: step(kept), steps))
    return rates


def _rate(step: Callable[[], None], steps: int) -> float:
    began = time.perf_counter()
    for _ in range(steps):
        step()
    return steps / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
