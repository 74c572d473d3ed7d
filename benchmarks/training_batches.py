"""Does making batches hold up training? Pictures per second with new batches, over the same with one repeated batch.

python -m benchmarks.training_batches --data FOLDER [options of 'seg-trainer train']

Both are measured in turn, several times within one run, and the medians divided: a figure for this machine alone means
little, the ratio carries over. On a processor batches are made on the cores that train.
"""

from __future__ import annotations

import itertools
import json
import statistics
import time
from pathlib import Path
from typing import Any

import click

from trainer.commands.options import data_options, make_recipe, recipe_options


@click.command()
@click.argument("recipe", required=False)
@data_options
@recipe_options
@click.option("--rounds", default=5, show_default=True, help="How often the two are measured in turn.")
@click.option("--steps", default=20, show_default=True, help="Steps of one measurement.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write the figures here too.")
def main(
    recipe: str | None,
    data: tuple[str, ...],
    root: tuple[Path, ...],
    rounds: int,
    steps: int,
    json_file: Path | None,
    **options: Any,
) -> None:
    """Ratio of training on new batches to training on one repeated batch."""
    from trainer.data.batches import batches
    from trainer.data.samples import Samples, find_all
    from trainer.network.backend import start_backend
    from trainer.network.devices import best_precision
    from trainer.network.losses import make_loss
    from trainer.network.tensorflow_layers import one_kernel
    from trainer.training.step import make_stepper

    start_backend()
    chosen = make_recipe(recipe, data, options)
    if chosen.optimizer.precision == "auto":
        chosen = chosen.change(precision=best_precision())
    samples = Samples(chosen, find_all(chosen, root))
    stepper = make_stepper(chosen, samples.details, make_loss(chosen.loss.loss, wrap=one_kernel))
    endless = itertools.chain.from_iterable(batches(samples, epoch) for epoch in itertools.count())
    kept = next(endless)

    def step(batch: Any) -> None:
        stepper.step(stepper.put(*batch), 1e-3)
        stepper.read()

    for _ in range(-(-len(samples) // chosen.run.batch_size)):  # every picture read once, the graph traced
        step(next(endless))
    fresh, repeated = [], []
    for _ in range(rounds):
        fresh.append(_rate(lambda: step(next(endless)), steps, chosen.run.batch_size))
        repeated.append(_rate(lambda: step(kept), steps, chosen.run.batch_size))
    ratio = statistics.median(fresh) / statistics.median(repeated)
    click.echo(
        f"new batches {statistics.median(fresh):.1f} pictures/s, one repeated batch {statistics.median(repeated):.1f}:"
        f" ratio {ratio:.3f} ({rounds} rounds of {steps} steps, {chosen.optimizer.precision})"
    )
    if json_file:
        json_file.write_text(json.dumps({"fresh": fresh, "repeated": repeated, "ratio": ratio}, indent=2) + "\n")


def _rate(step: Any, steps: int, batch: int) -> float:
    began = time.perf_counter()
    for _ in range(steps):
        step()
    return steps * batch / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
