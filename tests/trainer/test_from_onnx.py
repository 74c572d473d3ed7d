"""Training that goes on from a model file alone."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from seg_viewer.core.assets import FAST_MODEL, find_model
from seg_viewer.core.errors import ModelFileError, UsageError
from seg_viewer.core.labels import DRIVING
from seg_viewer.core.model_file import read_model_file
from tests.trainer.conftest import blocks, painted
from tests.trainer.test_details import FINE
from trainer.labels.details import Details
from trainer.network.from_onnx import read_onnx
from trainer.recipe import Recipe

pytestmark = pytest.mark.usefixtures("undrawn")

BOTH = dataclasses.replace(FINE, subpixel=True)


@pytest.fixture(scope="module")
def files(street_recipe: Recipe, street_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the run's weights as float32.onnx, float16.onnx and int8.onnx."""
    from trainer.data.samples import find_all
    from trainer.export.release import export_run

    folder, found = tmp_path_factory.mktemp("files"), find_all(street_recipe, [])
    for precision in ("float32", "float16", "int8"):
        path = folder / f"{precision}.onnx"
        export_run(street_recipe, found, street_run, path, precision, lambda _: None, 8, None, True)
    return folder


def begun(recipe: Recipe, details: Details, picture: np.ndarray) -> np.ndarray:
    """Logits of the network that a recipe begins with."""
    from trainer.network.build import make_model
    from trainer.training.start import begin_with

    model = make_model(recipe, details, recipe.run.size)
    crops = np.stack([painted(blocks(np.random.default_rng(seed))) for seed in range(4)])
    begin_with(model, recipe, details, pictures=lambda: crops)
    return np.asarray(model(picture[None].astype(np.float32), training=False))


@pytest.mark.parametrize(("precision", "off"), [("float32", 1e-4), ("float16", 5e-3), ("int8", 5e-2)])
def test_a_file_gives_the_network_back(
    files: Path, street_recipe: Recipe, street_run: Path, precision: str, off: float
) -> None:
    from trainer.network.build import float_unet
    from trainer.run_folder.checkpoint import load_weights

    old = read_onnx(files / f"{precision}.onnx")
    assert (old.model.widths, old.model.context, old.model.subpixel) == ((8, 16), (2,), False)
    assert old.names == FINE.names and old.step > 0
    picture = painted(blocks(np.random.default_rng(9)))
    network = float_unet(street_recipe.model, load_weights(street_run)[0], (96, 64), FINE)
    expected = np.asarray(network(picture[None].astype(np.float32)))
    recipe = street_recipe.change(start=str(files / f"{precision}.onnx"))
    for widths, norm in (((8, 16), False), ((12, 24), False), ((8, 16), True), ((12, 24), True)):
        told = begun(recipe.change(widths=widths, norm=norm), FINE, picture)
        np.testing.assert_allclose(told, expected, atol=off * np.abs(expected).max())


def test_sub_pixels_come_back_in_their_order(files: Path, street_recipe: Recipe, tmp_path: Path) -> None:
    """Trained on from the file, exported, begun with again: the same answers, in int8 and in float32."""
    from rich.console import Console

    from trainer.data.samples import find_all
    from trainer.export.release import export_run
    from trainer.training.run import run_training

    recipe = street_recipe.change(
        start=str(files / "int8.onnx"), norm=False, subpixel=True, epochs=1, learning_rate=2e-3
    )
    state = run_training(recipe, [], tmp_path / "run", Console(quiet=True))
    assert state.history[-1]["val_miou"] > 0.5
    picture = painted(blocks(np.random.default_rng(9)))
    expected = begun(recipe.change(start=str(tmp_path / "run")), BOTH, picture)
    for precision in ("float32", "int8"):
        path = tmp_path / f"{precision}.onnx"
        export_run(recipe, find_all(recipe, []), tmp_path / "run", path, precision, lambda _: None, 8, None, True)
        assert read_onnx(path).names == DRIVING.names
        assert read_model_file(path).trained_on == ("camvid", "own")
        told = begun(recipe.change(start=str(path)), BOTH, picture)
        assert (BOTH.fold(told).numpy().argmax(-1) == BOTH.fold(expected).numpy().argmax(-1)).mean() > 0.95
        assert np.abs(told[..., :16] - expected[..., :16]).max() < 0.05 * np.abs(expected).max()


def test_the_data_of_the_file_it_began_with_goes_on_being_told(
    files: Path, street_recipe: Recipe, tmp_path: Path
) -> None:
    """A run on one set that begins with a file made of two says so in its file and card, and so does one after it."""
    from rich.console import Console

    from trainer.data.samples import find_all
    from trainer.export.card import card_text
    from trainer.export.release import export_run
    from trainer.run_folder.ancestor import read_ancestor
    from trainer.training.run import run_training

    quick = street_recipe.change(norm=False, epochs=1, steps_per_epoch=1, data=street_recipe.data[:1])
    first = quick.change(start=str(files / "int8.onnx"))
    run_training(first, [], tmp_path / "first", Console(quiet=True))
    second = quick.change(start=str(tmp_path / "first"))
    run_training(second, [], tmp_path / "second", Console(quiet=True))
    found = find_all(second, [])
    report = export_run(
        second, found, tmp_path / "second", tmp_path / "m.onnx", "float32", lambda _: None, 8, None, True
    )
    told = read_model_file(tmp_path / "m.onnx")
    assert told.trained_on == ("camvid", "own") and set(told.provenance["terms"]) == {"camvid", "own"}
    sha = read_model_file(files / "int8.onnx").sha256
    assert told.provenance["began_with"] == {"file": "int8.onnx", "sha256": sha}
    card = card_text(report, second, [data for _, data in found], tmp_path / "second")
    assert "- camvid, 8 training pictures" in card and "- own, in the training of the file that it began with" in card
    assert f"begun with the weights of `first`, that one with those of `int8.onnx` (sha256 {sha[:12]}…)" in card
    (tmp_path / "second" / "begins_with.json").write_text("{", encoding="utf-8")
    with pytest.raises(UsageError, match="begins_with"):
        read_ancestor(tmp_path / "second")


def test_what_cannot_be_begun_with_is_one_line(files: Path, street_recipe: Recipe, tmp_path: Path) -> None:
    from trainer.network.build import make_model
    from trainer.training.start import begin_with

    recipe = street_recipe.change(start=str(files / "int8.onnx"))
    with pytest.raises(UsageError, match="--no-norm"):
        begin_with(make_model(recipe, FINE, recipe.run.size), recipe, FINE)
    broken = tmp_path / "broken.onnx"
    broken.write_bytes((files / "int8.onnx").read_bytes()[:5000])
    for path in (broken, tmp_path / "gone.onnx"):
        with pytest.raises(ModelFileError, match=path.name):
            begun(street_recipe.change(start=str(path), norm=False), FINE, np.zeros((64, 96, 3), np.uint8))


def test_another_architecture_is_refused(tmp_path: Path) -> None:
    from seg_viewer.core.model_file import ModelSpec
    from trainer.architecture import Model
    from trainer.export.graph import whole_model, write_model
    from trainer.labels.details import plain
    from trainer.network.unet import build

    graph = whole_model(build(Model(arch="unet", depth=2, width=4), 4, 64, 96), plain(DRIVING), fused=False)
    spec = ModelSpec(Path(), "paper", DRIVING, 64, 96, "float32", trained_on=(), producer="test")
    write_model(graph, spec, tmp_path / "paper.onnx")
    with pytest.raises(UsageError, match="unet-fast"):
        read_onnx(tmp_path / "paper.onnx")


def test_the_file_that_ships_can_be_trained_on() -> None:
    old = read_onnx(find_model(FAST_MODEL))
    assert len(old.model.widths) == 5 and old.model.context == (2, 4)
