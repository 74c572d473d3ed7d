"""The networks, and training: resume, early stopping, errors, other backends, several machines."""

from __future__ import annotations

import csv
import dataclasses
import importlib.util
import io
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from rich.console import Console

from seg_viewer.core.errors import SegViewerError, UsageError
from tests.html_page import check_alone
from tests.trainer.conftest import LIGHT, PLAIN
from tests.waiting import wait_until
from trainer.architecture import Model, stage_widths
from trainer.cli import main
from trainer.data.samples import Samples, find_all
from trainer.data.scan import scan
from trainer.files import locked
from trainer.network.devices import best_precision, has_gpu, is_imitated
from trainer.network.unet import build
from trainer.recipe import SHIPPED, Recipe, Source, read_recipe, shipped_name
from trainer.run_folder.checkpoint import load_checkpoint, load_weights
from trainer.training.explained import OutOfMemory, explained
from trainer.training.objective import class_weights
from trainer.training.progress import Reporter
from trainer.training.run import prepare, run_training
from trainer.training.schedule import schedule

pytestmark = pytest.mark.usefixtures("undrawn")

QUIET = Console(file=open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115


def rows(run: Path) -> list[dict[str, str]]:
    with (run / "history.csv").open() as file:
        return list(csv.DictReader(file))


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "trainer.cli", *map(str, arguments)]


@pytest.fixture(scope="module")
def small(recipe: Recipe) -> Recipe:
    """For tests that are about the way, not about what is learned: a network of two stages."""
    return recipe.change(**LIGHT)


@dataclasses.dataclass
class Broken:
    """A training that was refused once, and then stopped twice.

    Args:
        run: its folder, as it was left at step 9, the first of two of epoch 5.
        refused: why it was not begun while another one worked in the folder.
        wrote: whether it left something there.
        updates: steps after each stop.
    """

    run: Path
    refused: str
    wrote: bool
    updates: list[int]


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory, recipe: Recipe) -> Broken:
    run = tmp_path_factory.mktemp("broken")
    with locked(run), pytest.raises(UsageError) as told:
        run_training(recipe, [], run, QUIET)
    wrote = (run / "recipe.toml").exists()
    # at the end of an epoch, which ends it in the first step of the next; in the middle of one
    updates = [run_training(recipe, [], run, QUIET, stop, workers).updates for stop, workers in ((4, 0), (9, 1))]
    return Broken(run, str(told.value), wrote, updates)


@pytest.mark.parametrize(
    ("model", "stride"),
    [
        (Model(arch="unet-fast", widths=(8, 12, 16)), 2),
        (Model(arch="unet-fast", widths=(8, 12, 16), residual=True, norm=False), 2),
        (Model(arch="unet", widths=(8, 12, 16), dropout=0.3), 1),
        (Model(arch="unet", widths=(8, 12, 16), residual=True), 1),
    ],
)
def test_networks_give_logits_of_the_size_told(model: Model, stride: int) -> None:
    made = build(model, 4, 32, 64)
    assert made(np.zeros((2, 32, 64, 3), np.float32)).shape == (2, 32 // stride, 64 // stride, 4)
    with pytest.raises(ValueError, match="height 30 is no multiple of"):
        build(model, 4, 30, 64)


def test_default_widths() -> None:
    assert stage_widths(Model(arch="unet")) == (32, 64, 128, 256, 512)
    assert stage_widths(Model(arch="unet", width=64)) == (64, 128, 256, 512, 1024)
    assert stage_widths(Model()) == (16, 32, 64, 128, 192)
    assert 1.5e6 < build(Model(), 4).count_params() < 1.7e6


def test_schedule_warms_up_and_ends_low(recipe: Recipe) -> None:
    rates = [schedule(step, recipe, 100) for step in range(101)]
    assert max(rates) == rates[1] == recipe.optimizer.learning_rate
    assert rates[-1] == pytest.approx(0.01 * recipe.optimizer.learning_rate)
    flat = recipe.change(schedule="plateau")
    assert schedule(50, flat, 100, halvings=2) == recipe.optimizer.learning_rate / 4


def test_a_run_learns_and_leaves_everything_behind(unbroken: Path, recipe: Recipe) -> None:
    history = rows(unbroken)
    assert len(history) == recipe.run.epochs
    assert float(history[-1]["loss"]) < 0.6 * float(history[0]["loss"])
    assert max(float(row["val_miou"]) for row in history) > 0.8
    assert {"accuracy", "val_loss", "val_accuracy", "val_iou_car", "learning_rate"} <= set(history[0])
    for name in ("recipe.toml", "model.keras", "report.html", "summary.txt", "architecture.png", "augmentation.png"):
        assert (unbroken / name).stat().st_size > 100
    for name in ("curves", "iou", "confusion", "worst", "best", "sequence"):
        assert (unbroken / "report" / f"{name}.png").is_file()
    page = check_alone((unbroken / "report.html").read_text(encoding="utf-8"))
    said = [words for words in page.values("svg", "aria-label") if words]
    for title in ("car, held out: ", "Loss, by epoch: at the end training", "Mean IoU, "):
        assert any(words.startswith(title) for words in said), said
    assert f"{float(max(row['val_miou'] for row in history)) * 100:.1f} %" in page.text
    assert len(page.pictures) == 2 * 4 * 3 + 4  # best and worst of the three, network, augmentation, two sequences
    assert any((unbroken / "tensorboard").iterdir())
    best = max(history, key=lambda row: float(row["val_miou"]))
    assert load_weights(unbroken)[1] == int(best["step"])
    assert not list(unbroken.glob("**/.*.part*"))


def test_a_stopped_run_goes_on_to_the_same_end(unbroken: Path, broken: Broken, recipe: Recipe, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(broken.run, run)
    state = run_training(recipe, [], run, QUIET, None, 2)
    assert state.finished and len(rows(run)) == recipe.run.epochs
    for one, other in zip(rows(unbroken), rows(run), strict=True):
        assert float(one["loss"]) == pytest.approx(float(other["loss"]), rel=2e-2)
    assert float(rows(unbroken)[-1]["val_miou"]) == pytest.approx(float(rows(run)[-1]["val_miou"]), abs=0.03)


def test_a_killed_run_goes_on(unbroken: Path, recipe: Recipe, tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text(recipe.change(checkpoint_every=1).to_toml())
    run = tmp_path / "run"
    line = command("train", tmp_path / "r.toml", "--run", run)
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def has_begun() -> bool:
        assert process.poll() is None
        state = _peek(run)
        return state is not None and state.updates >= 3

    try:
        wait_until(has_begun, "the third step", 150)
    finally:  # whatever came of it, nothing trains on
        process.send_signal(signal.SIGKILL)
        process.wait()
    killed = load_checkpoint(run)
    assert killed is not None and 3 <= killed.updates < 16 and not killed.finished
    done = CliRunner().invoke(main, line[3:])
    assert done.exit_code == 0 and "goes on at epoch" in done.output, done.output
    assert float(rows(run)[-1]["val_miou"]) == pytest.approx(float(rows(unbroken)[-1]["val_miou"]), abs=0.03)


def test_a_second_training_in_a_run_folder_is_refused(broken: Broken) -> None:
    assert "another training works in this folder" in broken.refused and not broken.wrote
    assert broken.updates == [5, 9], "it begins, and goes on, when the other one has ended"


def _peek(run: Path) -> Any:
    try:
        return load_checkpoint(run)
    except UsageError:
        return None


def test_the_resolved_recipe_repeats_the_run(unbroken: Path, recipe: Recipe) -> None:
    from trainer.recipe import read_recipe

    again = read_recipe(str(unbroken / "recipe.toml"))
    assert again == recipe
    assert Path(again.data[0].path).is_absolute()


def test_the_same_seed_draws_the_same_and_another_does_not(recipe: Recipe) -> None:
    found = find_all(recipe, [])
    one, two = Samples(recipe, found), Samples(recipe, found)
    other = Samples(recipe.change(seed=9), found)
    plan = one.plan(2)
    np.testing.assert_array_equal(plan, two.plan(2))
    np.testing.assert_array_equal(one.sample(2, 3, plan[0, 3])[0], two.sample(2, 3, plan[0, 3])[0])
    assert not np.array_equal(plan, other.plan(2))
    assert sorted(plan[:, :, 1].ravel().tolist()) == list(range(8))  # every pair once an epoch


def test_weights_share_out_the_batches(recipe: Recipe, data: Path) -> None:
    sources = tuple(Source("camvid", str(data / "camvid"), weight, name) for weight, name in ((3.0, "a"), (1.0, "b")))
    mixed = recipe.change(data=sources, steps_per_epoch=100)
    plan = Samples(mixed, find_all(mixed, [])).plan(0)
    assert 0.7 < (plan[:, :, 0] == 0).mean() < 0.8
    with pytest.raises(UsageError, match="only some data sets have a weight"):
        find_all(recipe.change(data=(sources[0], dataclasses.replace(sources[1], weight=0.0))), [])


def test_rare_classes_are_drawn_more_often(recipe: Recipe) -> None:
    found = find_all(recipe, [])
    looked = scan(found[0][1])
    holders = np.flatnonzero(looked.counts[: looked.train, 3] >= 60)
    often = recipe.change(rare=("person",), rare_share=1.0, steps_per_epoch=40)
    assert np.isin(Samples(often, found, [looked]).plan(0)[:, :, 1], holders).all()
    with pytest.raises(UsageError, match="no class 'lorry'"):
        Samples(recipe.change(rare=("lorry",)), found, [looked])


def test_rare_objects_are_laid_over_other_pictures(recipe: Recipe) -> None:
    found = find_all(recipe, [])
    looked = scan(found[0][1])
    share = []
    for paste in (0.0, 1.0):
        samples = Samples(recipe.change(rare=("person",), rare_share=0.0, paste=paste), found, [looked])
        plan = samples.plan(0).reshape(-1, 2)
        masks = [samples.sample(0, place, which)[1] for place, which in enumerate(plan[:24])]
        again = samples.sample(0, 3, plan[3])[1]
        np.testing.assert_array_equal(again, masks[3])
        share.append(np.mean(np.stack(masks) == 3))
    assert share[1] > 1.2 * share[0] > 0
    with pytest.raises(UsageError, match="paste: say which"):
        Samples(recipe.change(paste=0.5, rare=()), found, [looked])


def test_class_weights_come_from_frequencies(recipe: Recipe) -> None:
    data = find_all(recipe, [])[0][1]
    looked, labels = scan(data), data.labels
    weights = class_weights(recipe.change(balance=1.0), [looked], labels)
    assert np.argmax(weights) == np.argmin(looked.shares)
    assert float(np.dot(weights, looked.shares)) == pytest.approx(1.0)
    assert class_weights(recipe, [looked], labels) == ()
    with pytest.raises(UsageError, match="2 class weights for 4"):
        class_weights(recipe.change(class_weights=(1.0, 2.0)), [looked], labels)


def test_it_stops_early_and_keeps_the_best(small: Recipe, tmp_path: Path) -> None:
    hopeless = small.change(epochs=30, early_stopping=2, learning_rate=1e-9)
    state = run_training(hopeless, [], tmp_path / "run", QUIET)
    assert state.finished and len(state.history) < 30
    assert state.waited == 2
    assert load_weights(tmp_path / "run")[1] == state.history[state.best_epoch]["step"]


def test_a_plateau_halves_the_rate(small: Recipe, tmp_path: Path) -> None:
    flat = small.change(epochs=9, schedule="plateau", plateau_patience=2, learning_rate=1e-9, warmup=0, norm=False)
    state = run_training(flat, [], tmp_path / "run", QUIET)
    assert state.halvings >= 1
    assert state.history[-1]["learning_rate"] < state.history[1]["learning_rate"]


def test_a_loss_that_is_no_number_names_the_batch_and_keeps_the_checkpoint(small: Recipe, tmp_path: Path) -> None:
    run = tmp_path / "run"
    wild = small.change(optimizer="sgd", norm=False, clip_norm=0.0)
    run_training(wild, [], run, QUIET, stop_at=1)
    with pytest.raises(
        SegViewerError, match=r"loss is (nan|inf) at epoch \d, step \d \(its batch begins with \d\d\.png"
    ):
        run_training(wild.change(learning_rate=9.9, warmup=0, weight_decay=0.0, loss="1000000000*ce"), [], run, QUIET)
    state = load_checkpoint(run)
    assert state is not None and all(np.isfinite(value).all() for value in [*state.weights, *state.average])


def test_out_of_memory_says_what_to_lower(recipe: Recipe, tmp_path: Path) -> None:
    import tensorflow as tf

    for error in (MemoryError(), tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")):
        with (
            pytest.raises(OutOfMemory, match=r"4 pictures of 96x64: lower --batch-size to 2"),
            explained(recipe, tmp_path),
        ):
            raise error


def test_a_picture_that_breaks_while_training_is_named(recipe: Recipe, data: Path, tmp_path: Path) -> None:
    shutil.copytree(data, tmp_path / "data")
    moved = recipe.change(data=(Source("camvid", str(tmp_path / "data" / "camvid")),))
    found = find_all(moved, [])
    samples = Samples(moved, found)
    (tmp_path / "data/camvid/train/03.png").write_bytes(b"gone")
    from trainer.data.batches import batches

    with pytest.raises(SegViewerError, match=r"03\.png: cannot be read as a picture"), explained(moved, tmp_path):
        list(batches(samples, 0))


def test_a_checkpoint_of_another_model_is_refused(unbroken: Path, recipe: Recipe, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(unbroken, run)
    before = (run / "checkpoint.npz").read_bytes()
    with pytest.raises(UsageError, match="of another model"):
        run_training(recipe.change(**LIGHT, epochs=9), [], run, QUIET)
    assert (run / "checkpoint.npz").read_bytes() == before


def test_a_damaged_checkpoint_is_named(tmp_path: Path, recipe: Recipe) -> None:
    (tmp_path / "checkpoint.npz").write_bytes(b"no archive")
    with pytest.raises(UsageError, match=r"checkpoint\.npz: checkpoint is damaged"):
        run_training(recipe, [], tmp_path, QUIET)


@pytest.mark.parametrize(
    "changes", [{"optimizer": "adam", "arch": "unet", **PLAIN}, {"optimizer": "sgd", "accumulate": 2, "echo": 2}]
)
def test_other_ways_to_train_run_and_resume(small: Recipe, tmp_path: Path, changes: dict[str, Any]) -> None:
    other = small.change(epochs=2, dropout=0.2, **changes)
    run_training(other, [], tmp_path / "run", QUIET, stop_at=3)
    state = run_training(other, [], tmp_path / "run", QUIET)
    assert state.finished and state.updates == 4 * other.run.echo


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_learns_too(small: Recipe, tmp_path: Path, precision: str) -> None:
    console = Console(file=io.StringIO(), width=1000)
    state = run_training(small.change(precision=precision), [], tmp_path / "run", console)
    assert state.history[-1]["loss"] < 0.8 * state.history[0]["loss"]
    said = f"only imitates {precision}" in console.file.getvalue()  # type: ignore[attr-defined]
    assert said == (precision != best_precision() and not has_gpu())


def test_the_recipes_that_ship_leave_the_arithmetic_to_the_machine() -> None:
    """Where a processor has no bfloat16, a step in it takes eight times as long."""
    recipes = [read_recipe(str(file)) for file in sorted(SHIPPED.glob("*.toml"))]
    assert len(recipes) > 10
    for recipe in recipes:
        assert recipe.optimizer.precision == "auto"
        assert not is_imitated(best_precision())
        made = {shipped_name(recipe.change(precision=one)) for one in ("float32", "mixed_bfloat16", "auto")}
        assert len(made) == 1 and made != {""}


BARE = """
import runpy
from tests.trainer.without import leave_out
leave_out("av", "filelock", "matplotlib", "onnx", "onnxruntime", "openvino", "PIL", "psutil", "PySide6", "tensorboard",
          "tensorflow", "tf2onnx", "tomli_w")
runpy.run_module("trainer", run_name="__main__")
"""
"""`python -m trainer` where only NumPy, OpenCV, Keras, JAX, click, rich, platformdirs and natsort are installed."""


@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="JAX is not installed")
def test_jax_and_few_packages_go_on_with_what_tensorflow_began(unbroken: Path, broken: Broken, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(broken.run, run)
    environment = os.environ | {"KERAS_BACKEND": "jax"}
    done = subprocess.run(
        [sys.executable, "-c", BARE, "train", "--run", str(run)],
        env=environment, capture_output=True, encoding="utf-8", timeout=300,
    )  # fmt: skip
    assert done.returncode == 0 and "goes on at epoch 5, step 2" in done.stdout, done.stderr
    assert float(rows(run)[-1]["loss"]) == pytest.approx(float(rows(unbroken)[-1]["loss"]), rel=0.1)
    assert "matplotlib and pillow not installed: no drawings, and no report at the end" in done.stdout
    assert "tensorflow is not installed: no events for TensorBoard" in done.stdout
    assert (run / "model.keras").is_file() and not (run / "report.html").exists()
    assert any((run / "compiled").rglob("jit_step*")), "compiled once for all who go on"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"early_stopping": 2}, "; --early-stopping cannot act"),
        ({"schedule": "plateau"}, "; --schedule plateau cannot act"),
        ({}, "nothing is held out: there are no scores, and the last weights are kept\n"),
    ],
)
def test_what_cannot_act_without_held_out_pictures_is_told(asked: dict[str, Any], said: str, recipe: Recipe) -> None:
    alone = recipe.change(
        data=tuple(dataclasses.replace(one, split={"by": "random", "held_out": 0.0}) for one in recipe.data), **asked
    )
    lines = Console(file=io.StringIO(), record=True, soft_wrap=True)
    prepare(alone, [], Reporter(lines), Console(quiet=True))
    assert said in lines.export_text()
