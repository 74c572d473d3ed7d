"""One training step under each Keras backend; under TensorFlow also over several GPUs or machines (tf.distribute)."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

import numpy as np

from seg_viewer.core.errors import UsageError
from seg_viewer.core.labels import IGNORE_ID
from trainer.labels.details import Details, fold_target
from trainer.network.build import make_model
from trainer.network.devices import cluster_size, strategy, worker_index
from trainer.network.losses import LossFunction
from trainer.network.tensorflow_layers import one_kernel
from trainer.recipe import Recipe
from trainer.training.teacher import Teacher


class Stepper(Protocol):
    """Holds model and optimizer.

    Args:
        worker, workers: of how many machines this is which.
    """

    model: Any
    optimizer: Any
    worker: int
    workers: int

    def __call__(self, pictures: Any, masks: Any) -> tuple[float, float, float]:
        """One step; returns mean loss (of the masks, not of a teacher), right pixels, counted pixels of the batch."""
        ...

    def scope(self) -> AbstractContextManager[Any]:
        """What variables must be made and set in."""
        ...


def make_stepper(recipe: Recipe, details: Details, loss: LossFunction, updates: int = 1 << 30) -> Stepper:
    """The stepper of the backend in use.

    Args:
        recipe: for network, crop, optimizer and teacher.
        details: what logits and masks mean.
        loss: (target, logits) → scalar.
        updates: steps of the whole run.

    Raises:
        UsageError: the recipe cannot be stepped here.
    """
    import keras

    check_steppable(recipe)
    kind = TensorFlowStepper if keras.backend.backend() == "tensorflow" else KerasStepper
    return kind(recipe, details, loss, updates)


def check_steppable(recipe: Recipe) -> None:
    """Look whether this backend, on these devices, can step a recipe. Raises: UsageError."""
    import keras

    if keras.backend.backend() == "tensorflow":
        devices = strategy().num_replicas_in_sync
        if recipe.run.batch_size % devices:
            raise UsageError(f"batch_size {recipe.run.batch_size} cannot be shared evenly by {devices} devices")
        return
    if cluster_size() > 1:
        raise UsageError("TF_CONFIG names several machines, but only the TensorFlow backend can use them")
    _refuse_teacher(recipe)


def _refuse_teacher(recipe: Recipe) -> None:
    if recipe.loss.teacher:
        raise UsageError("teacher: works with the TensorFlow backend only; leave it out, or unset KERAS_BACKEND")


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


def set_rate(optimizer: Any, rate: float) -> None:
    """Learning rate of the next step."""
    getattr(optimizer, "inner_optimizer", optimizer).learning_rate = rate


def count_right(target: Any, logits: Any, details: Details | None = None) -> tuple[Any, Any]:
    """Pixels that are right and pixels that count, scalars float32; of folded classes where `details` fold."""
    from keras import ops

    if details is not None and details.finer:
        target, logits = fold_target(target, details), details.fold(logits)
    target = ops.cast(target, "int32")
    kept = ops.cast(ops.not_equal(target, IGNORE_ID), "float32")
    right = ops.cast(ops.equal(ops.cast(ops.argmax(logits, axis=-1), "int32"), target), "float32")
    return ops.sum(right * kept), ops.sum(kept)


class TensorFlowStepper:
    """A tf.function over a tf.distribute strategy: none, all GPUs of this machine, or the machines of TF_CONFIG.

    Keras 3's own `fit` fails under MultiWorkerMirroredStrategy (keras-team/keras#20585); TensorFlow's strategy.run
    around Keras' layers and optimizer does not. Gradients are averaged over the workers; batch norm uses each
    worker's own pictures.
    """

    def __init__(self, recipe: Recipe, details: Details, loss: LossFunction, updates: int) -> None:
        import tensorflow as tf

        self._strategy = strategy()
        self.workers = cluster_size()
        self.worker = worker_index()
        replicas = self._strategy.num_replicas_in_sync
        self._per_replica = replicas > self.workers
        with self.scope():
            self.model = make_model(recipe, details, recipe.crop, updates)
            self.optimizer = make_optimizer(recipe)
            self.optimizer.build(self.model.trainable_variables)
            teacher = Teacher(recipe, details) if recipe.loss.teacher else None
        model, optimizer, shared = self.model, self.optimizer, self._strategy
        count = one_kernel(lambda masks, logits: count_right(masks, logits, details))

        def one(pictures: Any, masks: Any) -> tuple[Any, Any, Any]:
            frames = tf.cast(pictures, tf.float32)
            with tf.GradientTape() as tape:
                logits = model(frames, training=True)
                value = total = loss(masks, logits)
                if teacher:
                    total = value + recipe.loss.teacher_share * teacher.loss(frames, logits)
                scaled = optimizer.scale_loss(total / replicas)
            gradients = tape.gradient(scaled, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
            # without the teacher's share, which held-out pictures have none of; but a sum that is no number shows
            return (tf.where(tf.math.is_finite(total), value, total), *count(masks, logits))

        def step(pictures: Any, masks: Any) -> tuple[Any, Any, Any]:
            value, right, counted = shared.run(one, args=(pictures, masks))
            return (
                shared.reduce("MEAN", value, axis=None),
                shared.reduce("SUM", right, axis=None),
                shared.reduce("SUM", counted, axis=None),
            )

        self._step = tf.function(step, reduce_retracing=True)

    def scope(self) -> AbstractContextManager[Any]:
        """As in `Stepper`."""
        return self._strategy.scope()

    def __call__(self, pictures: Any, masks: Any) -> tuple[float, float, float]:
        """As in `Stepper`."""
        if self._per_replica:
            pictures, masks = self._deal(pictures), self._deal(masks)
        value, right, counted = self._step(pictures, masks)
        return float(value), float(right), float(counted)

    def _deal(self, batch: Any) -> Any:
        """A batch as one value for each GPU of this machine."""
        local = self._strategy.num_replicas_in_sync // self.workers
        size = len(batch) // local

        def part(context: Any) -> Any:
            index = context.replica_id_in_sync_group % local
            return batch[index * size : (index + 1) * size]

        return self._strategy.experimental_distribute_values_from_function(part)


class KerasStepper:
    """Keras' own train_on_batch, for JAX and Torch."""

    worker, workers = 0, 1

    def __init__(self, recipe: Recipe, details: Details, loss: LossFunction, updates: int) -> None:
        _refuse_teacher(recipe)
        self._counts = details.folded_ids() != IGNORE_ID
        self.model = make_model(recipe, details, recipe.crop, updates)
        self.optimizer = make_optimizer(recipe)
        metrics = [_pixel_metrics(details)]
        self.model.compile(self.optimizer, loss, metrics=metrics, jit_compile="auto", auto_scale_loss=False)
        self.optimizer.build(self.model.trainable_variables)

    def scope(self) -> AbstractContextManager[Any]:
        """As in `Stepper`."""
        return nullcontext()

    def __call__(self, pictures: Any, masks: Any) -> tuple[float, float, float]:
        """As in `Stepper`."""
        self.model.reset_metrics()
        logs = self.model.train_on_batch(np.asarray(pictures, np.float32), np.asarray(masks), return_dict=True)
        counted = float(np.sum(self._counts[np.asarray(masks)]))
        return float(logs["loss"]), float(logs["accuracy"]) * counted, counted


def _pixel_metrics(details: Details) -> Any:
    """Pixel accuracy over the pixels that are not ignored, as a Keras metric called "accuracy"."""
    import keras
    from keras import ops

    class PixelAccuracy(keras.metrics.Metric):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(name="accuracy")
            self.right = self.add_variable((), "zeros", name="right")
            self.counted = self.add_variable((), "zeros", name="counted")

        def update_state(self, target: Any, logits: Any, sample_weight: Any = None) -> None:
            right, counted = count_right(target, logits, details)
            self.right.assign_add(right)
            self.counted.assign_add(counted)

        def result(self) -> Any:
            return self.right / ops.maximum(self.counted, 1.0)

    return PixelAccuracy()
