"""The learning rate of each step, by steps or by time, and the clock that counts training alone."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator

from trainer.recipe import Recipe

WARM_SHARE = 0.1
"""A warm-up takes no more of a run by time than this."""


def schedule(update: int, recipe: Recipe, updates: int, halvings: int = 0, done: float | None = None) -> float:
    """Learning rate of a step.

    Linear warm-up, then one cosine down to 1 % (Loshchilov and Hutter, 2017), or the full rate, halved at each plateau.

    Args:
        update: step counted from the start of the run.
        recipe: for rate, warm-up and schedule.
        updates: steps of the whole run; of no meaning where `done` is given.
        halvings: plateaus so far.
        done: share of the time that is over, 0…1, in a run by time.
    """
    options = recipe.optimizer
    largest = options.resume_rate or options.learning_rate
    if done is None:
        warmup = max(1, min(options.warmup, updates // 10 + 1))
        warm, over = (update + 1) / warmup, (update - warmup) / max(1, updates - warmup)
    else:
        # as many steps as asked for, or as fit into the first tenth of the time
        warm, over = max((update + 1) / max(1, options.warmup), done / WARM_SHARE), done
    rate = largest * min(1.0, warm)
    if options.schedule == "cosine":
        return rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, max(0.0, over)))))
    return rate * 0.5**halvings


class Clock:
    """Seconds of training, those of earlier parts of the run with them; stands still while something is compiled.

    Args:
        before_s: seconds of earlier parts.
    """

    def __init__(self, before_s: float) -> None:
        self._began = time.perf_counter() - before_s

    def seconds(self) -> float:
        """So far."""
        return time.perf_counter() - self._began

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """What is done meanwhile does not count."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self._began += time.perf_counter() - began
