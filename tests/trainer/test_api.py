"""`import trainer`: the Python side of `seg-trainer`."""

from __future__ import annotations

import ast
import csv
import inspect
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

import trainer
from seg_viewer.core.errors import ExportError, SegViewerError, SourceError, UsageError
from tests.house import ROOT
from trainer.api import Data, Trained
from trainer.cli import main
from trainer.recipe import Recipe

from .seeds import CAR, grey, scene

SIZE = (32, 32)
FIT: dict[str, Any] = {
    "epochs": 2,
    "batch_size": 4,
    "augment": False,
    "loss": "bce",
    "learning_rate": 0.01,
    "warmup": 1,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return grey(tmp_path_factory.mktemp("api") / "grey")


@pytest.fixture(scope="module")
def data(folder: Path) -> Data:
    return trainer.load_dataset(folder, size=SIZE, validation_split=0.2)


def own(classes: int = 2, size: tuple[int, int] | None = SIZE, scaled: bool = True, end: Any = None) -> Any:
    """A network of two stages by hand."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(1)
    frame, x = trainer.picture_input(size)
    if not scaled:
        x = layers.Rescaling(1 / 255)(frame)
    skip = trainer.conv_block(x, 8)
    x = trainer.conv_block(layers.MaxPooling2D()(skip), 12, dropout=0.1)
    x = trainer.upsampling_block(x, skip, 8)
    return keras.Model(frame, layers.Conv2D(classes, 1, activation=end)(x), name="mine")


@pytest.fixture(scope="module")
def trained(data: Data, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Trained]:
    model = own()
    return model, trainer.fit(model, data, run=tmp_path_factory.mktemp("runs") / "mine", quiet=True, **FIT)


def test_importing_it_loads_nothing_until_it_is_used() -> None:
    code = (
        "import sys, trainer; heavy = {'keras', 'tensorflow', 'numpy', 'cv2', 'matplotlib'}\n"
        "assert not heavy & set(sys.modules), sorted(heavy & set(sys.modules))\n"
        "trainer.load_dataset\n"
        "assert not {'keras', 'tensorflow'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr


def test_names_types_and_page_say_the_same() -> None:
    from trainer import api

    stub = ast.parse((ROOT / "trainer" / "__init__.pyi").read_text(encoding="utf-8"))
    typed = {alias.asname for node in stub.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert typed == set(trainer._API) == set(api.__all__)
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8").split("## Training")[1].split("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)(?:\(([^`]*)\))?` \|", page, re.MULTILINE))
    assert set(rows) == typed
    for name, arguments in rows.items():
        made = getattr(trainer, name)
        assert inspect.getdoc(made), name
        said = set(re.findall(r"(?<![=\w.])\*{0,2}([a-z_]+)(?=[,=)]|$)", arguments)) if arguments else set()
        assert said <= set(inspect.signature(made).parameters) | {"stride", "dropout", "residual", "norm"}, name
    with pytest.raises(AttributeError, match="no attribute 'gone'"):
        trainer.gone  # noqa: B018


def test_a_data_set_is_what_the_command_finds(data: Data, folder: Path) -> None:
    assert data.labels.names == ("background", "object") and data.size == SIZE
    assert (len(data.pairs("training")), len(data.pairs("held-out"))) == (16, 4)
    assert any("background" in note and "object" in note for note in data.notes)  # what the masks are taken for
    pictures, masks = data.arrays("held-out")
    assert pictures.shape == (4, 32, 32, 3) and masks.shape == (4, 32, 32) and pictures.dtype == masks.dtype == np.uint8
    assert set(np.unique(masks)) <= {0, 1, 255} and data.arrays("training", 5)[0].shape[0] == 5
    sheet = np.asarray(data.preview(4))
    assert sheet.ndim == 3 and sheet.std() > 10
    with pytest.raises(UsageError, match="choose held-out or training"):
        data.pairs("test")
    with pytest.raises(SourceError, match="no such folder"):
        trainer.load_dataset(folder / "gone")
    with pytest.raises(UsageError, match="'epoch' is no option"):
        trainer.load_dataset(folder, epoch=3)


def test_blocks_make_the_maps_they_say() -> None:
    import keras

    x = keras.Input((32, 48, 3))
    assert trainer.conv_block(x, 5).shape == (None, 32, 48, 5)
    half = trainer.conv_block(x, 7, stride=2, residual=True, norm=False, dropout=0.5)
    assert half.shape == (None, 16, 24, 7)
    assert trainer.upsampling_block(half, x, 6).shape == (None, 32, 48, 6)
    model = trainer.unet(5, (48, 32), width=4, depth=3)
    assert (model.input_shape, model.output_shape) == ((None, 32, 48, 3), (None, 32, 48, 5))
    assert trainer.unet(5, None, width=4, depth=3).input_shape == (None, None, None, 3)
    from trainer.architecture import Model
    from trainer.network.unet import build

    same = build(Model("unet", width=4, depth=3), 5, 32, 48)
    assert [layer.name for layer in same.layers] == [layer.name for layer in model.layers]
    with pytest.raises(UsageError, match="needs multiples of 16"):
        trainer.unet(5, (40, 40))


WRONG: dict[str, tuple[Callable[[Data, Path], object], str]] = {
    "size of one number": (lambda d, f: trainer.load_dataset(f, size=32), "size is 32; it must be two values"),
    "size as text": (lambda d, f: trainer.load_dataset(f, size="32x32"), "size is '32x32'; it must be two values"),
    "size of fractions": (lambda d, f: trainer.load_dataset(f, size=(32.5, 32)), "size is 32.5; it must be a whole"),
    "size of nothing": (lambda d, f: trainer.load_dataset(f, size=(0, 32)), "size is 0; it must be at least 1"),
    "no arrays": (lambda d, f: d.arrays("training", -1), "count is -1; it must be at least 1"),
    "no preview": (lambda d, f: d.preview(0), "count is 0; it must be at least 1"),
    "no predictions": (lambda d, f: trainer.show_predictions(own(), d, 0), "count is 0; it must be at least 1"),
    "no classes": (lambda d, f: trainer.unet(0, SIZE), "classes is 0; it must be at least 1"),
    "no stages": (lambda d, f: trainer.unet(2, SIZE, depth=0), "depth is 0; it must be at least 1"),
    "stages as text": (lambda d, f: trainer.unet(2, None, depth="5"), "depth is '5'; it must be a whole number"),
    "epochs as text": (lambda d, f: trainer.fit(None, d, epochs="2"), "epochs is '2'; it must be a whole number"),
    "epochs as answer": (lambda d, f: trainer.fit(None, d, epochs=True), "epochs is True; it must be a whole number"),
    "rate as text": (lambda d, f: trainer.fit(None, d, learning_rate="1e-3"), "'1e-3'; it must be a number"),
    "one width": (lambda d, f: trainer.fit(None, d, widths=8), "widths is 8; it must be several values"),
    "loss as number": (lambda d, f: trainer.fit(None, d, loss=1), "loss is 1; it must be a text"),
    "answer as number": (lambda d, f: trainer.fit(None, d, residual=1), "residual is 1; it must be True or False"),
    "two networks": (lambda d, f: trainer.fit(own(), d, width=8), "width: describes a network to be built"),
    "data by name": (lambda d, f: trainer.fit(own(), "carvana"), r"give what load_dataset\('carvana'\) returns"),
    "scores of a name": (lambda d, f: trainer.evaluate(own(), "carvana"), r"give what load_dataset\('carvana'\)"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_values_of_another_kind_are_named_in_one_line(
    name: str, data: Data, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    call, message = WRONG[name]
    with pytest.raises(UsageError, match=message) as caught:
        call(data, folder)
    assert "\n" not in str(caught.value) and not list(tmp_path.iterdir())


def test_numbers_and_names_of_other_libraries_will_do() -> None:
    made = Recipe(()).change(epochs=np.int64(3), size=[64, 64], learning_rate=1, network=Path("a.keras"), rare=["car"])
    assert made == Recipe(()).change(epochs=3, size=(64, 64), learning_rate=1.0, network="a.keras", rare=("car",))


def test_a_network_of_ones_own_learns_and_keeps_its_best_weights(
    data: Data, trained: tuple[Any, Trained], folder: Path, tmp_path: Path
) -> None:
    model, run = trained
    assert run.finished and len(run.history) == 2 and 1 <= run.best_epoch <= 2
    scores = trainer.evaluate(run, data)
    assert scores.pictures == 4 and scores.accuracy > 0.8
    assert trainer.evaluate(model, data).matrix.tolist() == scores.matrix.tolist()  # the best weights are in the model
    assert trainer.evaluate(run.folder, data, "training").pictures == 16
    # the command says the same of the run folder, to the last digit that it writes
    line = ["evaluate", run.folder, "--data", folder, "--validation-split", "0.2", "--csv", tmp_path / "s.csv"]
    done = CliRunner().invoke(main, [str(word) for word in line])
    assert done.exit_code == 0, done.output
    with (tmp_path / "s.csv").open(encoding="utf-8") as file:
        rows = {row["class"]: row for row in csv.DictReader(file)}
    assert set(rows) == {"background", "object", "(mean)"}
    assert rows["object"]["iou"] == f"{scores.iou['object']:.6f}" and rows["(mean)"]["iou"] == f"{scores.miou:.6f}"
    assert rows["object"]["dice"] == f"{scores.dice['object']:.6f}"
    assert rows["(mean)"]["accuracy"] == f"{scores.accuracy:.6f}" and rows["object"]["accuracy"] == ""
    assert sum(float(row["share"]) for name, row in rows.items() if name != "(mean)") == pytest.approx(1, abs=1e-5)
    again = CliRunner().invoke(main, [str(word) for word in line])
    assert again.exit_code == 2 and "s.csv" in again.output and len(again.output.strip().splitlines()) == 1


def test_a_run_goes_on_and_is_held_to_its_network(data: Data, tmp_path: Path) -> None:
    run = trainer.fit(own(), data, run=tmp_path / "run", quiet=True, stop_at=3, **FIT)
    assert not run.finished and run.history == ()
    with pytest.raises(UsageError, match="began with another network"):
        trainer.fit(trainer.unet(2, SIZE, width=4, depth=2), data, run=run.folder, quiet=True, **FIT)
    with pytest.raises(UsageError, match="no epoch has ended"):
        trainer.show_history(run)
    done = trainer.fit(own(), data, run=run.folder, quiet=True, **FIT)
    assert done.finished and [row["step"] for row in done.history] == [4, 8]
    assert np.asarray(trainer.show_history(done.folder)).std() > 5


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (lambda: own(3), "3 channels, the data 2 classes: end it with Conv2D(2, 1)"),
        (lambda: own(1, end="sigmoid"), "one channel and a sigmoid are two classes"),
        (lambda: own(2, end="softmax"), "ends with softmax; leave it out"),
        (lambda: own(2, (64, 64)), "takes pictures of 64x64, not 32x32: give --size 64x64"),
    ],
)
def test_networks_that_cannot_be_trained_are_refused_in_one_line(
    network: Any, message: str, data: Data, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as caught:
        trainer.fit(network(), data, run=tmp_path / "run", quiet=True, **FIT)
    assert message in str(caught.value) and "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_models_that_do_not_fit_the_data_are_named(data: Data, trained: tuple[Any, Trained], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="dict is no model"):
        trainer.evaluate({}, data)
    with pytest.raises(UsageError, match="give a run folder"):
        trainer.evaluate(tmp_path / "gone.txt", data)
    with pytest.raises(UsageError, match=r"give \(H, W, 3\) uint8 RGB"):
        trainer.predict(trained[0], np.zeros((8, 8), np.uint8))
    no_part = trainer.load_dataset(grey(tmp_path / "all", 4), size=SIZE, validation_split=0)
    for call in (trainer.evaluate, trainer.show_predictions):
        with pytest.raises(SourceError, match="no held-out picture; give validation_split"):
            call(trained[0], no_part)


def test_predictions_have_the_size_of_their_picture(trained: tuple[Any, Trained], tmp_path: Path) -> None:
    picture, ids = scene(np.random.default_rng(9))
    answer = trainer.predict(trained[1], picture)
    assert answer.shape == ids.shape and answer.dtype == np.uint8
    assert np.mean((answer == 1) == (ids >= CAR)) > 0.8
    cv2.imwrite(str(tmp_path / "a.png"), picture[:, :, ::-1])
    assert np.array_equal(trainer.predict(trained[0], tmp_path / "a.png"), answer)


def test_shown_predictions_follow_on_from_a_random_picture(
    data: Data, trained: tuple[Any, Trained], tmp_path: Path
) -> None:
    run = trained[1]
    both = np.asarray(trainer.show_predictions(run, data, 3, "both", seed=1, path=tmp_path / "both.png"))
    one = np.asarray(trainer.show_predictions(run, data, 3, "held-out", seed=1))
    assert both.shape[0] == 2 * one.shape[0] and np.array_equal(both[: len(one)], one)
    assert np.array_equal(cv2.imread(str(tmp_path / "both.png"))[:, :, ::-1], both)
    fixed = [np.asarray(trainer.show_predictions(run, data, 1, start=start)) for start in (0, 1)]
    assert not np.array_equal(*fixed)
    drawn = {np.asarray(trainer.show_predictions(run, data, 1, "training", seed=seed)).tobytes() for seed in range(6)}
    assert len(drawn) > 1
    with pytest.raises(UsageError, match="part 'all'"):
        trainer.show_predictions(run, data, 1, "all")


def test_the_command_draws_a_grid_of_photographs(trained: tuple[Any, Trained], folder: Path, tmp_path: Path) -> None:
    def run(*more: object) -> Any:
        words = ["predict", trained[1].folder, folder / "images", "-o", tmp_path / "out", *more]
        return CliRunner().invoke(main, [str(word) for word in words])

    place = tmp_path / "out" / "grid.png"  # in a folder that this run makes
    done = run("--grid", place, "--seed", 5)
    assert done.exit_code == 0, done.output
    start = re.search(r"grid\.png: 20 pictures, from (\d\d)\.jpg on", done.output)
    assert start
    grid = cv2.imread(str(place))[:, :, ::-1]
    assert grid.shape[1] == 3 * 240 + 2 * 4 and grid.shape[0] > 20 * 180
    assert (grid[:18] == (30, 110, 255)).all(2).any()  # the legend
    for words, message in (
        (("--grid", place), "out"),
        (("--grid", tmp_path / "grid.jpg", "--overwrite"), "must end with .png"),
        (("--grid", tmp_path / "gone" / "grid.png", "--overwrite"), "gone"),
    ):
        refused = run(*words)
        assert refused.exit_code != 0 and message in refused.output, refused.output
        assert len(refused.output.strip().splitlines()) == 1


def test_the_command_trains_and_exports_a_network_of_ones_own(folder: Path, tmp_path: Path) -> None:
    def run(*words: object) -> Any:
        return CliRunner().invoke(main, [str(word) for word in words])

    own(size=None).save(tmp_path / "mine.keras")
    own(scaled=False).save(tmp_path / "scaled.keras")
    train = ["train", "--data", folder, "--size", "32x32", "--epochs", 1, "--batch-size", 8, "--no-augment"]
    done = run(*train, "--network", tmp_path / "mine.keras", "--run", tmp_path / "run")
    assert done.exit_code == 0, done.output
    kept = (tmp_path / "run" / "network.keras").read_bytes()
    assert kept == (tmp_path / "mine.keras").read_bytes()
    assert 'precision = "float32"' in (tmp_path / "run" / "recipe.toml").read_text(encoding="utf-8")
    assert run("export", tmp_path / "run", "-o", tmp_path / "a.onnx", "--precision", "float32").exit_code == 0
    longer = run(*train[:6], 2, *train[7:], "--network", tmp_path / "mine.keras", "--run", tmp_path / "run")
    assert longer.exit_code == 0 and "network was" not in longer.output, longer.output
    again = run(*train, "--network", tmp_path / "scaled.keras", "--run", tmp_path / "run")
    assert again.exit_code == 2 and "is not the one that" in again.output
    gone = run(*train, "--network", tmp_path / "gone.keras", "--run", tmp_path / "other")
    assert gone.exit_code == 2 and "gone.keras: no such file" in gone.output
    wrong = run(*train, "--network", tmp_path / "mine.keras", "--subpixel")
    assert wrong.exit_code == 2 and "subpixel: does not go with network" in wrong.output


def test_only_the_scaling_that_the_graph_holds_is_exported() -> None:
    from trainer.export.graph import trunk_to_onnx

    with pytest.raises(ExportError, match=r"begin it with trainer\.picture_input"):
        trunk_to_onnx(own(scaled=False))
    assert issubclass(ExportError, SegViewerError)
