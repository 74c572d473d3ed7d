"""The training step under TensorFlow, on one device or over several GPUs or machines (tf.distribute)."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from trainer.labels.details import Details
from trainer.network.build import make_model
from trainer.network.devices import cluster_size, worker_index
from trainer.network.losses import LossFunction
from trainer.network.tensorflow_layers import one_kernel
from trainer.recipe import Recipe
from trainer.run_folder.checkpoint import Arrays
from trainer.training.held import HeldByKeras
from trainer.training.optimizer import count_right, make_optimizer, scales_loss, set_rate
from trainer.training.teacher import Teacher


class TensorFlowStepper(HeldByKeras):
    """A tf.function over a tf.distribute strategy: none, all GPUs of this machine, or the machines of TF_CONFIG.

    Keras 3's own `fit` fails under MultiWorkerMirroredStrategy (keras-team/keras#20585); TensorFlow's strategy.run
    around Keras' layers and optimizer does not. Gradients are averaged over the workers; batch norm uses each
    worker's own pictures. On one device the moving average is kept there, and a batch that is not finite leaves
    everything as it was; several devices would have to agree on that at every step.
    """

    def __init__(self, recipe: Recipe, details: Details, loss: LossFunction, updates: int, shared: Any) -> None:
        import tensorflow as tf

        super().__init__()
        self._strategy = shared
        self.workers = cluster_size()
        self.worker = worker_index()
        replicas = shared.num_replicas_in_sync
        self.skips = replicas == 1
        self._per_replica = replicas > self.workers
        with self.scope():
            self.model = make_model(recipe, details, recipe.crop, updates)
            self.optimizer = make_optimizer(recipe)
            self.optimizer.build(self.model.trainable_variables)
            teacher = Teacher(recipe, details) if recipe.loss.teacher else None
        model, optimizer, skips = self.model, self.optimizer, self.skips
        count = one_kernel(lambda masks, logits: count_right(masks, logits, details))

        def one(pictures: Any, masks: Any) -> tuple[Any, Any, Any, Any]:
            frames = tf.cast(pictures, tf.float32)
            seen = [tf.identity(variable.value) for variable in model.non_trainable_variables] if skips else []
            with tf.GradientTape() as tape:
                logits = model(frames, training=True)
                value = total = loss(masks, logits)
                if teacher:
                    total = value + recipe.loss.teacher_share * teacher.loss(frames, logits)
                scaled = optimizer.scale_loss(total / replicas)
            gradients = tape.gradient(scaled, model.trainable_variables)
            pairs = list(zip(gradients, model.trainable_variables, strict=True))
            fine = tf.math.is_finite(total)
            if skips:
                fine = tf.reduce_all([fine, *(tf.reduce_all(tf.math.is_finite(one)) for one in gradients)])
            if skips and not scales_loss(optimizer):  # one that scales the loss looks itself, and lowers its scale
                tf.cond(fine, lambda: (optimizer.apply_gradients(pairs), True)[1], lambda: False)
            else:
                optimizer.apply_gradients(pairs)
            for variable, old in zip(model.non_trainable_variables if skips else (), seen, strict=True):
                variable.assign(tf.where(fine, variable.value, old))
            # without the teacher's share, which held-out pictures have none of; but a sum that is no number shows
            return tf.where(tf.math.is_finite(total), value, total), *count(masks, logits), tf.cast(fine, tf.float32)

        def step(pictures: Any, masks: Any) -> Any:
            value, right, counted, fine = shared.run(one, args=(pictures, masks))
            row = (
                shared.reduce("MEAN", value, axis=None),
                shared.reduce("SUM", right, axis=None),
                shared.reduce("SUM", counted, axis=None),
                tf.math.floor(shared.reduce("MEAN", fine, axis=None)),
            )
            return tf.stack([tf.cast(number, tf.float32) for number in row])

        self._step = tf.function(step, reduce_retracing=True, autograph=False)
        self._averages: list[Any] = []
        self._mix = tf.function(self._mix_in, autograph=False)

    def scope(self) -> AbstractContextManager[Any]:
        """As in `Stepper`."""
        return self._strategy.scope()

    def put(self, pictures: Any, masks: Any) -> Any:
        """As in `Stepper`."""
        import tensorflow as tf

        # a tensor may use the memory of an array
        return tuple(part if tf.is_tensor(part) else tf.constant(np.array(part)) for part in (pictures, masks))

    def step(self, batch: Any, rate: float) -> None:
        """As in `Stepper`."""
        set_rate(self.optimizer, rate)
        pictures, masks = map(self._deal, batch) if self._per_replica else batch
        self._rows.append(self._step(pictures, masks))

    def _deal(self, batch: Any) -> Any:
        """A batch as one value for each GPU of this machine."""
        local = self._strategy.num_replicas_in_sync // self.workers
        size = len(batch) // local

        def part(context: Any) -> Any:
            index = context.replica_id_in_sync_group % local
            return batch[index * size : (index + 1) * size]

        return self._strategy.experimental_distribute_values_from_function(part)

    def average_in(self, keep: float) -> None:
        """As in `Stepper`."""
        if not self.skips:
            super().average_in(keep)
            return
        import tensorflow as tf

        self._mix(tf.constant(keep, tf.float32))

    def _mix_in(self, keep: Any) -> None:
        import tensorflow as tf

        for old, new in zip(self._averages, self.model.weights, strict=True):
            value = tf.convert_to_tensor(new.value)
            share = tf.cast(keep, value.dtype)
            old.assign(share * old + (1 - share) * value)

    def average(self) -> Arrays:
        """As in `Stepper`."""
        return [np.array(value.numpy()) for value in self._averages] if self.skips else super().average()

    def set_average(self, average: Arrays) -> None:
        """As in `Stepper`."""
        if not self.skips:
            super().set_average(average)
            return
        import tensorflow as tf

        if self._averages:
            for variable, value in zip(self._averages, average, strict=True):
                variable.assign(value)
        else:
            self._averages = [tf.Variable(value, trainable=False) for value in average]
