"""Tiny data sets that the tests make, and a recipe small enough to train in seconds."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result
from filelock import FileLock
from rich.console import Console

from tests.models import color_model
from trainer.cli import main
from trainer.drawing import charts
from trainer.network.backend import be_alone
from trainer.recipe import Recipe, Source
from trainer.run_folder.checkpoint import load_checkpoint

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Networks as tiny as these take longer to be compiled than to run. Without effort it takes half the time.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true")

be_alone()

CAMVID_IDS = {"sky": 0, "building": 1, "road": 3, "car": 8, "pedestrian": 9, "bicyclist": 10, "void": 11}
COLORS = {0: (90, 90, 90), 1: (0, 190, 0), 2: (0, 0, 200), 3: (200, 0, 0)}
"""Our class id → the colour it has in made pictures, so that a picture tells its own mask."""


def write_rgb(path: Path, picture: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), picture[:, :, ::-1] if picture.ndim == 3 else picture)


def blocks(rng: np.random.Generator, height: int = 64, width: int = 96) -> np.ndarray:
    """A mask of our ids in 16-pixel blocks."""
    ids = rng.integers(0, 4, (height // 16, width // 16), dtype=np.uint8)
    return np.repeat(np.repeat(ids, 16, axis=0), 16, axis=1)


def painted(mask: np.ndarray) -> np.ndarray:
    table = np.zeros((256, 3), np.uint8)
    for class_id, color in COLORS.items():
        table[class_id] = color
    return table[mask]


LIGHT = {"widths": (4, 8), "convolutions": (1, 1), "decoder_convolutions": (1,), "size": (32, 32)}
"""Of a recipe: the network that TensorFlow has ready soonest, for tests of the way and not of what is learned."""

PLAIN = {"convolutions": (), "decoder_convolutions": ()}
"""Of a recipe: two convolutions a stage, as without a word. The other networks have one: ready in half the time."""

_missing = charts.missing


@pytest.fixture(scope="module")
def undrawn() -> Iterator[None]:
    """Runs of this module are as on a machine without matplotlib: no drawings, no report, a quarter of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(charts, "missing", lambda: ["matplotlib"])
        yield


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """The runs of one test have their drawings, whatever the module says."""
    monkeypatch.setattr(charts, "missing", _missing)


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that is made by the first process of this test run that asks for it; the others wait, and share it.

    No test may change what is in there.
    """
    base = factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with FileLock(base / f"{name}.lock"):
        if not (base / f"{name}.made").exists():
            shutil.rmtree(base / name, ignore_errors=True)
            (base / name).mkdir()
            make(base / name)
            (base / f"{name}.made").touch()
    return base / name


def trained_once(factory: pytest.TempPathFactory, name: str, recipe: Recipe) -> Path:
    """A finished run of a recipe, its report too, shared as `made_once` says."""

    def train(folder: Path) -> None:
        from trainer.training.run import run_training

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(charts, "missing", _missing)
            run_training(recipe, [], folder, Console(quiet=True))

    return made_once(factory, name, train)


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CamVid of 8 + 3 pictures whose colours tell the class."""

    def make(root: Path) -> None:
        to_camvid = np.array([1, 3, 8, 9], np.uint8)
        rng = np.random.default_rng(1)
        for part, count in (("train", 8), ("val", 3)):
            for number in range(count):
                mask = blocks(rng)
                write_rgb(root / "camvid" / part / f"{number:02}.png", painted(mask))
                write_rgb(root / "camvid" / f"{part}annot" / f"{number:02}.png", to_camvid[mask])

    return made_once(tmp_path_factory, "data", make)


@pytest.fixture(scope="session")
def recipe(data: Path) -> Recipe:
    """8 epochs of 2 steps on it."""
    return Recipe((Source("camvid", str(data / "camvid")),)).change(
        labels="driving",
        size=(96, 64),
        epochs=8,
        batch_size=4,
        seed=3,
        widths=(8, 12, 16),
        convolutions=(1, 1, 1),
        decoder_convolutions=(1, 1),
        learning_rate=1e-2,
        warmup=2,
        zoom=(0.9, 1.1),
        color=0.2,
        precision="float32",
    )


@pytest.fixture(scope="session")
def unbroken(tmp_path_factory: pytest.TempPathFactory, recipe: Recipe) -> Path:
    """A finished run of it."""
    return trained_once(tmp_path_factory, "unbroken", recipe)


@pytest.fixture(autouse=True)
def _graphs_as_written() -> None:
    """TensorFlow is not to improve graphs that run a few times: a seventh of each training here. Other programs do."""
    tensorflow = sys.modules.get("tensorflow")
    if hasattr(tensorflow, "config"):
        tensorflow.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="session")
def street_recipe(tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    """Street scenes of blocks, told by CamVid ids and by ours."""

    def make(root: Path) -> None:
        rng = np.random.default_rng(4)
        ids = np.array([1, 3, 8, 9], np.uint8)
        for part, count in (("train", 8), ("val", 2)):
            for number in range(count):
                mask = blocks(rng)
                write_rgb(root / "camvid" / part / f"{number}.png", painted(mask))
                write_rgb(root / "camvid" / f"{part}annot" / f"{number}.png", ids[mask])
        for number in range(6):
            mask = blocks(rng)
            write_rgb(root / "own" / "images" / f"{number}.png", painted(mask))
            write_rgb(root / "own" / "masks" / f"{number}.png", mask)

    assert len(COLORS) == 4
    root = made_once(tmp_path_factory, "streets", make)
    sources = (Source("camvid", str(root / "camvid"), 1.0), Source("folder", str(root / "own"), 1.0, name="own"))
    return Recipe(sources).change(
        labels="driving", details="streets", size=(96, 64), epochs=6, steps_per_epoch=15, batch_size=4, widths=(8, 16),
        context=(2,), learning_rate=8e-3, warmup=4, zoom=(1.0, 1.0), aspect=(1.0, 1.0), rotate=0.0, color=0.1,
        loss="ce+0.5*dice", precision="float32", norm_momentum=0.8, ema=0.9, rare=("person",),
    )  # fmt: skip


@pytest.fixture(scope="session")
def street_run(street_recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = trained_once(tmp_path_factory, "street_run", street_recipe)
    state = load_checkpoint(run)
    assert state is not None and state.history[-1]["val_miou"] > 0.6
    return run


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """The colour model, 96×64."""
    return color_model(tmp_path / "colors.onnx", 96, 64)


def evaluate(*arguments: object) -> Result:
    """`seg-trainer evaluate`."""
    return CliRunner().invoke(main, ["evaluate", *(str(argument) for argument in arguments)])
