"""Data echoing: a batch is used several times, each time changed anew on the device (Choi et al., 2019).

Samples cost a processor milliseconds each, and a GPU waits for them. What happens here costs it next to nothing. All
random numbers are drawn on the host, a few for each picture, from seed, epoch and step: a run repeats and resumes
whatever the backend.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.labels import IGNORE_ID
from trainer.network.compiled import compiled
from trainer.recipe import Recipe

SHIFT = 1 / 32
"""Largest shift either way, as a share of a side."""

SOFTER = 0.5
"""What these changes are of those of `trainer.data.looks`: the picture went through those already."""

OUTSIDE = -1
"""Index of a mask's row or column that lies outside of it."""


class Draws(NamedTuple):
    """What is drawn for the N pictures of a batch.

    Args:
        rows, columns: (N, h), (N, w) int32: which row and column of the picture each one is taken from.
        mask_rows, mask_columns: the same of the mask, or OUTSIDE.
        noise_rows, noise_columns: (N, h), (N, w) int32 into the noise.
        tone: (N, 3) float32: gamma, contrast, brightness.
        cast: (N, 3) float32: factor of each colour.
        sigma: (N,) float32: spread of the noise in grey levels, 0 for none.
    """

    rows: NDArray[np.int32]
    columns: NDArray[np.int32]
    mask_rows: NDArray[np.int32]
    mask_columns: NDArray[np.int32]
    noise_rows: NDArray[np.int32]
    noise_columns: NDArray[np.int32]
    tone: NDArray[np.float32]
    cast: NDArray[np.float32]
    sigma: NDArray[np.float32]


class Echo:
    """Changes batches as a recipe's augmentation lets it.

    Mirrored is the recipe's share (`flip`), tones are as strong as its `color`, noise as frequent as its `noise`;
    pictures are shifted where `zoom` moves them, too. Without augmentation nothing changes.

    Args:
        recipe: for augmentation, crop, seed and the size of masks.
    """

    def __init__(self, recipe: Recipe) -> None:
        from keras import ops

        self._recipe = recipe
        width, height = recipe.crop
        noise = np.random.default_rng(0).standard_normal((height * width, 3)).astype(np.float32)
        self._noise = ops.convert_to_tensor(noise)  # once on the device
        self._change = compiled(change)

    def __call__(self, batch: Any, epoch: int, step: int, worker: int = 0) -> Any:
        """A batch on the device, pictures (N, h, w, 3) and masks (N, h/s, w/s) uint8 → another one.

        Args:
            batch: as `Stepper.put` gave it; stays as it is.
            epoch, step, worker: the same ones draw the same.
        """
        if not self._recipe.augment.augment:
            return batch
        draws = draw(np.random.default_rng((self._recipe.run.seed, epoch, step, worker)), self._recipe, len(batch[1]))
        return self._change(*batch, draws, self._noise)


def draw(rng: np.random.Generator, recipe: Recipe, count: int) -> Draws:
    """Random changes of `count` pictures."""
    augment, stride = recipe.augment, recipe.model.logits_stride
    width, height = recipe.crop
    strength = SOFTER * augment.color
    mirrored = rng.random(count) < augment.flip
    moves = augment.zoom != (1.0, 1.0)
    rows, mask_rows = _taken(rng, height, stride, np.zeros(count, bool), moves)
    columns, mask_columns = _taken(rng, width, stride, mirrored, moves)
    tone = np.stack(
        [
            np.exp(strength * rng.uniform(-0.5, 0.5, count)),
            1.0 + strength * rng.uniform(-0.35, 0.4, count),
            strength * rng.uniform(-0.15, 0.15, count),
        ],
        axis=1,
    )
    cast = np.exp(strength * rng.uniform(-0.12, 0.12, (count, 3)))
    sigma = SOFTER * rng.uniform(2.0, 14.0, count) * (rng.random(count) < augment.noise)
    return Draws(
        rows,
        columns,
        mask_rows,
        mask_columns,
        _rolled(rng, height, count),
        _rolled(rng, width, count),
        *(part.astype(np.float32) for part in (tone, cast, sigma)),
    )


def _taken(
    rng: np.random.Generator, size: int, stride: int, mirrored: NDArray[np.bool_], moves: bool
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Which rows (or columns) of picture and mask are taken: mirrored, shifted by whole pixels of the mask.

    Beyond its edge a picture is reflected, and a mask is ignored.
    """
    small = size // stride
    largest = min(max(1, round(size * SHIFT / stride)), small - 1) if moves else 0
    shift = rng.integers(-largest, largest + 1, len(mirrored))[:, None]

    def indices(count: int, by: NDArray[np.integer]) -> NDArray[np.integer]:
        order = np.where(mirrored[:, None], np.arange(count)[::-1], np.arange(count))
        return np.asarray(order + by)

    of_mask = indices(small, shift)
    of_picture = np.abs(indices(size, shift * stride))
    of_picture = size - 1 - np.abs(size - 1 - of_picture)
    inside = (of_mask >= 0) & (of_mask < small)
    return of_picture.astype(np.int32), np.where(inside, of_mask, OUTSIDE).astype(np.int32)


def _rolled(rng: np.random.Generator, size: int, count: int) -> NDArray[np.int32]:
    return ((np.arange(size) + rng.integers(0, size, count)[:, None]) % size).astype(np.int32)


def change(pictures: Any, masks: Any, draws: Draws, noise: Any) -> tuple[Any, Any]:
    """Apply draws to a batch, in the backend's arrays.

    Args:
        pictures: (N, h, w, 3) uint8.
        masks: (N, h/s, w/s) uint8.
        draws: of N pictures.
        noise: (h · w, 3) float32 of spread 1.

    Returns:
        Both, as uint8 and of the same shapes.
    """
    from keras import ops

    count, height, width, _ = pictures.shape
    moved = _gather(ops.reshape(pictures, (-1, 3)), (count, height, width), draws.rows, draws.columns)
    y = ops.cast(moved, "float32") / 255.0

    def each(values: Any) -> Any:
        return ops.reshape(values, (count, 1, 1, -1))

    gamma, contrast, brightness = (each(draws.tone[:, index]) for index in range(3))
    y = ops.power(ops.maximum(y, 1e-6), gamma)
    y = ((y - 0.5) * contrast + 0.5 + brightness) * each(draws.cast) * 255.0
    place = ops.expand_dims(draws.noise_rows, 2) * width + ops.expand_dims(draws.noise_columns, 1)
    y = y + each(draws.sigma) * ops.take(noise, place, axis=0)
    out = ops.cast(ops.clip(ops.round(y), 0.0, 255.0), "uint8")

    _, small_h, small_w = masks.shape
    taken = _gather(
        ops.reshape(masks, (-1,)),
        (count, small_h, small_w),
        ops.maximum(draws.mask_rows, 0),
        ops.maximum(draws.mask_columns, 0),
    )
    inside = ops.logical_and(
        ops.expand_dims(ops.greater_equal(draws.mask_rows, 0), 2),
        ops.expand_dims(ops.greater_equal(draws.mask_columns, 0), 1),
    )
    return out, ops.cast(ops.where(inside, ops.cast(taken, "int32"), IGNORE_ID), "uint8")


def _gather(flat: Any, shape: tuple[int, int, int], rows: Any, columns: Any) -> Any:
    """Pixels of (N · h · w, …) at rows (N, h) and columns (N, w): (N, h, w, …)."""
    from keras import ops

    count, height, width = shape
    first = ops.reshape(ops.arange(count, dtype="int32") * (height * width), (count, 1, 1))
    places = (
        first
        + ops.expand_dims(ops.convert_to_tensor(rows), 2) * width
        + ops.expand_dims(ops.convert_to_tensor(columns), 1)
    )
    return ops.take(flat, places, axis=0)
