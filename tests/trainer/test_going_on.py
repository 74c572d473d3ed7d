"""A run that is stopped, goes on, has ended, or is scored on the way."""

from __future__ import annotations

import dataclasses
import errno
import io
import os
import shutil
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from seg_viewer.core.errors import ExportError, UsageError
from seg_viewer.core.labels import DRIVING
from seg_viewer.core.scores import Scores
from seg_viewer.core.signals import END_SIGNALS
from tests.trainer.conftest import LIGHT, PLAIN, blocks, painted, write_rgb
from trainer.cli import main
from trainer.recipe import SECTIONS, Recipe, Source, read_recipe
from trainer.run_folder.checkpoint import Checkpoint, load_checkpoint, load_weights, save_checkpoint
from trainer.training import validation
from trainer.training.explained import explained
from trainer.training.progress import Reporter
from trainer.training.resume import goes_on, rate_jump, refuse_in_vain
from trainer.training.run import run_training

pytestmark = pytest.mark.usefixtures("undrawn")

QUIET = Console(quiet=True)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def short(recipe: Recipe) -> Recipe:
    """Two epochs of two steps."""
    return recipe.change(**LIGHT, epochs=2)


@pytest.fixture(scope="module")
def ended(short: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nobody stopped."""
    folder = tmp_path_factory.mktemp("runs") / "ended"
    run_training(short, [], folder, QUIET)
    return folder


@pytest.fixture(scope="module")
def as_without_a_word(ended: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, where its recipe had not said how many convolutions: then each option of a network may be another."""
    folder = tmp_path_factory.mktemp("runs") / "plain"
    shutil.copytree(ended, folder)
    plain = read_recipe(str(folder / "recipe.toml")).change(**PLAIN)
    (folder / "recipe.toml").write_text(plain.to_toml(), encoding="utf-8")
    return folder


@dataclasses.dataclass
class Stop:
    """A training that was asked to end.

    Args:
        result: of the command.
        run: copy of the run folder as it was left.
        before, after: what the process does at each signal.
    """

    result: Result
    run: Path
    before: list[Any]
    after: list[Any]


class Asking:
    """Sends a signal to this process once, `after` so many calls."""

    def __init__(self, inner: Callable[..., Any], number: int, after: int, times: int) -> None:
        self._inner, self._number, self._left, self._times = inner, number, after, times

    def __call__(self, *arguments: Any, **more: Any) -> Any:
        done = self._inner(*arguments, **more)
        self._left -= 1
        if self._left == 0:
            for _ in range(self._times):
                signal.raise_signal(self._number)
        return done


HANGUP = getattr(signal, "SIGHUP", signal.SIGTERM)
ASKED = {
    "in the first step": ("step", signal.SIGINT, 1),
    "while it scores": ("score", signal.SIGTERM, 1),
    "in the second epoch": ("step", HANGUP, 1),
    "twice": ("step", signal.SIGINT, 2),
}


class Stops:
    """One training that is stopped again and again, each time by the same command, and then let be.

    Each part of it runs when it is first asked for, after those before it.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._found: dict[str, Stop] = {}

    def __getitem__(self, moment: str) -> Stop:
        for one in [*ASKED, "not"]:
            if one not in self._found:
                self._found[one] = self._run(one)
            if one == moment:
                break
        return self._found[moment]

    def _run(self, moment: str) -> Stop:
        before = [signal.getsignal(one) for one in END_SIGNALS]
        with pytest.MonkeyPatch.context() as patch:
            if moment in ASKED:
                where, number, times = ASKED[moment]
                # no picture of the held-out ones is scaled before scoring
                target, name = (Reporter, "step") if where == "step" else (validation, "to_frame")
                asking = Asking(getattr(target, name), number, 1, times)
                patch.setattr(target, name, lambda *given: asking(*given))
            result = run("train", self._root / "r.toml", "--run", self._root / "run")
        after = [signal.getsignal(one) for one in END_SIGNALS]
        kept = self._root / moment.replace(" ", "-")
        shutil.copytree(self._root / "run", kept)
        return Stop(result, kept, before, after)


@pytest.fixture(scope="module")
def stops(short: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Stops:
    root = tmp_path_factory.mktemp("stops")
    (root / "r.toml").write_text(short.to_toml(), encoding="utf-8")
    return Stops(root)


@pytest.mark.parametrize(
    ("moment", "where", "updates"),
    [("in the first step", "epoch 1, step 1 of 2", 1), ("while it scores", "epoch 1, step 2 of 2", 2),
     ("in the second epoch", "epoch 2, step 1 of 2", 3)],
)  # fmt: skip
def test_a_training_that_is_asked_to_end_keeps_all_it_did(moment: str, where: str, updates: int, stops: Stops) -> None:
    stop = stops[moment]
    assert stop.result.exit_code == 130, stop.result.output
    last = stop.result.output.strip().splitlines()[-1]
    assert last.startswith(f"seg-trainer: stopped; the checkpoint holds all up to {where}; the same command goes on")
    assert last.split(" or: ")[1].startswith("seg-trainer train --run ")
    state = load_checkpoint(stop.run)
    assert state is not None and state.updates == updates and not state.finished
    assert stop.before == stop.after
    assert not list(stop.run.glob("**/.*.part*"))
    names = {thread.name for thread in threading.enumerate()}
    assert not {name for name in names if name.startswith("ThreadPoolExecutor")}, names


def test_a_second_ctrl_c_ends_it_at_once(stops: Stops) -> None:
    stop = stops["twice"]
    assert stop.result.exit_code == 130 and stop.result.output.strip().endswith("seg-trainer: stopped")
    state = load_checkpoint(stop.run)
    assert state is not None and state.updates == 3, "the checkpoint of the stop before"


def test_a_run_that_was_stopped_ends_as_one_that_was_not(stops: Stops, ended: Path) -> None:
    assert stops["not"].result.exit_code == 0, stops["not"].result.output
    one, other = load_checkpoint(ended), load_checkpoint(stops["not"].run)
    assert one is not None and other is not None and other.finished and len(other.history) == 2
    for before, after in zip(one.history, other.history, strict=True):
        for name in ("loss", "val_loss", "learning_rate"):
            assert after[name] == pytest.approx(before[name], rel=2e-2)
    for old, new in zip(one.average, other.average, strict=True):
        np.testing.assert_allclose(new, old, atol=2e-2)


@pytest.mark.parametrize(
    ("moment", "told"),
    [("in the first step", "weights of step 1, before the end of the first epoch"),
     ("in the second epoch", "best weights so far, of step 2")],
)  # fmt: skip
def test_a_run_is_scored_and_predicts_before_it_ends(
    moment: str, told: str, stops: Stops, data: Path, tmp_path: Path
) -> None:
    folder = stops[moment].run
    assert not (folder / "model.keras").exists()
    result = run("evaluate", folder, "--data", data / "camvid")
    assert result.exit_code == 0, result.output
    assert f"not finished: {told}" in result.output and "camvid: 3 pictures" in result.output
    result = run("predict", folder, data / "camvid/val", "-o", tmp_path / "out")
    assert result.exit_code == 0 and f"3 pictures: {tmp_path / 'out'}" in result.output, result.output
    assert cv2.imread(str(tmp_path / "out/masks/00.png"), cv2.IMREAD_UNCHANGED).shape == (64, 96)


def test_without_weights_or_classes_the_way_out_is_told(stops: Stops, tmp_path: Path) -> None:
    shutil.copytree(stops["in the first step"].run, tmp_path / "run")
    (tmp_path / "run" / "checkpoint.npz").unlink()
    result = run("evaluate", tmp_path / "run", "--clip", "demo")
    assert result.exit_code == 2 and "run: has no weights yet; train on: seg-trainer train --run" in result.output
    for content in ("{}", "[]", "no"):
        shutil.rmtree(tmp_path / "run")
        shutil.copytree(stops["in the second epoch"].run, tmp_path / "run")
        (tmp_path / "run" / "classes.json").write_text(content)
        result = run("evaluate", tmp_path / "run", "--clip", "demo")
        assert result.exit_code == 2 and "classes.json: is damaged" in result.output, result.output


def test_more_epochs_go_on_and_the_recipe_stays_true(ended: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(ended, folder)
    result = run("train", "--run", folder, "--epochs", 3)
    assert result.exit_code == 0, result.output
    assert "changed: epochs was 2, is now 3" in result.output and "goes on at epoch 3, step 1 of 2" in result.output
    jump = "learning rate: 0.00352 from here on, where it would have been 0.0001; --resume-rate 0.00028 goes on without"
    assert jump in result.output
    state = load_checkpoint(folder)
    assert state is not None and state.finished and len(state.history) == 3
    assert read_recipe(str(folder / "recipe.toml")).run.epochs == 3
    text = (folder / "recipe.toml").read_text(encoding="utf-8")
    assert text.startswith("# until step 4: epochs was 2\n")
    again = run("train", "--run", folder)
    assert again.exit_code == 0 and "finished already at epoch 3" in again.output
    assert (folder / "recipe.toml").read_text(encoding="utf-8") == text


OTHER: dict[str, Any] = {
    "size": (64, 64), "widths": (4, 8, 8), "labels": "streets", "details": "streets", "crop": (16, 16), "arch": "unet",
    "subpixel": True, "loss": "dice", "rare": ("car",), "context": (2,), "class_weights": (1.0, 2.0, 3.0, 4.0),
    "zoom": (0.5, 0.7), "aspect": (0.5, 0.7), "blend": 0.0, "start": "", "teacher": "", "precision": "float32",
    "network": "own.keras", "minutes": 1e-6, "convolutions": (1, 1),
    "decoder_widths": (6,), "decoder_convolutions": (1,),
}  # fmt: skip


def _changed(name: str, value: Any, choices: Any) -> Any:
    """Another value of an option, which it may have."""
    if choices:
        return next(choice for choice in choices if choice != value)
    if name in OTHER:
        return OTHER[name]
    return not value if isinstance(value, bool) else value - 1 if name == "epochs" else value / 2 or 0.25 \
        if isinstance(value, float) else value + 1  # fmt: skip


@pytest.mark.parametrize("f", [f for kind in SECTIONS.values() for f in dataclasses.fields(kind)], ids=lambda f: f.name)
def test_what_would_change_nothing_in_a_finished_run_is_refused(f: Any, as_without_a_word: Path) -> None:
    ended = as_without_a_word
    before = read_recipe(str(ended / "recipe.toml"))
    if f.name == "network":  # goes with none of the other options of a network: another recipe altogether
        before = before.change(widths=(), precision="auto")
        other = before.change(network="elsewhere.keras")
        with pytest.raises(
            UsageError, match=r"finished at epoch 2, where another value of network, widths changes nothing"
        ):
            refuse_in_vain(other, ended)
        return
    value = next(getattr(getattr(before, s), f.name) for s in SECTIONS if hasattr(getattr(before, s), f.name))
    other = before.change(**{f.name: _changed(f.name, value, f.metadata.get("choices"))})
    if other == before or f.name == "precision":
        refuse_in_vain(other, ended)
        return
    with pytest.raises(
        UsageError, match=rf"finished at epoch 2, where another value of {f.name} changes nothing: give"
    ):
        refuse_in_vain(other, ended)
    refuse_in_vain(other.change(minutes=1e3) if f.name == "minutes" else other.change(epochs=3), ended)


def test_the_command_refuses_it_before_anything_is_written(ended: Path, data: Path, tmp_path: Path) -> None:
    shutil.copytree(data / "camvid", tmp_path / "other")
    before = {file: file.read_bytes() for file in ended.rglob("*") if file.is_file()}
    for more in (("--learning-rate", 0.1), ("--epochs", 1), ("--data", tmp_path / "other", "--labels", "driving")):
        result = run("train", ended / "recipe.toml", "--run", ended, *more)
        assert result.exit_code == 2 and "changes nothing: give --epochs above 2 to go on" in result.output
    shutil.copytree(data / "camvid", tmp_path / "moved" / "camvid")
    moved = read_recipe(str(ended / "recipe.toml"))
    refuse_in_vain(moved.change(data=(Source("auto", str(tmp_path / "moved" / "camvid")),)), ended)
    assert before == {file: file.read_bytes() for file in ended.rglob("*") if file.is_file()}


def test_a_run_that_stopped_early_says_what_lets_it_go_on(short: Recipe, ended: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(ended, folder)
    state = load_checkpoint(folder)
    assert state is not None
    early = read_recipe(str(folder / "recipe.toml")).change(epochs=9, early_stopping=2)
    (folder / "recipe.toml").write_text(early.to_toml(), encoding="utf-8")
    save_checkpoint(folder, dataclasses.replace(state, waited=2))
    state = load_checkpoint(folder)
    assert state is not None and not goes_on(early, folder, state)
    refuse_in_vain(early, folder)  # the same command again: it has ended
    with pytest.raises(UsageError, match="stopped early at epoch 2, 2 epochs without a better one, and would again"):
        refuse_in_vain(early.change(epochs=20), folder)
    for patience in (0, 3):
        other = early.change(early_stopping=patience)
        refuse_in_vain(other, folder)
        assert goes_on(other, folder, state)


def test_a_steady_learning_rate_is_not_told(short: Recipe) -> None:
    assert rate_jump(short, Checkpoint([], [], rate=1e-3), 1.005e-3) == ""
    assert rate_jump(short, Checkpoint([], []), 1e-3) == ""
    old = Checkpoint([], [], history=[{"learning_rate": 1e-3}])  # from before the rate was kept
    assert rate_jump(short, old, 8e-4) == "" and "0.01 from here on" in rate_jump(short, old, 0.01)


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CamVid whose held-out pictures are its training pictures."""
    root = tmp_path_factory.mktemp("twice") / "camvid"
    rng = np.random.default_rng(2)
    for number in range(4):
        mask = blocks(rng)
        mask[:8] = 0
        for part in ("train", "val"):
            write_rgb(root / part / f"{number}.png", painted(mask))
            write_rgb(root / f"{part}annot" / f"{number}.png", np.array([1, 3, 8, 9], np.uint8)[mask])
    return root


LOSSES: list[dict[str, Any]] = [
    {"loss": "bce+dice+lovasz", "balance": 1.0, "arch": "unet", **PLAIN},
    {"loss": "ce+0.5*dice", "details": "streets", "class_weights": (1.0, 5.0, 1.0, 9.0)},
    {"loss": "ce", "details": "streets", "subpixel": True, "balance": 0.5},
    {"loss": "ce", "teacher": "ended", "class_weights": (1.0, 5.0, 1.0, 9.0)},
]


@pytest.mark.parametrize("changes", LOSSES, ids=lambda changes: "-".join(changes))
def test_training_and_validation_have_the_same_loss(
    changes: dict[str, Any], short: Recipe, ended: Path, twice: Path, tmp_path: Path
) -> None:
    """On the same pictures, with weights that hardly move, and without what training does differently on purpose."""
    if "teacher" in changes:
        changes = {**changes, "teacher": str(ended)}
    same = short.change(data=(Source("camvid", str(twice)),), size=(96, 64), epochs=1, augment=False, norm=False,
                        learning_rate=1e-9, ema=0.0, **{**PLAIN, **changes})  # fmt: skip
    state = run_training(same, [], tmp_path / "run", QUIET)
    row = state.history[0]
    assert row["val_loss"] == pytest.approx(row["loss"], rel=2e-3)
    assert row["val_accuracy"] == pytest.approx(row["accuracy"], abs=2e-2)


@pytest.mark.usefixtures("drawn")
def test_held_out_pictures_that_are_all_ignored_are_told(short: Recipe, twice: Path, tmp_path: Path) -> None:
    root = tmp_path / "camvid"
    shutil.copytree(twice, root)
    for file in (root / "valannot").iterdir():
        cv2.imwrite(str(file), np.full((64, 96), 11, np.uint8))
    given = short.change(data=(Source("camvid", str(root)),), epochs=1)
    (tmp_path / "r.toml").write_text(given.to_toml(), encoding="utf-8")
    result = run("train", tmp_path / "r.toml", "--run", tmp_path / "run")
    assert result.exit_code == 0, result.output
    assert "every pixel of the held-out pictures is ignored: nothing can be scored" in result.output
    assert load_weights(tmp_path / "run")[1] == 1 and "Nothing was held out that has labels" in (
        (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    )


def test_an_epoch_without_a_validation_loss_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    row = {"epoch": 1, "step": 2, "loss": 0.5, "accuracy": 0.5, "pictures_per_s": 3.0}
    Reporter(Console(soft_wrap=True)).epoch(row, Scores(1, np.eye(4, dtype=np.int64), DRIVING), best=True)
    assert "val accuracy 100.00 mIoU 100.00" in capsys.readouterr().out


def _tensorflow_full() -> None:
    import tensorflow as tf

    with tf.io.TFRecordWriter("/dev/full") as writer:  # raises a ResourceExhaustedError, as for memory
        writer.write(b"x" * 1_000_000)


def _h5_full() -> None:
    import h5py

    h5py.File("/dev/full", "w")


def _python_full() -> None:
    Path("/dev/full").write_bytes(b"x")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize("write", [_tensorflow_full, _h5_full, _python_full])
def test_a_full_disk_is_told_as_one(write: Callable[[], None], short: Recipe, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="run: the disk is full; free some space"), explained(short, tmp_path / "run"):
        write()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE])
def test_what_tensorflow_calls_exhausted_is_no_memory(code: int, short: Recipe, tmp_path: Path) -> None:
    import tensorflow as tf

    error = tf.errors.ResourceExhaustedError(None, None, f"{tmp_path}/events; {os.strerror(code)}")
    with pytest.raises(ExportError) as told, explained(short, tmp_path):
        raise error
    assert "memory" not in str(told.value)
    assert ("disk is full" in str(told.value)) == (code in (errno.ENOSPC, errno.EDQUOT))


def test_a_rate_for_going_on_is_not_that_of_the_beginning(short: Recipe, tmp_path: Path) -> None:
    """The recipe of a run that went on repeats the run: its first step has the learning rate of a first step."""
    lines = Console(record=True, width=200, file=io.StringIO())
    begun = run_training(short.change(resume_rate=1.0), [], tmp_path / "run", lines, stop_at=1)
    assert "--resume-rate 1 is for a run that goes on: this one begins" in lines.export_text()
    assert begun.rate is None or begun.rate < 0.1
    assert read_recipe(str(tmp_path / "run" / "recipe.toml")).optimizer.resume_rate == 0.0
