"""One compiled function of a function of arrays, under whichever backend is in use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of arrays, compiled once for each set of shapes by TensorFlow or JAX; under Torch without gradients.

    Under JAX variables that it uses become constants: give their values as arguments.
    """
    import keras

    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.function(function, reduce_retracing=True)  # type: ignore[no-any-return]
    if backend == "jax":
        import jax

        return jax.jit(function)  # type: ignore[no-any-return]
    if backend == "torch":
        import torch

        return torch.no_grad()(function)  # type: ignore[no-any-return]
    return function
