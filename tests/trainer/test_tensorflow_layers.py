"""TensorFlow's kernels give what Keras' neutral ones give."""

from __future__ import annotations

import sys

import numpy as np
import pytest

# In each worker this file imports it first: as on machines without what it and Keras import only because it is
# installed here, for a third of their time. `make collected` has it compiled.
with pytest.MonkeyPatch.context() as patch:
    for name in {"jax", "sklearn"} - set(sys.modules):
        patch.setitem(sys.modules, name, None)
    pytest.importorskip("tensorflow")

from trainer.network.backend import start_backend


@pytest.fixture
def pair():
    start_backend()
    import keras

    from trainer.architecture import Model
    from trainer.network.tensorflow_layers import with_own_kernels
    from trainer.network.unet import build

    keras.utils.set_random_seed(3)
    made = build(Model(arch="unet-fast", widths=(8, 12, 16), context=(2,)), 4, 32, 48)
    rng = np.random.default_rng(4)
    made.set_weights([value + np.abs(rng.normal(0, 0.1, value.shape)) for value in made.get_weights()])
    return made, with_own_kernels(made)


@pytest.mark.parametrize("training", [False, True])
def test_answers_gradients_and_running_averages_agree(pair, training):
    import tensorflow as tf

    rng = np.random.default_rng(5)
    pictures = tf.constant(rng.integers(0, 256, (2, 32, 48, 3)), tf.float32)
    pull = tf.constant(rng.normal(size=(2, 16, 24, 4)), tf.float32)
    found = []
    for model in pair:
        with tf.GradientTape() as tape:
            logits = model(pictures, training=training)
            value = tf.reduce_sum(logits * pull)
        gradients = tape.gradient(value, model.trainable_variables)
        found.append((logits, gradients, model.get_weights()))
    (logits, gradients, weights), (own_logits, own_gradients, own_weights) = found
    np.testing.assert_allclose(own_logits, logits, rtol=1e-3, atol=1e-3 * float(np.abs(logits).max()))
    for ours, theirs in zip(own_gradients, gradients, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-3 * float(np.abs(theirs).max()) + 1e-4)
    for ours, theirs in zip(own_weights, weights, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_all_batch_norms_and_dilated_convolutions_are_replaced_and_names_stay(pair):
    import keras

    plain, own = pair
    assert [layer.name for layer in own.layers] == [layer.name for layer in plain.layers]
    assert not any(type(layer) is keras.layers.BatchNormalization for layer in own.layers)
    changed = [layer.name for layer in own.layers if isinstance(layer, keras.layers.Conv2D)]
    dilated = [layer.name for layer in own.layers if type(layer).__name__ == "DilatedConv2D"]
    assert dilated == ["context2_conv"] and dilated[0] in changed
