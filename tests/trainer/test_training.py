"""The U-Net, training with resume, export with proof."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from seg_viewer.core.errors import UsageError
from seg_viewer.core.labels import DRIVING
from seg_viewer.core.model_file import read_model_file
from seg_viewer.engines import load_engine
from tests.trainer.conftest import blocks, painted
from trainer.cli import main
from trainer.fit import load_state, load_weights, schedule, train
from trainer.recipe import Recipe
from trainer.ship import export_run
from trainer.unet import build_unet


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, data: Path, recipe: Recipe) -> Path:
    """A run that was stopped half-way and went on."""
    folder = tmp_path_factory.mktemp("run")
    notes: list[str] = []
    train(recipe, [data], folder, notes.append, stop_at=8)
    assert load_state(folder).step == 8  # type: ignore[union-attr]
    train(recipe, [data], folder, notes.append)
    assert any("goes on at step 8" in note for note in notes)
    return folder


def test_unet_shapes() -> None:
    model = build_unet(4, (8, 12, 16), 32, 64)
    logits = model(np.zeros((2, 32, 64, 3), np.float32))
    assert logits.shape == (2, 16, 32, 4)
    with pytest.raises(ValueError, match="height 30 is no multiple of 8"):
        build_unet(4, (8, 12, 16), 30, 64)


def test_the_shipped_unet_has_the_size_told() -> None:
    assert 1.5e6 < build_unet(4).count_params() < 1.7e6


def test_schedule_warms_up_and_ends_low(recipe: Recipe) -> None:
    rates = [schedule(step, recipe) for step in range(recipe.steps + 1)]
    assert max(rates) == rates[recipe.warmup - 1] == recipe.learning_rate
    assert rates[-1] == pytest.approx(0.01 * recipe.learning_rate)


def test_a_stopped_run_goes_on_to_its_end(run: Path, recipe: Recipe) -> None:
    state = load_state(run)
    assert state is not None and state.step == recipe.steps
    assert len(state.optimizer) > len(state.weights) // 2
    assert load_weights(run)[1] == recipe.steps
    assert (run / "history.csv").read_text().startswith("step,loss")


def test_the_same_seed_gives_the_same_start(data: Path, recipe: Recipe, tmp_path: Path) -> None:
    one = train(recipe, [data], tmp_path / "a", lambda _: None, stop_at=1)
    two = train(recipe, [data], tmp_path / "b", lambda _: None, stop_at=1)
    for a, b in zip(one.weights, two.weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_a_checkpoint_of_another_model_is_refused(run: Path, data: Path, recipe: Recipe) -> None:
    before = (run / "checkpoint.npz").read_bytes()
    with pytest.raises(UsageError, match="of another model"):
        train(recipe.replace(widths=(4, 8)), [data], run, lambda _: None)
    assert (run / "checkpoint.npz").read_bytes() == before


def test_a_damaged_checkpoint_is_named(tmp_path: Path, data: Path, recipe: Recipe) -> None:
    (tmp_path / "checkpoint.npz").write_bytes(b"no archive")
    with pytest.raises(UsageError, match="checkpoint"):
        train(recipe, [data], tmp_path, lambda _: None)


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_export_obeys_the_contract_and_every_engine_agrees(
    run: Path, data: Path, recipe: Recipe, tmp_path: Path, precision: str
) -> None:
    report = export_run(recipe, [data], run, tmp_path / "tiny.onnx", precision, lambda _: None, calibration=8)
    spec = read_model_file(tmp_path / "tiny.onnx")
    assert (spec.name, spec.width, spec.height, spec.precision, spec.labels) == ("tiny", 96, 64, precision, DRIVING)
    assert spec.metrics["camvid"]["pictures"] == 3
    assert report.parity >= 0.999
    maps = []
    for name in ("openvino", "onnxruntime"):
        engine = load_engine(spec, name)
        if precision == "int8" and name == "openvino":
            assert engine.report.precision == "int8"
        maps.append(np.stack([engine.segment(painted(blocks(np.random.default_rng(k)))) for k in range(4)]))
        engine.close()
    assert np.mean(maps[0] == maps[1]) > 0.97
    assert len(np.unique(maps[0])) > 1


def test_the_command_line_trains_scores_and_exports(run: Path, data: Path, tmp_path: Path) -> None:
    toml = tmp_path / "tiny.toml"
    toml.write_text(
        "seed = 3\nsteps = 2\nbatch = 2\ncrop = [64, 32]\nframe = [96, 64]\n"
        "[model]\nwidths = [4, 8]\n[[data]]\nkind = 'camvid'\npath = 'camvid'\n"
    )
    common = [str(toml), "--data", str(data), "--run", str(tmp_path / "run")]
    runner = CliRunner()
    assert runner.invoke(main, ["train", *common]).exit_code == 0
    out = tmp_path / "m.onnx"
    export = ["export", *common, "-o", str(out), "--precision", "float32", "--card", str(tmp_path / "m.md")]
    result = runner.invoke(main, export)
    assert result.exit_code == 0, result.output
    assert "No safety function" in (tmp_path / "m.md").read_text()
    before = out.read_bytes()
    again = runner.invoke(main, export)
    assert again.exit_code == 2 and "exists already" in again.output
    assert out.read_bytes() == before
    scored = runner.invoke(main, ["evaluate", str(out), "--recipe", str(toml), "--data", str(data)])
    assert scored.exit_code == 0 and "mIoU" in scored.output, scored.output


def test_bad_input_is_one_line(tmp_path: Path) -> None:
    runner = CliRunner()
    result = runner.invoke(main, ["train", "first", "--data", str(tmp_path), "--run", str(tmp_path / "run")])
    assert result.exit_code in (1, 2)
    assert "no such folder" in result.output and "Traceback" not in result.output
