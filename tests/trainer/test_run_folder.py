"""What a run leaves on disk: whole files under their names, or none."""

from __future__ import annotations

import io
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from seg_viewer.core.errors import ExportError, UsageError
from seg_viewer.core.labels import DRIVING
from tests.trainer.conftest import LIGHT
from trainer.recipe import Recipe
from trainer.run_folder.checkpoint import (
    CHECKPOINT,
    HISTORY,
    WEIGHTS,
    Checkpoint,
    load_checkpoint,
    load_weights,
    save_checkpoint,
    save_weights,
    write_history,
)
from trainer.training.run import run_training

BIG = [np.arange(300_000, dtype=np.float32)]


def test_every_file_of_a_run_is_on_disk_before_it_gets_its_name(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written under another name, synced, then renamed: a crash leaves the old file or the whole new one."""
    synced: set[int] = set()
    renamed: dict[Path, list[bool]] = {}
    fsync, replace = os.fsync, os.replace

    def watched_fsync(file: int) -> None:
        fsync(file)
        synced.add(os.fstat(file).st_ino)

    def watched_replace(source: Any, target: Any, **more: Any) -> None:
        renamed.setdefault(Path(target), []).append(os.stat(source).st_ino in synced)
        replace(source, target, **more)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(os, "replace", watched_replace)
    run = tmp_path / "run"
    run_training(recipe.change(**LIGHT, epochs=1, checkpoint_every=1), [], run, Console(quiet=True))
    ours = {path for path in run.rglob("*") if path.is_file() and path.name != ".lock"}
    ours -= set((run / "tensorboard").rglob("*"))  # TensorFlow writes those
    assert {CHECKPOINT, WEIGHTS, HISTORY, "recipe.toml", "model.keras", "report.html"} <= {path.name for path in ours}
    assert ours <= set(renamed), "written in place"
    assert not [path.name for path, was_synced in renamed.items() if path in ours and not all(was_synced)]


def _save_often(run: Path, first: int, times: int, together: Any) -> None:
    together.wait(60)
    for updates in range(first, first + times):
        save_checkpoint(run, Checkpoint([np.full(100_000, updates, np.float32)], [], updates=updates))


def test_two_processes_that_save_at_once_leave_a_whole_checkpoint(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    together = spawn.Barrier(2)
    savers = [spawn.Process(target=_save_often, args=(tmp_path, first, 60, together)) for first in (0, 1000)]
    for saver in savers:
        saver.start()
    try:
        for saver in savers:
            saver.join(60)
            assert saver.exitcode == 0, "a saver failed, or did not end within a minute"
    finally:
        for saver in savers:
            saver.kill()
    last = load_checkpoint(tmp_path)
    assert last is not None
    assert last.updates in (59, 1059)
    assert (last.weights[0] == last.updates).all()
    assert [path.name for path in tmp_path.iterdir()] == [CHECKPOINT]


@contextmanager
def _files_no_larger_than(size: int) -> Iterator[None]:
    """As on a full disk: a file that grows beyond `size` bytes cannot be written."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def _save_keras(run: Path, large: bool) -> None:
    from trainer.architecture import Model
    from trainer.network.keras_file import save_keras
    from trainer.network.unet import build

    save_keras(run / "model.keras", build(Model(widths=(64, 96) if large else (2, 3)), 4, 8, 8), DRIVING)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit of file size")
@pytest.mark.parametrize(
    ("name", "save"),
    [
        (CHECKPOINT, lambda run, large: save_checkpoint(run, Checkpoint(BIG if large else [np.zeros(3)], []))),
        (WEIGHTS, lambda run, large: save_weights(run, BIG if large else [np.zeros(3)], 1)),
        (HISTORY, lambda run, large: write_history(run / HISTORY, [{"epoch": 1}] * (100_000 if large else 1))),
        ("model.keras", _save_keras),
    ],
)
def test_what_cannot_be_written_leaves_what_was_there(
    tmp_path: Path, name: str, save: Callable[[Path, bool], None]
) -> None:
    save(tmp_path, False)
    before = (tmp_path / name).read_bytes()
    with pytest.raises(ExportError, match=rf"{name}: .*file may not grow"), _files_no_larger_than(len(before) + 10_000):
        save(tmp_path, True)
    assert (tmp_path / name).read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_weights_come_back_with_their_step(tmp_path: Path) -> None:
    save_weights(tmp_path, BIG, 7)
    weights, step = load_weights(tmp_path)
    assert step == 7
    np.testing.assert_array_equal(weights[0], BIG[0])


NOT_OURS = {
    "empty": lambda path: path.write_bytes(b""),
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:300]),
    "text": lambda path: path.write_text("hello"),
    "an .npy": lambda path: path.write_bytes(_npy()),
    "another .npz": lambda path: np.savez(path, other=np.zeros(3)),
}


def _npy() -> bytes:
    file = io.BytesIO()
    np.save(file, np.zeros(3))
    return file.getvalue()


@pytest.mark.parametrize("how", NOT_OURS)
def test_damaged_arrays_are_named_with_the_way_out(how: str, tmp_path: Path) -> None:
    save_checkpoint(tmp_path, Checkpoint(BIG, BIG))
    save_weights(tmp_path, BIG, 1)
    for name, read in ((CHECKPOINT, load_checkpoint), (WEIGHTS, load_weights)):
        NOT_OURS[how](tmp_path / name)
        with pytest.raises(UsageError, match=rf"{name}: .*damaged.*(remove it|another --run)"):
            read(tmp_path)
