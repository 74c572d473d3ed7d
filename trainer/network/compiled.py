"""One compiled function of a function of arrays, under whichever backend is in use."""

from __future__ import annotations

import importlib
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

        traced: Callable[..., Any] = tf.function(function, reduce_retracing=True, autograph=False)
        return traced
    if backend == "jax":
        import jax

        jitted: Callable[..., Any] = jax.jit(function)
        return jitted
    if backend == "torch":
        torch: Any = importlib.import_module("torch")
        plain: Callable[..., Any] = torch.no_grad()(function)
        return plain
    return function
