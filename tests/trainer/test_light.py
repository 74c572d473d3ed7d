"""Lighter networks: fewer convolutions, a narrower decoder, added skips. Built, exported, read back, begun with."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from seg_viewer.core.assets import shipped_models
from seg_viewer.core.errors import UsageError
from seg_viewer.core.labels import DRIVING
from seg_viewer.core.model_file import ModelSpec, read_model_file
from tests.processor import sums_int8_exactly
from tests.trainer.conftest import blocks, painted
from tests.trainer.test_details import FINE
from trainer.architecture import Model, described
from trainer.labels.details import plain
from trainer.network.from_onnx import read_onnx
from trainer.recipe import SHIPPED, Recipe, is_model_file, read_recipe, shipped_file

pytestmark = pytest.mark.usefixtures("undrawn")

TINY = Model(widths=(4, 6, 8), context=(2,), norm=False)
# fmt: off
LIGHT = {
    "concatenated": {
        "convolutions": (1, 2, 1), "decoder_widths": (3, 5), "decoder_convolutions": (2, 1), "subpixel": True,
    },
    "added, other widths": {"skips": "add", "decoder_widths": (4, 5), "convolutions": (1, 1, 2), "subpixel": True},
    "added, as few as can be": {
        "skips": "add", "convolutions": (1, 1, 1), "decoder_convolutions": (1, 1), "context": (),
    },
}
# fmt: on


def test_a_network_of_before_is_the_same_layer_for_layer_and_weight_for_weight() -> None:
    """As it was built before there were lighter ones: names, shapes, order, and what the seed draws."""
    from trainer.network.backend import start_backend
    from trainer.network.unet import build

    start_backend()
    import keras

    keras.utils.set_random_seed(5)
    network = build(Model(widths=(4, 6), context=(2,), subpixel=True), 3, 8, 8, own=5)
    kernels = {
        layer.name: layer.get_weights()[0] for layer in network.layers if layer.weights and "norm" not in layer.name
    }
    assert {name: kernel.shape for name, kernel in kernels.items()} == {
        "down0a_conv": (3, 3, 3, 4), "down0b_conv": (3, 3, 4, 4), "down1a_conv": (3, 3, 4, 6),
        "down1b_conv": (3, 3, 6, 6), "context2_conv": (3, 3, 6, 6), "up0_double": (2, 2, 4, 6),
        "up0a_conv": (3, 3, 8, 4), "up0b_conv": (3, 3, 4, 4), "logits": (3, 3, 4, 12), "own_logits": (1, 1, 4, 5),
    }  # fmt: skip
    if keras.backend.backend() == "tensorflow":
        sums = [float(np.abs(kernel).sum()) for kernel in kernels.values()]
        drawn = [22.9827, 28.4562, 42.4204, 52.5606, 50.2723, 28.9378, 40.9725, 27.8726, 44.8262, 8.2323]
        assert sums == pytest.approx(drawn, abs=1e-3)


def test_recipes_of_before_are_not_told_of_what_is_new(tmp_path: Path) -> None:
    before = "[model]\nwidths = [8, 16]\ncontext = [2]\nsubpixel = true\n"
    (tmp_path / "r.toml").write_text("size = [96, 64]\n" + before, encoding="utf-8")
    model = read_recipe(str(tmp_path / "r.toml")).model
    assert model == Model(widths=(8, 16), context=(2,), subpixel=True)
    assert described(model) == "unet-fast, widths 8-16"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"convolutions": (1, 1)}, "convolutions 1,1: give 3 values, one for each of the 3 stages"),
        ({"decoder_widths": (8, 8, 8)}, "decoder_widths 8,8,8: give 2 values, one for each of the 2 decoder stages"),
        ({"decoder_convolutions": (1,)}, "decoder_convolutions 1: give 2 values"),
        ({"convolutions": (1, 3, 1)}, "convolutions is 3; it must be at least 1 and at most 2"),
        ({"arch": "unet", "skips": "add"}, "skips: only --arch unet-fast can be told that; leave it out"),
        ({"arch": "unet", "decoder_widths": (8, 8)}, "decoder_widths: only --arch unet-fast"),
        ({"network": "mine.keras", "convolutions": (1, 1, 1)}, "convolutions: the network is that of mine.keras"),
    ],
)
def test_what_does_not_fit_is_one_line(changes: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Recipe(()).change(widths=(8, 12, 16), size=(96, 64), **changes)


@pytest.fixture(scope="module", params=LIGHT, ids=str)
def light(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Model, Any, Path]:
    """A random network of each kind, and its files float32.onnx and int8.onnx."""
    from trainer.export.graph import whole_model, write_model
    from trainer.export.margin import add_margin
    from trainer.export.quantize import activation_ranges, correct_biases, observe, quantize, split_joins
    from trainer.network.unet import build

    model = dataclasses.replace(TINY, **LIGHT[request.param])
    details = plain(DRIVING, model.subpixel)
    network = build(model, 4, 32, 48)
    rng = np.random.default_rng(0)
    for layer in network.layers:  # biases begin as 0, which would hide that one is lost
        layer.set_weights([w if w.ndim > 1 else rng.normal(0, 0.3, w.shape) for w in layer.get_weights()])
    frames = [rng.integers(0, 256, (32, 48, 3), np.uint8) for _ in range(4)]
    fused = split_joins(whole_model(network, details, fused=True))
    seen = observe(fused, frames)
    int8 = quantize(correct_biases(fused, seen.means), activation_ranges(seen.samples))
    folder = tmp_path_factory.mktemp("light")
    for precision, graph in (("float32", whole_model(network, details, fused=False)), ("int8", int8)):
        spec = ModelSpec(Path(), precision, DRIVING, 32, 48, precision, trained_on=(), producer="test")
        write_model(add_margin(graph), spec, folder / f"{precision}.onnx")
    return model, network, folder


def test_its_files_agree_with_keras_in_both_runtimes(light: tuple[Model, Any, Path]) -> None:
    import onnx

    from trainer.export.graph import run_onnx, run_openvino
    from trainer.network.build import folded
    from trainer.network.keras_file import keras_class_map

    model, network, folder = light
    truth = folded(network, plain(DRIVING, model.subpixel))
    pictures = [np.random.default_rng(seed).integers(0, 256, (32, 48, 3), np.uint8) for seed in range(6)]
    answers = [keras_class_map(truth, picture) for picture in pictures]
    in_openvino = 0.9 if sums_int8_exactly() else 0.7
    for name, leasts in (("float32", (0.9999, 0.9999)), ("int8", (0.9, in_openvino))):
        graph = onnx.load(str(folder / f"{name}.onnx"))
        for predict, least in zip((run_onnx(graph), run_openvino(graph)), leasts, strict=True):
            same = np.mean([predict(picture) == answer for picture, answer in zip(pictures, answers, strict=True)])
            assert same > least, (name, same)


def test_its_files_give_the_network_back(light: tuple[Model, Any, Path]) -> None:
    model, network, folder = light
    for precision, off in (("float32", 1e-6), ("int8", 0.5)):
        old = read_onnx(folder / f"{precision}.onnx")
        if old.model.subpixel == model.subpixel:
            assert old.model == model
        else:  # the fixed doubling is part of the last convolution of an int8 file
            assert (precision, old.model) == ("int8", dataclasses.replace(model, subpixel=True))
        for layer in network.layers:
            if layer.get_weights() and (layer.name != "logits" or old.model.subpixel == model.subpixel):
                stored = old.layers[layer.name]
                for value, expected in zip(stored, layer.get_weights(), strict=True):
                    assert np.abs(value - expected).max() <= off * max(0.1, np.abs(expected).max())


def begun(recipe: Recipe, details: Any, picture: np.ndarray) -> tuple[Any, np.ndarray, str]:
    """The network that a recipe begins with, its logits, and what is told."""
    from trainer.network.build import make_model
    from trainer.training.start import begin_with

    model, told = make_model(recipe, details, recipe.run.size), list[str]()
    crops = np.stack([painted(blocks(np.random.default_rng(seed))) for seed in range(4)])
    begin_with(model, recipe, details, told.append, lambda: crops)
    assert len(told) == 1
    return model, np.asarray(model(picture[None].astype(np.float32), training=False)), told[0]


def test_a_light_network_begins_with_what_fits_and_says_what_does_not(
    street_recipe: Recipe, street_run: Path, tmp_path: Path
) -> None:
    from trainer.run_folder.checkpoint import load_weights

    kernel = load_weights(street_run)[0][0]
    picture = painted(blocks(np.random.default_rng(9)))
    start = street_recipe.change(start=str(street_run))
    model, _, told = begun(start.change(skips="add", decoder_widths=(6,), convolutions=(1, 2)), FINE, picture)
    assert told.endswith("; the encoder only, the decoder and the logits begin anew; not taken: down0b")
    np.testing.assert_array_equal(model.get_layer("down0a_conv").get_weights()[0], kernel)
    # the same decoder, one convolution fewer: what is there is taken, the logits too
    _, _, told = begun(start.change(decoder_convolutions=(1,), convolutions=(2, 1)), FINE, picture)
    assert told.endswith("; not taken: down1b, up0b")
    _, before, told = begun(start, FINE, picture)
    assert "; " not in told
    # a narrower concatenated decoder cannot begin with a wide one, a wider one can
    assert "anew" in begun(start.change(decoder_widths=(6,)), FINE, picture)[2]
    _, after, told = begun(start.change(decoder_widths=(12,)), FINE, picture)
    assert "; " not in told
    np.testing.assert_allclose(after, before, atol=2e-3 * np.abs(before).max())
    with pytest.raises(UsageError, match="another kind of network, unet-fast: give --arch unet-fast"):
        begun(start.change(arch="unet"), FINE, picture)


def test_it_trains_from_files_passes_the_gate_and_is_begun_with_again(
    street_recipe: Recipe, street_run: Path, tmp_path: Path
) -> None:
    """Begun with a run, exported; a wider one begun with that file and taught by it gives the same at first."""
    from trainer.data.samples import find_all
    from trainer.export.card import card_text
    from trainer.export.release import export_run
    from trainer.training.run import run_training
    from trainer.training.teacher import Teacher, soft_cross_entropy

    light = street_recipe.change(
        start=str(street_run), skips="add", decoder_widths=(6,), decoder_convolutions=(1,), convolutions=(1, 2),
        epochs=2, steps_per_epoch=15, warmup=1,
    )  # fmt: skip
    out = io.StringIO()
    run_training(light, [], tmp_path / "light", Console(file=out, width=500))
    assert "the encoder only, the decoder and the logits begin anew; not taken: down0b" in out.getvalue()
    found, path = find_all(light, []), tmp_path / "m.onnx"
    report = export_run(light, found, tmp_path / "light", path, "int8", lambda _: None, 8, None, True)
    assert min(report.parity.values()) > (0.97 if sums_int8_exactly() else 0.9) and read_model_file(path).has_margin
    card = card_text(report, light, [data for _, data in found], tmp_path / "light")
    assert "widths 8-16, 1-2 convolutions a stage, decoder 6, 1 convolutions a decoder stage, skips added" in card
    picture = painted(blocks(np.random.default_rng(9)))
    again = light.change(start=str(path), teacher=str(path))
    model, logits, told = begun(again, FINE, picture)
    assert "anew" not in told and "not taken" not in told
    _, expected, _ = begun(light.change(start=str(tmp_path / "light")), FINE, picture)
    np.testing.assert_allclose(logits, expected, atol=0.05 * np.abs(expected).max())
    frames = picture[None].astype(np.float32)
    answers = Teacher(again, FINE).loss(frames, model(frames, training=False))
    assert float(answers) == pytest.approx(float(soft_cross_entropy(logits, logits)), rel=0.05)


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.toml")), ids=lambda path: path.stem)
def test_what_a_shipped_recipe_begins_with_or_learns_from_is_there(path: Path) -> None:
    recipe = read_recipe(str(path))
    for name in filter(None, (recipe.model.start, recipe.loss.teacher)):
        if is_model_file(Path(name)):
            assert shipped_file(name) in shipped_models() and read_onnx(shipped_file(name)).names == DRIVING.names
        else:
            assert read_recipe(name).data
