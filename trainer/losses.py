"""Losses on logits with ignored pixels; float32 inside, whatever the policy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seg_viewer.core.labels import IGNORE_ID


def _parts(target: Any, logits: Any, classes: int) -> tuple[Any, Any, Any]:
    """Kept (N, H, W) float32 0/1, one-hot (N, H, W, C) float32 (zero where ignored), log-probabilities."""
    from keras import ops

    target = ops.cast(target, "int32")
    logits = ops.cast(logits, "float32")
    kept = ops.cast(ops.not_equal(target, IGNORE_ID), "float32")
    one_hot = ops.one_hot(ops.where(ops.equal(target, IGNORE_ID), -1, target), classes, dtype="float32")
    return kept, one_hot, ops.log_softmax(logits, axis=-1)


def cross_entropy(target: Any, logits: Any, class_weights: Sequence[float]) -> Any:
    """Weighted sparse cross-entropy over the pixels that are not ignored.

    L = Σ w[t] · −log p[t] / Σ w[t]; 0 when every pixel is ignored.

    Args:
        target: (N, H, W) integer class ids, 255 ignored.
        logits: (N, H, W, C) float.
        class_weights: C weights.

    Returns:
        Scalar float32.
    """
    from keras import ops

    _, one_hot, log_p = _parts(target, logits, len(class_weights))
    weights = one_hot * ops.convert_to_tensor(list(class_weights), "float32")
    return -ops.sum(weights * log_p) / ops.maximum(ops.sum(weights), 1e-6)


def dice_loss(target: Any, logits: Any, classes: int, smooth: float = 1.0) -> Any:
    """1 − mean soft Dice over the classes present in the batch (Milletari et al., 2016, with p instead of p²).

    Dice[c] = (2 Σ p·t + s) / (Σ p + Σ t + s), sums over all pixels of the batch that are not ignored. Classes without
    a pixel in the batch are left out, and the loss is 0 when none is present.

    Args:
        target: (N, H, W) integer class ids, 255 ignored.
        logits: (N, H, W, C) float.
        classes: C.
        smooth: s, in pixels.

    Returns:
        Scalar float32.
    """
    from keras import ops

    kept, one_hot, log_p = _parts(target, logits, classes)
    p = ops.exp(log_p) * ops.expand_dims(kept, -1)
    axes = (0, 1, 2)
    both, total, truth = ops.sum(p * one_hot, axes), ops.sum(p, axes), ops.sum(one_hot, axes)
    dice = (2.0 * both + smooth) / (total + truth + smooth)
    present = ops.cast(truth > 0, "float32")
    return ops.sum((1.0 - dice) * present) / ops.maximum(ops.sum(present), 1.0)


def make_loss(class_weights: Sequence[float], dice: float) -> Any:
    """Cross-entropy + `dice` · Dice loss, as a function (target, logits) → scalar for `keras.Model.compile`."""

    def loss(target: Any, logits: Any) -> Any:
        total = cross_entropy(target, logits, class_weights)
        if dice:
            total = total + dice * dice_loss(target, logits, len(class_weights))
        return total

    return loss
