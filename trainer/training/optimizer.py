"""The optimizer of a recipe, its learning rate, and what is counted of each batch."""

from __future__ import annotations

from typing import Any

from seg_viewer.core.labels import IGNORE_ID
from trainer.labels.details import Details, fold_target
from trainer.recipe import Recipe


def make_optimizer(recipe: Recipe) -> Any:
    """The recipe's Keras optimizer; biases and batch norm do not decay."""
    import keras

    options = recipe.optimizer
    common: dict[str, Any] = {
        "learning_rate": options.learning_rate,
        "global_clipnorm": options.clip_norm or None,
        "gradient_accumulation_steps": options.accumulate if options.accumulate > 1 else None,
    }
    if options.optimizer == "adam":
        made = keras.optimizers.Adam(**common)
    elif options.optimizer == "adamw":
        made = keras.optimizers.AdamW(weight_decay=options.weight_decay, **common)
    else:
        decay = options.weight_decay or None
        made = keras.optimizers.SGD(momentum=0.9, nesterov=True, weight_decay=decay, **common)
    if options.optimizer != "adam":
        made.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    if options.precision == "mixed_float16":  # small gradients would vanish
        made = keras.optimizers.LossScaleOptimizer(made)
    return made


def scales_loss(optimizer: Any) -> bool:
    """Whether it leaves out steps itself, and lowers its scale, where gradients are not finite."""
    return hasattr(optimizer, "inner_optimizer")


def set_rate(optimizer: Any, rate: float) -> None:
    """Learning rate of the next step."""
    getattr(optimizer, "inner_optimizer", optimizer).learning_rate = rate


def rate_index(optimizer: Any) -> int:
    """Which of `optimizer.variables` holds the learning rate."""
    wanted = getattr(optimizer, "inner_optimizer", optimizer)._learning_rate  # noqa: SLF001 - Keras has no public name
    return next(index for index, variable in enumerate(optimizer.variables) if variable is wanted)


def count_right(target: Any, logits: Any, details: Details | None = None) -> tuple[Any, Any]:
    """Pixels that are right and pixels that count, scalars float32; of folded classes where `details` fold."""
    from keras import ops

    if details is not None and details.finer:
        target, logits = fold_target(target, details), details.fold(logits)
    target = ops.cast(target, "int32")
    kept = ops.cast(ops.not_equal(target, IGNORE_ID), "float32")
    right = ops.cast(ops.equal(ops.cast(ops.argmax(logits, axis=-1), "int32"), target), "float32")
    return ops.sum(right * kept), ops.sum(kept)
