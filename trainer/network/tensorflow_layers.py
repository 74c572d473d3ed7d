"""TensorFlow's own kernels in place of Keras' neutral ones: a training step takes two thirds of the time.

Keras spells batch norm out in a dozen element-wise operations, and runs a dilated convolution as many small ones.
TensorFlow has one kernel for each, and makes one of a loss. It has no gradient of a dilated convolution on processors
without oneDNN, which it leaves out where int8 and bfloat16 are slow: there Keras' way stays. Variables, their order and
the results stay the same, so weights move freely between both kinds of model; this kind is for stepping only and never
saved.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any


def one_kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of tensors compiled by XLA where TensorFlow runs on processors, else the function itself.

    A loss is dozens of passes over the logits; as one kernel it takes a third of the time. (Sorting gets slower.)
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        return function
    import tensorflow as tf

    if tf.config.list_physical_devices("GPU"):
        return function
    return tf.function(function, jit_compile=True, autograph=False)


@functools.cache
def dilates() -> bool:
    """Whether TensorFlow has a gradient of a dilated convolution here: asked by taking one."""
    import tensorflow as tf

    kernel = tf.zeros((3, 3, 1, 1))
    with tf.GradientTape() as tape:
        tape.watch(kernel)
        picture = tf.zeros((1, 8, 8, 1)) + tf.reduce_sum(kernel)  # both gradients: of what goes in, and of the kernel
        out = tf.nn.conv2d(picture, kernel, 1, "SAME", dilations=2)
    try:
        tape.gradient(out, kernel)
    except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError):
        return False
    return True


def with_own_kernels(model: Any) -> Any:
    """A copy of a Keras model, with the same weights, whose batch norms and dilated convolutions are TensorFlow's."""
    import keras

    norm, convolution = _layers()

    def clone(layer: Any) -> Any:
        kind = type(layer)
        if kind is keras.layers.BatchNormalization:
            kind = norm
        elif kind is keras.layers.Conv2D and max(layer.dilation_rate) > 1 and dilates():
            kind = convolution
        return kind.from_config(layer.get_config())

    made = keras.models.clone_model(model, clone_function=clone)
    made.set_weights(model.get_weights())
    return made


def for_converter(model: Any) -> Any:
    """A Keras model whose grouped convolutions a converter sees into, with the same weights; itself where it has none.

    Keras compiles such a convolution by XLA, because TensorFlow on processors has no gradient for it; in a traced graph
    that is a call of something unknown.
    """
    import keras
    import tensorflow as tf

    class GroupedConv2D(keras.layers.Conv2D):  # type: ignore[misc]
        """One plain operation, for tracing only."""

        def call(self, inputs: Any) -> Any:
            out = tf.nn.conv2d(
                inputs,
                tf.convert_to_tensor(self.kernel),
                self.strides,
                self.padding.upper(),
                dilations=self.dilation_rate,
            )
            if self.use_bias:
                out = tf.nn.bias_add(out, tf.convert_to_tensor(self.bias))
            return out if self.activation is None else self.activation(out)

    def grouped(layer: Any) -> bool:
        return type(layer) is keras.layers.Conv2D and layer.groups > 1

    if not any(grouped(layer) for layer in model.layers):
        return model

    def clone(layer: Any) -> Any:
        kind = GroupedConv2D if grouped(layer) else type(layer)
        return kind.from_config(layer.get_config())

    made = keras.models.clone_model(model, clone_function=clone)
    made.set_weights(model.get_weights())
    return made


@functools.cache
def _layers() -> tuple[Any, Any]:
    """The two layer classes; made at the first call, because Keras is imported late."""
    import keras
    import tensorflow as tf

    class BatchNorm(keras.layers.BatchNormalization):  # type: ignore[misc]
        """Batch norm over the channels of (N, H, W, C) in one kernel."""

        def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
            learns = bool(training and self.trainable)
            kept = {} if learns else {"mean": self.moving_mean, "variance": self.moving_variance}
            out, mean, variance = tf.compat.v1.nn.fused_batch_norm(
                inputs,
                self._float(self.gamma),
                self._float(self.beta),
                epsilon=self.epsilon,
                is_training=learns,
                **{name: self._float(value) for name, value in kept.items()},
            )
            if learns:
                count = tf.cast(tf.size(inputs) // tf.shape(inputs)[-1], tf.float32)
                # the kernel gives the unbiased variance, Keras averages the plain one
                for average, seen in ((self.moving_mean, mean), (self.moving_variance, variance * (1 - 1 / count))):
                    average.assign(average * self.momentum + seen * (1 - self.momentum))
            return out

        @staticmethod
        def _float(variable: Any) -> Any:
            return tf.cast(tf.convert_to_tensor(variable), tf.float32)

    class DilatedConv2D(keras.layers.Conv2D):  # type: ignore[misc]
        """A dilated convolution that is not turned into undilated ones of many small maps."""

        def call(self, inputs: Any) -> Any:
            kernel = tf.cast(tf.convert_to_tensor(self.kernel), inputs.dtype)
            out = tf.nn.conv2d(inputs, kernel, self.strides, self.padding.upper(), dilations=self.dilation_rate)
            if self.use_bias:
                out = tf.nn.bias_add(out, tf.cast(tf.convert_to_tensor(self.bias), inputs.dtype))
            return out if self.activation is None else self.activation(out)

    return BatchNorm, DilatedConv2D
