"""TensorFlow's kernels give what Keras' neutral ones give."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from tests.house import ROOT
from trainer.network.backend import start_backend
from trainer.network.tensorflow_layers import dilates


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
    assert dilated == (["context2_conv"] if dilates() else []) and "context2_conv" in changed


@pytest.mark.parametrize("onednn", ["0", "1"])
def test_a_dilated_convolution_is_learned_with_onednn_and_without(onednn: str) -> None:
    """TensorFlow switches it on by itself on some processors only."""
    code = (
        "import keras, numpy, tensorflow as tf\n"
        "from trainer.network.tensorflow_layers import with_own_kernels\n"
        "layers = [keras.Input((8, 8, 2)), keras.layers.Conv2D(3, 3, padding='same', dilation_rate=2)]\n"
        "model = with_own_kernels(keras.Sequential(layers))\n"
        "pictures = tf.ones((1, 8, 8, 2))\n"
        "def step():\n"
        "    with tf.GradientTape() as tape:\n"
        "        value = tf.reduce_sum(model(pictures, training=True))\n"
        "    return tape.gradient(value, model.trainable_variables)\n"
        "kernel, bias = tf.function(step)()\n"
        "print(kernel.shape, float(kernel[1, 1, 0, 0]), float(bias[0]))\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT, env=os.environ | {"TF_ENABLE_ONEDNN_OPTS": onednn, "KERAS_BACKEND": "tensorflow"},
        capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    assert told.stdout.split("\n")[0] == "(3, 3, 2, 3) 64.0 64.0"
