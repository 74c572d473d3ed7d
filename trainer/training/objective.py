"""What a recipe minimises: its loss, and the weights of its classes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from seg_viewer.core.counted import counted
from seg_viewer.core.errors import UsageError
from seg_viewer.core.labels import LabelSet
from trainer.data.scan import Scan
from trainer.labels.details import Details
from trainer.network.losses import LossFunction, make_loss
from trainer.recipe import Recipe


def class_weights(recipe: Recipe, scans: Sequence[Scan], labels: LabelSet) -> tuple[float, ...]:
    """Given weights, or (1 / share) ** balance scaled to a mean of 1 over the pixels; none when neither is asked for.

    Raises:
        UsageError: not one weight for each class.
    """
    given = recipe.loss.class_weights
    if given:
        if len(given) != len(labels):
            names = ", ".join(labels.names)
            weights = counted(len(given), "class weight")
            raise UsageError(f"{weights} for {len(labels)} classes: {names} (in this order)")
        return given
    if not recipe.loss.balance or not scans:
        return ()
    counts = np.sum([scan.counts[: scan.train, :-1].sum(0) for scan in scans], axis=0)
    shares = counts / max(1, counts.sum())
    raw = np.where(shares > 0, np.maximum(shares, 1e-6) ** -recipe.loss.balance, 0.0)
    return tuple(float(value) for value in raw / max(1e-9, float((raw * shares).sum())))


def loss_of(
    recipe: Recipe,
    scans: Sequence[Scan],
    details: Details,
    wrap: Callable[[LossFunction], LossFunction] = lambda loss: loss,
) -> LossFunction:
    """The loss that a recipe minimises, (target, logits) → scalar; a teacher's share is not in it.

    Args:
        recipe: names it.
        scans: class shares, for weights from frequencies.
        details: what target and logits mean.
        wrap: as in `make_loss`.
    """
    weights = class_weights(recipe, scans, details.labels)
    return make_loss(recipe.loss.loss, weights, recipe.loss.focal_gamma, details if details.finer else None, wrap)
