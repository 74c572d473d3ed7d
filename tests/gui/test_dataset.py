"""D sends a frame to the trainer's data set, Ctrl+Z takes it back."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from tests.house import ROOT
from trainer.data.picture_files import read_raw_mask

from .conftest import WAIT_MS, pause_at, shown_index

CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where frames go unless somebody says otherwise."""
    return tmp_path / "Pictures" / "seg-viewer" / "dataset"


@pytest.fixture
def paused(qtbot: QtBot, open_window, clip: Path):
    window = open_window(clip)
    pause_at(qtbot, window, 5)
    return window


def _pairs(folder: Path) -> int:
    images, masks = ({path.name for path in (folder / part).glob("*.png")} for part in ("images", "masks"))
    return len(images & masks) if images == masks else -1


def _send(qtbot: QtBot, window, folder: Path, count: int) -> None:
    qtbot.keyClick(window, "d")
    qtbot.waitUntil(lambda: _pairs(folder) == count, timeout=WAIT_MS)


def _told(qtbot: QtBot, window, words: str) -> None:
    qtbot.waitUntil(lambda: any(words in text for text in window.messages.texts("info")), timeout=WAIT_MS)


def test_frames_are_sent_and_the_trainers_check_passes(qtbot: QtBot, paused, folder: Path):
    for count in range(1, 5):
        _send(qtbot, paused, folder, count)
        qtbot.keyClick(paused, ".")
        # another picture of the same frame may come too
        qtbot.waitUntil(lambda index=5 + count: shown_index(paused) == index, timeout=WAIT_MS)
    _told(qtbot, paused, f"sent to the data set {folder}")
    done = subprocess.run(
        [sys.executable, "-m", "trainer.cli", "check", str(folder)],
        env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, encoding="utf-8", timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert "160x96 (4)" in said and "background, road" not in said
    masks = [np.unique(read_raw_mask(path)).tolist() for path in sorted((folder / "masks").iterdir())]
    assert sorted(masks) == [[0], [1], [2], [3]]  # each frame is of one colour, so of one class


def test_the_same_frame_is_sent_once(qtbot: QtBot, paused, folder: Path):
    qtbot.keyClick(paused, "d")
    qtbot.keyClick(paused, "d")
    _told(qtbot, paused, "in the data set already")
    qtbot.waitUntil(paused.actions_by_id["undo"].isEnabled, timeout=WAIT_MS)
    assert _pairs(folder) == 1


def test_undo_by_key_and_by_button_removes_exactly_that_frame(qtbot: QtBot, paused, folder: Path):
    assert not paused.actions_by_id["undo"].isEnabled()
    _send(qtbot, paused, folder, 1)
    first = {path for path in folder.rglob("*") if path.is_file()}
    qtbot.keyClick(paused, ".")
    qtbot.waitUntil(lambda: paused.view.shown.shot.frame.index == 6, timeout=WAIT_MS)
    _send(qtbot, paused, folder, 2)
    qtbot.waitUntil(lambda: len(paused.dataset._sent) == 2, timeout=WAIT_MS)
    qtbot.keyClick(paused, "z", CTRL)
    qtbot.waitUntil(lambda: {path for path in folder.rglob("*") if path.is_file()} == first, timeout=WAIT_MS)
    _told(qtbot, paused, "taken back")
    button = next(b for b in paused.messages.findChildren(QPushButton) if b.text() == "Undo" and b.isVisible())
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: _pairs(folder) == 0, timeout=WAIT_MS)
    assert (folder / "labels.toml").is_file() and not paused.actions_by_id["undo"].isEnabled()


def test_a_corrected_mask_survives_undo(qtbot: QtBot, paused, folder: Path):
    _send(qtbot, paused, folder, 1)
    qtbot.waitUntil(lambda: bool(paused.dataset._sent), timeout=WAIT_MS)
    (mask,) = (folder / "masks").iterdir()
    mask.write_bytes(mask.read_bytes() + b"corrected")
    qtbot.keyClick(paused, "z", CTRL)
    qtbot.waitUntil(lambda: any("was changed" in text for text in paused.messages.texts("error")), timeout=WAIT_MS)
    assert _pairs(folder) == 1


def test_another_folder_and_one_that_cannot_be_made(qtbot: QtBot, paused, tmp_path: Path):
    paused.memory.change(dataset_folder=str(tmp_path / "mine"))
    _send(qtbot, paused, tmp_path / "mine", 1)
    (tmp_path / "file").touch()
    paused.memory.change(dataset_folder=str(tmp_path / "file" / "x"))
    qtbot.keyClick(paused, "d")
    qtbot.waitUntil(lambda: any("choose another" in text for text in paused.messages.texts("error")), timeout=WAIT_MS)


def test_d_at_once_before_closing_is_kept(qtbot: QtBot, paused, folder: Path):
    qtbot.keyClick(paused, "d")
    paused.close()
    assert _pairs(folder) == 1
