"""What a machine that is there for minutes needs: runs by time, steps that are skipped, small files, few packages."""

from __future__ import annotations

import math
import sys
import tomllib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from rich.console import Console

from seg_viewer.core.errors import SegViewerError, SourceError, UsageError
from tests.trainer.conftest import LIGHT
from trainer.cli import main
from trainer.data import plain_png
from trainer.data.picture_files import read_raw_mask
from trainer.data.samples import Samples, find_all
from trainer.files import locked
from trainer.recipe import Recipe
from trainer.run_folder import latest
from trainer.run_folder.checkpoint import Checkpoint, load_weights
from trainer.toml_text import toml_text
from trainer.training import loop, tally
from trainer.training.progress import Reporter
from trainer.training.run import run_training
from trainer.training.schedule import Clock, schedule

pytestmark = pytest.mark.usefixtures("undrawn")

QUIET = Console(quiet=True)


def test_a_run_by_time_ends_scored_and_goes_on_with_what_is_left(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "SAVE_EVERY_S", 0.0)
    run, timed = tmp_path / "run", recipe.change(**LIGHT, minutes=0.01, epochs=1)
    assert not run_training(timed.change(minutes=60), [], run, QUIET, stop_at=1).finished
    console = Console(record=True, file=open("/dev/null", "w", encoding="utf-8"), soft_wrap=True)  # noqa: SIM115
    state = run_training(timed, [], run, console)
    said = console.export_text()
    assert "trains for 0.01 minutes, " in said and "of them left, whatever epochs (1) says" in said
    assert state.finished and state.seconds >= 0.6
    assert "val_miou" in state.history[-1] and (run / "model.keras").is_file()
    rates = [row["learning_rate"] for row in state.history]
    assert 0 < rates[-1] <= timed.optimizer.learning_rate  # how far down it came is the machine's matter
    found = latest.load_latest(run)
    assert found is not None and found[1] <= state.updates
    assert [value.shape for value in found[0]] == [value.shape for value in state.average]
    assert run_training(timed, [], run, QUIET).updates == state.updates, "it has finished"
    more = run_training(timed.change(minutes=state.seconds / 60 + 0.002), [], run, QUIET)
    assert more.updates > state.updates and more.finished


def test_a_schedule_by_time_warms_up_and_ends_low(recipe: Recipe) -> None:
    top = recipe.optimizer.learning_rate
    slow = recipe.change(warmup=100)
    assert schedule(0, slow, 1 << 30, done=0.0) == pytest.approx(top / 100)
    assert schedule(3, slow, 1 << 30, done=0.05) < top * 0.51, "few steps fit into the time: half-way through a tenth"
    assert schedule(99, slow, 1 << 30, done=0.001) == pytest.approx(top, rel=1e-4), "many do"
    assert schedule(9999, slow, 1 << 30, done=1.0) == pytest.approx(0.01 * top)
    flat = recipe.change(schedule="plateau")
    assert schedule(9999, flat, 1 << 30, halvings=1, done=1.0) == top / 2


def test_a_clock_stands_still_while_something_is_compiled() -> None:
    clock = Clock(100.0)
    with clock.stopped():
        before = clock.seconds()
    assert clock.seconds() >= 100.0 and before >= 100.0
    with clock.stopped():
        while clock.seconds() < before + 0.02:
            pass
    assert clock.seconds() < before + 0.02


def test_minutes_and_epochs_are_one_line() -> None:
    result = CliRunner().invoke(main, ["train", "--data", "x", "--minutes", "8", "--epochs", "3"])
    assert result.exit_code == 2 and "--minutes and --epochs" in result.output


class Given:
    """A stepper whose steps came to what a test says."""

    def __init__(self, rows: list[tuple[float, ...]], skips: bool) -> None:
        self.rows, self.skips = rows, skips

    def read(self) -> Any:
        rows, self.rows = np.array(self.rows).reshape(-1, 4), []
        return rows


def _tally(
    recipe: Recipe, rows: list[tuple[float, ...]], skips: bool = True
) -> tuple[tally.Tally, Checkpoint, Console]:
    samples = Samples(recipe, find_all(recipe, []))
    checkpoint = Checkpoint([], [], step=0)
    console = Console(record=True, file=open("/dev/null", "w", encoding="utf-8"), soft_wrap=True)  # noqa: SIM115
    stepper: Any = Given(rows, skips)
    return tally.Tally(stepper, checkpoint, samples, Reporter(console)), checkpoint, console


FINE, BAD, STEEP = (0.5, 3.0, 4.0, 1.0), (math.nan, 0.0, 4.0, 0.0), (0.5, 0.0, 4.0, 0.0)


@pytest.mark.parametrize(("bad", "why"), [(BAD, "loss is nan"), (STEEP, "gradients are not finite")])
def test_a_skipped_step_counts_for_nothing_and_is_told(recipe: Recipe, bad: tuple[float, ...], why: str) -> None:
    counts, checkpoint, console = _tally(recipe.change(steps_per_epoch=9), [FINE, bad, bad, FINE])
    counts.read()
    assert checkpoint.sums == [1.0, 6.0, 8.0, 2.0] and checkpoint.loss == 0.5
    assert checkpoint.skipped == checkpoint.all_skipped == 2
    said = console.export_text()
    assert f"{why} at epoch 1, step 2 (its batch begins with " in said and said.count("skipped") == 1


def test_many_on_end_stop_the_run_and_name_the_batch(recipe: Recipe) -> None:
    rows = [BAD] * (tally.MOST_SKIPPED - 1)
    counts, checkpoint, _ = _tally(recipe.change(steps_per_epoch=60), [*rows, FINE, *rows])
    counts.read()
    assert checkpoint.skipped == 2 * len(rows)
    counts, checkpoint, _ = _tally(recipe.change(steps_per_epoch=60, echo=2), [FINE, *rows, BAD])
    with pytest.raises(SegViewerError, match=r"loss is nan at epoch 1, step 21 \(its batch begins with \d\d\.png"):
        counts.read()
    counts, _, _ = _tally(recipe, [BAD], skips=False)
    with pytest.raises(SegViewerError, match=r"step 1 .*the last checkpoint stays"):
        counts.read()
    counts, checkpoint, _ = _tally(recipe.change(steps_per_epoch=2), [BAD, BAD])
    counts.read()
    checkpoint.step = 2
    with pytest.raises(SegViewerError, match="loss is nan at epoch 1, step 2"):
        counts.check_epoch()


def test_the_latest_weights_come_in_small_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latest, "PART_BYTES", 30_000)
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=(3, 3, 64, 64)).astype(np.float32), rng.normal(size=64).astype(np.float32) * 1e6]
    assert latest.load_latest(tmp_path) is None
    with pytest.raises(UsageError, match="no weights there"):
        load_weights(tmp_path)
    latest.save_latest(tmp_path, weights, 7)
    latest.save_latest(tmp_path, weights, 12)
    parts = sorted((tmp_path / "latest").iterdir())
    assert [part.name for part in parts] == [f"00000012-{place}of3" for place in (1, 2, 3)]
    assert max(part.stat().st_size for part in parts) <= 30_000
    found, step = load_weights(tmp_path)
    assert step == 12 and np.array_equal(found[1], weights[1])
    np.testing.assert_allclose(found[0], weights[0], rtol=1e-3, atol=1e-6)
    (tmp_path / "latest" / "00000013-1of2").write_bytes(b"the machine died here")
    assert load_weights(tmp_path)[1] == 12
    parts[0].write_bytes(b"x")
    with pytest.raises(UsageError, match="parts of step 12 are damaged"):
        load_weights(tmp_path)


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_ids_of_a_palette_are_read_without_pillow(depth: int, tmp_path: Path) -> None:
    ids = np.random.default_rng(depth).integers(0, min(2**depth, 200), (5, 7), np.uint8)
    picture = Image.fromarray(ids, "P")
    picture.putpalette([0, 0, 0] * 256)  # two ids of one colour are two ids
    picture.save(tmp_path / "m.png", bits=depth)
    assert np.array_equal(plain_png.read_plain_mask(tmp_path / "m.png"), read_raw_mask(tmp_path / "m.png"))
    assert np.array_equal(read_raw_mask(tmp_path / "m.png"), ids)


@pytest.mark.parametrize("kind", ["L", "1", "RGB", "RGBA", "LA", "16"])
def test_other_png_masks_are_read_as_with_pillow(kind: str, tmp_path: Path) -> None:
    values = np.random.default_rng(1).integers(0, 256, (6, 5, 3), np.uint8)
    file = tmp_path / "m.png"
    if kind == "16":
        cv2.imwrite(str(file), values[:, :, 0].astype(np.uint16))
    else:
        Image.fromarray(values).convert(kind).save(file)
    assert np.array_equal(plain_png.read_plain_mask(file), read_raw_mask(file))
    assert plain_png.is_deep_png(file) == (kind == "16")
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(SourceError, match="cut short"):
        plain_png.read_plain_mask(file)
    file.write_bytes(b"GIF89a")
    with pytest.raises(SourceError, match="only PNG masks"):
        plain_png.read_plain_mask(file)


_plain = st.one_of(
    st.booleans(), st.integers(-(2**60), 2**60), st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=["Cs"])),
)  # fmt: skip
_names = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)


@given(
    st.dictionaries(_names, st.one_of(
        _plain, st.lists(_plain, max_size=3), st.dictionaries(_names, _plain, max_size=3),
        st.lists(st.dictionaries(_names, st.one_of(_plain, st.dictionaries(_names, _plain, max_size=2)), max_size=3),
                 min_size=1, max_size=2),
    ), max_size=5)
)  # fmt: skip
def test_what_is_written_as_toml_is_read_as_it_was(tables: dict[str, Any]) -> None:
    assert tomllib.loads(toml_text(tables)) == tables


def test_a_folder_is_held_without_filelock_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with locked(tmp_path):
        monkeypatch.setitem(sys.modules, "filelock", None)
        with pytest.raises(UsageError, match="another training works"), locked(tmp_path):
            pass
    with locked(tmp_path), pytest.raises(UsageError, match="another training works"), locked(tmp_path):
        pass
