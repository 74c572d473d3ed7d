"""Logits for every picture pixel from a map of half the size: layout, losses, start, export."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from seg_viewer.core.errors import UsageError
from seg_viewer.core.labels import DRIVING, LabelSet
from tests.trainer.conftest import blocks, painted
from tests.trainer.test_details import FINE, STREETS
from trainer.architecture import Model
from trainer.labels.details import plain
from trainer.labels.subpixel import sub_pixels
from trainer.network.losses import _sixteenth, make_loss, union_cross_entropy
from trainer.network.names import LOGITS
from trainer.network.unet import build
from trainer.recipe import Recipe

pytestmark = pytest.mark.usefixtures("undrawn")

BOTH = dataclasses.replace(FINE, subpixel=True)


def test_channels_lie_as_told() -> None:
    """Channel (2 · row + column) · classes + class is that pixel of the four; what follows is left out."""
    logits = np.arange(2 * 3 * (4 * 5 + 7), dtype=np.float32).reshape(1, 2, 3, -1)
    full = np.asarray(sub_pixels(logits, 5))
    assert full.shape == (1, 4, 6, 5)
    for y, x, c in np.ndindex(4, 6, 5):
        assert full[0, y, x, c] == logits[0, y // 2, x // 2, (2 * (y % 2) + x % 2) * 5 + c]


def test_a_network_with_two_heads() -> None:
    model = Model(widths=(8, 16), subpixel=True)
    assert model.logits_stride == 1 and Model(widths=(8, 16)).logits_stride == 2
    assert BOTH.heads == (4, 11) and plain(DRIVING, subpixel=True).heads == (4, 0)
    assert build(model, 4, 64, 96, own=11).output_shape == (None, 32, 48, 4 * 4 + 11)
    assert build(model, 4, 64, 96).output_shape == (None, 32, 48, 4 * 4)
    with pytest.raises(UsageError, match="full size already"):
        Recipe(()).change(arch="unet", subpixel=True)


def test_the_loss_is_taken_of_every_pixel_and_of_the_own_classes() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(2, 4, 6, 4 * 4 + 11)).astype(np.float32)
    target = rng.integers(0, 11, (2, 8, 12))
    told = np.asarray(BOTH.fold(logits))
    ids = BOTH.folded_ids()[target]
    log_p = told - np.log(np.exp(told).sum(-1, keepdims=True))
    by_hand = -np.take_along_axis(log_p, ids[..., None].astype(int), -1).mean()
    by_hand += 0.5 * float(union_cross_entropy(target[:, ::2, ::2], logits[..., 16:], FINE))
    assert float(make_loss("ce", details=BOTH)(target, logits)) == pytest.approx(by_hand, rel=1e-5)


def test_sorting_losses_take_a_sixteenth_of_the_pixels_from_all_four_places() -> None:
    """Each pixel that is taken comes with its own logits, as all of them unfolded have it."""
    rng = np.random.default_rng(2)
    logits = rng.normal(size=(8, 4, 6, 4 * 4 + 11)).astype(np.float32)
    pixels = np.arange(8 * 8 * 12).reshape(8, 8, 12)
    kept, told = (np.asarray(part) for part in _sixteenth(pixels, logits, 4))
    assert kept.shape == (8, 2, 3) and told.shape == (8, 2, 3, 4) and len(np.unique(kept)) == kept.size
    which, y, x = np.unravel_index(kept.ravel(), pixels.shape)
    assert {(int(b) % 2, int(a) % 2) for b, a in zip(y, x, strict=True)} == {(0, 0), (0, 1), (1, 0), (1, 1)}
    np.testing.assert_array_equal(told.reshape(-1, 4), np.asarray(sub_pixels(logits, 4))[which, y, x])
    exact = np.full((4, 2, 2, 4 * 4 + 11), -30.0, np.float32)
    target = np.full((4, 4, 4), 3)  # road
    exact[..., [4 * place + 1 for place in range(4)]] = 30.0
    exact[..., 16 + 3] = 30.0
    assert float(make_loss("lovasz", details=BOTH)(target, exact)) == pytest.approx(0, abs=1e-4)


def test_one_kernel_of_the_loss_gives_the_same_gradients() -> None:
    import tensorflow as tf

    from trainer.network.tensorflow_layers import one_kernel

    rng = np.random.default_rng(3)
    logits = tf.Variable(rng.normal(size=(4, 8, 12, 4 * 4 + 11)).astype(np.float32))
    target = tf.constant(rng.integers(0, 14, (4, 16, 24)).astype(np.uint8))
    found = []
    for wrap in (lambda loss: loss, one_kernel):
        with tf.GradientTape() as tape:
            value = make_loss("ce+0.5*dice+0.5*lovasz", (1.0, 1.0, 1.2, 1.5), details=BOTH, wrap=wrap)(target, logits)
        found.append((float(value), tape.gradient(value, logits).numpy()))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-5)
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-3, atol=1e-7)


def test_a_start_without_it_begins_as_bilinear_doubling(street_recipe: Recipe, street_run: Path) -> None:
    """Its own classes stay as they were; those that consist of one own class are doubled as before."""
    from keras import ops

    from trainer.network.build import float_unet, make_model
    from trainer.run_folder.checkpoint import load_weights
    from trainer.training import start

    recipe = street_recipe.change(start=str(street_run), subpixel=True)
    model = make_model(recipe, BOTH, (96, 64))
    start.begin_with(model, recipe, BOTH)
    picture = painted(blocks(np.random.default_rng(9)))[None].astype(np.float32)
    old = np.asarray(float_unet(street_recipe.model, load_weights(street_run)[0], (96, 64), FINE)(picture))
    new = np.asarray(model(picture, training=False))
    np.testing.assert_allclose(new[..., 16:], old, atol=2e-3 * np.abs(old).max())
    road = STREETS.labels.by_name("road").id
    doubled = np.asarray(ops.image.resize(old, (64, 96), interpolation="bilinear"))[..., road]
    told = np.asarray(BOTH.fold(new))[..., DRIVING.by_name("road").id]
    inner = np.s_[:, 2:-2, 2:-2]
    np.testing.assert_allclose(told[inner], doubled[inner], atol=2e-3 * np.abs(old).max())


def test_the_int8_head_only_orders_channels() -> None:
    from trainer.export.graph import run_onnx, whole_model

    details = plain(DRIVING, subpixel=True)
    network = build(Model(widths=(8, 16), subpixel=True), 4, 64, 96)
    kernel, _ = network.get_layer(LOGITS).get_weights()
    network.get_layer(LOGITS).set_weights([kernel, np.random.default_rng(1).normal(size=16).astype(np.float32) * 0.1])
    picture = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    expected = np.argmax(details.fold(network(picture[None].astype(np.float32))), axis=-1)[0]
    for fused in (False, True):
        answer = run_onnx(whole_model(network, details, fused))(picture)
        assert (answer == expected).mean() > 0.9999
    assert len(np.unique(expected)) == 4


@pytest.fixture(scope="module")
def both_run(street_recipe: Recipe, street_run: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Recipe, Path]:
    from rich.console import Console

    from trainer.training.run import run_training

    recipe = street_recipe.change(subpixel=True, start=str(street_run), loss="ce+0.5*lovasz", epochs=2)
    run = tmp_path_factory.mktemp("runs") / "both"
    state = run_training(recipe, [], run, Console(quiet=True))
    assert state.history[-1]["val_miou"] > 0.6
    return recipe, run


@pytest.mark.parametrize(("precision", "labels"), [("float32", "driving"), ("int8", "driving"), ("float32", "streets")])
def test_the_exported_file_answers_as_keras_does(
    both_run: tuple[Recipe, Path], tmp_path: Path, precision: str, labels: str
) -> None:
    from trainer.data.samples import find_all
    from trainer.export.release import export_run

    recipe, run = both_run
    recipe = recipe.change(labels=labels, rare=()) if labels == "streets" else recipe
    report = export_run(
        recipe, find_all(recipe, []), run, tmp_path / "m.onnx", precision, lambda _: None, 8, None, True
    )
    assert report.spec.labels == (DRIVING if labels == "driving" else STREETS.labels)
    least = 0.9999 if precision == "float32" else 0.97
    assert min(report.parity["ONNX Runtime"], report.parity["OpenVINO"]) > least
    assert np.mean([scores.miou for scores in report.scores.values()]) > 0.5 or labels == "streets"


def test_the_keras_file_tells_the_classes(both_run: tuple[Recipe, Path]) -> None:
    from trainer.network.keras_file import keras_class_map, load_keras

    model, labels = load_keras(both_run[1] / "model.keras")
    mask = blocks(np.random.default_rng(9))
    assert labels == DRIVING and model.output_shape == (None, 64, 96, 4)
    assert (keras_class_map(model, painted(mask)) == mask).mean() > 0.6


def test_a_run_with_it_begins_a_wider_one_and_one_without(both_run: tuple[Recipe, Path]) -> None:
    from trainer.network.build import make_model
    from trainer.training import start

    recipe, run = both_run
    wide = recipe.change(start=str(run), widths=(12, 20))
    picture = painted(blocks(np.random.default_rng(9)))[None].astype(np.float32)
    before, after = make_model(recipe, BOTH, (96, 64)), make_model(wide, BOTH, (96, 64))
    start.begin_with(before, recipe.change(start=str(run)), BOTH)
    start.begin_with(after, wide, BOTH)
    first = np.asarray(before(picture, training=False))
    np.testing.assert_allclose(np.asarray(after(picture, training=False)), first, atol=3e-3 * np.abs(first).max())
    without = recipe.change(start=str(run), subpixel=False)
    model = make_model(without, FINE, (96, 64))
    start.begin_with(model, without, FINE)
    np.testing.assert_allclose(
        np.asarray(model(picture, training=False)), first[..., 16:], atol=1e-4 * np.abs(first).max()
    )


def test_sub_pixel_logits_of_other_classes_are_refused(both_run: tuple[Recipe, Path]) -> None:
    from trainer.training import start

    recipe, run = both_run
    network = build(Model(widths=(8, 16), context=(2,), subpixel=True), 3, 64, 96, own=11)
    three = dataclasses.replace(BOTH, labels=LabelSet(DRIVING[:3]))
    with pytest.raises(UsageError, match="of 4 classes"):
        start.begin_with(network, recipe.change(start=str(run)), three)
