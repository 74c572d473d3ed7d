"""Finer classes underneath: unions, folding, label maps, the exported head, beginning with other weights."""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path

import numpy as np
import pytest

from seg_viewer.core.errors import UsageError
from seg_viewer.core.labels import DRIVING
from tests.trainer.conftest import blocks, painted, write_rgb
from trainer.architecture import Model
from trainer.data.formats import find
from trainer.labels.details import details_of, fold_target, plain
from trainer.labels.named import read_label_map, shipped_maps
from trainer.network.losses import cross_entropy, make_loss, union_cross_entropy
from trainer.recipe import Recipe

pytestmark = pytest.mark.usefixtures("undrawn")

STREETS = read_label_map("streets")
FINE = details_of(DRIVING, STREETS)


def id_of(name: str) -> int:
    """Mask id of a street class or union."""
    names = [*STREETS.labels.names, *(union for union, _ in STREETS.unions)]
    return names.index(name)


def test_every_street_class_folds_into_one_of_ours() -> None:
    assert sorted(k for group in FINE.groups for k in group) == list(range(len(FINE)))
    folded = FINE.folded_ids()
    told = {"sky": 0, "road": 1, "car": 2, "pedestrian": 3, "bicyclist": 3, "person": 3, "background": 0, "far": 0}
    assert {name: int(folded[id_of(name)]) for name in told} == told
    assert folded[255] == 255 and folded[len(FINE) + len(FINE.unions)] == 255
    assert not plain(DRIVING).folds and FINE.folds


def test_every_map_to_street_classes_says_the_same_as_its_map_to_ours() -> None:
    """What a data set's mask means to a model of four classes must not depend on the finer ones."""
    folded = FINE.folded_ids()
    pairs = [name.removesuffix("-streets") for name in shipped_maps() if name.endswith("-streets")]
    assert {"idd-lite", "penn-fudan", "carvana", "cityscapes", "carla-0.8", "carla-0.9.14"} <= set(pairs)
    for name in [*pairs, "camvid"]:
        fine = read_label_map("streets" if name == "camvid" else f"{name}-streets")
        ours = read_label_map("driving" if name == "driving" else f"{name}-driving")
        for value in ours.values:
            assert folded[fine.table()[value]] == ours.table()[value], (name, value)


def test_union_cross_entropy_by_hand() -> None:
    # two pixels, three classes with p = 1/7, 2/7, 4/7: one is class 2, the other "class 0 or 1"
    labels = dataclasses.replace(plain(DRIVING), names=("a", "b", "c"), unions=((0, 1),))
    logits = np.log(np.array([[[[1.0, 2.0, 4.0], [1.0, 2.0, 4.0]]]], np.float32))
    target = np.array([[[2, 3]]])
    expected = -(np.log(4 / 7) + np.log(3 / 7)) / 2
    assert float(union_cross_entropy(target, logits, labels)) == pytest.approx(expected, rel=1e-5)
    ignored = np.array([[[2, 255]]])
    assert float(union_cross_entropy(ignored, logits, labels)) == pytest.approx(-np.log(4 / 7), rel=1e-5)
    assert float(union_cross_entropy(np.full((1, 1, 2), 255), logits, labels)) == 0


def test_a_union_of_everything_teaches_nothing_and_single_classes_are_the_usual_loss() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(2, 5, 6, 4)).astype(np.float32)
    target = rng.integers(0, 4, (2, 5, 6))
    weights = (1.0, 2.0, 0.5, 3.0)
    usual = float(cross_entropy(target, logits, weights))
    assert float(union_cross_entropy(target, logits, plain(DRIVING), weights)) == pytest.approx(usual, rel=1e-5)
    every = dataclasses.replace(plain(DRIVING), unions=((0, 1, 2, 3),))
    assert float(union_cross_entropy(np.full((2, 5, 6), 4), logits, every)) == pytest.approx(0, abs=1e-6)


def test_folded_probabilities_are_sums() -> None:
    logits = np.random.default_rng(1).normal(size=(1, 2, 3, len(FINE))).astype(np.float32) * 5
    folded = np.asarray(FINE.fold(logits))
    p, q = np.exp(logits), np.exp(folded)
    for index, group in enumerate(FINE.groups):
        np.testing.assert_allclose(q[..., index], p[..., list(group)].sum(-1), rtol=1e-4)
    masks = np.array([[id_of("person"), id_of("road"), 255]])
    assert np.asarray(fold_target(masks, FINE)).tolist() == [[3, 1, 255]]


def test_dice_counts_the_folded_classes() -> None:
    """A rider told as a pedestrian is no error to a model whose class is "person"."""
    loss = make_loss("dice", details=FINE)
    logits = np.full((1, 4, 4, len(FINE)), -20.0, np.float32)
    logits[..., STREETS.labels.by_name("pedestrian").id] = 20.0
    assert float(loss(np.full((1, 4, 4), id_of("bicyclist")), logits)) == pytest.approx(0, abs=1e-3)
    assert float(loss(np.full((1, 4, 4), id_of("road")), logits)) > 0.9


def test_masks_that_only_know_unions_are_not_scored_in_street_classes(tmp_path: Path) -> None:
    mask = blocks(np.random.default_rng(3))
    for number in range(3):
        write_rgb(tmp_path / "images" / f"{number}.png", painted(mask))
        write_rgb(tmp_path / "masks" / f"{number}.png", mask)
    streets = find("folder", tmp_path, labels="streets", details="streets")
    _, scored = streets.read(streets.train[0])
    assert set(np.unique(scored)) <= {STREETS.labels.by_name(name).id for name in ("road", "car")} | {255}
    picture, _ = streets.read(streets.train[0])
    assert id_of("background") in streets.read_details(streets.train[0], picture)


def test_details_that_do_not_fold_into_the_classes_are_refused() -> None:
    with pytest.raises(UsageError, match="fold into driving"):
        details_of(read_label_map("binary").labels, STREETS)


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_the_exported_file_tells_the_folded_classes(
    street_recipe: Recipe, street_run: Path, tmp_path: Path, precision: str
) -> None:
    from trainer.data.samples import find_all
    from trainer.export.release import export_run

    found = find_all(street_recipe, [])
    report = export_run(street_recipe, found, street_run, tmp_path / "m.onnx", precision, lambda _: None, 8, None, True)
    assert report.spec.labels == DRIVING
    least = 0.9999 if precision == "float32" else 0.97
    assert min(report.parity["ONNX Runtime"], report.parity["OpenVINO"]) > least


def test_the_same_weights_can_tell_street_classes(street_recipe: Recipe, street_run: Path, tmp_path: Path) -> None:
    from trainer.data.samples import find_all
    from trainer.export.release import export_run

    recipe = street_recipe.change(labels="streets", rare=())
    report = export_run(
        recipe, find_all(recipe, []), street_run, tmp_path / "m.onnx", "float32", lambda _: None, 8, None, True
    )
    assert report.spec.labels == STREETS.labels
    assert report.parity["OpenVINO"] > 0.9999


def test_the_int8_head_folds_and_doubles_like_the_plain_one() -> None:
    """Random logits through both heads; the outermost pixels may differ (zero padding of the folded logits)."""
    from trainer.export.graph import run_onnx, trunk_to_onnx
    from trainer.export.head import add_head
    from trainer.network.unet import build

    network = build(Model(widths=(8, 16)), len(FINE), 64, 96)
    trunk = trunk_to_onnx(network)
    one = run_onnx(add_head(copy.deepcopy(trunk), 2, fused=False, groups=FINE.groups))
    other = run_onnx(add_head(copy.deepcopy(trunk), 2, fused=True, groups=FINE.groups))
    picture = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    first, second = one(picture), other(picture)
    assert (first == second)[2:-2, 2:-2].mean() > 0.9999 and (first == second).mean() > 0.97
    assert first.max() <= 3


def test_the_plain_int8_head_does_without_a_bias() -> None:
    from trainer.export.graph import run_onnx, trunk_to_onnx
    from trainer.export.head import add_head
    from trainer.network.unet import build

    trunk = trunk_to_onnx(build(Model(widths=(8, 16)), 4, 64, 96))
    assert len(trunk.graph.node[-1].input) == 2, "the bias of new weights is zero and left out"
    one, other = (run_onnx(add_head(copy.deepcopy(trunk), 2, fused=fused)) for fused in (False, True))
    picture = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    assert (one(picture) == other(picture)).mean() > 0.999


def logits_of(recipe: Recipe, weights: list[np.ndarray], picture: np.ndarray) -> np.ndarray:
    from trainer.network.build import float_unet

    model = float_unet(recipe.model, weights, recipe.run.size, FINE)
    return np.asarray(model(picture[None].astype(np.float32), training=False))


@pytest.mark.parametrize("widths", [(8, 16), (12, 20)])
@pytest.mark.parametrize("norm", [True, False])
def test_a_run_begins_where_another_ended(
    street_recipe: Recipe, street_run: Path, widths: tuple[int, ...], norm: bool
) -> None:
    """A wider network gives what the narrow one gave, and so does one with batch norm folded into its weights."""
    from trainer.network.build import make_model
    from trainer.run_folder.checkpoint import load_weights
    from trainer.training import start

    weights, _ = load_weights(street_run)
    recipe = street_recipe.change(widths=widths, start=str(street_run), norm=norm)
    model = make_model(recipe, FINE, (96, 64))
    start.begin_with(model, recipe, FINE)
    picture = painted(blocks(np.random.default_rng(9)))
    before = logits_of(street_recipe, weights, picture)
    after = np.asarray(model(picture[None].astype(np.float32), training=False))
    np.testing.assert_allclose(after, before, atol=2e-3 * np.abs(before).max())


def test_new_channels_differ_and_nothing_listens_to_them_yet(street_recipe: Recipe, street_run: Path) -> None:
    from trainer.network.unet import build
    from trainer.training import start

    recipe = street_recipe.change(widths=(16, 32), start=str(street_run))
    model = build(recipe.model, len(FINE), 64, 96)
    start.begin_with(model, recipe, FINE)
    first, second = (model.get_layer(f"down1{part}_conv").get_weights()[0] for part in "ab")
    assert len(np.unique(np.round(first.reshape(-1, 32), 6), axis=1).T) == 32
    assert not second[:, :, 16:, :16].any() and second[:, :, :16, :16].any() and second[:, :, :, 16:].all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"widths": (4, 16)}, "must not be narrower"),
        ({"residual": True}, "residual"),
        ({"widths": (8, 16, 32)}, "new there and changes"),
        ({"arch": "unet"}, "new there|another kind"),
    ],
)
def test_networks_that_cannot_begin_there_say_why(
    street_recipe: Recipe, street_run: Path, changes: dict[str, object], message: str
) -> None:
    from trainer.network.unet import build
    from trainer.training import start

    recipe = street_recipe.change(start=str(street_run), **changes)
    model = build(recipe.model, len(FINE), 64, 96)
    with pytest.raises(UsageError, match=message):
        start.begin_with(model, recipe, FINE)


def test_a_start_that_is_no_run_is_one_line(street_recipe: Recipe, tmp_path: Path) -> None:
    from trainer.training import start

    with pytest.raises(UsageError, match=r"recipe\.toml"):
        start.begin_with(None, street_recipe.change(start=str(tmp_path)), FINE)


def test_the_run_folder_keeps_the_finer_classes(street_run: Path, street_recipe: Recipe) -> None:
    """The run folder's own recipe repeats the run, finer classes and all."""
    from trainer.recipe import read_recipe

    kept = read_recipe(str(street_run / "recipe.toml"))
    assert kept.run.details == "streets" and kept.model.context == (2,)
    assert kept.change(precision="auto") == street_recipe.change(precision="auto", data=kept.data)


def test_the_weights_it_began_with_can_be_blended_in(street_recipe: Recipe, street_run: Path, tmp_path: Path) -> None:
    from rich.console import Console

    from trainer.run_folder.checkpoint import load_weights
    from trainer.training.run import run_training

    begun, _ = load_weights(street_run)
    short = street_recipe.change(start=str(street_run), epochs=1, steps_per_epoch=4)
    kept = []
    for blend, run in ((0.0, tmp_path / "plain"), (0.25, tmp_path / "blended")):
        run_training(short.change(blend=blend), [], run, Console(quiet=True))
        kept.append(load_weights(run)[0])
    assert not np.allclose(kept[0][0], begun[0])
    for old, new, mean in zip(begun, *kept, strict=True):
        np.testing.assert_allclose(mean, 0.75 * new + 0.25 * old, rtol=1e-3, atol=1e-4)
    with pytest.raises(UsageError, match=r"blend is 0\.5"):
        run_training(street_recipe.change(blend=0.5), [], tmp_path / "none", Console(quiet=True))


def test_a_recipe_that_starts_from_another_trains_that_first(street_recipe: Recipe, tmp_path: Path) -> None:
    from rich.console import Console

    from trainer.run_folder.checkpoint import load_checkpoint
    from trainer.training.run import run_training

    quick = street_recipe.change(epochs=1, steps_per_epoch=2)
    (tmp_path / "base.toml").write_text(quick.change(details="", context=()).to_toml(), encoding="utf-8")
    second = quick.change(start=str(tmp_path / "base.toml"))
    state = run_training(second, [], tmp_path / "run", Console(quiet=True))
    first = load_checkpoint(tmp_path / "run-start")
    assert state.finished and first is not None and first.finished and first.updates == 2
    assert f'start = "{tmp_path / "run-start"}"' in (tmp_path / "run" / "recipe.toml").read_text(encoding="utf-8")


def test_a_recipe_that_starts_from_itself_is_one_line(street_recipe: Recipe, tmp_path: Path) -> None:
    from rich.console import Console

    from trainer.training.run import run_training

    one, other = tmp_path / "one.toml", tmp_path / "other.toml"
    one.write_text(street_recipe.change(start=str(other)).to_toml(), encoding="utf-8")
    other.write_text(street_recipe.change(start=str(one)).to_toml(), encoding="utf-8")
    with pytest.raises(UsageError, match="leads back to itself"):
        run_training(street_recipe.change(start=str(one)), [], tmp_path / "run", Console(quiet=True))
