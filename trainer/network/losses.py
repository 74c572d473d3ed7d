"""Losses on logits with ignored pixels; float32 inside, whatever the policy; neutral to the Keras backend.

Shapes everywhere: target (N, H, W) integer class ids with 255 = ignored, logits (N, H, W, C) float; each loss is a
scalar float32, 0 when every pixel is ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from seg_viewer.core.labels import IGNORE_ID
from trainer.labels.details import Details, fold_target
from trainer.limits import parse_loss

SMALL = 1e-6
OWN_SHARE = 0.5
FAR = 1e9
"""What is taken off the logits of classes that do not count, so that their share of a sum of exponentials is 0."""

LossFunction = Callable[[Any, Any], Any]
"""(target, logits) → scalar."""


def _parts(target: Any, logits: Any) -> tuple[Any, Any, Any]:
    """Kept (N, H, W) float32 0/1, one-hot (N, H, W, C) float32 (zero where ignored), logits in float32."""
    from keras import ops

    target = ops.cast(target, "int32")
    logits = ops.cast(logits, "float32")
    kept = ops.cast(ops.not_equal(target, IGNORE_ID), "float32")
    inside = ops.where(ops.equal(target, IGNORE_ID), ops.full_like(target, -1), target)
    return kept, ops.one_hot(inside, logits.shape[-1], dtype="float32"), logits


def _spread(one_hot: Any, class_weights: Sequence[float]) -> Any:
    """one_hot · weight of its class; all ones when there are no weights."""
    from keras import ops

    return one_hot * ops.convert_to_tensor(list(class_weights), "float32") if len(class_weights) else one_hot


def cross_entropy(target: Any, logits: Any, class_weights: Sequence[float] = ()) -> Any:
    """Weighted sparse cross-entropy: L = Σ w[t] · −log p[t] / Σ w[t]."""
    from keras import ops

    target = ops.cast(target, "int32")
    kept = ops.not_equal(target, IGNORE_ID)
    inside = ops.where(kept, target, ops.zeros_like(target))
    weights = ops.cast(kept, "float32")
    if len(class_weights):
        weights = weights * ops.take(ops.convert_to_tensor(list(class_weights), "float32"), inside)
    # one kernel, where log_softmax of all classes takes several passes over them
    values = ops.sparse_categorical_crossentropy(inside, ops.cast(logits, "float32"), from_logits=True)
    return ops.sum(weights * values) / ops.maximum(ops.sum(weights), SMALL)


def union_cross_entropy(target: Any, logits: Any, details: Details, class_weights: Sequence[float] = ()) -> Any:
    """L = Σ w[t] · −log Σ_{k in t} p[k] / Σ w[t]: cross-entropy that also knows unions of classes.

    The marginal likelihood of partial labels (Cour et al., 2011); for a single class it is the usual one.

    Args:
        target: (N, H, W) integer mask ids of `details`, 255 = ignored.
        logits: (N, H, W, K).
        details: what both mean.
        class_weights: of the folded classes, or none.

    Returns:
        Scalar float32.
    """
    from keras import ops

    target = ops.cast(target, "int32")
    logits = ops.cast(logits, "float32")
    table = details.members()
    rows = np.ones((256, len(details)), np.float32)  # ignored: every class is right, −log 1 = 0
    rows[: len(table)] = table
    weight_of = np.zeros(256, np.float32)
    weight_of[: len(table)] = 1.0
    if len(class_weights):
        weight_of[: len(table)] = np.append(class_weights, 1.0)[
            np.minimum(details.folded_ids()[: len(table)], len(class_weights))
        ]
    far = ops.take(ops.convert_to_tensor((rows - 1.0) * FAR), target, axis=0)
    weight = ops.take(ops.convert_to_tensor(weight_of), target, axis=0)
    log_p = ops.logsumexp(logits + far, axis=-1) - ops.logsumexp(logits, axis=-1)
    return -ops.sum(weight * log_p) / ops.maximum(ops.sum(weight), SMALL)


def binary_cross_entropy(target: Any, logits: Any, class_weights: Sequence[float] = ()) -> Any:
    """Binary cross-entropy, −t log σ(z) − (1 − t) log(1 − σ(z)), averaged over the pixels that are kept.

    With two classes z is logit 1 − logit 0: one sigmoid, as a network with a single output has. With more classes
    each channel answers "this class or not", and the classes are averaged. `class_weights` weigh a pixel by the class
    it has.
    """
    from keras import ops

    kept, one_hot, logits = _parts(target, logits)
    weight = ops.sum(_spread(one_hot, class_weights), axis=-1)
    if logits.shape[-1] == 2:
        z, t = logits[..., 1] - logits[..., 0], one_hot[..., 1]
        loss = ops.softplus(z) - t * z
    else:
        loss = ops.mean(ops.softplus(logits) - one_hot * logits, axis=-1)
    return ops.sum(loss * weight * kept) / ops.maximum(ops.sum(weight), SMALL)


def dice_loss(target: Any, logits: Any, smooth: float = 1.0) -> Any:
    """1 − mean soft Dice over the classes present in the batch (Milletari et al., 2016, with p instead of p²).

    Dice[c] = (2 Σ p·t + s) / (Σ p + Σ t + s), sums over all pixels of the batch that are not ignored. Classes without
    a pixel in the batch are left out.

    Args:
        smooth: s, in pixels.
    """
    from keras import ops

    kept, one_hot, logits = _parts(target, logits)
    p = ops.softmax(logits, axis=-1) * ops.expand_dims(kept, -1)
    axes = (0, 1, 2)
    both, total, truth = ops.sum(p * one_hot, axes), ops.sum(p, axes), ops.sum(one_hot, axes)
    dice = (2.0 * both + smooth) / (total + truth + smooth)
    present = ops.cast(truth > 0, "float32")
    return ops.sum((1.0 - dice) * present) / ops.maximum(ops.sum(present), 1.0)


def focal_loss(target: Any, logits: Any, class_weights: Sequence[float] = (), gamma: float = 2.0) -> Any:
    """L = Σ w[t] · (1 − p[t])^γ · −log p[t] / Σ w[t] (Lin et al., 2017): pixels that are right already count less."""
    from keras import ops

    _, one_hot, logits = _parts(target, logits)
    weights = _spread(one_hot, class_weights)
    log_p = ops.log_softmax(logits, axis=-1)
    # 1 − p from the other classes' side keeps its gradient finite at p = 1
    rest = ops.power(ops.clip(1.0 - ops.exp(log_p), SMALL, 1.0), gamma)
    return -ops.sum(weights * rest * log_p) / ops.maximum(ops.sum(weights), SMALL)


def lovasz_softmax(target: Any, logits: Any) -> Any:
    """Lovász-softmax (Berman et al., 2018): convex extension of 1 − IoU, averaged over the classes in the batch.

    For each class the errors |t − p| of all kept pixels are sorted downwards; their weights are the steps by which
    the Jaccard loss grows as pixel after pixel is counted wrong. Ignored pixels have error 0, which adds nothing.
    """
    from keras import ops

    kept, one_hot, logits = _parts(target, logits)
    classes = logits.shape[-1]
    p = ops.reshape(ops.softmax(logits, axis=-1) * ops.expand_dims(kept, -1), (-1, classes))
    truth = ops.reshape(one_hot, (-1, classes))
    errors = ops.transpose(ops.abs(truth - p))
    order = ops.argsort(-errors, axis=1)
    errors = ops.take_along_axis(errors, order, axis=1)
    truth = ops.take_along_axis(ops.transpose(truth), order, axis=1)
    total = ops.sum(truth, axis=1, keepdims=True)
    intersection = total - ops.cumsum(truth, axis=1)
    union = total + ops.cumsum(1.0 - truth, axis=1)
    jaccard = 1.0 - intersection / ops.maximum(union, SMALL)
    steps = ops.concatenate([jaccard[:, :1], jaccard[:, 1:] - jaccard[:, :-1]], axis=1)
    by_class = ops.sum(errors * ops.stop_gradient(steps), axis=1)
    present = ops.cast(total[:, 0] > 0, "float32")
    return ops.sum(by_class * present) / ops.maximum(ops.sum(present), 1.0)


def _sixteenth(target: Any, logits: Any, classes: int) -> tuple[Any, Any]:
    """One pixel of every 4×4, of each picture in another of the four places of a logit: sorting all takes too long.

    Args:
        target: (N, 2h, 2w).
        logits: (N, h, w, …) as `trainer.labels.subpixel` lays them.

    Returns:
        (N, h/2, w/2) and (N, h/2, w/2, classes), the pictures in another order.
    """
    from keras import ops

    corners = ((0, 0), (0, 1), (1, 0), (1, 1))[: logits.shape[0] or 4]
    targets = [target[i::4, row::4, column::4] for i, (row, column) in enumerate(corners)]
    parts = [logits[i::4, ::2, ::2, i * classes : (i + 1) * classes] for i in range(len(corners))]
    return ops.concatenate(targets, axis=0), ops.concatenate(parts, axis=0)


def make_loss(
    text: str,
    class_weights: Sequence[float] = (),
    gamma: float = 2.0,
    details: Details | None = None,
    wrap: Callable[[LossFunction], LossFunction] = lambda loss: loss,
) -> LossFunction:
    """The loss of a recipe as a function (target, logits) → scalar.

    Args:
        text: see `trainer.limits.parse_loss`.
        class_weights: C weights, or none.
        gamma: of the focal loss.
        details: what target and logits mean where that is not simply the C classes: then ce is taken over the
            network's own classes (`union_cross_entropy`), all else over the classes that they fold into. Where the
            network has logits of both, `OWN_SHARE` times ce over its own classes is added.
        wrap: what makes one kernel of a function, for all parts that do not sort; see `tensorflow_layers`.

    Raises:
        UsageError: as `parse_loss`.
    """
    parts = parse_loss(text)
    by_name: dict[str, Callable[[Any, Any], Any]] = {
        "bce": lambda t, z: binary_cross_entropy(t, z, class_weights),
        "dice": dice_loss,
        "focal": lambda t, z: focal_loss(t, z, class_weights, gamma),
    }

    def pixelwise(target: Any, logits: Any) -> Any:
        coarse, folded = (target, logits) if details is None else (fold_target(target, details), details.fold(logits))
        total = 0.0
        if details is not None and details.subpixel and details.folds:
            own = logits[..., 4 * len(details.labels) :]
            total = OWN_SHARE * union_cross_entropy(target[:, ::2, ::2], own, details, class_weights)
        for weight, name in parts:
            if name == "ce" and details is not None and not details.subpixel:
                total = total + weight * union_cross_entropy(target, logits, details, class_weights)
            elif name == "ce":
                total = total + weight * cross_entropy(coarse, folded, class_weights)
            elif name in by_name:
                total = total + weight * by_name[name](coarse, folded)
        return total

    def sorting(target: Any, logits: Any) -> Any:
        if details is None:
            return lovasz_softmax(target, logits)
        if details.subpixel:
            return lovasz_softmax(*_sixteenth(fold_target(target, details), logits, len(details.labels)))
        return lovasz_softmax(fold_target(target, details), details.fold(logits))

    at_once = wrap(pixelwise)
    sorts = sum(weight for weight, name in parts if name == "lovasz")
    sorts_only = all(name == "lovasz" for _, name in parts) and not (details and details.subpixel)

    def loss(target: Any, logits: Any) -> Any:
        total = 0.0 if sorts_only else at_once(target, logits)
        return total + sorts * sorting(target, logits) if sorts else total

    return loss
